"""What a freeze did, for people and for ``--json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from ..graph.named_values import Row


@dataclass(frozen=True)
class Change:
    """One thing that is computed otherwise than the file says, and where; ``kind`` is what such changes are called together."""

    what: str
    nodes: tuple[str, ...] = ()
    kind: str = ""


@dataclass(frozen=True)
class FreezeReport:
    """What was written and what was left out.

    ``inputs`` and ``outputs`` are tensors (``"name:0"``) of the frozen graph; ``nodes`` and ``constants`` count it, ``bytes`` is the
    size of the file; ``dropped`` counts the nodes of the original that are not in it, by the reason; ``changes`` says what was
    rewritten; ``weights`` is ``"raw"`` or ``"ema"``; ``initialisers`` are ops to be run once before the first use.
    """

    path: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: int
    constants: int
    bytes: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    weights: str = "raw"
    initialisers: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def to_json(self) -> Row:
        """The report as plain values, ready for ``json.dumps``."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }
