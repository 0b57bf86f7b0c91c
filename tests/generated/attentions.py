"""Random attention layers, each alone in a model: heads, sizes, axes, masks, causal or not, cross or not, biases, dropout.

Keras computes attention in several ways (products of matrices, einsums, a fused kernel's definition), and chooses by rank,
dropout and mask: a layer and the arguments of its call are drawn, and Keras spells them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from .keras_models import Rng, chance, pick, randomise, width

L = keras.layers


class Drawn:
    """The inputs of one model: queries, values and keys, and the masks that its layer is called with."""

    def __init__(self, rng: Rng, rank: int = 3, same_width: bool = False) -> None:
        self.rng = rng
        # None is a number of heads: Keras's `add` takes heads of width 1 for channels where there are as many of them as
        # places, and adds their bias along the sequence
        lengths = [[5, 7, None], [8, 10, None]]
        middle = (3,) * (rank - 3)
        self.shape = (*middle, pick(rng, lengths[0]), int(rng.integers(3, 9)))
        self.query = keras.Input(self.shape)
        self.inputs = [self.query]
        self.value = self.query
        if chance(rng, 0.4):
            wide = self.shape[-1] if same_width else width(rng)
            self.value = self.add(keras.Input((*middle, pick(rng, lengths[1]), wide)))

    def add(self, made: Any) -> Any:
        self.inputs.append(made)
        return made

    def mask(self, *shape: int | None) -> Any:
        return self.add(keras.Input(shape, dtype="bool"))

    def masks(self, score: bool = True) -> dict[str, Any]:
        """What of Keras's masks the layer is called with: none, most often."""
        queries, keys = self.query.shape[-2], self.value.shape[-2]
        made: dict[str, Any] = {}
        if score and chance(self.rng, 0.3):
            made["attention_mask"] = self.mask(queries, keys)
        if chance(self.rng, 0.2):
            made["query_mask"] = self.mask(queries)
        if chance(self.rng, 0.2):
            made["value_mask"] = self.mask(keys)
        if chance(self.rng, 0.3):
            made["use_causal_mask"] = True
        return made


def of_heads(rng: Rng) -> Any:
    """MultiHeadAttention on sequences."""
    drawn = Drawn(rng)
    options: dict[str, Any] = {"use_bias": chance(rng, 0.7)}
    if chance(rng, 0.3):
        options["value_dim"] = int(rng.integers(1, 6))
    if chance(rng, 0.3):
        options["output_shape"] = drawn.query.shape[-1] + int(rng.integers(1, 3))
    if chance(rng, 0.3):
        options["dropout"] = 0.2
    made = L.MultiHeadAttention(
        int(rng.integers(1, 5)), int(rng.integers(1, 6)), **options
    )
    return drawn, made(drawn.query, drawn.value, **drawn.masks())


def of_axes(rng: Rng) -> Any:
    """MultiHeadAttention on images: over rows, columns or both."""
    drawn = Drawn(rng, 4)
    axes = pick(rng, [None, (1,), (2,), (1, 2)])
    if drawn.value is not drawn.query and axes == (1,):
        axes = (2,)  # what is not attended over must be as long in both
    made = L.MultiHeadAttention(
        int(rng.integers(1, 4)),
        int(rng.integers(1, 5)),
        attention_axes=axes,
        use_bias=chance(rng, 0.7),
    )
    return drawn, made(drawn.query, drawn.value)


def of_groups(rng: Rng) -> Any:
    """GroupQueryAttention: as many heads of keys as of queries, one, or some."""
    drawn = Drawn(rng, same_width=True)
    groups = int(rng.integers(1, 4))
    options: dict[str, Any] = {"use_bias": chance(rng, 0.7)}
    if chance(rng, 0.3):
        options["dropout"] = 0.2
    made = L.GroupQueryAttention(
        int(rng.integers(1, 6)), groups * int(rng.integers(1, 4)), groups, **options
    )
    return drawn, made(drawn.query, drawn.value, **drawn.masks())


def alone(rng: Rng) -> Any:
    """Attention and AdditiveAttention: no heads, no projections."""
    drawn = Drawn(rng, same_width=True)
    given = [drawn.query, drawn.value]
    if chance(rng, 0.3):
        given.append(drawn.add(keras.Input(drawn.value.shape[1:])))
    options: dict[str, Any] = {"use_scale": chance(rng)}
    if chance(rng, 0.3):
        options["dropout"] = 0.2
    if chance(rng, 0.4):
        made = L.AdditiveAttention(**options)
    else:
        made = L.Attention(score_mode=pick(rng, ["dot", "concat"]), **options)
    masks = drawn.masks(score=False)
    both = [masks.pop("query_mask", None), masks.pop("value_mask", None)]
    if both != [None, None]:
        masks["mask"] = both
    return drawn, made(given, **masks)


KINDS: tuple[Callable[[Rng], Any], ...] = (
    of_heads,
    of_heads,
    of_groups,
    alone,
    of_axes,
)


def random_attention(seed: int) -> Any:
    """A Keras model of one attention layer that the seed determines, its weights random."""
    keras.backend.clear_session()
    rng = np.random.default_rng([seed, 7])
    drawn, made = KINDS[seed % len(KINDS)](rng)
    model = keras.Model(drawn.inputs, made)
    randomise(model, rng)
    return model
