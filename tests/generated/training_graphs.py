"""Random TensorFlow 1 training scripts: ``tf.layers``, TF-slim and raw variables under random settings, with loss, optimizer and all.

The same seed makes the evaluation graph: what a model recovered from the training checkpoint must compute.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ..architectures.legacy import layers, slim, tensorflow_1, v1
from .raw_graphs import chance, pick

Rng = np.random.Generator
INPUTS = ([None, 40, 36, 3], [None, 40, 36, 3], [None, 7], [None, None, None, 2])
ACTIVATIONS = (None, tf.nn.relu, tf.nn.relu, tf.nn.relu6, tf.nn.elu, tf.nn.tanh)
OPTIMIZERS: tuple[Callable[[], Any], ...] = (
    lambda: v1.train.GradientDescentOptimizer(0.1),
    lambda: v1.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True),
    lambda: v1.train.AdamOptimizer(),
    lambda: v1.train.RMSPropOptimizer(0.01, momentum=0.9, centered=True),
    lambda: v1.train.AdagradOptimizer(0.1),
    lambda: v1.train.FtrlOptimizer(0.1),
)


@dataclass
class Script:
    """A net under way: ``mode`` is a bool or a placeholder, ``keep`` the probability to keep."""

    rng: Rng
    mode: Any
    keep: Any
    owners: Counter[str] = field(default_factory=Counter)
    updates: list[Any] = field(default_factory=list)
    number: int = 0

    def name(self, kind: str) -> str:
        self.number += 1
        return f"{kind}{self.number}"

    def regularizer(self) -> Any:
        made = [slim.l2_regularizer(1e-3), slim.l1_regularizer(1e-4)]
        return pick(self.rng, [None, None, *made])


def is_image(x: Any) -> bool:
    return x.shape.rank == 4


def size(rng: Rng) -> int:
    return int(rng.integers(2, 7))


def window(rng: Rng) -> dict[str, Any]:
    """Strides or dilation, never both."""
    made: dict[str, Any] = {"padding": pick(rng, ["SAME", "VALID"])}
    if chance(rng, 0.3):
        made["stride"] = 2
    elif chance(rng, 0.2):
        made["rate"] = 2
    return made


def layers_step(script: Script, x: Any) -> Any:
    """One call of ``tf.layers``."""
    rng, kind = script.rng, int(script.rng.integers(6))
    if kind == 0:
        script.owners["BatchNormalization"] += 1
        options = {"center": chance(rng, 0.8), "scale": chance(rng, 0.8)}
        epsilon, momentum = pick(rng, [1e-3, 1e-5]), pick(rng, [0.99, 0.9])
        options |= {"epsilon": epsilon, "momentum": momentum, "training": script.mode}
        if chance(rng, 0.2):
            options["fused"] = False
        return layers.batch_normalization(x, **options)
    if kind == 1:
        return layers.dropout(x, pick(rng, [0.3, 0.5]), training=script.mode)
    if not is_image(x):
        script.owners["Dense"] += 1
        return layers.dense(
            x,
            size(rng),
            pick(rng, ACTIVATIONS),
            use_bias=chance(rng, 0.8),
            kernel_regularizer=script.regularizer(),
        )
    if kind == 2:
        pool = pick(rng, [layers.max_pooling2d, layers.average_pooling2d])
        return pool(x, pick(rng, [2, (3, 2)]), 2, pick(rng, ["same", "valid"]))
    options = {"activation": pick(rng, ACTIVATIONS), "use_bias": chance(rng, 0.8)}
    place = window(rng)
    options["padding"] = place["padding"]
    options["strides"] = place.get("stride", 1)
    if kind == 3 and place.get("rate") is None:
        made = pick(rng, ["conv2d_transpose", "separable_conv2d"])
        script.owners[
            "Conv2DTranspose" if made.endswith("transpose") else "SeparableConv2D"
        ] += 1
        return getattr(layers, made)(x, size(rng), 3, **options)
    script.owners["Conv2D"] += 1
    options["dilation_rate"] = place.get("rate", 1)
    options["kernel_regularizer"] = script.regularizer()
    return layers.conv2d(x, size(rng), pick(rng, [3, (1, 3), 2]), **options)


def slim_step(script: Script, x: Any) -> Any:
    """One call of TF-slim, under an arg_scope of its own."""
    rng, kind = script.rng, int(script.rng.integers(6))
    norm: dict[str, Any] = {}
    if chance(rng, 0.5):
        params = {"is_training": script.mode, "decay": pick(rng, [0.9, 0.997])}
        params |= {"scale": chance(rng), "epsilon": pick(rng, [1e-3, 1e-5])}
        if chance(rng, 0.3):
            params["updates_collections"] = None
        norm = {"normalizer_fn": slim.batch_norm, "normalizer_params": params}
    regular = slim.l2_regularizer(1e-4) if chance(rng) else None
    dense = [slim.conv2d, slim.fully_connected, slim.separable_conv2d]
    if kind == 0:
        return slim.dropout(x, 0.7, is_training=script.mode)
    if kind == 1 and is_image(x):
        pool = pick(rng, [slim.max_pool2d, slim.avg_pool2d])
        return pool(x, [2, 2], 2, padding=pick(rng, ["SAME", "VALID"]))
    with slim.arg_scope(dense, weights_regularizer=regular, **norm):
        script.owners["BatchNormalization"] += bool(norm)
        act = pick(rng, ACTIVATIONS)
        if not is_image(x):
            script.owners["Dense"] += 1
            return slim.fully_connected(x, size(rng), activation_fn=act)
        place = window(rng)
        if kind == 2:
            place["stride"] = place.get("stride", 1)
            script.owners["SeparableConv2D"] += 1
            options = {"depth_multiplier": 1, "activation_fn": act, **place}
            return slim.separable_conv2d(x, size(rng), [3, 3], **options)
        if kind == 3:
            script.owners["DepthwiseConv2D"] += 1
            options = {"depth_multiplier": 1, "activation_fn": act, **place}
            return slim.separable_conv2d(x, None, [3, 3], **options)
        script.owners["Conv2D"] += 1
        return slim.conv2d(x, size(rng), [3, 3], activation_fn=act, **place)


def raw_step(script: Script, x: Any) -> Any:
    """Variables by hand, as the tutorials of 2016 had them."""
    rng, kind = script.rng, int(script.rng.integers(4))
    width, filters = int(x.shape[-1]), size(rng)
    with v1.variable_scope(script.name("raw")):
        if kind == 0:
            return raw_norm(script, x)
        if kind == 1:
            return v1.nn.dropout(x, keep_prob=script.keep)
        start = v1.truncated_normal_initializer(stddev=0.1)
        bias = v1.get_variable("b", [filters], initializer=v1.zeros_initializer())
        act = pick(rng, ACTIVATIONS) or tf.identity
        if not is_image(x):
            script.owners["Dense"] += 1
            w = v1.get_variable("w", [width, filters], initializer=start)
            v1.add_to_collection("losses", tf.nn.l2_loss(w) * 1e-3)
            return act(tf.matmul(x, w) + bias)
        script.owners["Conv2D"] += 1
        w = v1.get_variable("w", [3, 3, width, filters], initializer=start)
        stride = [1, 1, 1, 1] if chance(rng) else [1, 2, 2, 1]
        made = tf.nn.conv2d(x, w, stride, pick(rng, ["SAME", "VALID"]))
        return act(tf.nn.bias_add(made, bias) if chance(rng) else made + bias)


def raw_norm(script: Script, x: Any) -> Any:
    """Batch normalization with an ExponentialMovingAverage and a condition."""
    script.owners["BatchNormalization"] += 1
    width = int(x.shape[-1])
    beta = v1.get_variable("beta", [width], initializer=v1.zeros_initializer())
    gamma = v1.get_variable("gamma", [width], initializer=v1.ones_initializer())
    mean, variance = tf.nn.moments(x, list(range(x.shape.rank - 1)), name="moments")
    average = tf.train.ExponentialMovingAverage(decay=0.9)

    def trained() -> Any:
        with tf.control_dependencies([average.apply([mean, variance])]):
            return tf.identity(mean), tf.identity(variance)

    def stored() -> Any:
        return average.average(mean), average.average(variance)

    mode = tf.convert_to_tensor(script.mode)
    both = v1.cond(mode, trained, stored)
    return tf.nn.batch_normalization(x, *both, beta, gamma, 1e-3)


STEPS = {"layers": layers_step, "slim": slim_step, "raw": raw_step}


def net(script: Script, x: Any) -> Any:
    """A net of one idiom, with a residual now and then, ending in logits."""
    rng = script.rng
    step = STEPS[pick(rng, [*STEPS])]
    for _ in range(int(rng.integers(2, 7))):
        with v1.variable_scope(script.name(pick(rng, ["block", "conv", "net/layer"]))):
            before, owners = x, +script.owners
            try:
                made = step(script, x)
            except ValueError:  # the map is too small by now
                script.owners = owners
                continue
            known = None not in made.shape.as_list()[1:]
            is_like = known and made.shape.as_list() == before.shape.as_list()
            x = before + made if is_like and chance(rng, 0.3) else made
    if is_image(x):
        x = tf.reduce_mean(x, [1, 2])
    script.owners["Dense"] += 1
    return tf.identity(layers.dense(x, 3, name="last"), name="logits")


def train(script: Script, logits: Any) -> None:
    """Loss, regularisation, averages of the weights, summaries, a clipped gradient step."""
    rng = script.rng
    labels = v1.placeholder(tf.int64, [None], name="labels")
    loss = v1.losses.sparse_softmax_cross_entropy(labels, logits)
    extra = v1.losses.get_regularization_losses() + v1.get_collection("losses")
    total = tf.add_n([loss, *extra], name="total")
    v1.summary.scalar("loss", total)
    step = v1.train.get_or_create_global_step()
    optimizer = pick(rng, OPTIMIZERS)()
    pairs = optimizer.compute_gradients(total)
    if chance(rng):
        pairs = [(g if g is None else tf.clip_by_norm(g, 1.0), v) for g, v in pairs]
    updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
    with tf.control_dependencies(updates):
        done = optimizer.apply_gradients(pairs, global_step=step)
    if chance(rng, 0.3):
        average = tf.train.ExponentialMovingAverage(0.99, step)
        with tf.control_dependencies([done]):
            average.apply(v1.trainable_variables())
    v1.summary.merge_all()


@dataclass(frozen=True)
class Trained:
    """Where it was saved, what it computes when it is used, and the layers that own its weights."""

    checkpoint: str
    evaluation: Path
    owners: Counter[str]


def random_training(seed: int, folder: Path) -> Trained:
    """Write a training checkpoint with its ``.meta``, and the evaluation graph, frozen.

    The weights are drawn again where the logits are the same whatever is fed, as behind a ReLU that is always 0: of
    such a net a proof can say nothing.
    """
    rng = np.random.default_rng(seed)
    shape, fed = pick(rng, INPUTS), chance(rng)
    is_constant = True
    while is_constant:
        saved, owners = training(seed, shape, fed, rng, folder)
        path, is_constant = evaluation(seed, shape, saved, folder)
    return Trained(saved, path, owners)


def training(
    seed: int, shape: Any, fed: bool, rng: Rng, folder: Path
) -> tuple[str, Counter[str]]:
    """Write the training checkpoint with weights of ``rng``; the layers that own them."""
    with tensorflow_1(), v1.Session() as session:
        x = v1.placeholder(tf.float32, shape, name="x")
        mode = v1.placeholder(tf.bool, [], name="is_training") if fed else True
        keep = v1.placeholder(tf.float32, [], name="keep_prob")
        script = Script(np.random.default_rng([seed, 1]), mode, keep)
        train(script, net(script, x))
        session.run(v1.global_variables_initializer())
        for variable in v1.global_variables():
            variable.load(weight(variable, rng), session)
        saved = v1.train.Saver().save(session, str(folder / "model.ckpt"))
    return saved, +script.owners


def weight(variable: Any, rng: Rng) -> np.ndarray:
    shape = tuple(variable.shape.as_list())
    if not variable.dtype.is_floating:
        return np.array(3, variable.dtype.base_dtype.as_numpy_dtype)
    if "ariance" in variable.op.name or "moments/Squeeze_1" in variable.op.name:
        return rng.uniform(0.5, 1.5, shape).astype("f")
    return rng.normal(1 if "gamma" in variable.op.name else 0, 0.3, shape).astype("f")


def evaluation(seed: int, shape: Any, saved: str, folder: Path) -> tuple[Path, bool]:
    """Write the evaluation graph; whether its logits are the same for every input."""
    plain = v1.ConfigProto()  # TensorFlow's optimizer fuses what no kernel of it runs
    plain.graph_options.rewrite_options.disable_meta_optimizer = True
    with tensorflow_1(), v1.Session(config=plain) as session:
        x = v1.placeholder(tf.float32, shape, name="x")
        logits = net(
            Script(np.random.default_rng([seed, 1]), False, tf.constant(1.0)), x
        )
        saver = v1.train.Saver()
        saver.restore(session, saved)
        path = Path(saver.save(session, str(folder / "evaluation.ckpt")))
        sizes = [16, *(each or 32 for each in shape[1:])]
        inputs = np.random.default_rng(0).normal(scale=3, size=sizes)
        values = session.run(logits, {x: inputs})
    return path, bool((values == values[0]).all())
