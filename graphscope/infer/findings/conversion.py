"""Findings on files that a conversion spoilt: weights left behind, outputs lost, values kept elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...wire.nodes import captured_variables
from ..finding import Case, Finding, listed
from ..training.dependence import constant_shape, is_hollow
from ..training.op_kinds import READS, SOURCES, VARIABLES

_WRITE_FUNCTION = """from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
tf.io.write_graph(convert_variables_to_constants_v2(function).graph, ".", "frozen.pb", as_text=False)"""
_FEW = 8  # numbers; a constant of so few may well be all zeros


def find(case: Case) -> Iterator[Finding]:
    yield from _captured(case)
    yield from _only_inputs(case)
    yield from _only_weights(case)
    yield from _without_values(case)


def _captured(case: Case) -> Iterator[Finding]:
    nodes = [n for n in captured_variables(case.flat.graph) if n in case.path]
    if nodes:
        yield Finding(
            "weights-captured",
            "error",
            f"the graph of a concrete function, written without the variables that it captured: {listed(nodes)} stand for them, "
            "and their values are not in the file; freeze the function itself",
            tuple(nodes),
            _WRITE_FUNCTION,
        )


def _only_inputs(case: Case) -> Iterator[Finding]:
    """Nothing but placeholders: the label, or the input, was named as output."""
    flow = case.study.flow
    if len(flow) and all(SOURCES.match(op) for op in flow.ops):
        yield Finding(
            "only-inputs",
            "error",
            f"the file holds nothing but what is fed ({listed(flow.names)}): whoever froze it named a label or an input as its output, "
            "and all that is computed was cut away",
            tuple(flow.names),
        )


def _only_weights(case: Case) -> Iterator[Finding]:
    """Nothing but variables or constants, and what reads them: the outputs were lost."""
    graph = case.flat.graph
    ops = set(graph.kinds())
    if not (ops <= {"Const", "NoOp", *VARIABLES, *READS} and ops - {"NoOp"}):
        return
    if ends := [name for name in graph if not graph.consumers(name)]:
        yield Finding(
            "only-weights",
            "error",
            f"nothing is computed in this graph: it ends in the weights {listed(ends)}; whoever cut or froze it named a weight as "
            "its output, and what used the weights was cut away",
            tuple(ends),
        )


def _without_values(case: Case) -> Iterator[Finding]:
    """A frozen graph whose constants are shapes alone: TensorFlow reads zeros."""
    attrs = {name: case.flat.graph.attrs(name) for name in case.on_path("Const")}
    large = [name for name, a in attrs.items() if _size(a) > _FEW]
    hollow = [name for name in large if is_hollow(attrs[name])]
    if len(hollow) > 1 and len(hollow) == len(large):
        yield Finding(
            "values-elsewhere",
            "error",
            f"the {len(hollow)} constants of this graph, as {listed(hollow)}, are shapes without values, which TensorFlow reads as "
            "zeros: the values were written apart, as TensorFlow.js's converter does (weights_manifest.json and its shards)",
            tuple(hollow),
        )


def _size(attrs: Mapping[str, object]) -> int:
    count = 1
    for size in constant_shape(attrs):
        count *= size
    return count
