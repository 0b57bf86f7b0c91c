"""Grappler's fused ops, run by TensorFlow as they are and as what they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope import analyse
from graphscope.graph import Graph, Model, Node, Tensor
from graphscope.simplify.rewrites.unfuse import unfuse
from graphscope.wire import messages as proto
from graphscope.wire.nodes import graph_from_nodes
from graphscope.wire.write import to_graph_def

tf1 = tf.compat.v1
rng = np.random.default_rng(3)
FLOAT = tf1.AttrValue(type=1)


def floats(*shape: int) -> np.ndarray:
    return rng.uniform(0.2, 1, shape).astype(np.float32)


def strings(*values: str) -> Any:
    listed = [value.encode() for value in values]
    return tf1.AttrValue(list=tf1.AttrValue.ListValue(s=listed))


def integers(*values: int) -> Any:
    return tf1.AttrValue(list=tf1.AttrValue.ListValue(i=values))


def number(value: int) -> Any:
    return tf1.AttrValue(i=value)


CONV = {
    "strides": integers(1, 1, 1, 1),
    "padding": tf1.AttrValue(s=b"SAME"),
    "num_args": number(1),
    "T": FLOAT,
}
NONE = {"num_host_args": number(0)}
TYPED = {**NONE, "TArgs": tf1.AttrValue(list=tf1.AttrValue.ListValue(type=[1]))}
TYPED_4 = {**NONE, "TArgs": tf1.AttrValue(list=tf1.AttrValue.ListValue(type=[1] * 4))}
IMAGE, KERNEL, BIAS = floats(2, 5, 5, 3), floats(3, 3, 3, 4), floats(4)
EPSILON = {"epsilon": tf1.AttrValue(f=0.01)}
MATRIX = {"T": FLOAT, "num_args": number(1)}


@pytest.mark.parametrize(
    "op, inputs, attrs, plain",
    [
        (
            "_FusedConv2D",
            [IMAGE, KERNEL, BIAS],
            {**CONV, **TYPED, "fused_ops": strings("BiasAdd", "Relu")},
            ["Conv2D", "BiasAdd", "Relu"],
        ),
        (
            "_FusedConv2D",
            [IMAGE, KERNEL, BIAS],
            {
                **CONV,
                **TYPED,
                "fused_ops": strings("BiasAdd", "LeakyRelu"),
                "leakyrelu_alpha": tf1.AttrValue(f=0.3),
            },
            ["Conv2D", "BiasAdd", "LeakyRelu"],
        ),
        (
            "_FusedConv2D",
            [IMAGE, KERNEL, floats(4), floats(4), floats(4), floats(4)],
            {
                **CONV,
                **TYPED_4,
                **EPSILON,
                "num_args": number(4),
                "fused_ops": strings("FusedBatchNorm", "Relu"),
            },
            ["Conv2D", "FusedBatchNormV3", "Relu"],
        ),
        (
            "_FusedMatMul",
            [floats(2, 3), floats(4, 3), BIAS],
            {
                **MATRIX,
                "transpose_b": tf1.AttrValue(b=True),
                "fused_ops": strings("BiasAdd", "Tanh"),
            },
            ["MatMul", "BiasAdd", "Tanh"],
        ),
        (
            "_FusedDepthwiseConv2dNative",
            [IMAGE, floats(3, 3, 3, 1), floats(3)],
            {**CONV, "fused_ops": strings("BiasAdd", "Relu6")},
            ["DepthwiseConv2dNative", "BiasAdd", "Relu6"],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_unfused_computes_the_same(
    op: str, inputs: list[np.ndarray], attrs: dict[str, Any], plain: list[str]
) -> None:
    with tf.Graph().as_default() as graph:
        x = tf1.placeholder(tf.float32, inputs[0].shape, "x")
        constants = [tf.constant(array) for array in inputs[1:]]
        made = graph.create_op(op, [x, *constants], name="fused", attrs=attrs)
        tf.identity(made.outputs[0] * 2.0, "out")
    message = proto.GraphDef.FromString(graph.as_graph_def().SerializeToString())
    mine = unfuse(graph_from_nodes(message.node))
    assert [n.op for n in map(mine.node, mine) if n.op in plain] == plain
    assert not list(mine.by_op(op)) and "fused" in mine
    again = tf1.GraphDef.FromString(to_graph_def(mine).SerializeToString())
    first, second = (run(g, inputs[0]) for g in (graph.as_graph_def(), again))
    np.testing.assert_allclose(first, second, 1e-4, 1e-5)


@pytest.mark.parametrize(
    "op, inputs, attrs, layer",
    [
        ("_FusedConv2D", [IMAGE, KERNEL, BIAS], {**CONV, **TYPED}, "Conv2D"),
        ("_FusedMatMul", [floats(2, 3), floats(3, 4), BIAS], MATRIX, "Dense"),
    ],
)
def test_a_fused_op_is_a_layer_with_its_activation(
    op: str, inputs: list[np.ndarray], attrs: dict[str, Any], layer: str
) -> None:
    attrs = {**attrs, "fused_ops": strings("BiasAdd", "Relu")}
    with tf.Graph().as_default() as graph:
        x = tf1.placeholder(tf.float32, inputs[0].shape, "x")
        constants = [tf.constant(array) for array in inputs[1:]]
        graph.create_op(op, [x, *constants], name="fused", attrs=attrs)
    message = proto.GraphDef.FromString(graph.as_graph_def().SerializeToString())
    model = Model(graph_from_nodes(message.node), functions={})
    linear, activation = analyse(model, outputs=["fused"]).layers
    assert (linear.op, activation.op) == (layer, "Activation")
    assert list(linear.weights) == ["kernel", "bias"]


def run(graph_def: Any, fed: np.ndarray) -> np.ndarray:
    with tf.Graph().as_default():
        tf.graph_util.import_graph_def(graph_def, name="")
        with tf1.Session() as session:
            return session.run("out:0", {"x:0": fed})


def fused(**attrs: Any) -> Graph:
    graph = Graph()
    for name in "xkb":
        graph.add(name, Node("Placeholder", {"dtype": "float32"}))
    inputs = [Tensor(name) for name in "xkb"]
    graph.add(
        "n", Node("_FusedMatMul", {"T": "float32", "num_args": 1, **attrs}), inputs
    )
    return graph


def test_a_graph_without_fused_ops_is_itself() -> None:
    graph = Graph()
    graph.add("x", Node("Placeholder", {"dtype": "float32"}))
    assert unfuse(graph) is graph


@pytest.mark.parametrize("parts", [("BiasAdd", "NewActivation"), ("FusedBatchNorm",)])
def test_what_is_fused_of_unknown_parts_stays(parts: tuple[str, ...]) -> None:
    graph = fused(fused_ops=parts)
    assert unfuse(graph) is graph


def test_new_names_are_new() -> None:
    graph = fused(fused_ops=("BiasAdd", "Relu"))
    graph.add("n/MatMul", Node("Placeholder", {"dtype": "float32"}))
    made = unfuse(graph)
    assert made.op("n") == "Relu" and made.op("n/MatMul") == "Placeholder"
    assert made.op("n/MatMul_1") == "MatMul"


def test_batch_normalization_with_side_input_and_activation() -> None:
    graph = Graph()
    names = ["x", "scale", "offset", "mean", "variance", "side"]
    for name in names:
        graph.add(name, Node("Placeholder", {"dtype": "float32"}))
    attrs = {"T": "float32", "U": "float32", "epsilon": 0.5, "is_training": False}
    more = {"num_side_inputs": 1, "activation_mode": "Relu"}
    graph.add("n", Node("_FusedBatchNormEx", {**attrs, **more}), map(Tensor, names))
    made = unfuse(graph)
    assert made.op("n") == "Relu"
    assert made.inputs("n/AddV2") == (Tensor("n/FusedBatchNormV3"), Tensor("side"))
    assert made.attrs("n/FusedBatchNormV3")["epsilon"] == 0.5
