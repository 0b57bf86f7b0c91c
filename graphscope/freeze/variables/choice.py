"""Which weights are written where a file holds their moving averages beside them: one choice for every command, and its words."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import GraphscopeError
from ...graph import Model
from .moving_averages import VARIABLES, averages_of, find_averages

WEIGHTS = ("auto", "raw", "ema")


def check_choice(
    choice: str, averages: Mapping[str, str] | None = None, source: str = ""
) -> None:
    """Raise GraphscopeError where there is no such choice, or where averages are insisted on and there are none."""
    if choice not in WEIGHTS:
        raise GraphscopeError(f"weights are {', '.join(WEIGHTS)}, not {choice!r}")
    if choice == "ema" and averages is not None and not averages:
        raise GraphscopeError(
            f"{source} holds no exponential moving averages of the weights that the outputs need"
        )


def averages_in(model: Model) -> dict[str, str]:
    """Variable -> the key of its average, of all variables of a flat model that have one."""
    variables = list(model.graph.by_op(*VARIABLES))
    return (
        averages_of(model, variables, find_averages(model.graph)) if variables else {}
    )


def chosen(model: Model, choice: str) -> dict[str, str]:
    """Variable -> the key of the average that is to be read in its place; raises as ``check_choice`` does."""
    check_choice(choice)
    if choice == "raw":
        return {}
    averages = averages_in(model)
    check_choice(choice, averages, model.source)
    return averages


def choice_text(count: int, choice: str) -> str:
    """Which weights were written, where ``count`` of them have a moving average."""
    if choice == "raw":
        have = "1 of them has an" if count == 1 else f"{count} of them have an"
        return f"the weights are the raw ones: {have} exponential moving average too (--weights ema)"
    if count == 1:
        return (
            "1 weight is its exponential moving average (--weights raw has the other)"
        )
    return f"{count} weights are their exponential moving averages (--weights raw has the others)"
