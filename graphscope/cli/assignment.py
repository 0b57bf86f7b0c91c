"""``graphscope assign``: what it tells a person, and where the source goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import click

from .arguments import say
from .inputs import on_disk
from .ledger import check_ours, remember
from .options import PATH, as_json, force_option
from .terminal import printable, shape_text
from .text.show import remark
from .text.tables import Choice, of_tables, rows_text

_STEPS = {"": "", "transpose": ", transposed", "reshape": ", reshaped"}
_LISTED = 12  # of what one side lacks; the rest are counted


@click.command("assign")
@click.argument("checkpoint", type=PATH)
@click.argument("model", type=PATH)
@click.option(
    "-o",
    "--out",
    type=PATH,
    metavar="FILE.py",
    help="Write source that loads one into the other.",
)
@click.option(
    "--trust", is_flag=True, help="Run a MODEL.py that does more than build layers."
)
@force_option
@of_tables
@as_json
def assign_command(
    checkpoint: str,
    model: str,
    out: str | None,
    trust: bool,
    force: bool,
    json_wanted: bool,
    choice: Choice,
) -> None:
    """Pair the variables of a CHECKPOINT with the weights of a MODEL that you have.

    MODEL is a model file of any format, or Python source that builds one: a Keras model called model, a function
    build_model(), or a TensorFlow 1 graph.
    """
    from pathlib import Path

    from ..analysis.assignment import assign_files
    from ..wire.beside import beside

    if out:
        check_ours([out], force)
    assignment, source = assign_files(on_disk(checkpoint), on_disk(model), trust)
    document = assignment.to_json()
    if out:
        with beside(Path(out)) as unfinished:
            unfinished.write_text(source)
        remember([out])
    text = partial(assignment_text, document, choice)
    say(document, text, json_wanted, choice.wide)
    if out:
        remark(f"wrote {out}")


def assignment_text(document: Mapping[str, object], choice: Choice = Choice()) -> str:
    """The three-way table, a line a pair, and what is left over."""
    return "\n".join(_lines(document, choice))


def _lines(document: Mapping[str, Any], choice: Choice) -> Iterator[str]:
    pairs = document["pairs"]
    total = len(pairs) + len(document["only_in_model"])
    yield f"{len(pairs)} of {total} weights of {printable(document['model'])} are in {printable(document['checkpoint'])}"
    counts = Counter(_kind(pair["evidence"]) for pair in pairs)
    if counts:
        yield "  " + ", ".join(f"{n} by {kind}" for kind, n in counts.items())
    rows = [
        (p["variable"], p["weight"], shape_text(p["shape"]), _why(p)) for p in pairs
    ]
    if rows:
        yield rows_text(rows, ["variable", "weight", "shape", "why"], choice)
    for title, key in (
        ("only in the checkpoint", "only_in_checkpoint"),
        ("only in the model", "only_in_model"),
    ):
        yield from _side(title, document[key])
    for conflict in document["conflicts"]:
        a, b = conflict["variable"], conflict["weight"]
        yield (
            f"{printable(a['name'])} {shape_text(a['shape'])} stands where "
            f"{printable(b['name'])} {shape_text(b['shape'])} does, and does not fit"
        )


def _why(pair: Mapping[str, Any]) -> str:
    return f"{pair['evidence']}{_STEPS[pair['step']]}"


def _kind(evidence: str) -> str:
    return "name" if "name" in evidence else "order" if "order" in evidence else "shape"


def _side(title: str, weights: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if weights:
        yield f"{title}: {len(weights)}"
        for each in weights[:_LISTED]:
            yield f"  {printable(each['name'])} {shape_text(each['shape'])}"
        if len(weights) > _LISTED:
            yield f"  ... and {len(weights) - _LISTED} more (--json lists all)"
