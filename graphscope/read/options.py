"""What a caller may ask of any reader."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """``check``: compare the CRC32C of tensors too; ``incomplete``: do with shards that are missing or cut short;
    ``tags``: which meta graph of a SavedModel (the first that serves, where empty)."""

    check: bool = False
    incomplete: bool = False
    tags: tuple[str, ...] = ()
