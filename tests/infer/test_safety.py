"""Every op that could touch files, the network or Python is listed, wherever it hides."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

from graphscope.graph import Function, FunctionRef, Graph, Model, Node, Tensor
from graphscope.infer.safety import DEPTH, danger_of, unsafe_nodes
from graphscope.ops.effects import UNKNOWN, effects
from graphscope.read import load
from graphscope.wire import messages as proto


def graph_of(**ops: str) -> Graph:
    made = Graph()
    for name, op in ops.items():
        made.add(name, Node(op))
    return made


@pytest.mark.parametrize(
    "op, what",
    [
        ("ReadFile", "files"),
        ("WriteFile", "files"),
        ("PrintV2", "files"),
        ("SaveV2", "files"),
        ("RestoreV2", "files"),
        ("WholeFileReaderV2", "files"),
        ("ReaderReadV2", "files"),
        ("TFRecordDataset", "files"),
        ("CacheDatasetV2", "files"),
        ("InitializeTableFromTextFileV2", "files"),
        ("CreateSummaryFileWriter", "files"),
        ("ImmutableConst", "files"),
        ("PyFunc", "python"),
        ("EagerPyFunc", "python"),
        ("DataServiceDatasetV4", "network"),
        ("RpcClient", "network"),
    ],
)
def test_dangerous_ops_are_known(op: str, what: str) -> None:
    assert danger_of(op) == what


@pytest.mark.parametrize(
    "op",
    "MatMul Const Print RangeDataset StatefulPartitionedCall ScalarSummary DecodeJpeg Reshape Identity VarHandleOp"
    " HashTableV2 ReaderNumRecordsProducedV2 SparseCross IteratorGetNext SerializeTensor".split(),
)
def test_mere_computation_is_not(op: str) -> None:
    assert danger_of(op) == ""


def test_every_op_of_the_registry_is_classed_once() -> None:
    from graphscope.wire import op_registry

    assert set(effects()) == set(op_registry.registry())
    assert danger_of("AnOpOfTomorrow") == UNKNOWN


def test_every_op_of_the_installed_tensorflow_is_classed() -> None:
    """What comes with a newer TensorFlow must be classed by hand before it may run."""
    pytest.importorskip("tensorflow")
    # in a process of its own: what other tests load registers ops too
    code = (
        "from tensorflow.core.framework import op_def_pb2\n"
        "from tensorflow.python.client import pywrap_tf_session as session\n"
        "data = session.TF_GetBuffer(session.TF_GetAllOpList())\n"
        "print(*(op.name for op in op_def_pb2.OpList.FromString(data).op))"
    )
    printed = subprocess.check_output([sys.executable, "-c", code], text=True)
    names = printed.splitlines()[-1].split()
    assert len(names) > 1500
    assert set(names) <= set(effects())


def test_what_takes_a_path_or_an_address_is_not_inside() -> None:
    """A second look at the table: attributes and inputs that name files and machines."""
    from graphscope.wire import op_registry

    words = re.compile(r"(file|filename|path|directory|dir|address|url|uri)s?$")
    harmless = {"ShardedFilename", "ShardedFilespec", "RegexReplace", "RegexFullMatch"}
    harmless |= {"StaticRegexFullMatch", "StaticRegexReplace", "CTCBeamSearchDecoder"}
    harmless |= {"TensorSliceDataset"}  # is_files is a hint to the optimiser
    for name, op in op_registry.registry().items():
        arguments = [each.name for each in (*op.attr, *op.input_arg)]
        if any(words.search(each.lower()) for each in arguments):
            assert name in harmless or danger_of(name), (name, arguments)


def test_a_gradient_that_the_library_names_is_entered() -> None:
    """The issue's SymbolicGradient: harmless by itself, its function's gradient writes a file."""
    from graphscope.wire.nodes import functions_of, graph_from_nodes

    graph = proto.GraphDef()
    for name, op, count in (("good", "Neg", 1), ("evil", "WriteFile", 2)):
        function = graph.library.function.add()
        function.signature.name = name
        function.signature.input_arg.add(name="a", type=7 if count > 1 else 1)
        function.node_def.add(name="inside", op=op, input=["a"] * count)
    graph.library.gradient.add(function_name="good", gradient_func="evil")
    node = graph.node.add(name="g", op="SymbolicGradient")
    node.attr["f"].func.name = "good"
    graph.node.add(name="x", op="Placeholder")
    model = Model(graph_from_nodes(graph.node), functions=functions_of(graph.library))
    assert [str(u) for u in unsafe_nodes(model, ["g"])] == [
        "evil/inside (WriteFile: files)"
    ]
    assert unsafe_nodes(model, ["x"]) == ()


def test_a_function_that_a_text_names_is_entered() -> None:
    body = graph_of(leak="WriteFile")
    main = Graph()
    main.add("run", Node("NoOp", {"segment_function": "f", "others": ("f",)}))
    model = Model(main, functions={"f": Function("f", body, (), ())})
    assert [u.node for u in unsafe_nodes(model, ["run"])] == ["leak"]


def with_function(attribute: str) -> bytes:
    """A GraphDef whose one Identity names a function that reads a file, in an attribute of its own."""
    message = proto.GraphDef()
    node = message.node.add(name="x", op="Const")
    node.attr["dtype"].type, node.attr["value"].tensor.dtype = 1, 1
    node = message.node.add(name="y", op="Identity", input=["x"])
    node.attr["T"].type = 1
    node.attr[attribute].func.name = "reads"
    function = message.library.function.add()
    function.signature.name = "reads"
    function.node_def.add(name="file", op="ReadFile", input=["name"])
    function.signature.input_arg.add(name="name", type=7)
    return bytes(message.SerializeToString())


def test_an_attribute_that_no_op_declares_is_searched_for_functions(tmp_path) -> None:
    """Told on the model as it is read: its attributes are messages there."""
    (tmp_path / "graph.pb").write_bytes(with_function("_anything"))
    nodes = unsafe_nodes(load(tmp_path / "graph.pb"), ["y"])
    assert [str(each) for each in nodes] == ["reads/file (ReadFile: files)"]


def test_tensorflow_refuses_a_function_where_its_op_declares_a_type() -> None:
    """Why such attributes are passed over: nothing runs of a graph whose attribute is not of its declared type."""
    import tensorflow as tf

    message = tf.compat.v1.GraphDef.FromString(with_function("T"))
    with tf.Graph().as_default(), pytest.raises(
        ValueError, match="'func' when 'type' expected"
    ):
        tf.import_graph_def(message)


def test_what_a_call_runs_without_being_read_counts_after_it_was_inlined() -> None:
    from graphscope.simplify.inline import inline

    body = graph_of(leak="WriteFile", y="Neg")
    main = Graph()
    main.add("call", Node("StatefulPartitionedCall", {"f": FunctionRef("f", {})}))
    main.add("z", Node("Neg"), [Tensor("call")])
    function = Function("f", body, (), (Tensor("y"),), ("out",))
    model = inline(Model(main, functions={"f": function}))
    assert model.graph.op("call") == "IdentityN"
    assert [u.node for u in unsafe_nodes(model, ["z"])] == ["call/leak"]


@pytest.mark.parametrize("op", ["DatasetToTFRecord", "DebugNanCount", "XlaCallModule"])
def test_ops_that_deny_lists_forgot(op: str) -> None:
    assert danger_of(op)


def test_nodes_of_functions_are_found_with_the_way_to_them() -> None:
    inner = Function("inner", graph_of(leak="WriteFile"), (), ())
    outer_graph = Graph()
    outer_graph.add("call", Node("PartitionedCall", {"f": FunctionRef("inner", {})}))
    outer = Function("outer", outer_graph, (), ())
    main = Graph()
    main.add("start", Node("StatefulPartitionedCall", {"f": FunctionRef("outer", {})}))
    model = Model(main, functions={"inner": inner, "outer": outer})
    (found,) = unsafe_nodes(model)
    assert (found.node, found.where) == ("leak", ("outer", "inner"))
    assert str(found) == "outer/inner/leak (WriteFile: files)"


def test_functions_that_call_each_other_end() -> None:
    body = Graph()
    body.add("again", Node("PartitionedCall", {"f": FunctionRef("loop", {})}))
    body.add("read", Node("ReadFile"))
    main = Graph()
    main.add("call", Node("loop"))
    model = Model(main, functions={"loop": Function("loop", body, (), ())})
    assert [u.node for u in unsafe_nodes(model)] == ["read"]


def test_only_what_the_outputs_need_counts_when_they_are_given() -> None:
    main = graph_of(x="Placeholder", save="SaveV2")
    main.add("y", Node("Relu"), [Tensor("x")])
    main.add("log", Node("PrintV2"))
    main.add("z", Node("Neg", controls=("log",)), [Tensor("y")])
    model = Model(main)
    assert [u.node for u in unsafe_nodes(model)] == ["save", "log"]
    assert unsafe_nodes(model, ["y:0"]) == ()
    assert [u.node for u in unsafe_nodes(model, [Tensor("z")])] == ["log"]


def serialised(depth: int) -> bytes:
    message = proto.GraphDef()
    if depth == 0:
        message.node.add(name="name", op="Placeholder")
        message.node.add(name="secret", op="ReadFile", input=["name"])
        return message.SerializeToString()
    const = message.node.add(name="text", op="Const")
    const.attr["dtype"].type = 7
    const.attr["value"].tensor.dtype = 7
    const.attr["value"].tensor.string_val.append(serialised(depth - 1))
    message.node.add(name="dataset", op="DatasetFromGraph", input=["text"])
    return message.SerializeToString()


def from_string(data: bytes) -> Model:
    main = Graph()
    value = np.empty((), object)
    value[()] = data
    main.add("text", Node("Const", {"dtype": "string", "value": value}))
    main.add("dataset", Node("DatasetFromGraph"), [Tensor("text")])
    return Model(main)


def test_a_graph_within_a_string_within_a_graph_is_searched() -> None:
    (found,) = unsafe_nodes(from_string(serialised(1)))
    assert (found.node, found.op) == ("secret", "ReadFile")
    assert found.where == ("dataset", "dataset")


def test_what_cannot_be_read_or_is_too_deep_counts_as_unknown_code() -> None:
    assert unsafe_nodes(from_string(b"\xff\xfe not a graph"))[0].what == "unknown code"
    assert unsafe_nodes(from_string(serialised(DEPTH + 2)))[0].what == "unknown code"


def test_a_published_classifier_is_safe(corpus) -> None:
    from graphscope.read import load

    path = corpus / "ARM-software+ML-KWS-for-MCU/Pretrained_models/CNN/CNN_S.pb"
    assert unsafe_nodes(load(str(path))) == ()
