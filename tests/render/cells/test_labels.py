"""A config in few words."""

from __future__ import annotations

from typing import Any

import pytest

from graphscope.graph import Layer, Node
from graphscope.render.cells.labels import brief, telling


@pytest.mark.parametrize(
    ("op", "config", "said"),
    [
        (
            "Conv2D",
            {
                "filters": 64,
                "kernel_size": (7, 7),
                "strides": (2, 2),
                "padding": "same",
            },
            "7×7, 64, /2, same",
        ),
        (
            "Conv2D",
            {
                "filters": 8,
                "kernel_size": (1, 3),
                "strides": (1, 1),
                "padding": "valid",
                "use_bias": False,
            },
            "1×3, 8, no bias",
        ),
        (
            "Conv2D",
            {"kernel_size": (3, 3), "strides": (2, 1), "dilation_rate": (2, 2)},
            "3×3, /2×1, dilation 2",
        ),
        ("MaxPooling2D", {"pool_size": (2, 2), "strides": (2, 2)}, "2×2"),
        ("MaxPooling2D", {"pool_size": (3, 3), "strides": (2, 2)}, "3×3, /2"),
        (
            "Dense",
            {"units": 10, "activation": "softmax", "use_bias": True},
            "10, softmax",
        ),
        ("Dropout", {"rate": 0.5}, "0.5"),
        (
            "Bidirectional",
            {"layer": "LSTM(16, return_sequences=True)", "merge_mode": "concat"},
            "LSTM(16, return sequences)",
        ),
        (
            "Bidirectional",
            {
                "layer": "GRU",
                "layer_config": {"units": 8, "return_sequences": True},
                "merge_mode": "sum",
            },
            "GRU 8 units, return sequences, merge_mode sum",
        ),
        ("Loop", {"scope": "while", "ops": 102}, "102 ops"),
        (
            "BatchNormalization",
            {"axis": -1, "epsilon": 0.001, "scale": False},
            "no scale",
        ),
        ("MultiHeadAttention", {"num_heads": 8, "key_dim": 64}, "8 heads, key_dim 64"),
        ("Normalization", {"axis": -1, "mean": (0.1,) * 9, "invert": False}, ""),
        (
            "ReLU",
            {"max_value": 6.0, "negative_slope": 0.0, "threshold": 0.0},
            "max_value 6",
        ),
        ("LeakyReLU", {"negative_slope": 0.3}, ""),
        ("UpSampling2D", {"size": (2, 2), "interpolation": "nearest"}, "2×2"),
        (
            "GRU",
            {
                "units": 60,
                "activation": "tanh",
                "reset_after": True,
                "return_sequences": True,
            },
            "60 units, return sequences",
        ),
        (
            "LSTM",
            {"units": 8, "activation": "relu", "unit_forget_bias": True},
            "8 units, relu",
        ),
        ("Someone", {"threshold": 0.0}, "threshold 0"),
        ("ZeroPadding2D", {"padding": ((3, 3), (3, 3))}, "((3, 3), (3, 3))"),
    ],
)
def test_layers(op: str, config: dict[str, Any], said: str) -> None:
    assert brief(Layer(op, config)) == said


def test_ops() -> None:
    attrs = {"strides": (1, 2, 2, 1), "padding": "SAME", "data_format": "NHWC"}
    assert brief(Node("Conv2D", attrs)) == "/2, same"
    attrs = {
        "ksize": (1, 1, 3, 3),
        "strides": (1, 1, 2, 2),
        "padding": "VALID",
        "data_format": "NCHW",
    }
    assert brief(Node("MaxPool", attrs)) == "3×3, /2"
    assert (
        brief(Node("MatMul", {"transpose_a": False, "transpose_b": True}))
        == "transpose_b"
    )
    assert brief(Node("Custom", {"anything": 1})) == ""


def test_it_stays_brief() -> None:
    assert len(brief(Layer("X", {f"argument_{i}": "v" * 99 for i in range(50)}))) <= 64


def test_what_is_told_is_no_default_and_begins_with_the_width() -> None:
    config = {
        "return_sequences": False,
        "stateful": False,
        "units": 12,
        "activation": "tanh",
        "dropout": 0.2,
    }
    assert telling(Layer("GRU", config)) == ("units", "dropout")
    assert telling(Node("Sum", {"keep_dims": False})) == ("keep_dims",)
