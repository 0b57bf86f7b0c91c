"""Reshapes of reshapes in recovered graphs."""

from __future__ import annotations

import pytest

from graphscope.graph import Tensor
from graphscope.render.keras.lower.reshapes import joined
from graphscope.render.keras.program.program import Step, hole

X, END = Tensor("x"), Tensor("b")


def flat(node: str, *sizes: int) -> Step:
    """An expression that may change the number of examples."""
    text = f"ops.reshape({hole(0)}, {(-1, *sizes)})"
    return Step(node, text, (X if node == "a" else Tensor("a"),))


def layer(node: str, *sizes: int, is_named: bool = False) -> Step:
    source = X if node == "a" else Tensor("a")
    target = {"target_shape": sizes}
    kind = "layers.Reshape", "Reshape"
    return Step(node, hole(0), (source,), *kind, target, is_named=is_named)


@pytest.mark.parametrize(
    "first, second, text",
    [
        (flat("a", 2, 6), flat("b", 3, 4), f"ops.reshape({hole(0)}, (-1, 3, 4))"),
        (layer("a", 12), layer("b", 3, -1), hole(0)),
        (layer("a", 12), flat("b", 3, 4), f"ops.reshape({hole(0)}, (-1, 3, 4))"),
        (flat("a", 2, 6), layer("b", 12), f"ops.reshape({hole(0)}, (-1, 12))"),
    ],
)
def test_one_reshape_says_it(first: Step, second: Step, text: str) -> None:
    (step,) = joined([first, second], [END])
    assert (step.node, step.text, step.inputs) == ("b", text, (X,))


@pytest.mark.parametrize(
    "first, second",
    [
        (layer("a", 12, is_named=True), layer("b", 3, 4)),
        (flat("a", 2, 6), layer("b", 12, is_named=True)),
        (flat("a", 2, 6), layer("b", -1)),  # of how many examples nobody knows
    ],
)
def test_what_somebody_named_stays(first: Step, second: Step) -> None:
    assert joined([first, second], [END]) == (first, second)


def test_what_others_read_stays() -> None:
    steps = flat("a", 2, 6), flat("b", 3, 4)
    assert joined(steps, [END, Tensor("a")]) == steps
