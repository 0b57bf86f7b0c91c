"""What the docstring says of backends on which Keras computes otherwise."""

from __future__ import annotations

import pytest

from graphscope.graph import Tensor
from graphscope.render.keras.program.program import Input, Program, Step, hole
from graphscope.render.keras.source.backends import backend_gaps

X, POOL = Tensor("x"), Tensor("pool")


def gaps(
    size: int | None, pool: int, stride: int | None = None, padding: str = "same"
) -> list[str]:
    config = {"pool_size": pool, "strides": stride, "padding": padding}
    arguments = {k: v for k, v in config.items() if v is not None}
    name = "layers.AveragePooling2D"
    step = Step("pool", hole(0), (X,), name, "AveragePooling2D", arguments, "pool")
    inputs = (Input("x", X, (None, size, size, 3), "float32"),)
    return list(backend_gaps(Program("m", inputs, (step,), (POOL,)), {}))


@pytest.mark.parametrize(
    "size, pool, stride, padding, differs",
    [
        (8, 3, 1, "same", False),  # one row on either side
        (8, 2, 1, "same", True),
        (8, 2, None, "same", False),  # 8 is a multiple of 2: no border
        (7, 2, None, "same", True),
        (8, 3, 2, "same", True),
        (None, 3, 1, "same", False),
        (None, 2, 2, "same", True),
        (7, 2, None, "valid", False),
    ],
)
def test_an_uneven_border_is_said(
    size: int | None, pool: int, stride: int | None, padding: str, differs: bool
) -> None:
    assert ["On PyTorch" in line for line in gaps(size, pool, stride, padding)] == (
        [True] if differs else []
    )


def test_strings_are_tensorflow_s_alone() -> None:
    program = Program("m", (Input("word", X, (None,), "string"),), (), (X,))
    assert list(backend_gaps(program, {})) == [
        "Not portable: strings go in (word), which TensorFlow alone has."
    ]
