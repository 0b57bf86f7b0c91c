"""What a command is asked -> the analysis that answers it; how it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from .inputs import LINES, STDIN, on_disk
from .options import FILE_SUFFIXES, parse_shape
from .text.show import remark, show

if TYPE_CHECKING:
    from ..analysis.results import Analysis


def analysis_of(options: Mapping[str, Any]) -> Analysis:
    """The Analysis that the shared options ask for; raises GraphError where they name what the model has not."""
    check_place(options.get("out"))
    shapes = dict(map(parse_shape, options["shapes"]))
    places = {key: options[key] for key in ("checkpoint", "graph") if options[key]}
    check = options.get("check", False)
    wishes = {key: options[key] for key in ("outputs", "inputs", "signature")}
    analysis = opened(options["model"], check, places, shapes=shapes, **wishes)
    _check_names(analysis, options)
    if check:
        analysis.check_values()
    return analysis


def opened(
    word: str, check: bool = False, places: Mapping[str, Any] = {}, **wishes: Any
) -> Analysis:
    """The analysis of the model at a path, or of the one that comes through standard input.

    ``places`` are those of its weights or its graph elsewhere, ``wishes`` as Analysis has them.
    """
    from dataclasses import replace

    from ..analysis.results import Analysis
    from ..read import load

    model = load(on_disk(word), **places, check=check)
    if word == STDIN and model.topology is None:  # a Keras file is run from its path
        model = replace(model, source=STDIN)
    return Analysis(model, joined=bool(places), **wishes)


def _check_names(analysis: Analysis, options: Mapping[str, Any]) -> None:
    """Raise GraphError where no node is called so, UsageError where --output has a file's name or --out a node's."""
    from ..errors import GraphscopeError

    out = options.get("out")
    if out and "." not in out and "/" not in out and analysis.has_node(out):
        raise click.UsageError(
            f"-o/--out is where to write, and {out!r} is a node of the model: --output {out} names it as an output, -o a file"
        )
    try:
        analysis.check_names()
    except GraphscopeError as error:
        for name in options["outputs"]:
            if name.lower().endswith(FILE_SUFFIXES) and repr(name) in str(error):
                raise click.UsageError(
                    f"--output names a node of the model, and {name!r} looks like a file: -o/--out is where to write"
                ) from None
        raise


def check_place(out: str | None) -> None:
    """Refuse a file in a folder that is not there before any work is done."""
    from pathlib import Path

    from ..errors import GraphscopeError

    folder = Path(out or "").absolute().parent
    if not folder.is_dir():
        raise GraphscopeError(f"cannot write {out}: there is no folder {str(folder)!r}")


def say(
    document: Mapping[str, object],
    text: Callable[[], str],
    json_wanted: bool,
    wide: bool = False,
) -> None:
    """Print the document as JSON (in one line, with the model's file, where several models are looked at), or the text made from it."""
    import json

    if not json_wanted:
        show(text(), wide)
        return
    path = click.get_current_context().meta.get(LINES)
    lined = {} if path is None else {"file": path}
    indent = 2 if path is None else None
    show_json(json.dumps(lined | dict(document), indent=indent))


def show_json(text: str) -> None:
    """Print JSON: never coloured, never wrapped."""
    from .text.progress import end_notice

    end_notice()
    click.echo(text)


def warn_of(analysis: Analysis) -> None:
    """Say on stderr what is wrong with the outputs that were frozen; a file that was written is not too large, halved as it may be."""
    from ..analysis import documents as report
    from . import terminal as console

    for finding in report.describe_errors(analysis):
        if finding["id"] != "over-2-gib":
            remark(console.doctor_text({"findings": [finding]}))


_USELESS = frozenset(
    "output-is-placeholder output-is-weight only-inputs only-weights values-elsewhere".split()
)


def refuse_useless(analysis: Analysis, force: bool) -> None:
    """Refuse to freeze what computes nothing, such as a label: nobody means that, unless by --force."""
    from ..analysis import documents as report
    from ..errors import GraphscopeError

    for finding in report.describe_errors(analysis):
        if finding["id"] in _USELESS and not force:
            instead = f"; try {finding['remedy']}" if finding["remedy"] else ""
            raise GraphscopeError(
                f"{finding['message']}; nothing is written (--force writes it all the same){instead}"
            )
