"""Calls flattened: the numbers stay, names stay valid, circles and bombs are refused."""

from __future__ import annotations

import numpy as np
import pytest

from graphscope.errors import GraphError
from graphscope.graph import Function, FunctionRef, Graph, Model, Node, Tensor
from graphscope.simplify.inline import inline
from graphscope.wire import messages as proto
from graphscope.wire.nodes import function_from_def, graph_from_nodes
from graphscope.wire.write import to_graph_def


def model_of(graph_def) -> Model:
    """The Model of TensorFlow's GraphDef."""
    message = proto.GraphDef.FromString(graph_def.SerializeToString())
    functions = {
        f.signature.name: function_from_def(f) for f in message.library.function
    }
    return Model(graph_from_nodes(message.node), functions=functions)


def run(graph_def_bytes: bytes, fetches, feeds, setup=()):
    import tensorflow as tf

    message = tf.compat.v1.GraphDef.FromString(graph_def_bytes)
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(message, name="")
        with tf.compat.v1.Session(graph=graph) as session:
            for op in setup:
                session.run(op)
            return session.run(fetches, feeds)


def test_nested_calls_compute_the_same():
    import tensorflow as tf

    @tf.function
    def inner(x, y):
        return x * 2.0 + y, x - y

    @tf.function
    def outer(x):
        a, b = inner(x, x * 3.0)
        c, _ = inner(b, a)
        return c + 1.0

    concrete = outer.get_concrete_function(tf.TensorSpec([None, 3], tf.float32))
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 3], name="x")
        y = outer(x)
        name = y.op.name
    model = model_of(graph.as_graph_def())
    flat = inline(model)
    ops = {flat.graph.op(n) for n in flat.graph}
    assert "PartitionedCall" not in ops and "StatefulPartitionedCall" not in ops
    assert flat.graph.op(name.split(":")[0]) in ("Identity", "IdentityN")
    calls = [n for n in model.graph if "PartitionedCall" in model.graph.op(n)]
    assert calls and all(flat.graph.op(n) == "IdentityN" for n in calls)
    assert all(
        any(m.startswith(f"{c}/") for m in flat.graph) for c in calls
    ), "the body follows the call's name"
    given = np.arange(6, dtype="f").reshape(2, 3)
    data = to_graph_def(flat.graph, flat.functions).SerializeToString()
    np.testing.assert_array_equal(
        run(data, f"{calls[-1]}:0", {"x:0": given}), concrete(given)
    )


def test_captured_variables_reach_the_body():
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        v = tf.compat.v1.get_variable("v", [3], use_resource=True)

        @tf.function
        def scaled(x):
            return x * v

        x = tf.compat.v1.placeholder(tf.float32, [None, 3], name="x")
        tf.identity(scaled(x), name="y")
    flat = inline(model_of(graph.as_graph_def()))
    reads = [n for n in flat.graph.by_op("ReadVariableOp") if "Call" in n]
    assert reads and all(
        flat.graph.op(flat.graph.inputs(n)[0].node) == "VarHandleOp" for n in reads
    )


def test_effects_of_a_call_wait_for_what_the_call_waits_for():
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        v = tf.compat.v1.get_variable("v", [], use_resource=True)

        @tf.function
        def bump(x):
            v.assign_add(x)
            return v + 1.0

        x = tf.compat.v1.placeholder(tf.float32, [], name="x")
        with tf.control_dependencies([v.assign(10.0)]):
            y = bump(x)
        tf.identity(y, name="z")
    flat = inline(model_of(graph.as_graph_def()))
    data = to_graph_def(flat.graph).SerializeToString()
    assert run(data, "z:0", {"x:0": 5.0}) == 16.0


def function(name: str, calls: list[str], op: str = "PartitionedCall") -> Function:
    body = Graph()
    body.add("x", Node("_Arg", {"T": "float32", "index": 0}))
    last = Tensor("x")
    for i, called in enumerate(calls):
        attrs = {
            "f": FunctionRef(called, {}),
            "Tin": ("float32",),
            "Tout": ("float32",),
        }
        body.add(f"call{i}", Node(op, attrs), [last])
        last = Tensor(f"call{i}")
    return Function(name, body, ("x",), (last,))


def calling(name: str) -> Graph:
    graph = Graph()
    graph.add("x", Node("Placeholder", {"dtype": "float32"}))
    attrs = {"f": FunctionRef(name, {}), "Tin": ("float32",), "Tout": ("float32",)}
    graph.add("call", Node("StatefulPartitionedCall", attrs), [Tensor("x")])
    return graph


@pytest.mark.parametrize("chain", [{"f": ["f"]}, {"f": ["g"], "g": ["h"], "h": ["g"]}])
def test_functions_that_call_each_other_in_a_circle_are_refused(chain):
    functions = {name: function(name, calls) for name, calls in chain.items()}
    with pytest.raises(GraphError, match="circle"):
        inline(Model(calling("f"), functions=functions))


def test_recursion_through_if_is_left_alone():
    functions = {"f": function("f", ["f"], op="StatelessIf")}
    flat = inline(Model(calling("f"), functions=functions))
    assert flat.graph.op("call/call0") == "StatelessIf"


def test_a_bomb_of_calls_is_refused_at_once():
    functions = {f"f{i}": function(f"f{i}", [f"f{i + 1}"] * 10) for i in range(30)}
    functions["f30"] = function("f30", [])
    with pytest.raises(GraphError, match="expand"):
        inline(Model(calling("f0"), functions=functions))


def test_a_deep_chain_of_calls_needs_no_recursion():
    functions = {f"f{i}": function(f"f{i}", [f"f{i + 1}"]) for i in range(1500)}
    functions["f1500"] = function("f1500", [])
    flat = inline(Model(calling("f0"), functions=functions))
    assert len(flat.graph) == 1502


def test_a_wrong_number_of_arguments_is_one_clear_error():
    functions = {"f": function("f", [])}
    graph = calling("f")
    graph.add("two", graph.node("call"), [Tensor("x"), Tensor("x")])
    with pytest.raises(GraphError, match="'two' passes 2 arguments"):
        inline(Model(graph, functions=functions))


def test_names_that_are_taken_stay_unique():
    graph = calling("f")
    graph.add("call/call0", Node("Placeholder", {"dtype": "float32"}))
    functions = {"f": function("f", ["g"]), "g": function("g", [])}
    flat = inline(Model(graph, functions=functions))
    assert flat.graph.op("call/call0") == "Placeholder"
    assert flat.graph.op("call/call0_1") == "IdentityN"
    assert flat.graph.inputs("call") == (Tensor("call/call0_1"),)


def test_direct_calls_bind_the_attributes_of_the_call():
    text = """
    node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } }
    node { name: "double" op: "Twice" input: "x" attr { key: "T" value { type: DT_FLOAT } } }
    library { function {
      signature { name: "Twice" input_arg { name: "v" type_attr: "T" } output_arg { name: "out" type_attr: "T" }
                  attr { name: "T" type: "type" } }
      node_def { name: "sum" op: "AddV2" input: "v" input: "v" attr { key: "T" value { placeholder: "T" } } }
      ret { key: "out" value: "sum:z:0" } } }
    """
    message = proto.parse_text("GraphDef", text, "test")
    functions = {"Twice": function_from_def(message.library.function[0])}
    flat = inline(Model(graph_from_nodes(message.node), functions=functions))
    assert flat.graph.attrs("double/sum")["T"] == "float32"
    assert flat.graph.attrs("double")["T"] == ("float32",)
    data = to_graph_def(flat.graph).SerializeToString()
    assert run(data, "double:0", {"x:0": 2.5}) == 5.0


def test_a_signature_that_is_not_there_is_named():
    with pytest.raises(GraphError, match="no signature 'predict'"):
        inline(Model(calling("f")), "predict")
