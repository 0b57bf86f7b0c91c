"""What the weights of a model are, as a chart, and how those of a folder of checkpoints moved from step to step."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import GraphscopeError
from ..graph import Model
from ..graph.named_values import Document, Row
from ..infer.statistics import histogram
from ..read import load
from ..read.model_files import check_targets
from ..read.variables.roles import PARAMETERS
from .documents import describe_variables, reading
from .progress import announced
from .stages import Stages

_STEP = re.compile(r"(\d+)(?=\D*\Z)")


def draw_weights(analysis: Stages, path: str | Path) -> None:
    """Write histograms of the model's parameters and their norms by depth, as the suffix says (.html .svg .png .pdf).

    Every value is read. Raises GraphscopeError where there are no values, or none can be written there.
    """
    from ..render.drawing.weights import draw_weights as draw

    check_targets(analysis.model, [path])
    listed = describe_variables(analysis)["variables"]
    rows = [row for row in listed if row["role"] in PARAMETERS]
    of_layers = [
        use.node for layer in analysis.layers for use in layer.weights.values()
    ]
    keys = [analysis.flat.keys.get(node, node) for node in of_layers]
    depth = {key: place for place, key in reversed(list(enumerate(keys)))}
    rows.sort(key=lambda row: depth.get(row["name"], len(depth)))  # the model's order
    charted = []
    for row in reading(rows):
        values = histogram(analysis.flat, row["name"])
        charted += [row | values] if values else []
    if not charted:
        raise GraphscopeError(
            f"{analysis.model.source} holds no values of weights to draw"
        )
    draw(charted, Path(analysis.model.source).name, Path(path))


def checkpoints_of(folder: str | Path) -> dict[int, Path]:
    """The checkpoints of a folder by their step, in order; raises GraphscopeError where there are not two."""
    place = Path(folder)
    prefixes = [path.with_suffix("") for path in place.glob("*.index")]
    steps = {
        int(match[1]): path for path in prefixes if (match := _STEP.search(path.name))
    }
    if len(steps) < 2:
        raise GraphscopeError(
            f"{folder} holds {len(steps)} checkpoints with a step in their name; --over-time needs two, such as model.ckpt-100 and "
            "model.ckpt-200 in one folder"
        )
    return dict(sorted(steps.items()))


def describe_history(folder: str | Path) -> Document:
    """``variables --over-time``: of every parameter its norm at each step, and how far each step moved it.

    Two checkpoints are open at a time; a value that one of them has not is None.
    """
    places = checkpoints_of(folder)
    rows: dict[str, Row] = {}
    before: Model | None = None
    steps = enumerate(places.items())
    for number, (_, path) in announced(
        steps, lambda each: f"reading step {each[1][0]}", lambda _: 1
    ):
        model = load(str(path))
        for variable in model.variables:
            if variable.role in PARAMETERS and variable.name in model.weights:
                _add(rows, number, len(places), model, before, variable.name)
        before = model
    for row in rows.values():
        row["change"] = row["changes"][-1]
    return {
        "folder": str(folder),
        "steps": list(places),
        "variables": list(rows.values()),
    }


def draw_history(document: Document, path: str | Path) -> None:
    """Write the norms of ``describe_history`` as lines, as the suffix says (.html .svg .png .pdf)."""
    from ..render.drawing.weights import draw_history as draw

    draw(document, Path(document["folder"]).name, Path(path))


def _add(
    rows: dict[str, Row],
    number: int,
    count: int,
    model: Model,
    before: Model | None,
    name: str,
) -> None:
    """What one step says of one variable."""
    value = np.asarray(model.weights[name])
    if value.dtype.kind not in "fiu" and value.dtype.name != "bfloat16":
        return
    now = value.astype(np.float64)
    nothing: list[Any] = [None] * count
    fresh = {
        "name": name,
        "shape": list(now.shape),
        "norms": nothing,
        "changes": nothing,
    }
    row = rows.setdefault(
        name, {k: list(v) if isinstance(v, list) else v for k, v in fresh.items()}
    )
    norm = float(np.linalg.norm(now))
    row["norms"][number] = norm if np.isfinite(norm) else None
    if before is not None and name in before.weights:
        was = np.asarray(before.weights[name]).astype(np.float64)
        size = float(np.linalg.norm(was))
        if was.shape == now.shape and size:
            change = float(np.linalg.norm(now - was)) / size
            row["changes"][number] = change if np.isfinite(change) else None
