"""Text form -> graph: exact, property-tested; damaged text gives a FormatError that names the line."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphscope.errors import FormatError, GraphscopeError
from graphscope.graph import Function, FunctionRef, Graph, Node, Tensor, TensorSpec
from graphscope.read import load
from graphscope.read.text.grammar import graph_from_text, parse
from graphscope.render.text import to_text

EXAMPLE = """\
# graphscope graph 1
images: f32[?,28,28,1] = Placeholder(dtype=float32, shape=[?,28,28,1])
conv1/kernel = VariableV2(dtype=float32, shape=[3,3,1,32]) @"/device:CPU:0"
conv1/Conv2D: f32[?,28,28,32] = Conv2D(images, conv1/kernel, padding="SAME", strides=[1,1,1,1])
"split \\"me\\"": _[*], _[] = Split(conv1/Conv2D:1, images, ^conv1/kernel, num_split=2)
"""


def equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return bool(
            isinstance(b, np.ndarray)
            and (a.dtype, a.shape) == (b.dtype, b.shape)
            and list(map(repr, a.flat)) == list(map(repr, b.flat))
        )
    if isinstance(a, FunctionRef):
        return (
            isinstance(b, FunctionRef) and a.name == b.name and equal(a.attrs, b.attrs)
        )
    if isinstance(a, tuple):
        return isinstance(b, tuple) and len(a) == len(b) and all(map(equal, a, b))
    if hasattr(a, "keys"):
        return set(a) == set(b) and all(equal(a[k], b[k]) for k in a)
    return type(a) is type(b) and repr(a) == repr(b)


def assert_same(a: Graph, b: Graph) -> None:
    assert list(a) == list(b)
    for name in a:
        one, other = a.node(name), b.node(name)
        assert (one.op, one.controls, one.device) == (
            other.op,
            other.controls,
            other.device,
        )
        assert one.outputs == other.outputs
        assert a.inputs(name) == b.inputs(name)
        assert equal(dict(one.attrs), dict(other.attrs)), name


def test_text_back_and_forth() -> None:
    graph = graph_from_text(EXAMPLE)
    assert to_text(graph) == EXAMPLE
    assert graph.inputs('split "me"') == (Tensor("conv1/Conv2D", 1), Tensor("images"))
    assert graph.node('split "me"').controls == ("conv1/kernel",)
    assert graph.node("conv1/kernel").device == "/device:CPU:0"
    assert graph.attrs("conv1/Conv2D")["strides"] == (1, 1, 1, 1)


names = st.text(min_size=1, max_size=8) | st.sampled_from(
    ["a/b", "x:1", "^y", "1e5", "inf", "nan"]
)
sizes = st.none() | st.integers(0, 2**40)
shapes = st.none() | st.lists(sizes, max_size=4).map(tuple)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["float32", "resource", "true", "none", "float8_e5m2", "int32_ref"]
    )
)
arrays = st.one_of(
    st.lists(st.floats(width=32), max_size=6).map(lambda v: np.array(v, np.float32)),
    st.lists(st.floats(), min_size=4, max_size=4).map(
        lambda v: np.array(v).reshape(2, 2)
    ),
    st.integers(-128, 127).map(lambda v: np.array(v, np.int8)),
    st.lists(st.booleans(), max_size=3).map(lambda v: np.array(v, bool)),
    st.lists(st.complex_numbers(), max_size=3).map(
        lambda v: np.array(v, np.complex128)
    ),
    st.integers(2, 9).map(lambda n: np.broadcast_to(np.float32(0.1), (n, 1000))),
    st.lists(st.binary(max_size=9), min_size=1, max_size=3).map(
        lambda v: np.array([*v, None], object)[:-1]
    ),
)
values = st.recursive(
    scalars | arrays,
    lambda inner: st.lists(inner, max_size=3).map(tuple)
    | st.builds(FunctionRef, names, st.dictionaries(names, inner, max_size=2)),
    max_leaves=6,
)


@st.composite
def graphs(draw: Any) -> Graph:
    graph = Graph()
    chosen = draw(st.lists(names, min_size=1, max_size=6, unique=True))
    for name in chosen:
        attrs = draw(st.dictionaries(names, values, max_size=3))
        outputs = draw(
            st.lists(
                st.builds(
                    TensorSpec, st.sampled_from(["", "float32", "int64_ref"]), shapes
                ),
                max_size=2,
            )
        )
        controls = tuple(draw(st.lists(st.sampled_from(chosen), max_size=2)))
        node = Node(
            draw(names), attrs, tuple(outputs), controls, draw(st.text(max_size=6))
        )
        graph.add_node(name, node=node)
    for name in chosen:
        sources = draw(st.lists(st.sampled_from(chosen), max_size=3))
        for slot, source in enumerate(sources):
            graph.add_edge(source, name, key=slot, port=draw(st.integers(0, 9)))
    return graph


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_every_graph_survives(graph: Graph) -> None:
    assert_same(graph, graph_from_text(to_text(graph, inline=None)))


def test_declared_shapes_are_said_once() -> None:
    shapes = ((None, 3), None)
    outputs = tuple(TensorSpec("", shape) for shape in shapes)
    graph = Graph()
    graph.add("x", Node("Foo", {"_output_shapes": shapes}, outputs))
    text = to_text(graph)
    assert "x: _[?,3], _[*] = Foo(_output_shapes=*)" in text
    assert_same(graph, graph_from_text(text))


def test_large_tensors_are_absent_and_say_so() -> None:
    graph = Graph()
    graph.add("w", Node("Const", {"value": np.arange(100, dtype=np.float32)}))
    text = to_text(graph)
    assert "value=f32[100]#" in text and len(text) < 120
    back = graph_from_text(text)
    assert "value" not in back.attrs("w")
    assert to_text(back) == text


def test_a_forged_absence_is_no_way_into_the_text() -> None:
    graph = Graph()
    graph.add("w", Node("Const", {"_absent_value": "1)\nevil = NoOp("}))
    back = graph_from_text(to_text(graph))
    assert list(back) == ["w"]
    assert_same(graph, back)


def test_functions_survive() -> None:
    body = Graph()
    body.add("x", Node("_Arg", {"T": "float32", "index": 0}))
    body.add("y", Node("Relu", {"T": "float32"}), [Tensor("x")])
    function = Function("f/g", body, ("x",), (Tensor("y"),), ("out",), ("y",), {"a": 1})
    text = to_text(Graph(), functions={"f/g": function})
    found = parse(text).functions["f/g"]
    assert_same(body, found.graph)
    assert (found.arguments, found.returns) == (("x",), (Tensor("y"),))
    assert (found.output_names, found.control_returns) == (("out",), ("y",))
    assert to_text(Graph(), functions={"f/g": found}) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = NoOp(\n", "line 1"),
        ("x = NoOp()\nx = NoOp()", "line 2: two nodes"),
        ("x = Relu(y)", "reads 'y:0'"),
        ("x = Foo(a=bar)", "is no value"),
        ("x = Foo(a=f32[2]{1})", "cannot have 1 values"),
        ("x = Foo(a=f32[99999999999]{1*})", "cannot have"),
        ("x = Foo(a=u8[1]{300})", "not of uint8"),
        ("x = Foo() y", "too much"),
        ("x: f32[-1] = Foo()", "a number expected"),
        ('x = Foo(a="\\q")', "no JSON string"),
        ("x = Foo(a=" + "[" * 5000, "inside each other"),
        ("x = Foo(a=" + "9" * 5000 + ")", "more digits"),
        ("function f{} {\n x = NoOp()", "does not end"),
        ("\x00", "cannot be"),
    ],
)
def test_damage_is_named(text: str, said: str) -> None:
    with pytest.raises(GraphscopeError, match=said):
        graph_from_text(text)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_text_never_crashes(data: Any) -> None:
    at = data.draw(st.integers(0, len(EXAMPLE)))
    cut = data.draw(st.integers(0, 5))
    text = EXAMPLE[:at] + data.draw(st.text(max_size=5)) + EXAMPLE[at + cut :]
    with contextlib.suppress(GraphscopeError):
        graph_from_text(text)


def test_load_reads_what_render_wrote(tmp_path: Path) -> None:
    path = tmp_path / "graph.any"
    path.write_text(EXAMPLE)
    model = load(path)
    assert model.format == "graphscope text form"
    assert_same(model.graph, graph_from_text(EXAMPLE))
    assert not model.versions
    path.write_text(to_text(model.graph, producer=21))
    assert load(path).versions == {"producer": 21}
    path.write_bytes(EXAMPLE.encode() + b"\xff")
    with pytest.raises(FormatError, match="UTF-8"):
        load(path)
