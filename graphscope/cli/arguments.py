"""What a command is asked -> the analysis that answers it; how it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from .options import parse_shape
from .text.progress import end_notice

if TYPE_CHECKING:
    from ..analysis.results import Analysis


def analysis_of(options: Mapping[str, Any]) -> Analysis:
    """The Analysis that the shared options ask for."""
    from ..analysis.results import Analysis
    from ..read import load

    check_place(options.get("out"))
    shapes = dict(map(parse_shape, options["shapes"]))
    places = {key: options[key] for key in ("checkpoint", "graph") if options[key]}
    check = options.get("check", False)
    model = load(options["model"], **places, check=check)
    wishes = (options["outputs"], options["inputs"], shapes)
    analysis = Analysis(model, *wishes, joined=bool(places))
    if check:
        analysis.check_values()
    return analysis


def check_place(out: str | None) -> None:
    """Refuse a file in a folder that is not there before any work is done."""
    from pathlib import Path

    from ..errors import GraphscopeError

    folder = Path(out or "").absolute().parent
    if not folder.is_dir():
        raise GraphscopeError(f"cannot write {out}: there is no folder {str(folder)!r}")


def say(
    document: Mapping[str, Any], text: Callable[[], str], json_wanted: bool
) -> None:
    """Print the document as JSON, or the text made from it."""
    import json

    printed = json.dumps(document, indent=2) if json_wanted else text()
    end_notice()
    click.echo(printed)
