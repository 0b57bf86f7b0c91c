"""Reshapes to sizes that are computed -> Reshape layers, where the batch stays and at most one other size is unknown."""

from __future__ import annotations

from dataclasses import replace

from ...graph import Graph, Layer, Tensor, TensorSpec
from ...graph.edit import duplicate, put, put_constant
from ...match.view.symbolic_shapes import SymbolicView
from ...ops.values.size import Size, product
from ...simplify.state import State
from ..layers.layer_view import layer_view


def name_reshapes(state: State) -> State:
    """A reshape to sizes that are computed -> a Reshape layer.

    ``Reshape(x, [Shape(x)[0], Shape(y)[1], 12, 64]) -> Reshape((-1, 12, 64))(x)`` with a y that has x's sizes.
    """
    graph = state.graph
    computed = [n for n in graph.by_op("Reshape") if _is_computed(graph, n)]
    if not computed:
        return state
    view = layer_view(state)
    targets = {name: _target(view, name) for name in computed}
    loose = {name: _loose(view, name) for name, target in targets.items() if not target}
    if not any(targets.values()) and not any(loose.values()):
        return state
    copy = duplicate(graph)
    for name, whole in loose.items():
        if whole is not None:
            _put_constant(copy, name, whole)
    for name, target in targets.items():
        if target is None:
            continue
        spec = view.specs.get(Tensor(name), TensorSpec())
        layer = Layer(
            "Reshape",
            {"target_shape": target},
            outputs=(spec,),
            members=frozenset({name}),
            inputs={"x": graph.inputs(name)[0]},
            output=Tensor(name),
            pattern="name_reshapes",
            name=name,
        )
        put(copy, name, layer, graph.inputs(name)[:1])
    return state.become(copy)


def _put_constant(copy: Graph, name: str, target: tuple[int, ...]) -> None:
    """A target that is a constant in place of the one that is computed."""
    own = put_constant(copy, f"{name}/target", target)
    node = copy.node(name)
    plain = {key: node.attrs[key] for key in ("T",) if key in node.attrs}
    constant = replace(node, attrs={**plain, "Tshape": "int32"})
    put(copy, name, constant, [copy.inputs(name)[0], own])


def _loose(view: SymbolicView, name: str) -> tuple[int, ...] | None:
    """The target of a Reshape that changes how many examples there are; None where another size is unknown."""
    after = view.dims(Tensor(name))
    if not after or after[0].number is not None:
        return None
    rest = [size.number for size in after[1:]]
    sizes = [number for number in rest if number]
    return (-1, *sizes) if len(sizes) == len(rest) else None


def _is_computed(graph: Graph, name: str) -> bool:
    inputs = graph.inputs(name)
    if isinstance(graph.node(name), Layer) or len(inputs) != 2:
        return False
    return graph.op(inputs[1].node) != "Const"


def _target(view: SymbolicView, name: str) -> tuple[int, ...] | None:
    """Keras's target shape; None where the batch may change or two other sizes are unknown."""
    before, after = view.dims(view.inputs[name][0]), view.dims(Tensor(name))
    if not before or not after or len(after) < 2:
        return None
    same = before[0] == after[0] or _same_rest(before[1:], after[1:])
    unknown = sum(size.number is None for size in after[1:])
    if not same or unknown > 1:
        return None
    return tuple(-1 if s.number is None else s.number for s in after[1:])


def _same_rest(a: tuple[Size, ...], b: tuple[Size, ...]) -> bool:
    """Whether one example has as many elements before as after: then there are as many examples."""
    whole = product(a)
    return whole is not None and whole.number != 0 and whole == product(b)
