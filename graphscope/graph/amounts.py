"""How amounts of bytes and numbers of things are spelled, in every text."""

from __future__ import annotations

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def bytes_text(count: float) -> str:
    """A number of bytes as a person reads it, the same everywhere.

    >>> bytes_text(538_000_000), bytes_text(12)
    ('513.1 MiB', '12 B')
    """
    for unit in _UNITS:
        if count < 1024 or unit == _UNITS[-1]:
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"


def number_of(count: int, word: str) -> str:
    """A number of things.

    >>> number_of(1, "layer"), number_of(1200, "layer")
    ('1 layer', '1,200 layers')
    """
    return f"{count:,} {word}{'s' * (count != 1)}"
