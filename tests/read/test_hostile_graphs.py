"""Small graphs that ask for much: each command answers, or says in a line why not, in little time and memory."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphscope.errors import GraphError
from graphscope.read import load
from graphscope.wire import messages as proto
from tests.cli.test_cli import run_main

FLOAT, INT32 = 1, 3


def node(graph: Any, name: str, op: str, *inputs: str, **attrs: Any) -> Any:
    added = graph.node.add(name=name, op=op, input=inputs)
    for key, value in attrs.items():
        if key in ("T", "Tidx", "Tshape", "dtype", "out_type"):
            added.attr[key].type = value
        else:
            added.attr[key].i = value
    return added


def const(graph: Any, name: str, array: np.ndarray) -> None:
    tensor = node(graph, name, "Const", dtype=INT32).attr["value"].tensor
    tensor.dtype, tensor.tensor_content = INT32, array.astype("<i4").tobytes()
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)


def started() -> Any:
    graph = proto.GraphDef()
    node(graph, "x", "Placeholder", dtype=FLOAT)
    return graph


def doubled(op: str, of_shape: bool, times: int = 30) -> Any:
    graph = started()
    const(graph, "axis", np.array(0))
    if of_shape:
        node(graph, "s", "Shape", "x", T=FLOAT, out_type=INT32)
    else:
        const(graph, "s", np.full(4, 3))
    last = "s"
    for number in range(times):
        inputs = [last, last, "axis"][: 3 if op == "ConcatV2" else 2]
        last = node(graph, f"k{number}", op, *inputs, T=INT32, Tidx=INT32, N=2).name
    node(graph, "y", "Reshape", "x", last, T=FLOAT, Tshape=INT32)
    return graph


def split(count: int) -> Any:
    graph = started()
    const(graph, "axis", np.array(1))
    node(graph, "split", "Split", "axis", "x", T=FLOAT, num_split=count)
    node(graph, "y", "Relu", "split:5", T=FLOAT)
    return graph


def one_number() -> Any:
    graph = started()
    weight = node(graph, "w", "Const", dtype=FLOAT)
    tensor = weight.attr["value"].tensor
    tensor.dtype = FLOAT
    tensor.float_val.append(0.5)
    for size in (32768, 32768):
        tensor.tensor_shape.dim.add(size=size)
    node(graph, "y", "MatMul", "x", "w", T=FLOAT)
    return graph


def long_name(name: str) -> Any:
    graph = started()
    node(graph, "y" + name, "Relu", "x", T=FLOAT)
    return graph


def constant_of_unknown_rank() -> Any:
    """What the fuzzer made of a quantised product."""
    graph = started()
    const(graph, "w", np.arange(3))
    graph.node[-1].attr["dtype"].type = graph.node[-1].attr["value"].tensor.dtype = (
        FLOAT
    )
    graph.node[-1].attr["value"].tensor.tensor_shape.Clear()
    graph.node[-1].attr["value"].tensor.tensor_shape.unknown_rank = True
    node(graph, "y", "AddV2", "x", "w", T=FLOAT)
    return graph


def function_without_what_it_returns() -> Any:
    """What the fuzzer made of a call: the body returns a node that it does not have."""
    graph = started()
    function = graph.library.function.add()
    function.signature.name = "f"
    function.signature.input_arg.add(name="a", type=FLOAT)
    function.signature.output_arg.add(name="o", type=FLOAT)
    function.ret["o"] = "gone:output:0"
    call = node(graph, "y", "PartitionedCall", "x")
    call.attr["f"].func.name = "f"
    call.attr["Tin"].list.type.append(FLOAT)
    call.attr["Tout"].list.type.append(FLOAT)
    return graph


def signs() -> Any:
    """A minus sign in front of a minus sign, a thousand times."""
    graph, last = started(), "x"
    for number in range(1000):
        last = node(graph, f"n{number}", "Neg", last, T=FLOAT).name
    return graph


GRAPHS = {
    "unknown rank": constant_of_unknown_rank(),
    "nothing returned": function_without_what_it_returns(),
    "signs": signs(),
    "shape joined": doubled("ConcatV2", True),
    "constant joined": doubled("ConcatV2", False),
    "shape packed": doubled("Pack", True),
    "sizes added": doubled("AddV2", True),
    "sizes multiplied": doubled("Mul", True),
    "numbers multiplied": doubled("Mul", False),
    "million outputs": split(1_000_000),
    "four gigabytes": one_number(),
    "numbered name": long_name("_1" * 16000 + "z"),
    "colon": long_name(":" + "1" * 5000),
    "underscores": long_name("_" * 16000 + "/b"),
}
COMMANDS = ("inspect", "doctor", "layers", "freeze", "keras", "render")


@pytest.mark.parametrize("name", GRAPHS)
def test_each_command_is_bounded(name: str, tmp_path: Path, capsys) -> None:
    path = tmp_path / "m.pb"
    path.write_bytes(GRAPHS[name].SerializeToString())
    for command in COMMANDS:
        words = {
            "freeze": ["-o", tmp_path / "f.pb"],
            "keras": ["-o", tmp_path / "k", "--no-verify"],
            "render": ["-o", tmp_path / "r.html"],
        }.get(command, [])
        begin = time.process_time()
        status, _, said = run_main(capsys, command, path, *words)
        assert status in (0, 1) and "Traceback" not in said
        assert time.process_time() - begin < 10, command


@pytest.mark.parametrize(
    "op, inputs, attrs, match",
    [
        ("Squeeze", [], {"T": FLOAT}, "has 0 inputs, expected 1"),
        ("Relu", ["x", "x"], {"T": FLOAT}, "has 2 inputs, expected 1"),
        ("AddN", ["x"], {"T": FLOAT, "N": 2}, "has 1 inputs, expected 2"),
        ("Relu", ["x:1"], {"T": FLOAT}, "a Placeholder has 1 outputs"),
        ("Unpack", ["x"], {"T": FLOAT, "num": -1}, "more outputs than"),
        ("Split", ["x", "x"], {"T": FLOAT, "num_split": 1 << 40}, "more outputs than"),
    ],
)
def test_a_node_that_its_op_does_not_allow(op, inputs, attrs, match, tmp_path) -> None:
    graph = started()
    node(graph, "y", op, *inputs, **attrs)
    (tmp_path / "m.pb").write_bytes(graph.SerializeToString())
    with pytest.raises(GraphError, match=match):
        load(tmp_path / "m.pb")


def test_a_dtype_of_tomorrow_is_written_as_it_was_read(tmp_path: Path, capsys) -> None:
    graph = started()
    node(graph, "y", "Relu", "x", T=999)
    (tmp_path / "m.pb").write_bytes(graph.SerializeToString())
    words = ("freeze", tmp_path / "m.pb", "-o", tmp_path / "f.pb", "--output", "y")
    assert run_main(capsys, *words)[0] == 0
    (relu,) = (n for n in written(tmp_path / "f.pb").node if n.op == "Relu")
    assert relu.attr["T"].type == 999


def written(path: Path) -> Any:
    return proto.GraphDef.FromString(path.read_bytes())


def with_signature(output: str) -> Any:
    """A SavedModel of one Relu whose signature calls a tensor its output."""
    saved = proto.SavedModel(saved_model_schema_version=1)
    meta = saved.meta_graphs.add()
    meta.meta_info_def.tags.append("serve")
    meta.graph_def.CopyFrom(started())
    node(meta.graph_def, "y", "Relu", "x", T=FLOAT)
    signature = meta.signature_def["serving_default"]
    signature.inputs["x"].name, signature.outputs["y"].name = "x:0", output
    return saved


def test_a_signature_may_name_an_output_that_its_node_has_not(
    tmp_path: Path, capsys
) -> None:
    """Fuzzing, seed 4242, case 994: ``keras`` ended in a KeyError, ``freeze`` wrote a graph whose output is none."""
    path = tmp_path / "saved_model.pb"
    path.write_bytes(with_signature("y:5").SerializeToString())
    status, told, _ = run_main(capsys, "outputs", path)
    assert status == 0 and "y:5" not in told and "y:0" in told
    for command in (("keras", "--no-verify"), ("freeze",), ("export", "--to", "tfjs")):
        out = tmp_path / command[0]
        words = (command[0], path, *command[1:], "-o", out, "--output", "y:7")
        status, _, message = run_main(capsys, *words)
        assert status == 1 and "(Relu) has 1 outputs" in message, message
        assert message.count("\n") == 1 and not out.exists()


def test_a_function_may_return_an_output_that_its_node_has_not() -> None:
    from graphscope.wire.nodes import functions_of

    graph = started()
    function = graph.library.function.add()
    function.signature.name = "f"
    function.signature.input_arg.add(name="a", type=FLOAT)
    function.signature.output_arg.add(name="r", type=FLOAT)
    function.node_def.add(name="n", op="Relu", input=["a"]).attr["T"].type = FLOAT
    function.ret["r"] = "n:activations:3"
    with pytest.raises(GraphError, match="there is no 'n:3'"):
        functions_of(graph.library)
