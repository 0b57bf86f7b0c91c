"""What a comparison of two models found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Verification:
    """How far two models are apart on the same inputs.

    ``max_abs`` is the largest difference of any element of any output; ``max_rel`` the largest in an output's own scale
    (``max|a - b| / max|a|``); both are infinite where shapes differ or where only one side is finite. ``outputs`` has one dict for each
    pair (``a``, ``b``, ``dtype``, ``shape``, ``max_abs``, ``max_rel``, ``passed``). ``parts_at`` names the first node at which the two part,
    where that could be told. ``drawn`` has one dict for each run: the shape of every input. ``one_sided``
    names the thresholds of the reference (ReLU6, a clip, a comparison) that every run met on one side only: of the other side
    nothing is proved.
    """

    max_abs: float
    max_rel: float
    passed: bool
    outputs: tuple[Mapping[str, Any], ...] = ()
    remarks: tuple[str, ...] = ()
    parts_at: str = ""
    drawn: tuple[Mapping[str, Any], ...] = ()
    one_sided: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The result as plain values, ready for ``json.dumps``."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }
