"""The commands that draw: ``render`` into a file, ``view`` into a page that opens in the browser, ``diff`` two models."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from .arguments import analysis_of, check_place, say
from .ledger import check_ours, remember
from .options import as_json, force_option, shared_options
from .text.progress import end_notice

_LEVEL = click.option(
    "--level",
    type=click.Choice(["op", "layer", "block"]),
    default="layer",
    show_default=True,
)
_STATS = click.option(
    "--stats",
    is_flag=True,
    help="On a page: histograms of the weights. Reads all values.",
)


@click.command("render")
@shared_options
@click.option(
    "-o", "--out", required=True, metavar="FILE", help="Its suffix chooses the format."
)
@_LEVEL
@_STATS
@force_option
def render_command(
    out: str, level: str, stats: bool, force: bool, **options: Any
) -> None:
    """Draw or tabulate the model: .html (a page to explore) .dot .svg .png .md .csv .json .txt"""
    check_ours([out], force)
    analysis_of({**options, "out": out}).render(out, level, stats)
    remember([out])
    end_notice()
    click.echo(f"wrote {out}", err=True)


def _page(_: click.Context, __: click.Parameter, out: str | None) -> str | None:
    """The name of a page, before any work is done for it."""
    if out and not out.lower().endswith((".html", ".htm")):
        raise click.BadParameter(
            f"{out!r} does not end in .html: a comparison is drawn as a page"
        )
    return out


@click.command("diff")
@click.argument("a")
@click.argument("b")
@click.option(
    "-o",
    "--out",
    metavar="FILE.html",
    callback=_page,
    help="A page: the map of both, coloured by what changed.",
)
@click.option(
    "--weights/--no-weights",
    default=True,
    help="Compare the values: reads all of both.",
)
@force_option
@as_json
def diff_command(
    a: str, b: str, out: str | None, weights: bool, force: bool, json_wanted: bool
) -> None:
    """What B has that A has not: layers added, removed, changed; weights moved, scaled, replaced.

    Layers are aligned by structure first, by name second. Exit status 0: nothing differs; 3: something does.
    """
    from ..analysis.results import analyse
    from .text.comparison import diff_text

    check_place(out)
    check_ours([out] if out else [], force)
    comparison = analyse(a).compare(analyse(b), weights)
    document = comparison.to_json()
    if out:
        comparison.render(out)
        remember([out])
    say(document, lambda: diff_text(document), json_wanted)
    if not document["same"]:
        sys.exit(3)


@click.command("view")
@shared_options
@_LEVEL
@_STATS
def view_command(level: str, stats: bool, **options: Any) -> None:
    """Explore the model in the browser: a page written to a temporary file, whose path is printed."""
    import tempfile
    import webbrowser

    analysis = analysis_of(options)
    folder = tempfile.mkdtemp(prefix="graphscope-")
    name = Path(analysis.model.source).name.replace("\0", "") or "model"
    page = Path(folder, f"{name[:100]}.html")
    analysis.render(page, level, stats)
    end_notice()
    click.echo(page)
    if not webbrowser.open(page.as_uri()):
        click.echo("no browser could be opened: open that file in one", err=True)
