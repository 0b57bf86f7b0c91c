"""The recorder that a family's builder runs on: each layer names its weights and their shapes, and is bound at once.

With an index the shapes are unified with the file's; without one the builder writes the names and shapes it would have
(a *skeleton*). Either way the trace is the graph of the layers, wired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...graph import Tensor, WeightUse
from ...graph.named_values import Arguments, Config
from ..weight_index import WeightIndex, under
from .unknowns import Size, Width, number

Step = tuple[str, object]
VARIABLE = "VariableV2"  # the op of a weight that no layer of Keras owns
REFLECTION = "MirrorPad"  # the op of a border that no layer of Keras draws


@dataclass
class Handle:
    """A tensor of the trace: the layer that makes it, how many channels it has (None: nothing says), and which output it is."""

    layer: str
    channels: Size = None
    port: int = 0

    @property
    def tensor(self) -> Tensor:
        return Tensor(self.layer, self.port)


@dataclass
class Traced:
    """One layer of the trace: Keras's class and arguments, what it is called on, its weights in Keras's names."""

    name: str
    op: str
    config: Arguments
    inputs: tuple[Handle, ...]
    weights: dict[str, WeightUse] = field(default_factory=dict)
    arguments: tuple[
        str, ...
    ] = ()  # what a call names its inputs, where not x, x1, ...


def settled(value: object) -> Any:
    """A value of a config with the number that each width has come to."""
    if isinstance(value, Width):
        return number(value)
    return tuple(map(settled, value)) if isinstance(value, tuple) else value


class TooMany(Exception):
    """More does not fit than a claim may leave: the builder stops."""


class Recorder:
    """What a builder did so far: ``trace`` of layers, ``bound`` names, ``misfits`` in words."""

    def __init__(
        self,
        index: WeightIndex | None = None,
        root: str = "",
        roles: Mapping[str, str | tuple[str, ...]] | None = None,
    ) -> None:
        self.index, self.root, self.roles = index, root, roles or {}
        self.scopes: list[str] = []
        self.trace: dict[str, Traced] = {}
        self.bound: dict[str, tuple[int, ...]] = {}
        self.misfits: list[str] = []
        self.notes: list[str] = []
        self.limit = 40
        self.counters: dict[str, int] = {}

    def __getitem__(self, scope: str) -> Recorder:
        self.scopes.append(scope)
        return self

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *error: object) -> None:
        self.scopes.pop()

    def need(self, holds: bool, what: str) -> None:
        """A condition that shapes alone would not refuse."""
        if not holds:
            self.misfit(what)

    def note(self, remark: str) -> None:
        """What is said beside the claim: a weight that the net does not compute with, a step that is not part of it."""
        self.notes.append(remark)

    def beside(self, name: str, shape: Sequence[Size], purpose: str) -> None:
        """A stored number that the net does not compute with."""
        self.weight(self.path("", name, ""), shape)
        self.note(f"{name} is kept beside the net: {purpose}")

    def loose(self, name: str, shape: Sequence[Size]) -> Handle:
        """A weight that is itself an output."""
        use = self.weight(self.path("", name, ""), shape)
        return self.layer(VARIABLE, name, (), {}, {"value": use}, use.shape[-1])

    def misfit(self, what: str) -> None:
        self.misfits.append(what)
        if len(self.misfits) > self.limit:
            raise TooMany

    def auto(self, base: str) -> str:
        """``conv2d``, ``conv2d_1``, ...: the next of a counter; the file says where it starts."""
        place = self.counters.get(base)
        if place is None:
            scope = under(self.root, "/".join(self.scopes))
            names = self.index.children.get(scope, set()) if self.index else {base}
            ends = (name.removeprefix(f"{base}_") for name in names)
            numbers = [int(end) for end in ends if end.isdecimal() and len(end) < 10]
            place = 0 if base in names or not numbers else min(numbers)
        self.counters[base] = place + 1
        return f"{base}_{place}" if place else base

    def path(self, op: str, name: str, role: str) -> str:
        """The name of a weight in the file: the family's own spelling of Keras's weight name, where it has one."""
        spellings = self.roles.get(f"{op}.{role}", self.roles.get(role, role))
        spellings = (spellings,) if isinstance(spellings, str) else spellings
        paths = [
            under(self.root, "/".join(p for p in (*self.scopes, name, spelling) if p))
            for spelling in spellings
        ]
        shapes = self.index.shapes if self.index is not None else {}
        return next((path for path in paths if path in shapes), paths[0])

    def weight(
        self,
        path: str,
        shape: Sequence[Size],
        steps: tuple[Step, ...] = (),
        keras_shape: tuple[int, ...] | None = None,
    ) -> WeightUse:
        """Bind one weight of the file; a size that is None may be anything."""
        if self.index is None:
            self.bound[path] = tuple(number(size) or 0 for size in shape)
            return WeightUse(path, keras_shape or self.bound[path], steps)
        stored = self.index.shapes.get(path)
        if stored is None:
            self.misfit(f"{path} is missing")
            return WeightUse(path, tuple(number(size) or 0 for size in shape), steps)
        if not _fits(shape, stored):
            expected = tuple("?" if size is None else size for size in shape)
            self.misfit(f"{path} is {list(stored)}, not {list(expected)}")
        self.bound[path] = stored
        return WeightUse(self.index.stored[path], keras_shape or stored, steps)

    def stored_size(self, path: str, axis: int) -> int | None:
        """A size of a weight that is not bound yet, to solve what depends on it; None where it is not in the file."""
        shape = self.index.shapes.get(under(self.root, path)) if self.index else None
        return shape[axis] if shape is not None and -len(shape) <= axis else None

    def child(self, prefix: str) -> str:
        """The one name below the scope that begins so; the prefix where there is none."""
        scope = under(self.root, "/".join(self.scopes))
        names = self.index.children.get(scope, ()) if self.index else ()
        return min((n for n in names if n.startswith(prefix)), default=prefix)

    def layer(
        self,
        op: str,
        name: str,
        inputs: Sequence[Handle],
        config: Config,
        weights: Mapping[str, WeightUse],
        channels: Size,
        arguments: tuple[str, ...] = (),
    ) -> Handle:
        """One layer of the trace; its name is the path of its weights, or its class and a number."""
        stem = (
            "/".join(p for p in (*self.scopes, name) if p and p != "..") or op.lower()
        )
        unique, place = stem, 0
        while unique in self.trace:
            place += 1
            unique = f"{stem}_{place}"
        traced = Traced(
            unique, op, dict(config), tuple(inputs), dict(weights), arguments
        )
        self.trace[unique] = traced
        return Handle(unique, channels)


def _fits(shape: Sequence[Size], stored: tuple[int, ...]) -> bool:
    return len(shape) == len(stored) and all(
        size is None or (size.meets(have) if isinstance(size, Width) else size == have)
        for size, have in zip(shape, stored, strict=True)
    )
