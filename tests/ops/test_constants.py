"""Constants: what numpy knows of a graph before it runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope import ops
from graphscope.graph import Graph, Model, Node, Tensor, TensorSpec, Weights
from graphscope.infer.shapes.forward import infer_shapes
from graphscope.ops.constants import Constants
from graphscope.ops.values.budget import MOST_ELEMENTS as LIMIT
from graphscope.wire import messages as proto
from graphscope.wire.nodes import graph_from_nodes


def node(graph: Graph, name: str, op: str, *inputs: str, **attrs: Any) -> None:
    graph.add(name, Node(op, attrs), [Tensor.parse(text) for text in inputs])


def const(graph: Graph, name: str, value: Any, dtype: str = "float32") -> None:
    node(graph, name, "Const", dtype=dtype, value=np.array(value, dtype))


def test_arithmetic_folds_as_tensorflow_runs_it() -> None:
    with tf.Graph().as_default() as built:
        variance = tf.constant([1.0, 4.0, 9.0])
        gamma = tf.constant([2.0, 2.0, 3.0])
        scale = gamma * tf.math.rsqrt(variance + 1e-3)
        folded = tf.reshape(tf.stack([scale, -scale])[:, 1:], [-1])
        with tf.compat.v1.Session() as session:
            wanted = session.run(folded)
    message = proto.GraphDef.FromString(built.as_graph_def().SerializeToString())
    found = Constants(graph_from_nodes(message.node)).value(Tensor(folded.op.name))
    assert found is not None
    np.testing.assert_allclose(found, wanted, 1e-6)


def test_what_depends_on_a_feed_has_no_value() -> None:
    graph = Graph()
    node(graph, "x", "Placeholder", dtype="float32", shape=(2,))
    node(graph, "d", "PlaceholderWithDefault", "c", dtype="float32", shape=(2,))
    const(graph, "c", [1, 2])
    node(graph, "y", "AddV2", "x", "c", T="float32")
    node(graph, "z", "AddV2", "d", "c", T="float32")
    node(graph, "r", "RandomUniform", "n", T="int32", dtype="float32")
    const(graph, "n", [2], "int32")
    known = Constants(graph)
    assert all(known.value(Tensor(name)) is None for name in "xydzr")
    assert [name for name in graph if known.is_static(name)] == ["c", "n"]


def test_shapes_are_constants_where_they_are_known() -> None:
    graph = Graph()
    node(graph, "x", "Placeholder", dtype="float32", shape=(None, 7))
    node(graph, "s", "Shape", "x", T="float32", out_type="int32")
    node(graph, "size", "Size", "x", T="float32", out_type="int32")
    assert Constants(graph).value(Tensor("s")) is None
    known = Constants(graph, specs=infer_shapes(graph))
    partial = known.partial(Tensor("s"))
    assert isinstance(partial, ops.Partial) and partial.known.tolist() == [False, True]
    assert known.value(Tensor("s")) is None
    fixed = Constants(graph, specs=infer_shapes(graph, given={"x": (2, 7)}))
    assert fixed.value(Tensor("s")).tolist() == [2, 7]  # type: ignore[union-attr]
    assert fixed.value(Tensor("size")) == 14


def test_a_large_constant_is_itself_but_is_not_computed_with() -> None:
    graph = Graph()
    node(graph, "big", "Const", dtype="float32", value=np.ones(LIMIT + 1, "float32"))
    node(graph, "same", "Identity", "big", T="float32")
    node(graph, "row", "ExpandDims", "same", "axis", T="float32", Tdim="int32")
    node(graph, "double", "AddV2", "big", "big", T="float32")
    const(graph, "axis", 0, "int32")
    known = Constants(graph)
    assert known.value(Tensor("same")) is not None
    assert known.value(Tensor("row")).shape == (1, LIMIT + 1)  # type: ignore[union-attr]
    assert known.value(Tensor("double")) is None


def test_a_file_cannot_ask_for_more_than_there_is() -> None:
    graph = Graph()
    const(graph, "dims", [30_000, 30_000], "int32")
    const(graph, "one", 1)
    node(graph, "huge", "Fill", "dims", "one", T="float32", index_type="int32")
    const(graph, "half", [1 << 19], "int32")
    for i in range(300):  # each small enough, 600 MB together
        node(graph, f"f{i}", "Fill", "half", "one", T="float32", index_type="int32")
        node(graph, f"g{i}", "AddV2", f"f{i}", "one", T="float32")
    known = Constants(graph)
    assert known.value(Tensor("huge")) is None
    kept = [known.value(Tensor(f"g{i}")) for i in range(300)]
    assert kept[0] is not None and kept[-1] is None


def test_variables_count_when_asked() -> None:
    class Stored(Weights):
        def __getitem__(self, name: str) -> np.ndarray:
            return {"w": np.array([3.0, 4.0], "float32")}[name]

        def __iter__(self) -> Any:
            return iter(["w"])

        def __len__(self) -> int:
            return 1

    graph = Graph()
    node(graph, "w", "VarHandleOp", dtype="float32", shape=(2,))
    node(graph, "read", "ReadVariableOp", "w", dtype="float32")
    node(graph, "square", "Square", "read", T="float32")
    model = Model(graph, weights=Stored())
    assert Constants(graph, model).value(Tensor("square")) is None
    found = Constants(graph, model, variables=True).value(Tensor("square"))
    assert found is not None and found.tolist() == [9.0, 16.0]
    assert not Constants(graph, model, variables=True).is_static("square")


def test_a_call_is_ready_for_the_registry() -> None:
    graph = Graph()
    node(graph, "x", "Placeholder", dtype="float32", shape=(2, 3))
    const(graph, "perm", [1, 0], "int32")
    node(graph, "y", "Transpose", "x", "perm", T="float32", Tperm="int32")
    call = Constants(graph, specs=infer_shapes(graph)).call("y")
    assert ops.keras_text(call, ["x", "perm"]) == "ops.transpose(x, (1, 0))"
    assert call.inputs[1] == TensorSpec("int32", (2,))


@pytest.mark.parametrize("op", ["Merge", "AddV2"])
def test_cycles_end(op: str) -> None:
    graph = Graph()
    const(graph, "zero", 0)
    node(graph, "a", op, "zero", "b", T="float32", N=2)
    node(graph, "b", "NextIteration", "a", T="float32")
    known = Constants(graph)
    assert known.value(Tensor("b")) is None
    assert not known.is_static("b")


def test_a_missing_node_has_no_value() -> None:
    assert Constants(Graph()).value(Tensor("nowhere")) is None
    graph = Graph()
    node(graph, "y", "Relu", "gone", T="float32")
    assert Constants(graph).value(Tensor("y")) is None


def test_depth_is_no_matter() -> None:
    graph = Graph()
    const(graph, "n0", [1.0])
    for i in range(1, 20_000):
        node(graph, f"n{i}", "AddV2", f"n{i - 1}", "n0", T="float32")
    found = Constants(graph).value(Tensor("n19999"))
    assert found is not None and found[0] == 20_000
