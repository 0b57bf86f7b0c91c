"""How an amount of bytes is spelled, in every text."""

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
