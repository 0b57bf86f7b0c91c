"""Flow -> the nodes of the backward pass, told by dataflow.

What leads to an optimizer's gradient input, and what follows an op that only differentiation makes (``ReluGrad``), is
backward. Nothing backward feeds the forward pass, so the set is closed downstream; what backward ops read as values of
the forward pass (by the OpDef's argument names) is forward, and so is all that lies upstream of it. Between the two lie
the few nodes from the seed of ones to the first such op: those hang on no data, and nothing but backward nodes reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ....graph import Function, FunctionRef, Graph, Node
from ....ops import spellings
from ..arrays import Flow
from ..op_kinds import (
    ACCUMULATES,
    APPLIES,
    SHAPE_ONLY,
    SOURCES,
    VARIABLES,
    forward_slots,
    gradient_slots,
    is_backward,
    kind_of,
)
from .derivatives import Derivatives, find_derivatives

_CALLERS = frozenset(
    {
        *spellings.WHILES,
        *spellings.IFS,
        *spellings.CASES,
        *"PartitionedCall StatefulPartitionedCall RemoteCall SymbolicGradient".split(),
    }
)
_FAR = (
    5000  # nodes between a seed and the first op of the backward pass: more is no seed
)
_ONES = frozenset("Fill OnesLike".split())
_SUMS = frozenset({*spellings.SUMS, *"AddN Sub ConcatV2 Pack Merge".split()})
_LISTS = ("TensorList", "TensorArray", "EmptyTensorList")
_QUOTIENTS = frozenset({*spellings.QUOTIENTS, "DivNoNan"})
_CLIPS = frozenset(
    {
        *spellings.SUMS,
        *spellings.QUOTIENTS,
        *"L2Loss Square Sqrt Rsqrt Maximum Minimum ClipByValue Greater Less IsFinite Abs Pow Reciprocal AddN Sub DivNoNan Max All LogicalAnd".split(),
    }
)
"""What a clip by value, by norm or by global norm is made of."""

_LINEAR = frozenset(
    "Identity IdentityN Mul Neg MatMul BatchMatMul BatchMatMulV2 BatchMatMulV3 Sum Mean Reshape Tile Transpose"
    " ExpandDims Squeeze Cast Select SelectV2 Switch Enter Exit NextIteration BroadcastTo Pad Slice StridedSlice"
    " Split SplitV Unpack Gather GatherV2 GatherNd UnsortedSegmentSum ScatterNd DynamicStitch DynamicPartition"
    " ReverseV2 ReverseSequence Conv2D Conv3D Conv2DBackpropInput DepthwiseConv2dNative CheckNumerics PreventGradient"
    " StopGradient InvertPermutation SpaceToBatchND BatchToSpaceND SpaceToDepth DepthToSpace Cumsum Diag DiagPart"
    " MatrixDiag MatrixDiagPart MatrixBandPart MulNoNan TensorArrayWriteV3 TensorArrayScatterV3 NoOp".split()
)


def find_updates(flow: Flow) -> list[int]:
    """The nodes that apply a gradient to a variable."""
    return flow.by_kind(lambda op: APPLIES.match(op) or ACCUMULATES.match(op))


def find_backward(
    flow: Flow,
    functions: Mapping[str, Function] | None = None,
    derivatives: Derivatives | None = None,
) -> bytearray:
    """A mask of the nodes that compute gradients for an optimizer, or by weights for somebody to apply.

    A graph that holds gradients by its inputs and no update (a saliency map, forces) computes them for their own sake;
    ``derivatives`` tells those apart. ``functions``: a While or a call whose body differentiates is backward too.
    """
    updates = find_updates(flow)
    own = derivatives or find_derivatives(flow, updates)
    backward_ops = [
        i
        for i in flow.by_kind(is_backward) + _backward_calls(flow, functions or {})
        if not own.free[i]
    ]
    if not updates and not own.parameter and not _feeds_writes(flow, backward_ops):
        return _unasked(flow, own)
    roots = {*backward_ops, *_gradients(flow, updates), *own.parameter}
    mask = _mask_from(flow, roots, backward_ops, updates)
    return bytearray(m and not f for m, f in zip(mask, own.free))


def _unasked(flow: Flow, own: Derivatives) -> bytearray:
    """Where nothing is trained: the nodes of gradients that no derivative asked for is computed from."""
    asked = own.by_input or any(own.free)
    mask = bytearray(len(flow))
    if not any(own.scope):
        return mask
    known = own.scope if asked or _left_behind(flow, own.scope) else []
    for i, name in enumerate(known):
        mask[i] = bool(name) and not own.free[i]
    return mask


def _left_behind(flow: Flow, scope: list[str]) -> bool:
    """Whether gradients are read by gradients only, though something else computes forward."""
    return not any(
        scope[i] and not scope[n]
        for i in range(len(flow))
        for n in flow.outputs[i]
        if scope[i]
    )


def _mask_from(
    flow: Flow, roots: set[int], backward_ops: list[int], updates: list[int]
) -> bytearray:
    mask = flow.downstream(roots, lambda i: not kind_of(flow.ops[i]))
    for i, op in enumerate(flow.ops):
        mask[i] &= not kind_of(op)
    measured = flow.by_kind(lambda op: "CrossEntropy" in op or op.startswith("CTCLoss"))
    forward = flow.upstream({*_forward_values(flow, backward_ops), *measured})
    for i, is_forward in enumerate(forward):
        if is_forward and mask[i] and i not in roots:
            forward[i] = 0  # a gradient of a gradient
    for i in updates:
        mask[i] = 0
    clipped = _clipped(flow, mask, updates)
    _add_seeds(flow, mask, forward, _candidate_seeds(flow, mask, forward), clipped)
    _add_preparations(flow, mask, forward)
    if _add_leftovers(flow, mask, forward):
        _add_preparations(flow, mask, forward)
    _add_seeds(flow, mask, forward, _given_seeds(flow, mask, forward), clipped)
    return mask


def _clipped(flow: Flow, mask: bytearray, updates: list[int]) -> bytearray:
    """A mask of what lies between a gradient and the update that takes it clipped, or between it and a summary."""
    final = set(_gradients(flow, updates))
    final.update(
        source
        for i in flow.by_kind(lambda op: kind_of(op) == "summary")
        for source, _ in flow.inputs[i]
    )
    passes = _CLIPS | {*spellings.SELECTS, "Pack", "Sum", "Mul", "Identity"}
    clips = flow.upstream(
        final, lambda i: i in final or not mask[i] or flow.ops[i] in passes
    )
    for i, op in enumerate(flow.ops):
        clips[i] &= op in _CLIPS
    return clips


def _backward_calls(flow: Flow, functions: Mapping[str, Function]) -> list[int]:
    """The nodes that call a function in which a backward op stands, at any depth."""
    if not functions:
        return []
    calls = {name: _called(f.graph) for name, f in functions.items()}
    found = {
        name
        for name, f in functions.items()
        if any(is_backward(f.graph.op(n)) for n in f.graph)
    }
    grown = True
    while grown:
        more = {n for n, called in calls.items() if n not in found and called & found}
        found |= more
        grown = bool(more)
    return [i for i, n in enumerate(flow.names) if found & called_by(flow.nodes[i])]


def _called(graph: Graph) -> set[str]:
    return set().union(*(called_by(graph.node(name)) for name in graph))


def called_by(node: Node) -> set[str]:
    """The functions that a node calls: those its attributes name, or its own op."""
    names = {node.op}
    if node.op in _CALLERS or node.op.endswith("Dataset"):
        for key in ("f", "body", "cond", "then_branch", "else_branch", "branches"):
            value = node.attrs.get(key)
            values = value if type(value) is tuple else (value,)
            names |= {v.name for v in values if isinstance(v, FunctionRef)}
    return names


def _feeds_writes(flow: Flow, backward_ops: list[int]) -> bool:
    from ..op_kinds import WRITES

    if not backward_ops:
        return False
    reached = flow.downstream(backward_ops)
    return any(reached[i] for i in flow.by_kind(WRITES.match))


def _gradients(flow: Flow, updates: list[int]) -> Iterator[int]:
    for update in updates:
        wires = flow.inputs[update]
        for slot in gradient_slots(flow.ops[update], len(wires)):
            source = wires[slot][0]
            op = flow.ops[source]
            if op not in VARIABLES and op != "Const" and not SOURCES.match(op):
                yield source


def _forward_values(flow: Flow, backward_ops: list[int]) -> Iterator[int]:
    for node in backward_ops:
        wires = flow.inputs[node]
        for slot in forward_slots(flow.ops[node], len(wires)):
            yield wires[slot][0]


def _add_seeds(
    flow: Flow,
    mask: bytearray,
    forward: bytearray,
    seeds: list[int],
    clipped: bytearray,
) -> None:
    """Extend the mask to the seeds from which gradients start, and to all that follows from them.

    All that follows is linear in a true seed, but for what clips a gradient (``clipped``). In a constant of the loss it is not: ``labels = ones`` is subtracted
    from something, or a logarithm comes after.
    """
    near = {seed: _follow(flow, seed, mask) for seed in seeds}
    together = set().union(*near.values())
    true = [
        seed
        for seed, reached in near.items()
        if len(reached) < _FAR
        and not any(
            forward[i]
            or not (clipped[i] or _is_linear(flow, i, reached, together, mask))
            for i in reached
            if i != seed
        )
    ]
    for i, reached_now in enumerate(flow.downstream(true)):
        mask[i] |= reached_now and not kind_of(flow.ops[i])


def _follow(flow: Flow, seed: int, mask: bytearray) -> set[int]:
    """What a seed leads to before the first node that is known to be backward."""
    reached, stack = {seed}, [seed]
    while stack and len(reached) < _FAR:
        i = stack.pop()
        if flow.ops[i] in SHAPE_ONLY:
            continue
        fresh = [n for n in flow.outputs[i] if not mask[n] and n not in reached]
        reached.update(fresh)
        stack += fresh
    return reached


def _given_seeds(flow: Flow, mask: bytearray, forward: bytearray) -> list[int]:
    """What a person passed as ``grad_ys``: the one operand of a first backward node that no weight is behind."""
    weighted = flow.downstream(flow.by_kind(lambda op: op in VARIABLES))
    seeds = set()
    for i in range(len(flow)):
        wires = [s for s, _ in flow.inputs[i] if flow.ops[s] != "Const"]
        if not mask[i] or flow.ops[i] not in _LINEAR or any(mask[s] for s in wires):
            continue
        free = {s for s in wires if not weighted[s] and not forward[s]}
        if len(free) == 1 and not SOURCES.match(flow.ops[min(free)]):
            seeds |= free
    return sorted(seeds)


def _candidate_seeds(flow: Flow, mask: bytearray, forward: bytearray) -> list[int]:
    """Arrays of ones that hang on no data and lead to the backward pass, and never forward."""
    reaches, hits = bytearray(mask), bytearray(forward)
    for i in reversed(flow.order):
        for n in flow.outputs[i]:
            if flow.ops[n] not in SHAPE_ONLY:
                reaches[i] |= reaches[n]
                hits[i] |= hits[n]
    seeds = []
    constant = bytearray(len(flow))  # no value of an input, a variable or a draw in it
    for i in flow.order:
        op = flow.ops[i]
        constant[i] = (
            op in SHAPE_ONLY
            or op == "Const"
            or bool(flow.inputs[i])
            and all(constant[s] for s, _ in flow.inputs[i])
        )
        if constant[i] and op in _ONES and reaches[i] and not hits[i]:
            seeds.append(i)
    return seeds


def _is_linear(
    flow: Flow, i: int, reached: set[int], together: set[int], mask: bytearray
) -> bool:
    """Whether a node that a seed reaches scales with it; ``together`` is what all seeds reach."""
    op = flow.ops[i]
    if op in _SUMS:
        return all(s in together or mask[s] for s, _ in flow.inputs[i])
    if op in _QUOTIENTS:
        return [s in reached for s, _ in flow.inputs[i]] == [True, False]
    return op in _LINEAR or op in _ONES or op in SHAPE_ONLY or op.startswith(_LISTS)


def _add_preparations(flow: Flow, mask: bytearray, forward: bytearray) -> None:
    """Extend the mask to what only backward nodes read (``-x / y`` in the gradient of a quotient)."""
    for i in reversed(flow.order):
        op = flow.ops[i]
        if mask[i] or forward[i] or op in VARIABLES or SOURCES.match(op):
            continue
        if kind_of(op):
            continue
        readers = [
            n
            for n in flow.outputs[i]
            if flow.ops[n] not in SHAPE_ONLY or op == "Switch"
        ]
        if op in _CALLERS:
            readers = [n for n in readers if mask[n] or not _is_dead_end(flow, n)]
        mask[i] = bool(readers) and all(mask[n] for n in readers)


def _add_leftovers(flow: Flow, mask: bytearray, forward: bytearray) -> bool:
    """Extend the mask to the derivative by a label: ``tf.gradients`` ties it to those that are asked for, all of them
    Identities that wait for one group, and nobody reads it. Says whether there was any.
    """
    any_left = False
    for i in flow.by_kind(lambda op: op == "Identity"):
        if mask[i] or forward[i] or flow.outputs[i] or not flow.inputs[i]:
            continue
        tied = {n for group in flow.controls[i] for n in flow.controlled[group]}
        if any(mask[n] for n in tied):
            mask[i] = any_left = True
    return any_left


def _is_dead_end(flow: Flow, i: int) -> bool:
    return flow.ops[i] == "Identity" and not flow.outputs[i]
