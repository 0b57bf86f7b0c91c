"""Losses and metrics -> extended upstream over what only prepares them: the logarithm of a probability, a difference.

What a step may be is told by where it leads. A clamp before a logarithm keeps the logarithm finite; a clamp before a
difference is the model's own last activation. A step away from a fork whose every way leads to a loss is the loss's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ....ops import spellings
from ..arrays import Flow
from ..dependence import Dependence
from ..op_kinds import CLAMPS, LOSS_OPS, SHAPE_ONLY, kind_of
from .bottlenecks import is_unflattened
from .mixtures import is_parameter

LOGS = frozenset("Log Log1p Xlogy Xlog1py".split())
_STEPS = frozenset(
    "Log Log1p Exp Expm1 Neg Square Abs SquaredDifference Pow Shape Size Rank ZerosLike OnesLike GreaterEqual Greater"
    " Less LessEqual L2Loss LogicalNot Sign Xlogy Reciprocal Inv StopGradient CheckNumerics LogSoftmax Select SelectV2"
    " Tile IsFinite".split()
)
_SUMS = frozenset(
    {*spellings.SUMS, *spellings.QUOTIENTS, *"Sub Mul AddN Sum Mean".split()}
)
_QUOTIENTS = frozenset({*spellings.QUOTIENTS, "DivNoNan"})
_BRANCHES = ("Switch", "Merge")
_PARTS = frozenset({*spellings.SPLITS, "Unpack", "StridedSlice", "Slice"})
_SPLITS = frozenset(spellings.SPLITS)
_SHIFTS = frozenset({*spellings.SELECTS, "IsFinite", "StopGradient", "Sub"})
_RESHAPES = _PARTS | frozenset("Reshape ExpandDims Squeeze Cast Transpose".split())
_ELEMENTWISE = (
    _STEPS
    | CLAMPS
    | frozenset(
        {
            *spellings.SUMS,
            *spellings.QUOTIENTS,
            *"Sub Mul AddN Switch Merge Squeeze".split(),
        }
    )
    | frozenset("Identity Max IsFinite".split())
)
ANSWERS = re.compile(
    r"(Softmax|Sigmoid|Tanh|Sqrt|ArgMax|TopK(V2)?|CTC\w*Decoder|\w*NonMaxSuppression\w*)$"
)
"""What makes an answer of scores: no step of a loss, though a loss follows beside it."""

_TOTALS = frozenset("Sum Mean EuclideanNorm".split())
_GUARDS = frozenset("Add AddV2 Maximum Identity Reshape Squeeze Cast Neg Abs".split())
_LINEAR = frozenset("Neg Identity Reshape Squeeze Cast Transpose ExpandDims".split())
_LINEAR_SUMS = frozenset(
    "AddN Add AddV2 Sub Sum Tile Gather GatherV2 UnsortedSegmentSum SegmentSum".split()
)
_FAR = 6
_MOST = 200


@dataclass(frozen=True)
class Approach:
    """What the way into the losses is told from. ``backward`` masks the backward pass and what is only looked at,
    ``derived`` the nodes of gradients that the model or the loss computes with, ``role`` grows as it is walked.
    """

    flow: Flow
    deps: Dependence
    backward: bytearray
    lossy: bytearray
    role: dict[int, str]
    derived: bytearray
    origin: list[int]
    fork: list[int]
    after: bytearray
    """Masks what follows a derivative: penalties, residuals."""
    linear: bytearray = field(default_factory=bytearray)
    """Masks what is linear in derivatives: sums of them are forces, residuals."""
    compared: frozenset[int] = frozenset()
    """Predictions that a label is subtracted from as they are."""

    def mark(self) -> None:
        """Give the loss's role to what only prepares it."""
        flow, deps = self.flow, self.deps
        for i in reversed(flow.order):
            if i in self.role or self.backward[i] or self.derived[i]:
                continue
            if i in self.compared:
                continue
            if not deps.feeds[i] or not deps.weights[i]:
                continue
            if kind_of(flow.ops[i]) or deps.applied[i] and not self.after[i]:
                continue
            readers = self.readers(i)
            measured = all(self.role.get(n) in ("loss", "metric") for n in readers)
            if readers and measured and self._only_prepares(i, readers):
                metric = all(self.role[n] == "metric" for n in readers)
                self.role[i] = "metric" if metric else "loss"

    def readers(self, i: int) -> list[int]:
        """Who computes with a node forward."""
        ops = self.flow.ops
        return [
            n
            for n in self.flow.outputs[i]
            if not self.backward[n]
            and ops[n] not in SHAPE_ONLY
            and kind_of(ops[n]) != "summary"
            and not (ops[n] == "Switch" and self._counts_zeros(n))
        ]

    def _counts_zeros(self, n: int) -> bool:
        """Whether a Switch only tells the gradient of a cond how many zeros the other side wants."""
        flow = self.flow
        return all(
            self.backward[m]
            or flow.ops[m] in SHAPE_ONLY
            or (flow.ops[m] == "Identity" and not flow.outputs[m])
            for m in flow.outputs[n]
        )

    def _only_prepares(self, i: int, readers: list[int]) -> bool:
        op = self.flow.ops[i]
        if self.after[i]:
            return not self.linear[i]  # minus it: a force; its norm: a penalty
        if is_parameter(self.flow, self.backward, i):
            return False
        if op == "Max":  # log(sum(exp(x - max(x)))) + max(x)
            after = {self.flow.ops[n] for n in readers}
            return after <= _SHIFTS and bool(after & {"IsFinite", "StopGradient"})
        if op == "LogSoftmax":  # beside another form of the scores
            return any(len(self.readers(s)) > 1 for s, _ in self.flow.inputs[i])
        if op in CLAMPS and (self._guards_logs(readers) or self._is_hinge(readers)):
            return True
        if op in CLAMPS:
            return self._leaves_fork(i)
        if self._is_normalised(i):
            return self._ends_in_logs(readers)
        if op in _STEPS or self.lossy[i] or self._leaves_fork(i):
            return True
        if self._shifts_shared(i, readers):
            return True
        if op in _BRANCHES:
            return self.origin[i] != i  # tf.squeeze of what may be as it is
        if op in _SPLITS and self._is_joined(i):
            return True  # what was joined to be fetched is taken apart
        return self._is_term(i, readers) or self._is_part(i, readers)

    def _shifts_shared(self, i: int, readers: list[int]) -> bool:
        """Whether a node adds a constant for a loss to what the model goes on with: ``1 + log_sigma``."""
        flow, deps = self.flow, self.deps
        carriers = self._carriers(i)
        if flow.ops[i] not in ("Sub", *spellings.SUMS) or len(carriers) != 1:
            return False
        shared = any(
            deps.later[n] or deps.applied[n] for n in self.readers(carriers[0])
        )
        plain = all(
            s == carriers[0] or flow.ops[s] == "Const" for s, _ in flow.inputs[i]
        )
        return shared and plain and all(self.role[n] == "loss" for n in readers)

    def _is_joined(self, i: int) -> bool:
        ops = {self.flow.ops[s] for s, _ in self.flow.inputs[i]}
        return bool(ops & {*spellings.CONCATS})

    def _is_term(self, i: int, readers: list[int]) -> bool:
        flow, op = self.flow, self.flow.ops[i]
        if op not in _SUMS:
            return False
        if len(self._carriers(i)) > 1:
            if self.origin[i] != i:
                return True  # logits * labels - relu(logits)
            return op == "Sub" and all(flow.ops[n] in LOSS_OPS for n in readers)
        return all(self._leads_on(n) for n in readers)

    def _is_part(self, i: int, readers: list[int]) -> bool:
        if is_unflattened(self.flow, i) and _squashed(self.flow, i):
            return False
        return self.flow.ops[i] in _RESHAPES and all(
            self._takes_parts(n, self.flow.ops[i]) for n in readers
        )

    def _takes_parts(self, n: int, op: str) -> bool:
        ops = self.flow.ops
        return (
            "CrossEntropy" in ops[n]
            or bool(self.lossy[n])
            or ops[n] == ("Sub" if op in _PARTS else "Unpack")
            or self.role.get(n) == "metric"
            or "MatMul" in ops[n]
            or op == "ExpandDims"
            or ops[n] in _BRANCHES
            or ops[n].startswith("Gather")
        )

    def _carriers(self, i: int) -> list[int]:
        deps = self.deps
        return [s for s, _ in self.flow.inputs[i] if deps.weights[s] and deps.feeds[s]]

    def _ends_in_logs(self, readers: list[int]) -> bool:
        return all(self._meets_log(n) for n in readers)

    def _guards_logs(self, readers: list[int]) -> bool:
        """Whether a clamp keeps logarithms finite; a focal loss weighs them by powers of the same value."""
        return any(self._meets_log(n) for n in readers) and all(
            self._meets_log(n) or self.flow.ops[n] in ("Pow", "Sub") for n in readers
        )

    def _meets_log(self, n: int) -> bool:
        """Whether a clamp's reader is a logarithm, or leads to one by a complement, a label, a shape or a quotient."""
        flow = self.flow
        passes = _SUMS | CLAMPS | _RESHAPES | {"Neg", "Identity", "Pow"}
        for _ in range(_FAR):
            if flow.ops[n] in LOGS or "CrossEntropy" in flow.ops[n]:
                return True
            after = [m for m in self.readers(n) if self.deps.feeds[m]]
            if flow.ops[n] not in passes or self.deps.reduced[n] or not after:
                return False
            n = after[0]
        return False

    def _is_hinge(self, readers: list[int]) -> bool:
        """Whether a clamp's values are only squared or summed up: ``mean(relu(1 - d))``."""
        ops = self.flow.ops
        return all(
            ops[n] in ("Square", "Pow")
            or ops[n] != "Sub"
            and (self.deps.reduced[n] or self._is_summed_up(n))
            for n in readers
        )

    def _is_summed_up(self, n: int) -> bool:
        after = self.readers(n)
        summed = all(self.deps.reduced[m] for m in after)
        return bool(after) and self.flow.ops[n] in _SUMS and summed

    def _is_normalised(self, i: int) -> bool:
        """Whether a node is ``p / sum(p)``: probabilities made to sum to one again."""
        flow = self.flow
        if flow.ops[i] not in _QUOTIENTS or len(flow.inputs[i]) != 2:
            return False
        above, below = (source for source, _ in flow.inputs[i])
        total = below if flow.ops[below] == "Sum" else -1
        return total >= 0 and above in [s for s, _ in flow.inputs[total]]

    def _leaves_fork(self, i: int) -> bool:
        """Whether a node hangs on one prediction of which several ways lead off, each to a loss, and some round it."""
        start = self.fork[i]
        if start == i or not self.deps.weights[start] or self.deps.later[start]:
            return False
        if is_answer(self.flow, i) and not self._is_complement(i):
            return False
        return len(self.readers(start)) > 1 and self._is_avoided(start, i)

    def _is_complement(self, i: int) -> bool:
        """Whether a node is ``sqrt(1 - cos ** 2)``, not the root of a sum: a distance."""
        ops, inputs = self.flow.ops, self.flow.inputs
        source = inputs[i][0][0] if inputs[i] else i
        squared = {ops[s] for s, _ in inputs[source]} & {"Square", "Pow", "Mul"}
        return ops[i] == "Sqrt" and ops[source] == "Sub" and bool(squared)

    def _is_avoided(self, start: int, i: int) -> bool:
        """Whether all that follows ``start`` measures, on a way past ``i`` too."""
        stack, seen, past = [start], {start}, False
        while stack and len(seen) < _MOST:
            n = stack.pop()
            if n != start and self.role.get(n) in ("loss", "metric"):
                past = True
                continue
            after = self.readers(n)
            if not after or (n != start and self.deps.applied[n]):
                return False
            if n == i:
                continue  # what follows it is measured: that is how it came to be asked
            fresh = [m for m in after if m not in seen]
            seen.update(fresh)
            stack += fresh
        return past and not stack

    def _leads_on(self, n: int) -> bool:
        """Whether a reader is a step of a loss itself: a logarithm, a square, or a constant added before one."""
        flow, deps = self.flow, self.deps
        for _ in range(4):
            op = flow.ops[n]
            if op in LOSS_OPS or op in _STEPS or op in CLAMPS:
                return True
            carried = [s for s, _ in flow.inputs[n] if deps.feeds[s]]
            after = [
                m
                for m in flow.outputs[n]
                if deps.feeds[m] and (not deps.reduced[m] or flow.ops[m] in LOSS_OPS)
            ]
            if op not in _SUMS or len(carried) > 1 or not after:
                return False
            n = after[0]
        return False


def _squashed(flow: Flow, i: int) -> bool:
    """Whether a node only shapes what an activation gave: an answer, with its axes again."""
    source = flow.inputs[i][0][0]
    return flow.ops[source] in ("Softmax", "Sigmoid", "Tanh")


def is_answer(flow: Flow, i: int) -> bool:
    """Whether a node makes an answer of scores; a root does where it makes a distance, the root of a sum."""
    if not ANSWERS.match(flow.ops[i]):
        return False
    if flow.ops[i] != "Sqrt":
        return True
    for _ in range(_FAR):
        i = flow.inputs[i][0][0] if flow.inputs[i] else i
        if flow.ops[i] in _TOTALS:
            return True
        if flow.ops[i] not in _GUARDS:
            return False
    return False


def find_origins(flow: Flow, deps: Dependence) -> list[int]:
    """The tensor that each node is an elementwise function of; itself where it is one of several, or of none."""
    origin = list(range(len(flow)))
    for i in flow.order:
        if flow.ops[i] not in _ELEMENTWISE or deps.applied[i]:
            continue
        behind = {
            origin[s] for s, _ in flow.inputs[i] if deps.weights[s] and deps.feeds[s]
        }
        if len(behind) == 1:
            origin[i] = behind.pop()
    return origin


def find_forks(flow: Flow, deps: Dependence, backward: bytearray) -> list[int]:
    """The nearest tensor before each node that several nodes read, no further weight applied."""
    fork = list(range(len(flow)))
    for i in flow.order:
        if deps.applied[i]:
            continue
        behind = {s for s, _ in flow.inputs[i] if deps.weights[s] and deps.feeds[s]}
        starts = {s if _is_shared(flow, s, backward) else fork[s] for s in behind}
        if len(starts) == 1:
            fork[i] = starts.pop()
    return fork


def _is_shared(flow: Flow, i: int, backward: bytearray) -> bool:
    readers = [n for n in flow.outputs[i] if not backward[n]]
    return sum(flow.ops[n] not in SHAPE_ONLY for n in readers) > 1


def find_approach(
    flow: Flow,
    deps: Dependence,
    backward: bytearray,
    lossy: bytearray,
    derived: bytearray,
    role: dict[int, str],
    compared: frozenset[int] = frozenset(),
) -> Approach:
    """The way into losses whose own nodes ``role`` already holds; it ends before what is ``compared``."""
    origin = find_origins(flow, deps)
    fork = find_forks(flow, deps, backward)
    starts = [i for i, hit in enumerate(derived) if hit]
    after = flow.downstream(starts) if starts else bytearray(len(flow))
    linear = _linear(flow, deps, derived, after)
    return Approach(
        flow,
        deps,
        backward,
        lossy,
        role,
        derived,
        origin,
        fork,
        after,
        linear,
        compared,
    )


def _linear(
    flow: Flow, deps: Dependence, derived: bytearray, after: bytearray
) -> bytearray:
    """A mask of derivatives, and of what is linear in them and in nothing else that weights computed."""
    linear = bytearray(derived)
    for i in flow.order if any(derived) else ():
        if linear[i] or not after[i]:
            continue
        carriers = [s for s, _ in flow.inputs[i] if deps.weights[s] and deps.feeds[s]]
        scaled = flow.ops[i] == "Mul" and len(carriers) == 1
        if scaled or flow.ops[i] in _LINEAR | _LINEAR_SUMS:
            linear[i] = all(linear[s] for s in carriers)
    return linear
