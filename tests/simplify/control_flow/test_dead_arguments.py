"""What nobody reads of a loop or a condition goes, with what only it needs; what is damaged stays as it is."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from graphscope.errors import GraphError
from graphscope.graph import Function, FunctionRef, Graph, Node, Tensor
from graphscope.simplify.control_flow.dead_arguments import trim


def function(
    name: str, count: int, returns: Sequence[int | tuple[int, int]]
) -> Function:
    """``returns`` are arguments as they came, or pairs of them added."""
    graph, tensors = Graph(), []
    names = tuple(f"{name}_{n}" for n in range(count))
    for argument in names:
        graph.add(argument, Node("_Arg", {"T": "float32"}))
    for number, each in enumerate(returns):
        pair = each if isinstance(each, tuple) else (each, each)
        inputs = [Tensor(names[n]) for n in pair]
        if inputs[0] != inputs[1]:
            graph.add(f"sum_{number}", Node("AddV2", {"T": "float32"}), inputs)
            inputs = [Tensor(f"sum_{number}")]
        tensors.append(inputs[0])
    return Function(name, graph, names, tuple(tensors))


def around(
    op: str, refs: dict[str, str], count: int, ports: Sequence[int], **more: object
) -> Function:
    """A function of ``count`` arguments that runs one op over them all, and returns these of its outputs."""
    graph = Graph()
    names = tuple(f"in_{n}" for n in range(count))
    for name in names:
        graph.add(name, Node("_Arg", {"T": "float32"}))
    attrs = {key: FunctionRef(name, {}) for key, name in refs.items()}
    graph.add("run", Node(op, {**attrs, **more}), [Tensor(name) for name in names])
    return Function("outer", graph, names, tuple(Tensor("run", p) for p in ports))


def loop(
    body: Sequence[int | tuple[int, int]],
    reads: int = 0,
    ports: Sequence[int] = (1,),
    takes: int = 4,
) -> tuple[Function, dict[str, Function]]:
    """A loop over four variables, whose condition reads one."""
    library = {
        "cond": function("cond", takes, [reads]),
        "body": function("body", takes, body),
    }
    types = {"T": tuple(f"t{n}" for n in range(4))}
    refs = {"cond": "cond", "body": "body"}
    return around("While", refs, 4, ports, **types), library


def inputs_of(outer: Function, library: dict[str, Function]) -> list[str]:
    whole = {name: len(each.graph) for name, each in library.items()}
    trimmed = trim(outer, dict(library))
    assert {name: len(each.graph) for name, each in library.items()} == whole
    (name,) = (n for n in trimmed.graph if trimmed.graph.op(n) in ("While", "If"))
    return [tensor.node for tensor in trimmed.graph.inputs(name)]


@pytest.mark.parametrize(
    ("body", "reads", "ports", "inputs"),
    [
        ((0, 1, 2, 3), 0, (1,), ["in_0", "in_1"]),  # tested, and read
        ((0, 1, 2, 3), 3, (1,), ["in_1", "in_3"]),
        ((0, (1, 2), 2, 3), 0, (1,), ["in_0", "in_1", "in_2"]),  # needed by one read
        ((0, (1, 2), (2, 3), 3), 0, (1,), ["in_0", "in_1", "in_2", "in_3"]),
        ((0, 1, (2, 3), 3), 0, (1,), ["in_0", "in_1"]),  # needed by none read
        ((0, 1, 2, 3), 0, (0, 1, 2, 3), ["in_0", "in_1", "in_2", "in_3"]),
    ],
)
def test_a_loop_carries_what_is_read_tested_or_needed_by_these(
    body: Sequence[int | tuple[int, int]],
    reads: int,
    ports: Sequence[int],
    inputs: list[str],
) -> None:
    outer, library = loop(body, reads, ports)
    assert inputs_of(outer, library) == inputs
    functions = dict(library)
    trimmed = trim(outer, functions)
    node = trimmed.graph.node("run")
    assert node.attrs["T"] == tuple(f"t{name[-1]}" for name in inputs)
    assert [inputs[t.port] for t in trimmed.returns] == [f"in_{p}" for p in ports]
    for attr in ("cond", "body"):
        inner = functions[node.attrs[attr].name]
        assert len(inner.arguments) == len(inputs) and inner is not library[attr]


@pytest.mark.parametrize(
    ("outer", "library"),
    [
        loop((0, 1, 2), ports=(1,)),  # fewer are returned than are carried
        loop((0, 1, 2, 3), ports=(4,)),  # an output that it has not
        loop((0, 1, 2, 3), ports=(1,), takes=5),
        (loop((0, 1, 2, 3))[0], {"cond": function("cond", 4, [0])}),  # no body
        (loop((0, 1, 2, 3))[0], {"body": function("body", 4, (0, 1, 2, 3))}),
    ],
)
def test_a_damaged_loop_stays(outer: Function, library: dict[str, Function]) -> None:
    assert inputs_of(outer, library) == ["in_0", "in_1", "in_2", "in_3"]


def condition(
    then: Sequence[int | tuple[int, int]],
    other: Sequence[int | tuple[int, int]],
    ports: Sequence[int],
    takes: int = 3,
) -> tuple[Function, dict[str, Function]]:
    library = {"a": function("a", takes, then), "b": function("b", takes, other)}
    types = {"Tin": ("t1", "t2", "t3"), "Tout": ("o0", "o1")}
    refs = {"then_branch": "a", "else_branch": "b"}
    return around("If", refs, 4, ports, **types), library


@pytest.mark.parametrize(
    ("then", "other", "ports", "inputs"),
    [
        ((0, 1), (0, 1), (1,), ["in_0", "in_2"]),  # the predicate, and what is read
        ((0, 1), (0, 2), (1,), ["in_0", "in_2", "in_3"]),  # by either branch
        ((0, (1, 2)), (0, 1), (0,), ["in_0", "in_1"]),
        ((0, 1), (0, 1), (0, 1), ["in_0", "in_1", "in_2"]),
    ],
)
def test_a_condition_captures_what_its_branches_need(
    then: Sequence[int | tuple[int, int]],
    other: Sequence[int | tuple[int, int]],
    ports: Sequence[int],
    inputs: list[str],
) -> None:
    outer, library = condition(then, other, ports)
    assert inputs_of(outer, library) == inputs
    node = trim(outer, dict(library)).graph.node("run")
    assert node.attrs["Tin"] == tuple(f"t{name[-1]}" for name in inputs[1:])
    assert node.attrs["Tout"] == tuple(f"o{port}" for port in ports)
    assert node.attrs["then_branch"].name != node.attrs["else_branch"].name


@pytest.mark.parametrize(
    ("outer", "library"),
    [
        condition((0, 1), (0,), (1,)),  # a branch without that output
        condition((0, 1), (0, 1), (1,), takes=4),
        (condition((0, 1), (0, 1), (1,))[0], {"a": function("a", 3, (0, 1))}),
    ],
)
def test_a_damaged_condition_stays(
    outer: Function, library: dict[str, Function]
) -> None:
    assert inputs_of(outer, library) == ["in_0", "in_1", "in_2", "in_3"]


def test_a_loop_that_runs_itself_is_refused() -> None:
    refs = {"cond": "cond", "body": "outer_body"}
    outer = around("While", refs, 1, (0,))
    inner = around("While", refs, 1, (0,))
    body = Function("outer_body", inner.graph, inner.arguments, inner.returns)
    library = {"cond": function("cond", 1, [0]), "outer_body": body}
    with pytest.raises(GraphError, match="without end"):
        trim(outer, library)
