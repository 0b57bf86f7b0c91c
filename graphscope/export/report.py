"""What an export did, for people and for ``--json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from ..graph.named_values import Document, Row


class Lack(NamedTuple):
    """An op that a target cannot run, and a node of it."""

    op: str
    node: str


@dataclass(frozen=True)
class Proof:
    """How far the export is from the source, run in its own runtime.

    ``max_rel`` is the largest difference in an output's own scale, ``within`` the bound that it was held to; ``milliseconds`` one run of the
    export on the inputs last drawn. ``passed`` is None where nothing is proven: ``remarks`` say why.
    """

    runtime: str
    max_rel: float | None
    within: float
    milliseconds: float | None
    passed: bool | None
    outputs: tuple[Document, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExportReport:
    """What was written: ``inputs`` and ``outputs`` by signature (name -> dtype and shape), bytes of the weights before and of all after."""

    path: str
    target: str
    signatures: Mapping[str, Document]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    bytes: int
    bytes_before: int
    unsupported: tuple[Lack, ...] = ()
    changed: tuple[str, ...] = ()
    weights: str = "raw"
    remarks: tuple[str, ...] = ()
    verified: Proof | None = None

    def to_json(self) -> Row:
        """The report as plain values, ready for ``json.dumps``."""
        document = _plain(asdict(self))
        document["unsupported"] = [each._asdict() for each in self.unsupported]
        return document  # type: ignore[no-any-return]


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
