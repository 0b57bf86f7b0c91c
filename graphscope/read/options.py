"""What a caller may ask of any reader."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """``check``: compare the CRC32C of tensors too; ``tags``: which meta graph of a SavedModel (the first that serves,
    where empty)."""

    check: bool = False
    tags: tuple[str, ...] = ()
