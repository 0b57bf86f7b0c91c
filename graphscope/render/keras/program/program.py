"""The nouns of a Keras program: what ``build_model`` will do, statement by statement, before it is text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ....graph import Shape, Tensor, WeightUse

HOLE = re.compile("\0(\\d+)\0")
"""A hole in a text, its number as the group."""


def hole(number: int) -> str:
    """Where the variable of a step's input goes into its text; no text from a file can hold a NUL unescaped."""
    return f"\0{number}\0"


def filled(text: str, variables: Sequence[str]) -> str:
    """The text with a variable in each hole."""
    return HOLE.sub(lambda match: variables[int(match[1])], text)


@dataclass(frozen=True)
class Step:
    """One statement: a layer called on tensors, or an expression over them.

    ``node`` is the node of the layer graph; ``text`` the call's arguments (of a layer) or the expression, with a
    ``hole`` for each use of one of ``inputs``; ``constructor`` is ``"layers.Conv2D"`` or ``""`` for an expression,
    ``class_name`` the Python class that names it in a weights file; ``arguments`` are the constructor's, the name
    left out; ``shown`` is the name as it is written, ``""`` where Keras would give the same by itself; ``weights`` go into the file in the order of ``stored``. ``layer`` is the node whose step made the
    layer object that this step calls once more, else the node itself. ``is_named``: somebody chose the name.
    """

    node: str
    text: str
    inputs: tuple[Tensor, ...]
    constructor: str = ""
    class_name: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    shown: str = ""
    weights: Mapping[str, WeightUse] = field(default_factory=dict)
    stored: tuple[str, ...] = ()
    ports: int = 1
    layer: str = ""
    portable: bool = True
    is_named: bool = True

    def outputs(self) -> tuple[Tensor, ...]:
        return tuple(Tensor(self.node, port) for port in range(self.ports))


@dataclass(frozen=True)
class Input:
    """One ``keras.Input``."""

    name: str
    tensor: Tensor
    shape: Shape
    dtype: str
    sparse: bool = False


@dataclass(frozen=True)
class Program:
    """A whole model; steps are in an order in which they can run, each region of one exit in one piece.

    ``output_names`` are the outputs in the file's words, ``classes`` the sources of the layers of its own,
    ``models`` the models that it calls as a whole, by the node of the first call, ``parts`` those that its layers are given,
    ``settings`` are those of Keras that hold while it is built, such as ``dtype_policy``, ``model_class`` what is built,
    ``regions`` the steps and the blocks of them in order, as ``infer.blocks`` has them.
    """

    name: str
    inputs: tuple[Input, ...]
    steps: tuple[Step, ...]
    outputs: tuple[Tensor, ...]
    output_names: tuple[str, ...] = ()
    classes: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    models: Mapping[str, Program] = field(default_factory=dict)
    parts: tuple[Program, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    model_class: str = "keras.Model"
    regions: tuple[Any, ...] = ()

    def step(self, node: str) -> Step:
        return self.by_node[node]

    @cached_property
    def readers(self) -> dict[Tensor, set[str]]:
        """Who reads each tensor: nodes of steps, and ``""`` for the model's outputs."""
        readers: dict[Tensor, set[str]] = {}
        for step in self.steps:
            for tensor in step.inputs:
                readers.setdefault(tensor, set()).add(step.node)
        for tensor in self.outputs:
            readers.setdefault(tensor, set()).add("")
        return readers

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """The steps of the models in it too."""
        inner = (step for each in self.models.values() for step in each.all_steps)
        return (*inner, *self.steps)

    @property
    def all_models(self) -> Iterator[Program]:
        """The models in it, each after those in itself; those that its layers are given come first."""
        for part in self.parts:
            yield from part.all_models
            yield part
        for each in self.models.values():
            yield from each.all_models
            yield each

    @cached_property
    def by_node(self) -> dict[str, Step]:
        return {step.node: step for step in self.steps}
