"""A program is written in the blocks of its layer graph or in those among its statements, whichever is shorter."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from graphscope import analyse
from graphscope.graph import Graph, Node, Tensor
from graphscope.infer.blocks.find import find_blocks, repeats_of
from graphscope.render.keras import KerasSource, to_keras

from .test_model_source import dense, placeholder, rng

UNITS = 20


def units(graph: Graph) -> str:
    """Dense and functions of it, over and over, which read four tensors that all units share."""
    placeholder(graph)
    gates = "Sigmoid", "Cos", "Softsign", "Atan"
    for op in gates:
        graph.add(op, Node(op), [Tensor("x")])
    source = "x"
    for n in range(UNITS):
        dense(graph, f"fc{n}", source, rng().normal(size=(4, 4)).astype("f4"))
        source = f"fc{n}"
        steps = (
            ("a", "Mul", source, "Sigmoid"),
            ("b", "AddV2", source, "Cos"),
            ("c", "Mul", f"b{n}", "Softsign"),
            ("d", "Sub", f"a{n}", f"c{n}"),
            ("e", "Maximum", f"d{n}", "Atan"),
        )
        for name, op, *read in steps:
            graph.add(f"{name}{n}", Node(op), map(Tensor, read))
        source = f"e{n}"
    return source


def source(graph: Graph, output: str, seek: bool) -> KerasSource:
    return to_keras(
        graph,
        inputs=[Tensor("x")],
        outputs=[Tensor(output)],
        blocks=find_blocks(graph).parts,
        find=repeats_of if seek else None,
    )


def test_blocks_that_read_many_tensors_are_found_among_the_statements() -> None:
    graph = Graph()
    output = units(graph)
    alone, sought = (source(graph, output, seek) for seek in (False, True))
    assert sought.lines_of_code < alone.lines_of_code
    x = rng().normal(size=(2, 4)).astype("f4")
    results = []
    for each in (alone, sought):
        names: dict[str, object] = {"__name__": "recovered"}
        exec(each.text, names)  # what this test has just made
        model = names["build_model"]()  # type: ignore[operator]
        for layer in model.layers:
            if layer.weights:
                seed = int(layer.name[2:])
                layer.set_weights(
                    [
                        np.random.default_rng(seed).normal(size=w.shape)
                        for w in layer.weights
                    ]
                )
        results.append(np.asarray(model(x)))
    np.testing.assert_array_equal(*results)


def test_render_writes_the_functions_that_keras_writes(tmp_path: Path) -> None:
    inputs = keras.Input((8,))
    x = inputs
    for _ in range(5):
        y = keras.layers.LayerNormalization()(keras.layers.Dense(8)(x))
        x = keras.layers.Add()([x, keras.layers.ReLU()(y)])
    keras.Model(inputs, x, name="net").save(tmp_path / "net.keras")
    analysis = analyse(tmp_path / "net.keras")
    text = analysis.write_keras(tmp_path / "written").source.text
    analysis.render(tmp_path / "net.py")
    drawn = (tmp_path / "net.py").read_text()
    assert "def residual_block(" in text
    assert drawn.partition("import keras")[2] == text.partition("import keras")[2]
