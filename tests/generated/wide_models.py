"""Random Keras models of a wider kind: other dtypes, models within models, outputs from the middle, layers that few use."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from .keras_models import Growing, L, Rng, chance, pick, randomise, several, width

POLICIES = ("float32", "float32", "float64", "float16", "bfloat16", "mixed_float16")
Shape = tuple[int | None, ...]


def dropped(rng: Rng, shape: Shape) -> Any:
    rank = len(shape) - 1
    made = [L.AlphaDropout(0.2), L.GaussianDropout(0.3), L.ActivityRegularization(0.1)]
    if 1 <= rank <= 3:
        made.append(getattr(L, f"SpatialDropout{rank}D")(0.3))
    return pick(rng, made)


def attended(rng: Rng, shape: Shape) -> Any:
    kind = int(rng.integers(3))
    if kind == 0:
        made: Any = L.Attention(use_scale=chance(rng))
        return lambda x: made([x, x])
    if kind == 1:
        made = L.AdditiveAttention(use_scale=chance(rng))
        return lambda x: made([x, x])
    groups = int(rng.integers(1, 3))
    made = L.GroupQueryAttention(width(rng), 2 * groups, groups)
    return lambda x: made(x, x)


def timed(rng: Rng, shape: Shape) -> Any:
    return L.TimeDistributed(L.Dense(width(rng), activation=pick(rng, ["relu", None])))


def centred(rng: Rng, shape: Shape) -> Any:
    size = int(shape[-1] or 1)
    mean, variance = rng.normal(size=size), rng.uniform(0.5, 1.5, size)
    return L.Normalization(mean=mean.tolist(), variance=variance.tolist())


def nested(rng: Rng, shape: Shape) -> Any:
    """A model of two or three layers, called as one."""
    inside = keras.Input(shape)
    x = L.Dense(width(rng), activation=pick(rng, ["relu", "tanh", None]))(inside)
    if chance(rng):
        x = L.BatchNormalization()(x)
    if chance(rng):
        return keras.Sequential([keras.Input(shape), L.Dense(width(rng)), L.ReLU()])
    return keras.Model(inside, L.LayerNormalization()(x))


def squeezed(rng: Rng, shape: Shape) -> Any:
    """Squeeze and excite."""
    channels = int(shape[-1] or 1)
    first, last = L.Dense(2, activation="relu"), L.Dense(channels, activation="sigmoid")
    pool = L.GlobalAveragePooling2D(keepdims=True)
    return lambda x: L.Multiply()([x, last(first(pool(x)))])


def residual(rng: Rng, shape: Shape) -> Any:
    channels = int(shape[-1] or 1)
    size, activation = several(rng, 2, 1, 3), pick(rng, ["relu", "swish", None])
    conv = L.Conv2D(channels, size, padding="same", activation=activation)
    norm = L.BatchNormalization()
    return lambda x: L.Add()([x, norm(conv(x))])


EXTRA = {
    1: (dropped, centred, nested),
    2: (dropped, attended, attended, timed, centred, nested),
    3: (dropped, centred, nested, squeezed, residual, residual),
    4: (dropped, nested),
}


class Wider(Growing):
    """A model under way; its dtype policy is for all of its layers."""

    def call(self) -> None:
        x = self.take()
        shape = tuple(x.shape[1:])
        makers = EXTRA.get(len(shape), ())
        if not makers or shape[-1] is None or chance(self.rng, 0.6):
            super().call()
            return
        layer = pick(self.rng, makers)(self.rng, shape)
        self.put(layer(x), x)

    def model(self) -> Any:
        self.grow()
        first = len(self.inputs)
        made = self.tensors[first:] or [L.Identity()(self.tensors[0])]
        outputs = [x for x in made if id(x) not in self.used][-3:]
        if chance(self.rng, 0.4):  # one from the middle
            outputs.append(pick(self.rng, made))
        unique = {id(x): x for x in outputs}
        model = keras.Model(self.inputs, [*unique.values()])
        randomise(model, self.rng)
        return model


def wide_model(seed: int) -> Any:
    """A Keras model that the seed determines, its weights random."""
    keras.backend.clear_session()
    rng = np.random.default_rng([seed, 7])
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(pick(rng, POLICIES))
    try:
        return Wider(seed).model()
    finally:
        keras.config.set_dtype_policy(before)
