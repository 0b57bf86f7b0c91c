"""Networks over coordinates and codes: a radiance field, a mapping network of equalised layers."""

from __future__ import annotations

from typing import Any

import keras as k
import numpy as np
import tensorflow as tf
from keras import layers as L

from . import architecture
from .legacy import v1


@architecture("NeRF", "tf2", layers={"Dense": 8, "Concatenate": 5}, lines=60, ops=17)
def nerf() -> Any:
    """bmild/nerf, run_nerf_helpers.py: positions encoded by sines and cosines, a skip, directions near the end."""

    def embed(x: Any, frequencies: int) -> Any:
        made = [x]
        for power in np.linspace(0.0, frequencies - 1, frequencies):
            for function in (k.ops.sin, k.ops.cos):
                made.append(function(x * float(2.0**power)))
        return k.ops.concatenate(made, -1)

    points, views = k.Input((3,), name="points"), k.Input((3,), name="views")
    encoded = x = embed(points, 3)
    for i in range(4):
        x = L.Dense(8, activation="relu")(x)
        if i == 2:
            x = k.ops.concatenate([encoded, x], -1)
    alpha = L.Dense(1)(x)
    x = k.ops.concatenate([L.Dense(8)(x), embed(views, 2)], -1)
    x = L.Dense(4, activation="relu")(x)
    return k.Model([points, views], k.ops.concatenate([L.Dense(3)(x), alpha], -1))


@architecture(
    "StyleGAN mapping", "tf1", layers={"Dense": 4}, lines=60, ops=10, share=0.97
)
def mapping() -> Any:
    """NVlabs/stylegan, networks_stylegan.py: pixel norm, equalised learning rates, broadcast and truncated."""

    def get_weight(shape: list[int], gain: float, lrmul: float) -> Any:
        fan_in = int(np.prod(shape[:-1]))
        runtime_coef = gain / np.sqrt(fan_in) * lrmul
        init = v1.initializers.random_normal(0, 1.0 / lrmul)
        return v1.get_variable("weight", shape, initializer=init) * runtime_coef

    z = v1.placeholder(tf.float32, [None, 8], name="latents_in")
    x = z * v1.rsqrt(tf.reduce_mean(tf.square(z), axis=1, keepdims=True) + 1e-8)
    for i in range(4):
        with v1.variable_scope(f"Dense{i}"):
            w = get_weight([8, 8], np.sqrt(2), 0.01)
            b = v1.get_variable("bias", [8], initializer=v1.zeros_initializer()) * 0.01
            x = tf.matmul(x, tf.cast(w, x.dtype)) + b
            x = tf.maximum(x, x * 0.2)
    dlatents = tf.tile(x[:, np.newaxis], [1, 6, 1])
    average = v1.get_variable("dlatent_avg", [8], trainable=False)
    coefs = np.where(np.arange(6)[None, :, None] < 4, 0.7, 1.0).astype(np.float32)
    return average + (dlatents - average) * coefs
