"""Look-ups that know what their table holds, and those of which nothing is known."""

from __future__ import annotations

import numpy as np
import pytest

from graphscope.graph import Tensor
from graphscope.simplify.rewrites.tables import fill_lookups, table_behind
from tests.match.small import Made

WORDS, NUMBERS = np.array(["a", "b"], object), np.array([3, 4])


def looked_up(find: str = "LookupTableFindV2", behind: str = "", port: int = 0) -> Made:
    graph = Made()
    x = graph.feed()
    table = graph.put("HashTableV2", name="table")
    other = graph.put("HashTableV2", name="other")
    handle = table
    if behind == "IdentityN":
        handle = Tensor(graph.put(behind, other, table, name="call").node, port)
    elif behind:
        handle = graph.put(behind, table, name="call")
    inputs = [handle, x, graph.const("missing", -1)]
    graph.put(find, *inputs[: 1 if "Size" in find else 3], name="y")
    return graph


@pytest.mark.parametrize("find", ["LookupTableFindV2", "LookupTableFind"])
@pytest.mark.parametrize(
    ("behind", "port"), [("", 0), ("Identity", 0), ("IdentityN", 1)]
)
def test_a_look_up_holds_what_its_table_does(find: str, behind: str, port: int) -> None:
    graph = looked_up(find, behind, port)
    filled = fill_lookups(graph, {"table": (WORDS, NUMBERS)})
    assert filled.attrs("y")["keys"] is WORDS and filled.attrs("y")["values"] is NUMBERS
    handle, *others = filled.inputs("y")
    assert filled.op(handle.node) == "Const"  # no handle passes between nodes
    assert others == list(graph.inputs("y"))[1:]
    assert "keys" not in graph.attrs("y")  # the graph as it was


@pytest.mark.parametrize("op", ["LookupTableSizeV2", "LookupTableSize"])
def test_the_size_of_a_table_is_a_constant(op: str) -> None:
    filled = fill_lookups(looked_up(op), {"table": (WORDS, NUMBERS)})
    assert filled.op("y") == "Const" and filled.attrs("y")["value"] == 2
    assert not filled.inputs("y")


@pytest.mark.parametrize(
    "graph",
    [
        looked_up(behind="IdentityN", port=0),  # the other table's
        looked_up(behind="Relu"),  # which passes no handle on
        looked_up("LookupTableExportV2"),
    ],
)
def test_what_looks_into_no_filled_table_stays(graph: Made) -> None:
    assert fill_lookups(graph, {"table": (WORDS, NUMBERS)}) is graph


def test_a_table_of_which_nothing_is_known_stays() -> None:
    graph = looked_up()
    assert fill_lookups(graph, {}) is graph


def test_no_table_is_behind_a_circle() -> None:
    graph = Made()
    for name, source in (("a", "b"), ("b", "a")):
        graph.put("Identity", name=name)
    for name, source in (("a", "b"), ("b", "a")):
        graph.add_edge(source, name, key=0, port=0)
    assert table_behind(graph, Tensor("a")) in ("a", "b")
