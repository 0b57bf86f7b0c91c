"""One cell of the matrix: a layer (row) as one ecosystem writes it (column), through the whole chain.

A cell holds when the file gives exactly the layers named, with these arguments among others, when no op and no loose
weight is left beside them, and when the Keras model that is written computes the same as TensorFlow does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from graphscope import analyse
from graphscope.analysis.results import Analysis

v1 = tf.compat.v1
Expected = tuple[str, dict[str, Any]]
# Layers that own no weight and that a column may put around the one in question.
AROUND = {"Permute", "Reshape", "Flatten", "Identity"}


@dataclass(frozen=True)
class Cell:
    """``build`` makes the graph and returns its output; ``layers`` is what must be found, in order.

    ``eager``: it returns a function and the specs of its inputs; ``frozen``: a GraphDef and the name of its output.
    """

    row: str
    column: str
    build: Callable[[], Any]
    layers: tuple[Expected, ...]
    eager: bool = False
    frozen: bool = False

    def __str__(self) -> str:
        return f"{self.column}: {self.row}"


class Column:
    """The cells of one ecosystem, as its module fills them in."""

    def __init__(self, name: str, eager: bool = False, around: Any = ()) -> None:
        self.name, self.eager, self.around = name, eager, set(around)
        self.cells: list[Cell] = []

    def add(
        self, row: str, build: Callable[[], Any], *layers: Any, **config: Any
    ) -> None:
        """A cell; ``layers`` are class names or ``(class, config)``, ``config`` is that of the first."""
        first, *rest = layers or (row,)
        pairs = [(first, config)] if isinstance(first, str) else [first]
        pairs += [(each, {}) if isinstance(each, str) else each for each in rest]
        self.cells.append(Cell(row, self.name, build, tuple(pairs), self.eager))


def image(*shape: int | None, name: str = "x") -> Any:
    """A float placeholder, by default a batch of 8 x 8 images of 4 channels."""
    return v1.placeholder(tf.float32, shape or (None, 8, 8, 4), name=name)


def weight(name: str, *shape: int, positive: bool = False) -> Any:
    """A TF1 variable that starts from random numbers of moderate size."""
    rng = np.random.default_rng(len(name) + sum(shape))
    values = rng.uniform(0.5, 1.5, shape) if positive else rng.normal(0, 0.4, shape)
    return v1.get_variable(name, initializer=values.astype("float32"))


def write(cell: Cell, path: Path) -> str:
    """Build and freeze the cell's graph; returns the name of its output."""
    definition, output = frozen_graph(cell)
    path.write_bytes(definition.SerializeToString())
    return output


def frozen_graph(cell: Cell) -> tuple[Any, str]:
    """The cell's graph as TensorFlow freezes it, and the name of its output."""
    if cell.frozen:
        found: tuple[Any, str] = cell.build()
        return found
    return _eager(cell) if cell.eager else _graph(cell)


def _graph(cell: Cell) -> tuple[Any, str]:
    made = tf.Graph()
    with made.as_default(), v1.Session(graph=made) as session:
        v1.set_random_seed(0)
        output = tf.identity(cell.build(), name="out")
        session.run(v1.global_variables_initializer())
        _scatter(session)
        definition = v1.graph_util.convert_variables_to_constants(
            session, made.as_graph_def(), [output.op.name]
        )
    return definition, "out"


def _scatter(session: Any) -> None:
    """Statistics and scales away from the 0 and 1 that they start from."""
    rng = np.random.default_rng(3)
    for variable in v1.global_variables():
        value = session.run(variable)
        if value.dtype == np.float32 and len(set(value.reshape(-1).tolist())) == 1:
            variable.load(rng.uniform(0.5, 1.5, value.shape), session)


def _eager(cell: Cell) -> tuple[Any, str]:
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    function, *specs = cell.build()
    rng = np.random.default_rng(3)
    for variable in getattr(function, "variables", ()):
        value = np.asarray(variable)
        if value.dtype == np.float32 and len(set(value.reshape(-1).tolist())) == 1:
            variable.assign(rng.uniform(0.5, 1.5, value.shape))
    call = tf.function(lambda *x: tf.identity(function(*x), name="out"))
    frozen = convert_variables_to_constants_v2(call.get_concrete_function(*specs))
    return frozen.graph.as_graph_def(), str(frozen.outputs[0].op.name)


def check(cell: Cell, folder: Path, prove: bool = True) -> None:
    """Raise AssertionError, saying what was found, unless the cell holds."""
    output = write(cell, folder / "graph.pb")
    check_file(folder / "graph.pb", output, cell, folder, prove)


def check_file(path: Path, output: str, cell: Cell, folder: Path, prove: bool) -> None:
    """As ``check``, of a file that is there."""
    analysis = analyse(str(path), outputs=[output])
    check_layers(analysis, cell)
    report = analysis.write_keras(folder / "keras")
    assert not report.unexplained, report.unexplained
    assert not report.not_portable, report.not_portable
    loose = [s.node for s in report.source.program.steps if s.constructor == "Weight"]
    assert not loose, loose
    if prove:
        proof = analysis.prove(folder / "keras")
        assert proof.passed, (proof.max_rel, proof.remarks)


def check_layers(analysis: Analysis, cell: Cell) -> None:
    """The layers are those expected, less what may stand around them."""
    wanted = {name for name, _ in cell.layers}
    found = [
        node
        for node in (analysis.layer_graph.node(n) for n in analysis.layer_graph)
        if hasattr(node, "pattern") and (node.op in wanted or node.op not in AROUND)
    ]
    assert [f.op for f in found] == [name for name, _ in cell.layers]
    for layer, (_, config) in zip(found, cell.layers):
        for key, value in config.items():
            got = layer.attrs.get(key)
            same = np.allclose(got, value) if isinstance(value, float) else got == value
            assert same, f"{layer.op}.{key} is {got!r}, expected {value!r}"
