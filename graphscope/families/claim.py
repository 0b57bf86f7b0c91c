"""What one family came to on one file: its solved values, what does not fit, what stays open, what it takes for granted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..graph.named_values import Config
from .notation.net import Recorder, settled
from .notation.unknowns import Unknown
from .weight_index import WeightIndex

_ASSUMED = ("strides", "padding", "activation", "epsilon", "pool_size", "dilation_rate")
_PLAIN = ("valid", "linear", (1, 1), None)


@dataclass(frozen=True)
class Family:
    """One known architecture: ``build(net, **unknowns)`` in the field's own notation.

    ``anchors`` are names that a file of it holds (one is enough to try it), ``roles`` how it spells Keras's weight
    names, ``variant`` says the solved values as people call them.
    """

    title: str
    build: Callable[..., Any]
    anchors: tuple[str, ...]
    roles: Mapping[str, str | tuple[str, ...]]
    unknowns: Mapping[str, Unknown]
    variant: Callable[..., str] | None = None


@dataclass(frozen=True)
class Claim:
    """A family at a root of the names; ``is_exact`` only if every weight is bound and none is left over."""

    family: Family
    root: str
    values: Config
    net: Recorder
    index: WeightIndex

    @property
    def unbound(self) -> list[str]:
        return [name for name in self.index.shapes if name not in self.net.bound]

    @property
    def outside(self) -> list[str]:
        """Weights beside the family's root: another model's, or a head that somebody put there."""
        inside = f"{self.root}/"
        return [n for n in self.unbound if self.root and not n.startswith(inside)]

    @property
    def misfits(self) -> list[str]:
        beside = set(self.outside)
        inside = [name for name in self.unbound if name not in beside]
        return [*self.net.misfits, *(f"{name} is left over" for name in inside)]

    @property
    def is_exact(self) -> bool:
        return not self.misfits

    @property
    def open_values(self) -> dict[str, object]:
        """The values that stand in no name and no shape."""
        unknowns = self.family.unknowns
        return {n: v for n, v in self.values.items() if unknowns[n].kind == "free"}

    @property
    def assumed(self) -> list[str]:
        """What the family fixes by convention: strides, padding, activations, epsilons."""
        words = {
            f"{traced.op} {key}={settled(value)}"
            for traced in self.net.trace.values()
            for key, value in traced.config.items()
            if key in _ASSUMED and value not in _PLAIN
        }
        return sorted(words)

    @property
    def conventions(self) -> tuple[str, ...]:
        """What the names and shapes do not say of the file, in words."""
        lines = []
        if self.open_values:
            values = self.open_values.items()
            listed = ", ".join(
                f"{name} {value or 'by width'}" for name, value in values
            )
            lines.append(f"no name and no shape tells: {listed} (the usual value)")
        if self.assumed:
            lines.append(f"by the family's convention: {', '.join(self.assumed)}")
        return (*lines, *dict.fromkeys(self.net.notes))

    @property
    def variant(self) -> str:
        """The solved values as people call them: ``alpha 0.5, 7 classes``."""
        if self.family.variant is not None:
            return self.family.variant(**self.values)
        return ", ".join(
            (
                f"{self.values[name]} {name}"
                if unknown.kind == "size"
                else f"{name} {self.values[name]}"
            )
            for name, unknown in self.family.unknowns.items()
            if unknown.kind != "has" and self.values[name] is not None
        )

    def __str__(self) -> str:
        title = ", ".join(filter(None, [self.family.title, self.variant]))
        return f"{title} (names and shapes, {len(self.net.bound)} of {len(self.net.bound)})"

    def why_not(self) -> str:
        """``not MobileNet: 3 of 137 do not fit: ...``."""
        misfits, expected = self.misfits, len(self.net.bound)
        total = max(expected, len(misfits))
        listed = "; ".join(misfits[:3])
        return (
            f"not {self.family.title}: {len(misfits)} of {total} do not fit: {listed}"
        )
