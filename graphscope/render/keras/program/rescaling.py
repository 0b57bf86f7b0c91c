"""``x * 0.5`` before a layer of our own -> a Rescaling layer.

Keras 3 says of a symbolic product with a plain number that it is sparse, and what is elementwise says so after it. Its own layers do not
mind; one of ours that does not say the shape of its result is then tried on a SparseTensor, which no loop can take.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from ....graph import Tensor
from ....graph.names import Names
from .program import Step, filled, hole

_HANDING_ON = frozenset({"Reshape", "Flatten", "Permute", "Concatenate"})


def rescaled(
    steps: Sequence[Step],
    own: Collection[str],
    names: Names,
    is_single: Callable[[Tensor], bool],
) -> tuple[Step, ...]:
    """The steps, with Rescaling for the products that a layer of a class in ``own`` reads, or what hands them on to one.

    ``is_single`` tells of a tensor whether it is of float32, which the layer computes in.
    """
    by_node = {step.node: step for step in steps}
    products: dict[str, Step] = {}
    stack = [t.node for s in steps if s.constructor in own for t in s.inputs]
    visited = set(stack)
    while stack:
        step = by_node.get(stack.pop())
        if step is None or step.constructor and step.class_name not in _HANDING_ON:
            continue
        factor = _factor(step)
        if factor is not None and is_single(Tensor(step.node)):
            products[step.node] = _rescaling(step, factor, names)
            continue
        before = {tensor.node for tensor in step.inputs} - visited
        visited |= before
        stack += before
    return tuple(products.get(step.node, step) for step in steps)


def seems_sparse(steps: Mapping[str, Step], tensor: Tensor) -> bool:
    """Whether Keras says of a tensor that it is sparse: a product with an array that is written out or a whole number, or what hands one on."""
    stack, visited = [tensor.node], {tensor.node}
    while stack:
        step = steps.get(stack.pop())
        if step is None or step.constructor and step.class_name not in _HANDING_ON:
            continue
        if "*" in step.text and ("ops.array(" in step.text or _is_times(step)):
            return True
        before = {each.node for each in step.inputs} - visited
        visited |= before
        stack += before
    return False


def _is_times(step: Step) -> bool:
    """Whether a whole number is a factor anywhere in an expression: no Rescaling computes that."""
    if step.constructor:
        return False
    expression = ast.parse(filled(step.text, ["_"] * len(step.inputs)), mode="eval")
    return any(
        isinstance(each, ast.BinOp)
        and isinstance(each.op, ast.Mult)
        and any(_is_whole(side) for side in (each.left, each.right))
        for each in ast.walk(expression)
    )


def _is_whole(side: ast.expr) -> bool:
    return isinstance(side, ast.Constant) and type(side.value) is int


def _factor(step: Step) -> float | None:
    """The number that a step multiplies its one input with; None where it does something else."""
    if step.constructor or len(step.inputs) != 1:
        return None
    body = ast.parse(filled(step.text, ["_"]), mode="eval").body
    if not isinstance(body, ast.BinOp) or not isinstance(body.op, ast.Mult):
        return None
    sides = [body.left, body.right]
    names = [isinstance(side, ast.Name) for side in sides]
    if names.count(True) != 1:
        return None
    try:
        number = ast.literal_eval(sides[names.index(False)])
    except ValueError:
        return None
    return number if isinstance(number, float) else None


def _rescaling(step: Step, factor: float, names: Names) -> Step:
    return replace(
        step,
        text=hole(0),
        constructor="layers.Rescaling",
        class_name="Rescaling",
        arguments={"scale": factor},
        name=names.unique("rescaling"),
        is_named=False,
    )
