"""What every target is written from: the frozen graph, its signatures, its weights still in their files."""

from __future__ import annotations

from .frozen import Frozen, alone, freeze_signatures

__all__ = ["Frozen", "alone", "freeze_signatures"]
