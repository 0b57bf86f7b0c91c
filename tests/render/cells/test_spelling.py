"""How things are spelled."""

from __future__ import annotations

import numpy as np

from graphscope.graph import Layer, Node, TensorSpec
from graphscope.graph.amounts import bytes_text
from graphscope.render.cells.spelling import (
    config_pairs,
    count_text,
    shape_text,
    short_dtype,
    size_of,
    spec_text,
    times,
    value_text,
)


def test_specs() -> None:
    assert spec_text(TensorSpec("float32", (None, 3))) == "f32[?,3]"
    assert spec_text(TensorSpec()) == "_[*]"
    assert short_dtype("uint8_ref") == "u8&"
    assert (shape_text(()), times(()), times(None)) == ("[]", "scalar", "?")
    assert times((None, 7, 7)) == "? × 7 × 7"
    assert (size_of((2, 3)), size_of((None, 3)), size_of(()), size_of(None)) == (
        6,
        0,
        1,
        0,
    )


def test_counts() -> None:
    counts = (0, 9999, 10_000, 25_636_712, 10**9)
    assert [count_text(n) for n in counts] == ["0", "9999", "10.0 k", "25.6 M", "1.0 G"]
    assert [bytes_text(n) for n in (1, 94_100_000)] == ["1 B", "89.7 MiB"]


def test_values_take_one_short_line() -> None:
    for value in (
        "a\nb" * 90,
        tuple(range(99)),
        {"k": (1, "x" * 99)},
        np.zeros((9, 9)),
        1e-9,
        None,
    ):
        text = value_text(value)
        assert len(text) <= 64 and "\n" not in text
    assert value_text(np.float32(0.1)) == "0.1"
    assert value_text(np.array([1, 2])) == "(1, 2)"
    assert value_text(np.zeros((9, 9), np.float32)) == "f32[9,9]"


def test_config_leaves_out_bookkeeping_and_defaults() -> None:
    conv = {
        "T": "float32",
        "_class": ("x",),
        "padding": "SAME",
        "use_cudnn_on_gpu": True,
    }
    assert dict(config_pairs(Node("Conv2D", conv))) == {"padding": "SAME"}
    assert dict(config_pairs(Layer("Dense", {"units": 3, "bias": None}))) == {
        "units": "3"
    }
