"""What is called several times with the same weights is one model, called as often."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from graphscope import analyse
from graphscope.graph import Graph, Node, Tensor, WeightUse
from tests.render.keras.test_model_source import (
    X,
    constant,
    placeholder,
    put,
    rng,
    run,
    written,
)
from tests.render.keras.test_ties import saved
from tests.render.keras.test_trained import saved as checkpoint

v1 = tf.compat.v1
OTHER = Tensor("other")


def apply(graph: Graph, name: str, source: str, use: WeightUse, **config: Any) -> None:
    config = {"units": use.shape[1], "use_bias": False, **config}
    put(graph, name, "Dense", [source], weights={"kernel": use}, config=config)


def kernels(graph: Graph, *shapes: tuple[int, int]) -> list[tuple[WeightUse, Any]]:
    values = [rng().normal(size=shape).astype("f4") for shape in shapes]
    return [(constant(graph, f"w{n}", v), v) for n, v in enumerate(values)]


def siamese(middle: tuple[str, str] = ("ReLU", "ReLU")) -> tuple[Graph, Any]:
    graph = Graph()
    placeholder(graph, "x")
    placeholder(graph, "other")
    (a, first), (b, second) = kernels(graph, (4, 5), (5, 3))
    for side, source, between in zip(("left", "right"), ("x", "other"), middle):
        apply(graph, f"{side}_1", source, a)
        put(graph, f"{side}_act", between, [f"{side}_1"])
        apply(graph, f"{side}_2", f"{side}_act", b)
    put(graph, "gap", "Subtract", ["left_2", "right_2"])
    return graph, (first, second)


def test_towers_are_one_model(tmp_path: Path) -> None:
    graph, (first, second) = siamese()
    report = written(graph, tmp_path, "gap/out", inputs=[X, OTHER])
    model = run(tmp_path)
    x, y = rng().normal(size=(2, 5, 4)).astype("f4")
    tower = lambda v: np.maximum(v @ first, 0) @ second  # noqa: E731
    want = tower(x) - tower(y)
    np.testing.assert_allclose(model([x, y]), want, rtol=1e-4, atol=1e-5)
    assert report.parameters == model.count_params() == 20 + 15
    assert "    y = tower(x)\n    z = tower(other)\n" in report.source.text
    np.testing.assert_allclose(saved(model, tmp_path)([x, y]), want, 1e-4, 1e-5)


def test_towers_of_a_scope_called_model_are_no_second_build_model(
    tmp_path: Path,
) -> None:
    graph, _ = siamese()
    for name in ("w0", "w1"):
        graph.add(f"model/{name}", graph.node(name))
    for name in ("left_1", "right_1", "left_2", "right_2"):
        layer = graph.node(name)
        kernel = layer.weights["kernel"]
        moved = {"kernel": replace(kernel, node=f"model/{kernel.node}")}
        graph.nodes[name]["node"] = replace(layer, weights=moved)
    text = written(graph, tmp_path, "gap/out", inputs=[X, OTHER]).source.text
    assert text.count("def build_model()") == 1 and "def build_model_1()" in text
    run(tmp_path)


def test_towers_that_differ_inside_share_their_layers_only(tmp_path: Path) -> None:
    graph, (first, second) = siamese(("ReLU", "Identity"))
    report = written(graph, tmp_path, "gap/out", inputs=[X, OTHER])
    x, y = rng().normal(size=(2, 5, 4)).astype("f4")
    want = np.maximum(x @ first, 0) @ second - y @ first @ second
    np.testing.assert_allclose(run(tmp_path)([x, y]), want, rtol=1e-4, atol=1e-5)
    assert "build_model" in report.source.text and report.parameters == 35
    assert report.source.text.count("keras.Model(") == 1


def test_cell_of_an_unrolled_recurrence_is_called_in_turn(tmp_path: Path) -> None:
    graph = Graph()
    placeholder(graph, "x")
    placeholder(graph, "other")
    (a, inner), (b, outer) = kernels(graph, (4, 4), (4, 4))
    state = "x"
    for n in range(3):
        apply(graph, f"in_{n}", "other", a)
        apply(graph, f"rec_{n}", state, b)
        put(graph, f"sum_{n}", "Add", [f"in_{n}", f"rec_{n}"])
        put(
            graph,
            f"state_{n}",
            "Activation",
            [f"sum_{n}"],
            config={"activation": "tanh"},
        )
        state = f"state_{n}"
    report = written(graph, tmp_path, "state_2/out", inputs=[X, OTHER])
    x, y = rng().normal(size=(2, 5, 4)).astype("f4")
    want = x
    for _ in range(3):
        want = np.tanh(want @ outer + y @ inner)
    np.testing.assert_allclose(run(tmp_path)([x, y]), want, rtol=1e-4, atol=1e-5)
    assert report.parameters == 32


def test_weights_of_other_layers_keep_their_places(tmp_path: Path) -> None:
    graph, (first, second) = siamese()
    last = constant(graph, "last/kernel", np.eye(3, dtype="f4") * 3)
    early = constant(graph, "early/kernel", np.eye(4, dtype="f4") * 2)
    apply(graph, "last", "gap", last)
    for name, inputs in (("left_1", ["early"]), ("early", ["x"])):
        use = early if name == "early" else WeightUse("w0", (4, 5))
        if name in graph:
            graph.remove_edges_from(list(graph.in_edges(name, keys=True)))
        apply(graph, name, inputs[0], use)
    written(graph, tmp_path, "last/out", inputs=[X, OTHER])
    x, y = rng().normal(size=(2, 5, 4)).astype("f4")
    tower = lambda v: np.maximum(v @ first, 0) @ second  # noqa: E731
    want = 3 * (tower(2 * x) - tower(y))
    np.testing.assert_allclose(run(tmp_path)([x, y]), want, rtol=1e-4, atol=1e-5)


def test_weight_that_only_the_towers_read_lives_in_them(tmp_path: Path) -> None:
    graph, (first, second) = siamese()
    table = rng().normal(size=(1, 20)).astype("f4")
    graph.add("table", Node("Const", {"value": table}))
    for side in ("left", "right"):
        inputs = [Tensor(f"{side}_wide"), Tensor("table")]
        apply(
            graph,
            f"{side}_wide",
            f"{side}_2",
            constant(graph, "w2", np.ones((3, 20), "f4")),
        )
        graph.add(f"{side}_sum", Node("AddV2", {"T": "float32"}), inputs)
        put(graph, f"{side}_relu", "ReLU", [f"{side}_sum"])
    put(graph, "all", "Subtract", ["left_relu", "right_relu"])
    report = written(graph, tmp_path, "all/out", inputs=[X, OTHER])
    x, y = rng().normal(size=(2, 5, 4)).astype("f4")

    def tower(v: Any) -> Any:
        inner = np.maximum(v @ first, 0) @ second
        return np.maximum(inner @ np.ones((3, 20)) + table, 0)

    want = tower(x) - tower(y)
    np.testing.assert_allclose(run(tmp_path)([x, y]), want, rtol=1e-4, atol=1e-4)
    assert report.parameters == 20 + 15 + 60 + 20


def test_a_tower_whose_layer_is_called_outside_too_is_none(tmp_path: Path) -> None:
    graph, (first, second) = siamese()
    placeholder(graph, "spare")
    apply(graph, "again", "spare", WeightUse("w0", (4, 5)))
    put(graph, "sum", "Concatenate", ["gap", "again"], config={"axis": -1})
    inputs = [X, OTHER, Tensor("spare")]
    report = written(graph, tmp_path, "sum/out", inputs=inputs)
    model = run(tmp_path)
    assert model.count_params() == report.parameters == 20 + 15
    assert "tower" not in report.source.text
    x, y, z = rng().normal(size=(3, 5, 4)).astype("f4")
    found = np.array(model([x, y, z]))
    np.testing.assert_allclose(found[:, 3:], z @ first, rtol=1e-4, atol=1e-5)


def test_what_is_called_twice_on_one_tensor_is_called_once(tmp_path: Path) -> None:
    graph = Graph()
    placeholder(graph)
    ((kernel, value),) = kernels(graph, (4, 4))
    for side in ("left", "right"):
        apply(graph, f"{side}_1", "x", kernel)
        put(graph, f"{side}_act", "ReLU", [f"{side}_1"])
    put(graph, "sum", "Add", ["left_act", "right_act"])
    text = written(graph, tmp_path, "sum/out").source.text
    assert text.count("layers.Dense(") == text.count("layers.ReLU(") == 1
    x = rng().normal(size=(5, 4)).astype("f4")
    want = 2 * np.maximum(x @ value, 0)
    np.testing.assert_allclose(run(tmp_path)(x), want, rtol=1e-4, atol=1e-5)


def residual_layers(count: int, broken: int | None = None) -> Any:
    """ALBERT's: one layer with a residual, over and over; one of them adds what went into the first."""
    x = v1.placeholder(tf.float32, [None, 4], name="x")
    other = v1.placeholder(tf.float32, [None, 4], name="other")
    wide, narrow = v1.get_variable("wide", [4, 6]), v1.get_variable("narrow", [6, 4])
    state = x
    for n in range(count):
        inner = tf.matmul(tf.nn.relu(tf.matmul(state, wide)), narrow)
        state = (inner + (x if n == broken else state)) * other
    return state


def test_a_layer_that_is_called_on_its_own_result_is_a_model_in_a_loop(
    tmp_path: Path,
) -> None:
    path = checkpoint(lambda: residual_layers(4), "checkpoint", tmp_path)
    found = analyse(path, outputs=["out"])
    report = found.write_keras(tmp_path / "keras")
    text = report.source.text
    assert re.search(r"    for _ in range\(4\):\n        \w = tower\(\[", text), text
    assert text.count("layers.Add(") == text.count("layers.Multiply(") == 1
    assert report.parameters == report.in_layers == 48
    assert found.prove(tmp_path / "keras").passed


def test_near_miss_a_residual_from_elsewhere_stays_outside(tmp_path: Path) -> None:
    path = checkpoint(lambda: residual_layers(4, broken=2), "checkpoint", tmp_path)
    found = analyse(path, outputs=["out"])
    report = found.write_keras(tmp_path / "keras")
    assert "for _ in range(4)" not in report.source.text
    assert report.parameters == 48
    assert found.prove(tmp_path / "keras").passed
