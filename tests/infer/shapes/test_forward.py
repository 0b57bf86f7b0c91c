"""Shapes against TensorFlow's own inference, and what only whole graphs tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)

from graphscope.errors import GraphscopeError
from graphscope.graph import Function, Graph, Node, Tensor, TensorSpec
from graphscope.infer.shapes.forward import (
    Inference,
    infer_facts,
    infer_shapes,
    inference,
)
from graphscope.infer.shapes.functions import Library
from graphscope.ops.values.dims import agree
from graphscope.ops.values.facts import same_fact
from graphscope.read import load
from graphscope.wire import messages as proto
from graphscope.wire.nodes import function_from_def, graph_from_nodes
from tests.conftest import CORPUS

tf1 = tf.compat.v1


def ours(graph_def: Any) -> tuple[Graph, Mapping[str, Function]]:
    """A GraphDef of TensorFlow's as a Graph and its library."""
    message = proto.GraphDef.FromString(graph_def.SerializeToString())
    library = [function_from_def(f) for f in message.library.function]
    graph = graph_from_nodes(message.node)
    return graph, {function.name: function for function in library}


def theirs(shape: Any) -> tuple[int | None, ...] | None:
    return None if shape.rank is None else tuple(shape.as_list())


def compared(
    specs: Mapping[Tensor, TensorSpec], graph: tf.Graph
) -> tuple[list[str], list[str], int]:
    """Tensors of which we say something else than TensorFlow, those of which we know less, and how many there are."""
    wrong, less, count = [], [], 0
    for op in graph.get_operations():
        for output in op.outputs:
            count += 1
            mine = specs[Tensor(op.name, output.value_index)]
            shape = theirs(output.shape)
            where = f"{output.name} ({op.type}): {mine}, TensorFlow says {shape}"
            if mine.dtype != output.dtype.base_dtype.name or not agree(
                mine.shape, shape
            ):
                wrong.append(where)
            elif shape is not None and (
                mine.shape is None
                or any(a is None and b is not None for a, b in zip(mine.shape, shape))
            ):
                less.append(where)
    return wrong, less, count


def check_against_tensorflow(graph: tf.Graph) -> None:
    """On a graph that TensorFlow built: no contradiction, and nothing that TensorFlow alone knows."""
    built, functions = ours(graph.as_graph_def())
    wrong, less, count = compared(infer_shapes(built, functions=functions), graph)
    assert count and not wrong and not less


def graph_files() -> list[Path]:
    if not CORPUS.exists():
        return []
    kinds = (".pb", ".meta", ".pbtxt", ".pb.txt", ".bytes")
    return sorted(p for p in CORPUS.rglob("*") if p.name.endswith(kinds))


@pytest.mark.parametrize(
    "path", graph_files(), ids=lambda p: str(p.relative_to(CORPUS))
)
def test_corpus(path: Path) -> None:
    """Whatever TensorFlow imports: we contradict it nowhere, and know no less."""
    try:
        model = load(str(path))
    except GraphscopeError:
        pytest.skip("not a graph")
    specs = infer_shapes(
        model.graph,
        functions=model.functions,
        producer=model.versions.get("producer"),
    )
    assert {tensor.node for tensor in specs} <= set(model.graph)
    with tf.Graph().as_default() as graph:
        try:
            tf.graph_util.import_graph_def(_graph_def(path), name="")
        except (tf.errors.NotFoundError, ValueError, TypeError) as error:
            pytest.skip(f"TensorFlow cannot import it: {str(error)[:80]}")
    wrong, less, _ = compared(specs, graph)
    assert not wrong
    assert not less


def _graph_def(path: Path) -> Any:
    from google.protobuf import text_format
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

    data = path.read_bytes()
    if path.name.startswith("saved_model"):
        saved = saved_model_pb2.SavedModel()
        (
            text_format.Parse(data, saved)
            if "txt" in path.name
            else saved.ParseFromString(data)
        )
        return saved.meta_graphs[0].graph_def
    if path.suffix == ".meta":
        meta = meta_graph_pb2.MetaGraphDef()
        meta.ParseFromString(data)
        return meta.graph_def
    graph_def = tf1.GraphDef()
    try:
        if "txt" in path.name:
            return text_format.Parse(data, graph_def, allow_unknown_field=True)
        graph_def.ParseFromString(data)
    except (text_format.ParseError, DecodeError) as error:
        pytest.skip(str(error)[:80])
    return graph_def


@pytest.mark.parametrize(
    "name, size",
    [
        ("MobileNetV2", 96),
        pytest.param("ResNet50", 224, marks=pytest.mark.slow),
        pytest.param("VGG16", 224, marks=pytest.mark.slow),
        pytest.param("InceptionV3", 299, marks=pytest.mark.slow),
        pytest.param("DenseNet121", 224, marks=pytest.mark.slow),
    ],
)
def test_every_shape_of_a_frozen_keras_application(name: str, size: int) -> None:
    import keras

    model = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3))
    concrete = tf.function(model).get_concrete_function(
        tf.TensorSpec((None, size, size, 3), tf.float32)
    )
    frozen = convert_variables_to_constants_v2(concrete).graph
    check_against_tensorflow(frozen)
    specs = infer_shapes(ours(frozen.as_graph_def())[0])
    convolutions = [op for op in frozen.get_operations() if op.type == "Conv2D"]
    assert convolutions
    for op in convolutions:
        assert specs[Tensor(op.name)].shape == theirs(op.outputs[0].shape)


def sized_by_itself(x: Any) -> Any:
    """The chain that Flatten and its like write when the batch is not known."""
    batch = tf.shape(x)[0]
    pooled = tf.reshape(x, tf.stack([batch, 7, 7, 512]))
    flat = tf.reshape(pooled, [batch, -1])
    return tf.reshape(flat, tf.concat([tf.shape(x)[:1], [49, 512]], 0))


def grown_by_a_scale(x: Any) -> Any:
    sizes = tf.cast(tf.cast(tf.shape(x)[1:3], tf.float32) * 2.0, tf.int32)
    return tf1.image.resize_nearest_neighbor(x, sizes)


def counted(x: Any) -> Any:
    _, total = tf1.while_loop(
        lambda i, a: i < 4, lambda i, a: (i + 1, a + tf.reduce_sum(x)), [0, 0.0]
    )
    return total


def in_an_array(x: Any) -> Any:
    array = tf.TensorArray(tf.float32, size=7, infer_shape=False)
    array = array.unstack(tf.transpose(x, [1, 0, 2, 3]))
    _, out = tf1.while_loop(
        lambda i, out: i < 7,
        lambda i, out: (i + 1, out.write(i, tf.nn.relu(array.read(i)))),
        [0, tf.TensorArray(tf.float32, size=7)],
    )
    return out.stack()


def conditional(x: Any) -> Any:
    fed = tf1.placeholder(tf.bool, [])
    return tf1.cond(fed, lambda: tf.nn.relu(x), lambda: x * 2.0)


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(
    "build", [sized_by_itself, grown_by_a_scale, counted, in_an_array, conditional]
)
def test_built_by_tensorflow(build: Callable[[Any], Any], version: str) -> None:
    with tf.Graph().as_default() as graph:
        (
            tf1.enable_control_flow_v2
            if version == "v2"
            else tf1.disable_control_flow_v2
        )()
        try:
            build(tf1.placeholder(tf.float32, [None, 7, 7, 512], "x"))
        finally:
            tf1.enable_control_flow_v2()
    check_against_tensorflow(graph)


def test_what_a_loop_holds_is_known_where_tensorflow_forgets_it() -> None:
    with tf.Graph().as_default() as graph:
        tf1.disable_control_flow_v2()
        in_an_array(tf1.placeholder(tf.float32, [None, 7, 7, 512], "x"))
        tf1.enable_control_flow_v2()
    built, _ = ours(graph.as_graph_def())
    specs = infer_shapes(built)
    (read,) = built.by_op("TensorArrayReadV3")
    (gathered,) = built.by_op("TensorArrayGatherV3")
    assert specs[Tensor(read)].shape == (None, 7, 512)
    assert specs[Tensor(gathered)].shape == (7, None, 7, 512)


def test_a_loop_variable_that_grows_is_widened() -> None:
    with tf.Graph().as_default() as graph:
        tf1.disable_control_flow_v2()
        x = tf1.placeholder(tf.float32, [1, 3])
        shapes = [tf.TensorShape([]), tf.TensorShape([None, 3])]
        tf1.while_loop(
            lambda i, a: i < 4,
            lambda i, a: (i + 1, tf.concat([a, x], 0)),
            [0, x],
            shape_invariants=shapes,
        )
        tf1.enable_control_flow_v2()
    built, _ = ours(graph.as_graph_def())
    specs = infer_shapes(built)
    exits = {specs[Tensor(name)].shape for name in built.by_op("Exit")}
    assert exits == {(), (None, 3)}


def test_functions_are_entered() -> None:
    @tf.function
    def inner(x: Any) -> Any:
        return tf.nn.relu(x) @ tf.ones((4, 2))

    @tf.function
    def outer(x: Any) -> Any:
        y = inner(x)
        return tf.cond(tf.reduce_sum(y) > 0, lambda: inner(x), lambda: y * 2.0)

    concrete = outer.get_concrete_function(tf.TensorSpec((None, 4)))
    built, functions = ours(concrete.graph.as_graph_def())
    stripped = Graph()  # without what the file says of the outputs of calls
    for name in built:
        node = built.node(name)
        attrs = {
            k: v
            for k, v in node.attrs.items()
            if k not in ("_output_shapes", "output_shapes")
        }
        stripped.add(name, Node(node.op, attrs), built.inputs(name))
    specs = infer_shapes(stripped, functions=functions)
    calls = [n for n in stripped if stripped.op(n).endswith(("PartitionedCall", "If"))]
    assert len(calls) == 2
    assert {specs[Tensor(name)].shape for name in calls} == {(None, 2)}


def test_a_lstm_layer_keeps_its_steps() -> None:
    import keras

    model = keras.Sequential(
        [keras.Input((5, 3)), keras.layers.LSTM(4, return_sequences=True)]
    )
    concrete = tf.function(model).get_concrete_function(tf.TensorSpec((None, 5, 3)))
    frozen = convert_variables_to_constants_v2(concrete, lower_control_flow=False)
    check_against_tensorflow(frozen.graph)


def node(graph: Graph, name: str, op: str, *inputs: str, **attrs: Any) -> None:
    graph.add(name, Node(op, attrs), [Tensor.parse(text) for text in inputs])


def test_given_shapes_replace_what_the_file_says() -> None:
    graph = Graph()
    node(graph, "x", "Placeholder", dtype="float32", shape=(None, 4))
    node(graph, "y", "Relu", "x", T="float32")
    assert infer_shapes(graph)[Tensor("y")] == TensorSpec("float32", (None, 4))
    assert infer_shapes(graph, given={"x": (32, 4)})[Tensor("y")].shape == (32, 4)
    assert infer_shapes(graph, given={"x:0": (2, 8)})[Tensor("y")].shape == (2, 8)
    assert infer_shapes(graph, given={"y": (9,)})[Tensor("y")].shape == (9,)


def test_the_file_is_believed_only_where_nothing_else_is_known() -> None:
    graph = Graph()
    node(graph, "x", "Placeholder", dtype="float32", shape=(None, 4))
    hint = (TensorSpec("", (7, 7)),)
    graph.add("custom", Node("MyOp", {}, hint), [Tensor("x")])
    graph.add("relu", Node("Relu", {"T": "float32"}, hint), [Tensor("x")])
    specs = infer_shapes(graph)
    assert specs[Tensor("custom")] == TensorSpec("", (7, 7))
    assert specs[Tensor("relu")].shape == (None, 4)


def test_a_custom_op_has_as_many_ports_as_are_read() -> None:
    graph = Graph()
    node(graph, "custom", "MyOp")
    node(graph, "y", "Relu", "custom:2", T="float32")
    assert Tensor("custom", 2) in infer_shapes(graph)


def test_a_scalar_feed_of_old_files_is_of_unknown_shape() -> None:
    graph = Graph()
    node(graph, "x", "Placeholder", dtype="float32", shape=())
    assert infer_shapes(graph)[Tensor("x")].shape == ()
    assert infer_shapes(graph, producer=21)[Tensor("x")].shape is None
    assert infer_shapes(graph, producer=22)[Tensor("x")].shape == ()


def test_resource_variables_and_queues_tell_their_shapes() -> None:
    graph = Graph()
    node(graph, "w", "VarHandleOp", dtype="float32", shape=(3, 4))
    node(graph, "same", "Identity", "w", T="resource")
    node(graph, "read", "ReadVariableOp", "same", dtype="float32")
    node(graph, "ids", "Placeholder", dtype="int32", shape=(None, 2))
    node(graph, "rows", "ResourceGather", "w", "ids", dtype="float32", Tindices="int32")
    node(
        graph,
        "q",
        "FIFOQueueV2",
        component_types=("float32", "int32"),
        shapes=((5,), ()),
    )
    node(graph, "n", "Const", dtype="int32", value=np.array(8, "int32"))
    node(
        graph,
        "batch",
        "QueueDequeueManyV2",
        "q",
        "n",
        component_types=("float32", "int32"),
    )
    specs = infer_shapes(graph)
    assert specs[Tensor("read")] == TensorSpec("float32", (3, 4))
    assert specs[Tensor("rows")] == TensorSpec("float32", (None, 2, 4))
    assert specs[Tensor("batch", 0)] == TensorSpec("float32", (8, 5))
    assert specs[Tensor("batch", 1)] == TensorSpec("int32", (8,))


def test_facts_hold_the_elements_of_partly_known_vectors() -> None:
    graph = Graph()
    node(graph, "x", "Placeholder", dtype="float32", shape=(None, 4))
    node(graph, "shape", "Shape", "x", T="float32")
    value = infer_facts(graph)[Tensor("shape")].value
    assert value is not None
    assert value.known.tolist() == [False, True]  # type: ignore[union-attr]


def test_a_cycle_that_is_no_loop_ends() -> None:
    graph = Graph()
    node(graph, "a", "AddV2", "b", "c", T="float32")
    node(graph, "b", "Relu", "a", T="float32")
    node(graph, "c", "Placeholder", dtype="float32", shape=(2,))
    specs = infer_shapes(graph)
    assert specs[Tensor("b")].dtype == "float32"


def test_functions_that_call_themselves_end() -> None:
    from graphscope.graph import FunctionRef

    body = Graph()
    node(body, "x", "_Arg", T="float32")
    calls = {"f": FunctionRef("f", {}), "Tin": ("float32",), "Tout": ("float32",)}
    node(body, "call", "PartitionedCall", "x", **calls)
    function = Function("f", body, ("x",), (Tensor("call"),))
    specs = infer_shapes(body, functions={"f": function})
    assert specs[Tensor("call")] == TensorSpec("float32", None)


def test_calls_that_double_at_each_level_end() -> None:
    from graphscope.graph import FunctionRef

    functions = {}
    for level in range(60):
        body = Graph()
        node(body, "x", "_Arg", T="float32")
        for branch in "ab":
            calls = {
                "f": FunctionRef(f"f{level + 1}", {}),
                "Tin": ("float32",),
                "Tout": ("float32",),
            }
            node(
                body,
                f"pad{branch}",
                "Pack",
                *(["x"] * (1 + (branch == "b"))),
                T="float32",
                N=1 + (branch == "b"),
                axis=0,
            )
            node(body, branch, "PartitionedCall", f"pad{branch}", **calls)
        functions[f"f{level}"] = Function(f"f{level}", body, ("x",), (Tensor("a"),))
    specs = infer_shapes(functions["f0"].graph, functions=functions)
    assert specs[Tensor("a")].dtype == "float32"


def test_a_deep_graph_is_visited_once() -> None:
    """Deeper than Python's stack; each node is visited once, so the time is linear."""
    graph = Graph()
    node(graph, "n0", "Placeholder", dtype="float32", shape=(None, 8))
    for i in range(1, 20_000):
        node(graph, f"n{i}", "Relu", f"n{i - 1}", T="float32")
    run = Inference(graph, Library({}, lambda *_: []), {})
    run.run()
    assert run.at(Tensor("n19999")).spec.shape == (None, 8)
    assert not any(run._visits)


def test_inferred_again_is_inferred_afresh() -> None:
    """What does not depend on the feeds that change is kept; all else is as if nothing had been known."""
    with tf.Graph().as_default() as built:
        x = tf1.placeholder(tf.float32, (None, 6), "x")
        y = tf1.placeholder(tf.float32, (None, 3), "y")
        rows = tf.reshape(x @ tf.ones((6, 3)), [tf.shape(x)[0], -1, 3])
        tf.concat([rows[:, 0], y], 0, name="out")
    graph, _ = ours(built.as_graph_def())
    run = inference(graph)
    for shapes in ({"x": (4, 6)}, {"x": (4, 6), "y": (2, 3)}, {"y": (None, 3)}, {}):
        again, afresh = run.again(shapes), infer_facts(graph, given=shapes)
        assert all(same_fact(again.at(tensor), afresh[tensor]) for tensor in afresh)
    assert run.again({"x": (4, 6), "y": (2, 3)}).at(Tensor("out")).spec.shape == (6, 3)
    assert run.at(Tensor("out")).spec.shape == (None, 3)
