"""What the page tells of one node when it is asked: config or attributes, weights, members, evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ...graph import Graph, Layer, Node, Shape, Tensor, TensorSpec
from ...wire import opdefs
from ..cells.counting import VARIABLES, constant_shape
from ..cells.escape import shorten, visible
from ..cells.spelling import output_spec, value_text

MEMBERS = 60  # that are named; the others are counted
_LONGEST = 160  # characters of an attribute


class Use(NamedTuple):
    """A weight or constant as one node reads it: as which argument, through which node, of what shape."""

    role: str
    name: str
    via: str
    shape: Shape


def details_of(node: Node, dtype: str) -> dict[str, Any]:
    """``c`` config, ``d`` dtype, ``e`` evidence, ``m`` members (``n`` of them), ``t`` control inputs."""
    texts: dict[str, Any] = {"c": dict(_config(node)), "d": dtype}
    if isinstance(node, Layer):
        members = sorted(node.members)
        texts["e"] = [visible(each) for each in node.evidence]
        texts["m"] = [visible(each) for each in members[:MEMBERS]]
        texts["n"] = len(members)
    texts["t"] = [visible(each) for each in node.controls[:20]]
    if node.device:
        texts["c"]["device"] = visible(node.device)
    return {key: value for key, value in texts.items() if value}


def _config(node: Node) -> Iterator[tuple[str, str]]:
    layer = isinstance(node, Layer)
    for key in node.attrs:
        if key.startswith("_") or key == "value" or layer and key in ("name", "ops"):
            continue
        value = node.attrs[key]
        if value is not None:
            yield visible(shorten(key, 80)), value_text(value, _LONGEST)


def weights_of(
    graph: Graph,
    name: str,
    held: Mapping[int, str],
    specs: Mapping[Tensor, TensorSpec],
) -> Iterator[Use]:
    """The weights of a layer; of an op the constants and variables that it is drawn with."""
    node = graph.node(name)
    if isinstance(node, Layer):
        for role, use in node.weights.items():
            yield Use(role, use.node, "", use.shape)
    arguments = opdefs.input_names(node.op) if held else ()
    inputs = graph.inputs(name) if held else ()
    for slot, source in held.items():
        via = inputs[slot].node if slot < len(inputs) else ""
        role = arguments[slot] if slot < len(arguments) else ""
        shape = _shape(graph, source, specs)
        yield Use(role, source, "" if via == source else via, shape)
    if not isinstance(node, Layer) and node.op in (*VARIABLES, "Const"):
        yield Use("", name, "", _shape(graph, name, specs))


def _shape(graph: Graph, name: str, specs: Mapping[Tensor, TensorSpec]) -> Shape:
    node = graph.node(name)
    if node.op == "Const":
        shape = constant_shape(node)
        return output_spec(graph, name, specs).shape if shape is None else shape
    declared = node.attrs.get("shape")
    return output_spec(graph, name, specs).shape if declared is None else declared
