"""The texts of a page, each once."""

from __future__ import annotations

from typing import Any

from ..cells.escape import visible


class Texts:
    """Each text once; its number stands for it. Number 0 is the empty text."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {"": 0}

    def __call__(self, text: str) -> int:
        return self.numbers.setdefault(visible(text), len(self.numbers))


def plain(value: object) -> Any:
    """A document without characters that a browser would not show as they stand, and without what is no JSON."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(str(key)): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return str(value)
    return value
