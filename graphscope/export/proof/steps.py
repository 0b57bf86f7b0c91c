"""A net with integer activations -> the steps in which its answers move, and where these alone are coarser than the difference allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from ...graph.named_values import Document
from ...read.deployment.lite.file import LiteFile, Subgraph
from ...wire.source import open_source

COARSE = (
    "{name} moves in steps of {step:.2g} and its values reach {scale:.2g} only: LiteRT's int8 gives a Softmax or a Sigmoid 256 steps "
    "from 0 to 1, whatever converts the model and whatever --calibrate holds; --quantize dynamic has no such steps, nor has an --output before it"
)


def output_steps(path: Path, details: Mapping[str, Document]) -> dict[str, float]:
    """The step of each float output that a .tflite computes as integers, by the signature's name of it.

    ``details`` are what LiteRT's signature runner says of its outputs: the ``name`` and the ``index`` of each tensor.
    """
    steps = {}
    for graph in LiteFile(open_source(str(path))).subgraphs:
        for key, detail in details.items():
            index = int(detail["index"])
            if index in graph.outputs and graph.tensor(index).name == detail["name"]:
                steps.update({key: step for step in _steps(graph, index)})
    return steps


def _steps(graph: Subgraph, index: int) -> Iterator[float]:
    for operator in graph.operators:
        if operator.op == "DEQUANTIZE" and index in operator.outputs:
            integers = graph.tensor(operator.inputs[0]).quantisation
            if integers is not None:
                yield max(integers.scale)


def coarse_steps(
    steps: Mapping[str, float], rows: Sequence[Document], bound: float
) -> Iterator[str]:
    """A remark for each output whose steps are so far apart that half of one is more than ``bound`` in the output's scale.

    ``steps`` are by the name in a row's ``b``; the rows are those of a Verification.
    """
    for row in rows:
        step = steps.get(row["b"])
        if step is not None and 0 < row["max_rel"] < np.inf:
            scale = row["max_abs"] / row["max_rel"]
            if step / 2 > bound * scale:
                yield COARSE.format(name=row["a"], step=step, scale=scale)
