"""Program -> the graph of its statements, in which repeated blocks are looked for as in the layer graph.

What takes many ops and one statement (the indices of relative positions, sizes that are known when it runs) is one node
here, so two blocks are alike that only work out their sizes from different tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from ....graph import Graph, Layer, Node, Tensor
from ..program.program import Program, Step
from ..program.shown_names import with_names
from .tree import form_of_step, skeleton

Finder = Callable[
    [Graph, Sequence[Tensor], Mapping[str, str], Mapping[str, Hashable]],
    Sequence[object],
]
"""Graph of statements, its outputs, the names that statements are written with, the form of each -> its parts, steps and regions."""


def blocks_of(program: Program, find: Finder) -> Sequence[object]:
    """The parts of a program, as ``find`` has them in the graph of its statements."""
    program = with_names(program)
    graph, fed = Graph(), {each.tensor.node for each in program.inputs}
    for name in fed:
        graph.add(name, Node("Placeholder"))
    for step in program.steps:
        graph.add(step.node, _node(step), step.inputs)
    titles = {step.node: step.shown for step in program.steps if step.shown}
    forms = {step.node: form_of_step(step) for step in program.steps}
    return find(graph, program.outputs, titles, forms)


def _node(step: Step) -> Layer:
    """A layer whose config has also the numbers in the text of the call or of the expression."""
    frame, literals = skeleton(step.text)
    attrs: dict[str, Any] = {f"literal {n}": text for n, text in enumerate(literals)}
    return Layer(step.class_name or frame, attrs={**attrs, **step.arguments})
