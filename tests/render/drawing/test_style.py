"""Families and colours."""

from __future__ import annotations

import pytest

from graphscope.graph import Layer, Node
from graphscope.render.drawing.style import STYLES, family, style_of


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("Placeholder", "input"),
        ("InputLayer", "input"),
        ("Conv2DTranspose", "convolution"),
        ("DepthwiseConv2dNative", "convolution"),
        ("Conv2DBackpropInput", "convolution"),
        ("MatMul", "dense"),
        ("Dense", "dense"),
        ("FusedBatchNormV3", "normalization"),
        ("LayerNormalization", "normalization"),
        ("Relu6", "activation"),
        ("Softmax", "activation"),
        ("GlobalAveragePooling2D", "pooling"),
        ("MaxPool", "pooling"),
        ("Add", "merge"),
        ("Concatenate", "merge"),
        ("Flatten", "reshape"),
        ("SpatialDropout2D", "regularization"),
        ("LSTM", "recurrent"),
        ("ConvLSTM2D", "recurrent"),
        ("MultiHeadAttention", "attention"),
        ("Embedding", "embedding"),
        ("Switch", "control"),
        ("VarHandleOp", "variable"),
        ("Frobnicate", "other"),
        ("", "other"),
    ],
)
def test_families(kind: str, wanted: str) -> None:
    assert family(kind) == wanted
    assert wanted in STYLES


def test_what_no_layer_explains_is_grey() -> None:
    assert style_of(Node("Relu"), layered=True) == STYLES["unexplained"]
    assert style_of(Node("Placeholder"), layered=True) == STYLES["input"]
    assert style_of(Node("Relu")) == style_of(Layer("ReLU"), layered=True)


def test_blocks_of_a_kind_share_a_colour() -> None:
    one, other = (Layer("residual_block", {"n": n}, pattern="block") for n in (1, 2))
    assert style_of(one) == style_of(other) not in STYLES.values()
