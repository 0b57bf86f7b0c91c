"""The commands that draw: ``render`` into a file, ``view`` into a page that opens in the browser."""

from __future__ import annotations

import tempfile
import webbrowser
from pathlib import Path
from typing import Any

import click

from .arguments import analysis_of
from .ledger import check_ours, remember
from .options import force_option, shared_options

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
    click.echo(f"wrote {out}", err=True)


@click.command("view")
@shared_options
@_LEVEL
@_STATS
def view_command(level: str, stats: bool, **options: Any) -> None:
    """Explore the model in the browser: a page written to a temporary file, whose path is printed."""
    analysis = analysis_of(options)
    folder = tempfile.mkdtemp(prefix="graphscope-")
    name = Path(analysis.model.source).name.replace("\0", "") or "model"
    page = Path(folder, f"{name[:100]}.html")
    analysis.render(page, level, stats)
    click.echo(page)
    if not webbrowser.open(page.as_uri()):
        click.echo("no browser could be opened: open that file in one", err=True)
