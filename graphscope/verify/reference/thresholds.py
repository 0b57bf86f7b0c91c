"""The thresholds of a graph -> on which of their sides a run was: a proof says nothing of the side that no draw has met.

``ReLU6`` of numbers below 6 is ``ReLU``; a clip that never clips is nothing at all. What is asked of the graph is one vector of truth
values, two or three for each threshold, computed beside its outputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import ModuleType

import numpy as np

from ...ops import spellings
from ..import_tensorflow import Operation, Symbol, import_tensorflow
from ..run.runner import GraphRunner, Runner
from .order import upstream

ABOUT_ZERO = frozenset("Relu Elu Selu LeakyRelu Abs Sign".split())
COMPARISONS = frozenset(spellings.COMPARISONS)
CALLS = frozenset("PartitionedCall StatefulPartitionedCall".split())
_OPENS = frozenset({*spellings.SWITCHES, *spellings.ENTERS})
_CLOSES = frozenset({*spellings.MERGES, *spellings.EXITS})
_FEEDS = frozenset(spellings.PLACEHOLDERS)
_FLOATS = ("float16", "bfloat16", "float32", "float64")
NAME = "graphscope_sides"


class Sides:
    """What is known of a reference's thresholds: ``names`` is to be fetched beside its outputs, and its value noted.

    ``missed`` are the thresholds that were met on one side only so far; ``hidden`` says that there may be some in the bodies of
    functions, where nothing can be fetched.
    """

    def __init__(self, runner: Runner, outputs: Sequence[str]) -> None:
        self.names: tuple[str, ...] = ()
        self.hidden = False
        self._nodes: list[str] = []
        self._met = np.zeros(0, bool)
        if isinstance(runner, GraphRunner):
            self._prepare(runner, outputs)

    def _prepare(self, runner: GraphRunner, outputs: Sequence[str]) -> None:
        tf = import_tensorflow()
        ops = _upstream([runner.tensor(name).op for name in outputs])
        self.hidden = any(op.type in CALLS for op in ops)
        if runner.session.graph.finalized:
            return
        met = []
        with runner.session.graph.as_default():
            for op in _fed(ops):
                for claim in _claims(tf, op):
                    met.append(tf.reduce_any(claim))
                    self._nodes.append(op.name)
            if met:
                self.names = (runner.add(tf.stack(met, name=NAME)),)
        self._met = np.zeros(len(met), bool)

    def note(self, values: Sequence[np.ndarray]) -> None:
        """What a run gave for ``names``."""
        for value in values:
            self._met = self._met | value

    def give_up(self) -> None:
        """Ask for nothing any more: the graph cannot run with it."""
        self.names, self._nodes, self._met = (), [], self._met[:0]

    @property
    def missed(self) -> tuple[str, ...]:
        pairs = zip(self._nodes, self._met.tolist())
        return tuple(dict.fromkeys(name for name, is_met in pairs if not is_met))


def _upstream(ends: Sequence[Operation]) -> list[Operation]:
    """The ops that these depend on, in the order in which the graph has them."""
    return sorted(upstream(ends), key=lambda op: op._id)


def _fed(ops: Sequence[Operation]) -> Iterator[Operation]:
    """Those that depend on a feed and run whenever the outputs do: no branch of a condition, no body of a loop."""
    depth: dict[Operation, int] = {}
    live: set[Operation] = set()
    for op in ops:
        above = [depth.get(tensor.op, 0) for tensor in op.inputs]
        inside = max(above, default=0) + (op.type in _OPENS) - (op.type in _CLOSES)
        depth[op] = max(0, inside)
        if op.type in _FEEDS or any(tensor.op in live for tensor in op.inputs):
            live.add(op)
            if not depth[op] and op._get_control_flow_context() is None:
                yield op


def _claims(tf: ModuleType, op: Operation) -> list[Symbol]:
    """What must be true somewhere for each side of the op to be met; none of an op that has no sides."""
    if not op.outputs or not op.inputs:
        return []
    x, y = op.inputs[0], op.outputs[0]
    if op.type in COMPARISONS and x.dtype.name in _FLOATS:
        return [y, tf.logical_not(y)]
    if y.dtype.name not in _FLOATS:
        return []
    if op.type in ABOUT_ZERO:
        return [x < 0, x > 0]
    if op.type == "Relu6":
        return [x < 0, (x > 0) & (x < 6), x > 6]
    if op.type in ("Minimum", "Maximum"):
        return [x < op.inputs[1], x > op.inputs[1]]
    if op.type == "ClipByValue":
        low, high = op.inputs[1:3]
        return [x < low, (x > low) & (x < high), x > high]
    return []
