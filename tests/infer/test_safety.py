"""Every op that could touch files, the network or Python is listed, wherever it hides."""

from __future__ import annotations

import numpy as np
import pytest

from graphscope.graph import Function, FunctionRef, Graph, Model, Node, Tensor
from graphscope.infer.safety import DEPTH, danger_of, unsafe_nodes
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
    " HashTableV2 ReaderNumRecordsX SparseCross IteratorGetNext SerializeTensor".split(),
)
def test_mere_computation_is_not(op: str) -> None:
    assert danger_of(op) == ""


def test_a_registered_op_whose_name_speaks_of_files_is_listed() -> None:
    from graphscope.wire import op_registry

    for op in op_registry.registry():
        if "File" in op and not op.startswith(("ShardedFile", "TextFile", "Dataset")):
            assert danger_of(op), op


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
        message.node.add(name="secret", op="ReadFile")
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
