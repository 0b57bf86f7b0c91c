"""The commands that draw: ``render`` into a file, ``view`` into a page that opens in the browser, ``diff`` two models; the
charts of ``variables``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from .arguments import analysis_of, check_place, opened, say
from .ledger import check_ours, remember
from .options import (
    PATH,
    OutOption,
    as_json,
    force_option,
    level_option,
    shared_options,
)
from .text.show import remark, show

_STATS = click.option(
    "--stats",
    is_flag=True,
    help="On a page: histograms of the weights. Reads all values.",
)


@click.command("render")
@shared_options
@click.option(
    "-o",
    "--out",
    cls=OutOption,
    type=PATH,
    required=True,
    metavar="FILE",
    help="Its suffix chooses the format.",
)
@level_option
@_STATS
@force_option
def render_command(
    out: str, level: str, stats: bool, force: bool, **options: object
) -> None:
    """Draw or tabulate the model: .html (a page to explore) .svg .png .dot .md .csv .json .txt .graphml .gexf"""
    check_ours([out], force)
    analysis_of({**options, "out": out}).render(out, level, stats)
    remember([out])
    remark(f"wrote {out}")


def _page(_: click.Context, __: click.Parameter, out: str | None) -> str | None:
    """The name of a page, before any work is done for it."""
    if out and not out.lower().endswith((".html", ".htm")):
        raise click.BadParameter(
            f"{out!r} does not end in .html: a comparison is drawn as a page"
        )
    return out


@click.command("diff")
@click.argument("a", type=PATH)
@click.argument("b", type=PATH)
@click.option(
    "-o",
    "--out",
    type=PATH,
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
    from .text.comparison import diff_text

    check_place(out)
    check_ours([out] if out else [], force)
    comparison = opened(a).compare(opened(b), weights)
    document = comparison.to_json()
    if out:
        comparison.render(out)
        remember([out])
    say(document, lambda: diff_text(document), json_wanted)
    if not document["same"]:
        sys.exit(3)


@click.command("view")
@shared_options
@level_option
@_STATS
def view_command(level: str, stats: bool, **options: object) -> None:
    """Explore the model in the browser: a page written to a temporary file, whose path is printed."""
    import tempfile
    import webbrowser

    analysis = analysis_of(options)
    folder = tempfile.mkdtemp(prefix="graphscope-")
    name = Path(analysis.model.source).name.replace("\0", "") or "model"
    page = Path(folder, f"{name[:100]}.html")
    analysis.render(page, level, stats)
    show(str(page), wide=True)
    if not webbrowser.open(page.as_uri()):
        remark("no browser could be opened: open that file in one")


def _chart(_: click.Context, __: click.Parameter, out: str | None) -> str | None:
    """The name of a chart, before any work is done for it."""
    if out and not out.lower().endswith((".html", ".htm", ".svg", ".png", ".pdf")):
        raise click.BadParameter(f"{out!r} is no .html, .svg, .png or .pdf")
    return out


_CHART = click.option(
    "-o",
    "--out",
    type=PATH,
    metavar="FILE",
    callback=_chart,
    help="Draw the weights: .html .svg .png .pdf. Reads all values.",
)
_OVER_TIME = click.option(
    "--over-time",
    is_flag=True,
    help="MODEL is a folder of checkpoints: the norm of each weight from step to step.",
)


def of_charts(command: Callable[..., None]) -> Callable[..., None]:
    """``-o --over-time --force`` of a command on variables: charts beside the table, or in its place."""

    @wraps(command)
    def charted(
        *args: object, out: str | None, over_time: bool, force: bool, **options: object
    ) -> None:
        check_place(out)
        check_ours([out] if out else [], force)
        if over_time:
            _tell_history(out, options)
        else:
            command(*args, **options)
            if out:
                from ..analysis.weights import draw_weights

                draw_weights(analysis_of(options), out)
        if out:
            remember([out])
            remark(f"wrote {out}")

    return _CHART(_OVER_TIME(force_option(charted)))


def _tell_history(out: str | None, options: dict[str, Any]) -> None:
    """Print how the weights of a folder of checkpoints moved, and draw it."""
    from ..analysis.weights import describe_history, draw_history
    from .text.tables import history_text

    document = describe_history(options["model"])
    choice, json_wanted = options["choice"], options["json_wanted"]
    say(document, lambda: history_text(document, choice), json_wanted, choice.wide)
    if out:
        draw_history(document, out)
