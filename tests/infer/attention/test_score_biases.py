"""What is added to scores term by term, or taken away, is one mask of numbers; what hides the past before it is said apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope.graph import Layer
from tests.patterns.attention.test_multi_head import (
    HEADS,
    LENGTH,
    SIZE,
    analysed,
    attention,
)

v1 = tf.compat.v1
FAR = -1e4


def padding() -> Any:
    mask = v1.placeholder(tf.int32, [None, LENGTH], "mask")
    return (1.0 - tf.cast(mask[:, None, None], tf.float32)) * FAR


def seen() -> Any:
    return tf.linalg.band_part(tf.ones([LENGTH, LENGTH]), -1, 0)[None, None]


def taken_away(scores: Any) -> Any:
    """TFDistilBert's."""
    mask = v1.placeholder(tf.int32, [None, LENGTH], "mask")
    wide = tf.cast(tf.reshape(mask, [-1, 1, 1, LENGTH]), tf.float32)
    return scores - 1e30 * (1.0 - wide)


def term_by_term(scores: Any) -> Any:
    """CTRL's."""
    return scores + (1.0 - seen()) * FAR + padding()


def past_and_padding(scores: Any) -> Any:
    """TFGPT2's."""
    return scores * seen() + FAR * (1 - seen()) + padding()


def chosen_and_padding(scores: Any) -> Any:
    """GPT-2's in PyTorch."""
    low = tf.fill(tf.shape(scores), FAR)
    chosen = tf.where(
        tf.cast(seen(), tf.bool) & tf.ones_like(scores, bool), scores, low
    )
    return chosen + padding()


def distances(scores: Any) -> Any:
    """T5's: a learned number for each distance and head."""
    far = np.arange(LENGTH)[None] - np.arange(LENGTH)[:, None] + LENGTH
    table = v1.get_variable("distances", [2 * LENGTH, HEADS])
    return scores + (tf.transpose(tf.gather(table, far), [2, 0, 1])[None] + padding())


def future_and_padding(scores: Any) -> Any:
    ahead = tf.linalg.band_part(tf.ones([LENGTH, LENGTH]), 0, -1)[None, None]
    return scores * ahead + FAR * (1 - ahead) + padding()


def near_and_padding(scores: Any) -> Any:
    return scores * seen() - 3.0 * (1 - seen()) + padding()


def layers(masked: Callable[[Any], Any], folder: Path, **how: Any) -> list[Layer]:
    """The attention layers found, after the proof that they compute the same."""
    found = analysed(lambda: attention(masked=masked, **how), folder)
    found.write_keras(folder / "keras")
    proof = found.prove(folder / "keras")
    assert proof.passed and proof.max_rel < 1e-4
    return [each for each in found.layers if each.op == "MultiHeadAttention"]


def test_a_mask_of_whole_numbers_that_is_taken_away_is_one(tmp_path: Path) -> None:
    (layer,) = layers(taken_away, tmp_path)
    assert not layer.config["additive_mask"] and "value_mask" in layer.inputs


@pytest.mark.parametrize("masked", [term_by_term, distances])
def test_one_mask_of_numbers_is_added(masked: Any, tmp_path: Path) -> None:
    (layer,) = layers(masked, tmp_path)
    assert layer.config["additive_mask"]
    assert "hidden" not in layer.config


@pytest.mark.parametrize("masked", [past_and_padding, chosen_and_padding])
def test_the_future_is_hidden_before_a_mask_is_added(
    masked: Any, tmp_path: Path
) -> None:
    (layer,) = layers(masked, tmp_path)
    assert layer.config["use_causal_mask"] and layer.config["additive_mask"]
    assert layer.config["hidden"] == FAR


def test_scores_that_nothing_scales_are_said_so(tmp_path: Path) -> None:
    (layer,) = layers(distances, tmp_path, scale=lambda scores: scores)
    assert layer.config["unscaled"] and layer.config["key_dim"] == SIZE


def test_another_scale_is_no_attention_of_keras(tmp_path: Path) -> None:
    assert not layers(distances, tmp_path, scale=lambda scores: scores * 0.9)


@pytest.mark.parametrize("masked", [future_and_padding, near_and_padding])
def test_what_is_hidden_is_the_future_and_far(masked: Any, tmp_path: Path) -> None:
    assert not layers(masked, tmp_path)
