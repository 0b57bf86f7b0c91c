"""What a survey may be asked for, and what one model may cost it."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec

from ..errors import GraphscopeError

NEEDS = ("pyarrow", "duckdb")


@dataclass(frozen=True)
class Limits:
    """``seconds`` of processor time and ``megabytes`` of memory for one model; ``hashed``: read the weights too, to hash them."""

    seconds: int = 60
    megabytes: int = 2048
    hashed: bool = False


@dataclass(frozen=True)
class Wishes:
    """``since``: a time (seconds since 1970) before which files are left out; ``formats``: words of which a model's format has one;
    ``jobs``: processes; ``scheduler``: a Dask scheduler's address, or ``local:N``.
    """

    since: float = 0.0
    formats: tuple[str, ...] = ()
    limit: int = 0
    jobs: int = 0
    scheduler: str = ""
    limits: Limits = field(default_factory=Limits)


def check_installed(*names: str) -> None:
    """Raise GraphscopeError with the line that installs what a survey needs and this Python lacks."""
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise GraphscopeError(
            f"a survey needs {', '.join(missing)}: pip install 'tf-graphscope[survey]'"
        )
