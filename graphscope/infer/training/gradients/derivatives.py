"""Flow -> the derivatives that somebody asked for: a force, a gradient penalty, a saliency map; and those of parameters.

``tf.gradients`` names the scope that it fills (``gradients``, ``gradients_1``) and, in it, each node after the forward op
that it differentiates. That tells calls apart, which structure alone does not; where the scopes are gone nothing is found
here, and what follows an op of the backward pass is backward.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..arrays import Flow
from ..op_kinds import SHAPE_ONLY, SOURCES, gradient_slots, kind_of

_SCOPE = re.compile(r"^((?:.*/)?(?:gradients(?:_\d+)?|gradient_tape))/(.*)$")
_NUMBER = re.compile(r"_(\d+)$")
_SEED = re.compile(r"grad_ys_\d+$")
_SECOND = re.compile(r"BiasAddGrad|\w*BackpropFilter\w*")
_PASSES = frozenset(
    "Identity Reshape Cast Transpose Squeeze ExpandDims StridedSlice ConcatV2 Pack Enter Switch".split()
)


@dataclass(frozen=True)
class Derivatives:
    """``scope``: the gradient scope of each node, "" outside one; ``free``: nodes of derivatives that the model or its
    loss computes with; ``parameter``: derivatives by a weight that no optimizer takes; ``read``: derivatives that the
    model or its loss reads; ``by_input``: derivatives by an input that nothing reads, where nothing is trained: fetched;
    ``pushed``: what weights are trained to move in a direction that somebody gave (``grad_ys``): an actor's action.
    """

    scope: list[str]
    free: bytearray
    parameter: tuple[int, ...] = ()
    read: tuple[int, ...] = ()
    by_input: tuple[int, ...] = ()
    pushed: tuple[int, ...] = ()

    def steps(self) -> bytearray:
        """A mask of the nodes inside gradients that the model or its loss computes with."""
        return bytearray(f and bool(s) for f, s in zip(self.free, self.scope))


def find_derivatives(flow: Flow, updates: list[int]) -> Derivatives:
    """The derivatives of a graph that no update of a weight takes."""
    scope = [_scope_of(name) for name in flow.names]
    free = bytearray(len(flow))
    if not any(scope):
        return Derivatives(scope, free)
    trains = bool(updates)
    applied = _applied_scopes(flow, scope, updates)
    read: list[int] = []
    parameter: list[int] = []
    by_input: list[int] = []
    for i, name in enumerate(scope):
        if not name or name in applied:
            continue
        wrt = differentiated_input(flow, i)
        if wrt is None:
            continue
        weight = _is_weight(flow, wrt)
        if _outside_readers(flow, scope, i):
            (parameter if weight else read).append(i)
        elif not weight and _is_source(flow, wrt) and _is_unread(flow, i):
            by_input.append(i)
    busy = {scope[i] for i in [*read, *parameter]}
    by_input = [] if trains else [i for i in by_input if scope[i] not in busy]
    free = flow.upstream(read + by_input)
    trained = applied | {scope[i] for i in parameter}
    pushed = _pushed(flow, scope, trained)
    return Derivatives(
        scope, free, tuple(parameter), tuple(read), tuple(by_input), pushed
    )


def _pushed(flow: Flow, scope: list[str], trained: set[str]) -> tuple[int, ...]:
    """The tensors of which calls that train take a gradient that is no array of ones: ``tf.gradients`` names the forward
    op after which the first node of its pass is called."""
    pushed: dict[int, None] = {}
    for i in flow.by_kind(lambda op: op == "Identity"):
        match = _SCOPE.match(flow.names[i]) if scope[i] in trained else None
        if match is None or not _SEED.match(match.group(2)):
            continue
        for n in flow.outputs[i]:
            inside = flow.names[n].removeprefix(scope[i] + "/")
            node = flow.index.get(inside.rpartition("_grad/")[0])
            if node is not None:
                pushed[node] = None
    return tuple(pushed)


def _scope_of(name: str) -> str:
    match = _SCOPE.match(name) if "gradient" in name else None
    return match.group(1) if match else ""


def differentiated_input(flow: Flow, i: int) -> int | None:
    """The forward tensor whose derivative a node of a gradient scope holds; None where its name does not say.

    A sum of several ways (``gradients/AddN``) holds the derivative that each of them does: a weight tells best.
    """
    inputs: list[int] = []
    stack = [i]
    for node in stack:
        match = _SCOPE.match(flow.names[node])
        forward, _, leaf = (
            match.group(2).rpartition("_grad/") if match else ("", "", "")
        )
        if match and not forward and len(stack) < 16:
            stack += [source for source, _ in flow.inputs[node]][:8]
        elif forward:
            inputs += _operand(flow, forward, flow.names[node])
    weights = [n for n in inputs if _is_weight(flow, n)]
    return next(iter(weights or inputs), None)


def _operand(flow: Flow, forward: str, name: str) -> list[int]:
    """The input of a forward node that a node called ``<scope>/<forward>_grad/<leaf>`` differentiates by.

    Where a sum was broadcast on one side, only that side's derivative is summed up and has a shape of its own: a bias's.
    """
    node = flow.index.get(forward)
    wires = flow.inputs[node] if node is not None else []
    leaf = name.rpartition("/")[2]
    number = _NUMBER.search(leaf)
    slot = int(number.group(1)) if number else int(bool(_SECOND.match(leaf)))
    if leaf == "Reshape" and f"{name}_1" not in flow.index:
        slot = next((k for k, (s, _) in enumerate(wires) if _is_weight(flow, s)), slot)
    return [wires[min(slot, len(wires) - 1)][0]] if wires else []


def _applied_scopes(flow: Flow, scope: list[str], updates: list[int]) -> set[str]:
    """The scopes whose derivatives updates take, on their way through clips and means at most."""
    seeds = [
        flow.inputs[i][slot][0]
        for i in updates
        for slot in gradient_slots(flow.ops[i], len(flow.inputs[i]))
    ]
    reached = flow.upstream(seeds, lambda i: not scope[i])
    applied = {scope[i] for i, hit in enumerate(reached) if hit and scope[i]}
    for _ in range(len(set(scope))):
        more = _passed_on(flow, scope, applied) - applied
        if not more:
            break
        applied |= more
    return applied


def _passed_on(flow: Flow, scope: list[str], applied: set[str]) -> set[str]:
    """Scopes of which nothing but an applied one reads: what a person gave as ``grad_ys``."""
    inner, outer = set(), set()
    for i, name in enumerate(scope):
        if not name or name in applied:
            continue
        if any(scope[n] in applied for n in flow.outputs[i]):
            inner.add(name)
        if _outside_readers(flow, scope, i):
            outer.add(name)
    return inner - outer


def _outside_readers(flow: Flow, scope: list[str], i: int) -> list[int]:
    return [
        n
        for n in flow.outputs[i]
        if not scope[n] and flow.ops[n] not in SHAPE_ONLY and not kind_of(flow.ops[n])
    ]


def _is_unread(flow: Flow, i: int) -> bool:
    return all(flow.ops[n] in SHAPE_ONLY for n in flow.outputs[i])


def _is_weight(flow: Flow, i: int) -> bool:
    return flow.variable_of(i) is not None


def _is_source(flow: Flow, i: int) -> bool:
    for _ in range(8):
        if SOURCES.match(flow.ops[i]):
            return True
        if flow.ops[i] not in _PASSES or not flow.inputs[i]:
            return False
        i = flow.inputs[i][0][0]
    return False
