"""A layer that only yields a weight is called on what the weight meets, not on the input of the model.

Keras wants a layer called on something, and what it is called on changes nothing: beside its reader the call needs no tensor
from far away, which a function would have to be given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ....graph import Tensor
from ....graph.names import Names
from .program import Program, Step


def anchored(steps: Iterable[Step], outputs: Sequence[Tensor]) -> tuple[Step, ...]:
    """The steps, each weight with one reader right before that reader and called on what that reads beside it."""
    known = list(steps)
    readers: dict[Tensor, list[Step]] = defaultdict(list)
    for step in known:
        for tensor in step.inputs:
            readers[tensor].append(step)
    weights = {Tensor(s.node) for s in known if s.constructor == "Weight"}
    moved: dict[str, list[Step]] = defaultdict(list)
    for step in known:
        tensor = Tensor(step.node)
        if tensor not in weights or len(readers[tensor]) != 1 or tensor in outputs:
            continue
        reader = readers[tensor][0]
        beside = [each for each in reader.inputs if each not in weights]
        if beside:
            moved[reader.node].append(replace(step, inputs=(beside[0],)))
    gone = {step.node for each in moved.values() for step in each}
    steps_: list[Step] = []
    for step in known:
        if step.node not in gone:
            steps_ += [*moved[step.node], step]
    return tuple(steps_)


def anchored_apart(program: Program) -> Program:
    """Each weight called, beside a reader, on an input that the reader depends on anyway.

    So the outputs of one signature need no input of another, though they share the weight's layer::

        w = Weight()(a); y = w * a; z = w * b   ->   w = Weight(); y = w(a) * a; z = w(b) * b
    """
    return _Apart(program).program()


class _Apart:
    """``real`` has the inputs that a tensor's values depend on, ``roots`` those that its call needs besides."""

    def __init__(self, program: Program) -> None:
        self.before = program
        fed = {each.tensor: {each.tensor} for each in program.inputs}
        self.order = [each.tensor for each in program.inputs]
        self.real: dict[Tensor, set[Tensor]] = dict(fed)
        self.roots: dict[Tensor, set[Tensor]] = dict(fed)
        self.names = Names(step.node for step in program.steps)
        self.steps: dict[str, Step] = {}
        self.copies: dict[tuple[Tensor, Tensor], Tensor] = {}

    def program(self) -> Program:
        for step in self.before.steps:
            real = set().union(*(self.real[t] for t in step.inputs))
            real = set() if _only_yields(step) else real
            if real:
                inputs = tuple(self.beside(t, real) for t in step.inputs)
                step = replace(step, inputs=inputs)
            self.put(step, real)
        return replace(self.before, steps=tuple(self.steps.values()))

    def put(self, step: Step, real: set[Tensor]) -> None:
        self.steps[step.node] = step
        for tensor in step.outputs():
            self.real[tensor] = real
            self.roots[tensor] = set().union(*(self.roots[t] for t in step.inputs))

    def beside(self, tensor: Tensor, real: set[Tensor]) -> Tensor:
        """A weight as something reads it that depends on ``real``."""
        if self.real[tensor] or self.roots[tensor] <= real:
            return tensor
        return self.copy(tensor, next(t for t in self.order if t in real))

    def copy(self, tensor: Tensor, anchor: Tensor) -> Tensor:
        if (tensor, anchor) not in self.copies:
            step = self.steps[tensor.node]
            if step.constructor:
                step = replace(step, layer=step.layer or step.node)
                self.steps[tensor.node] = step
            above = () if _only_yields(step) else step.inputs
            inputs = tuple(self.copy(t, anchor) for t in above) or (anchor,)
            node = self.names.unique(f"{step.node}/beside")
            self.put(replace(step, node=node, inputs=inputs), set())
            self.copies[tensor, anchor] = Tensor(node, tensor.port)
        return self.copies[tensor, anchor]


def _only_yields(step: Step) -> bool:
    """Whether a call gives a weight of its layer, whatever it is called on."""
    return step.constructor == "Weight" or ", weight=" in step.text
