"""Twenty models as people write and save them, which no part of the export was made on: a second set of unseen ones beside ``heldout``.

python -m tests.export.handwritten FOLDER [TARGET ...]     a line for each export, and how many are equal
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from .heldout import equal

v1 = tf.compat.v1
Made = tuple[Path, list[str]]
RNG = np.random.default_rng(20_17)


def weights(*shape: int) -> np.ndarray:
    return (RNG.normal(size=shape) / np.sqrt(np.prod(shape[:-1]) or 1)).astype("f")


def _variable(name: str, *shape: int) -> Any:
    return v1.get_variable(name, initializer=weights(*shape), use_resource=False)


def _checkpoint(folder: Path, build: Callable[[], Any]) -> Made:
    """A training checkpoint, its .meta beside it: a loss, an optimizer, summaries."""
    v1.disable_control_flow_v2()
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(3)
        loss, outputs = build()
        v1.train.AdamOptimizer(1e-3).minimize(loss, v1.train.create_global_step())
        v1.summary.scalar("loss", loss)
        session.run(v1.global_variables_initializer())
        path = v1.train.Saver().save(session, str(folder / "model.ckpt"), 100)
    v1.enable_control_flow_v2()
    return Path(path), outputs


def _frozen(folder: Path, build: Callable[[], list[str]]) -> Made:
    v1.disable_control_flow_v2()
    with tf.Graph().as_default() as graph:
        outputs = build()
    v1.enable_control_flow_v2()
    path = folder / "frozen.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path, outputs


def _application(folder: Path, name: str, size: int) -> Made:
    import keras

    keras.utils.set_random_seed(5)
    options = {"weights": None, "input_shape": (size, size, 3), "classes": 12}
    options["classifier_activation"] = None  # else all classes are alike
    net = getattr(keras.applications, name)(**options)
    for layer in net.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            sizes = [each.shape for each in layer.get_weights()]
            layer.set_weights([RNG.uniform(0.5, 1.5, size) for size in sizes])
    net.export(str(folder / "saved"), verbose=False)
    return folder / "saved", []


def _keras(folder: Path, build: Callable[[Any], Any]) -> Made:
    import keras

    keras.utils.set_random_seed(6)
    build(keras).export(str(folder / "saved"), verbose=False)
    return folder / "saved", []


def _module(folder: Path, **signatures: Any) -> Made:
    module = tf.Module()
    module.parts = [part for each in signatures.values() for part in each.parts]
    tf.saved_model.save(module, str(folder / "saved"), signatures=signatures)
    return folder / "saved", []


def alexnet() -> tuple[Any, list[str]]:
    x = v1.placeholder(tf.float32, [None, 32, 32, 3], name="x")
    labels = v1.placeholder(tf.int64, [None], name="labels")
    keep = v1.placeholder(tf.float32, name="keep_prob")
    y = tf.nn.bias_add(
        tf.nn.conv2d(x, _variable("c1/w", 5, 5, 3, 16), 1, "SAME"),
        _variable("c1/b", 16),
    )
    y = tf.nn.lrn(
        tf.nn.max_pool2d(tf.nn.relu(y), 3, 2, "SAME"),
        4,
        bias=1.0,
        alpha=1e-3,
        beta=0.75,
    )
    y = tf.nn.relu(
        tf.nn.conv2d(y, _variable("c2/w", 3, 3, 16, 32), 2, "VALID")
        + _variable("c2/b", 32)
    )
    y = tf.reshape(y, [-1, 7 * 7 * 32])
    y = v1.nn.dropout(
        tf.nn.relu(y @ _variable("f1/w", 1568, 64) + _variable("f1/b", 64)), keep
    )
    logits = tf.add(y @ _variable("f2/w", 64, 10), _variable("f2/b", 10), name="logits")
    tf.nn.softmax(logits, name="prediction")
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return tf.reduce_mean(loss), ["prediction"]


def static_lstm() -> tuple[Any, list[str]]:
    """A sentiment net: an LSTM written out step by step over int64 words."""
    ids = v1.placeholder(tf.int64, [None, 6], name="ids")
    labels = v1.placeholder(tf.int64, [None], name="labels")
    words = tf.nn.embedding_lookup(_variable("embedding", 50, 12), ids)
    kernel, bias = _variable("lstm/kernel", 12 + 16, 64), _variable("lstm/bias", 64)
    batch = tf.shape(ids)[0]
    c = h = tf.zeros([batch, 16])
    for x in tf.unstack(words, 6, 1):
        i, j, f, o = tf.split(tf.concat([x, h], 1) @ kernel + bias, 4, 1)
        c = c * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
        h = tf.tanh(c) * tf.sigmoid(o)
    logits = h @ _variable("out", 16, 2)
    tf.nn.softmax(logits, name="sentiment")
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return tf.reduce_mean(loss), ["sentiment"]


def _steps(
    x: Any, length: int, kernel: Any, units: int, lengths: Any = None
) -> tuple[Any, Any]:
    """TensorFlow 1's dynamic_rnn, by hand: a frame over TensorArrays, states kept beyond a sequence's end."""
    turned = tf.transpose(x, [1, 0, 2])
    read = tf.TensorArray(tf.float32, length).unstack(turned)
    start = tf.zeros([tf.shape(x)[0], units])

    def step(t: Any, h: Any, written: Any) -> tuple[Any, Any, Any]:
        new = tf.tanh(tf.concat([read.read(t), h], 1) @ kernel)
        if lengths is not None:
            new = tf.where(tf.tile(tf.expand_dims(t < lengths, 1), [1, units]), new, h)
        return t + 1, new, written.write(t, new)

    first = (tf.constant(0), start, tf.TensorArray(tf.float32, length))
    _, state, written = v1.while_loop(lambda t, *_: t < length, step, first)
    return tf.transpose(written.stack(), [1, 0, 2]), state


def dynamic_rnn() -> tuple[Any, list[str]]:
    x = v1.placeholder(tf.float32, [None, 7, 5], name="x")
    lengths = v1.placeholder(tf.int32, [None], name="lengths")
    target = v1.placeholder(tf.float32, [None, 3], name="target")
    with v1.variable_scope("rnn"):
        _, state = _steps(x, 7, _variable("kernel", 13, 8), 8, lengths)
    y = tf.add(state @ _variable("out", 8, 3), _variable("bias", 3), name="y")
    return tf.reduce_mean(tf.square(y - target)), ["y"]


def both_ways() -> list[str]:
    x = v1.placeholder(tf.float32, [2, 6, 4], name="x")
    ahead, last = _steps(x, 6, tf.constant(weights(9, 5)), 5)
    back, first = _steps(tf.reverse(x, [1]), 6, tf.constant(weights(9, 5)), 5)
    tf.concat([ahead, tf.reverse(back, [1])], 2, name="sequence")
    tf.concat([last, first], 1, name="states")
    return ["sequence", "states"]


def greedy() -> list[str]:
    """A decoder that feeds each answer back, at most eight words, until the word 0."""
    state = v1.placeholder(tf.float32, [1, 8], name="state")
    table, kernel = tf.constant(weights(20, 6)), tf.constant(weights(14, 8))
    out = tf.constant(weights(8, 20))

    def step(t: Any, word: Any, h: Any, _: Any, written: Any) -> tuple[Any, ...]:
        h = tf.tanh(tf.concat([tf.gather(table, word), h], 1) @ kernel)
        word = tf.argmax(h @ out, 1, output_type=tf.int32)
        return t + 1, word, h, word[0] > 0, written.write(t, word)

    start = tf.constant(0), tf.constant([1]), state, tf.constant(True)
    loop = (*start, tf.TensorArray(tf.int32, 8, clear_after_read=False))
    end = v1.while_loop(
        lambda t, w, h, goes, a: tf.logical_and(t < 8, goes), step, loop
    )
    tf.identity(end[2], name="last_state")
    tf.identity(end[0], name="count")
    return ["last_state", "count"]


def newton() -> list[str]:
    x = v1.placeholder(tf.float32, [None], name="x")
    positive = tf.abs(x) + 0.5

    def step(y: Any, _: Any) -> tuple[Any, Any]:
        better = 0.5 * (y + positive / y)
        return better, tf.reduce_max(tf.abs(better - y))

    start = positive, tf.constant(1.0)
    shapes = tf.TensorShape([None]), tf.TensorShape([])
    root, _ = v1.while_loop(lambda _, gap: gap > 1e-5, step, start, shapes)
    tf.identity(root, name="root")
    return ["root"]


def nested_branches() -> list[str]:
    x = v1.placeholder(tf.float32, [None, 4], name="x")
    is_bright = v1.placeholder(tf.bool, [], name="is_bright")
    weight = tf.constant(weights(4, 4))

    def deep() -> Any:
        return v1.while_loop(
            lambda i, _: i < 3,
            lambda i, h: (i + 1, tf.tanh(h @ weight)),
            [tf.constant(0), x],
        )[1]

    y = v1.cond(
        is_bright,
        deep,
        lambda: v1.cond(tf.reduce_sum(x) > 0, lambda: x * 2, lambda: -x),
    )
    tf.identity(y, name="y")
    return ["y"]


def dilated() -> tuple[Any, list[str]]:
    """Causal convolutions with gates, as WaveNet's."""
    x = v1.placeholder(tf.float32, [None, 32, 4], name="audio")
    y, total = x, 0.0
    for rate in (1, 2, 4):
        padded = tf.pad(y, [[0, 0], [rate, 0], [0, 0]])
        pair = tf.nn.convolution(
            padded, _variable(f"gate{rate}", 2, 4, 8), padding="VALID", dilations=[rate]
        )
        values, gate = tf.split(pair, 2, 2)
        z = tf.tanh(values) * tf.sigmoid(gate)
        y, total = y + z, total + z
    y = tf.identity(tf.nn.relu(total) @ _variable("out", 4, 6), name="scores")
    return tf.reduce_mean(tf.square(y)), ["scores"]


def generator() -> tuple[Any, list[str]]:
    """Transposed convolutions and batch norm behind a switch."""
    z = v1.placeholder(tf.float32, [None, 10], name="z")
    training = v1.placeholder(tf.bool, [], name="training")
    y = tf.reshape(z @ _variable("project", 10, 4 * 4 * 8), [-1, 4, 4, 8])
    gamma, beta = _variable("bn/gamma", 8), _variable("bn/beta", 8)
    mean = v1.get_variable("bn/mean", initializer=weights(8), trainable=False)
    var = v1.get_variable("bn/var", initializer=np.ones(8, "f"), trainable=False)
    moments = tf.nn.moments(y, [0, 1, 2])
    used = v1.cond(
        training,
        lambda: tuple(map(tf.identity, moments)),
        lambda: (mean.read_value(), var.read_value()),
    )
    y = tf.nn.leaky_relu(tf.nn.batch_normalization(y, *used, beta, gamma, 1e-3))
    shape = tf.stack([tf.shape(z)[0], 8, 8, 3])
    image = tf.tanh(
        tf.nn.conv2d_transpose(y, _variable("up", 4, 4, 3, 8), shape, 2), name="image"
    )
    return tf.reduce_mean(tf.square(image)), ["image"]


def recurrent(keras: Any) -> Any:
    x = keras.Input([9, 5], name="x")
    y = keras.layers.LSTM(12, return_sequences=True)(x)
    return keras.Model(x, keras.layers.Dense(3)(keras.layers.GRU(8)(y)))


def tagger(keras: Any) -> Any:
    ids = keras.Input([11], dtype="int32", name="ids")
    y = keras.layers.Embedding(40, 10)(ids)
    y = keras.layers.Bidirectional(keras.layers.LSTM(6, return_sequences=True))(y)
    return keras.Model(ids, keras.layers.Dense(5, activation="softmax")(y))


def attentive(keras: Any) -> Any:
    x = keras.Input([10, 16], name="x")
    y = keras.layers.MultiHeadAttention(4, 4)(x, x, use_causal_mask=True)
    y = keras.layers.LayerNormalization()(x + y)
    z = keras.layers.Dense(16)(keras.layers.Dense(32, activation="gelu")(y))
    y = keras.layers.LayerNormalization()(y + z)
    return keras.Model(x, keras.layers.GlobalAveragePooling1D()(y))


def texts(folder: Path) -> Made:
    keys = tf.constant(["the", "cat", "sat", "on", "mat"])
    filling = tf.lookup.KeyValueTensorInitializer(keys, tf.range(1, 6, dtype=tf.int64))
    table = tf.lookup.StaticHashTable(filling, 0)
    embedding = tf.Variable(weights(6, 8))

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.string, "words")])
    def classify(words: Any) -> dict[str, Any]:
        vectors = tf.gather(embedding, table.lookup(words))
        return {"probabilities": tf.nn.softmax(tf.reduce_mean(vectors, 1))}

    classify.parts = [table, embedding]
    np.savez(
        folder / "feeds.npz",
        words=np.array([["the", "cat", "sat", "dog"], ["mat", "on", "no", "the"]], "S"),
    )
    return _module(folder, serving_default=classify)


def shops(folder: Path) -> Made:
    """int64 keys to rows of a table, and a one-hot of the weekday."""
    filling = tf.lookup.KeyValueTensorInitializer(
        tf.constant([100, 205, 317], tf.int64), tf.constant([1, 2, 3], tf.int64)
    )
    table = tf.lookup.StaticHashTable(filling, 0)
    rows = tf.Variable(weights(4, 6))

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.int64, "shop"),
            tf.TensorSpec([None], tf.int32, "day"),
        ]
    )
    def sales(shop: Any, day: Any) -> dict[str, Any]:
        return {
            "sales": tf.concat(
                [tf.gather(rows, table.lookup(shop)), tf.one_hot(day % 7, 7)], 1
            )
        }

    sales.parts = [table, rows]
    np.savez(
        folder / "feeds.npz",
        shop=np.array([100, 317, 5]),
        day=np.array([3, 6, 12], "i4"),
    )
    return _module(folder, serving_default=sales)


def masked(folder: Path) -> Made:
    kernel = tf.Variable(weights(8, 8))

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 5, 8], tf.float32, "x"),
            tf.TensorSpec([None, 5], tf.bool, "mask"),
        ]
    )
    def attend(x: Any, mask: Any) -> dict[str, Any]:
        scores = tf.matmul(x @ kernel, x, transpose_b=True)
        scores = tf.where(mask[:, tf.newaxis, :], scores, -1e9)
        y = tf.nn.softmax(scores) @ x
        return {
            "y": y,
            "is_large": tf.reduce_max(y, [1, 2]) > 1.0,
            "best": tf.argmax(y, 2),
        }

    attend.parts = [kernel]
    return _module(folder, serving_default=attend)


def two_doors(folder: Path) -> Made:
    """Two signatures of one set of weights, one of them with a loop that keeps what it makes."""
    kernel = tf.Variable(weights(6, 6))

    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32, "start")])
    def roll(start: Any) -> dict[str, Any]:
        states = tf.TensorArray(tf.float32, 5)
        state = start
        for t in tf.range(5):
            state = tf.tanh(state @ kernel)
            states = states.write(t, state)
        return {"states": tf.transpose(states.stack(), [1, 0, 2])}

    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32, "x")])
    def embed(x: Any) -> dict[str, Any]:
        return {"vector": tf.math.l2_normalize(x @ kernel, 1)}

    roll.parts = embed.parts = [kernel]
    return _module(folder, serving_default=roll, embed=embed)


def detector(folder: Path) -> Made:
    kernel, boxes, scores = (
        tf.Variable(weights(3, 3, 3, 8)),
        tf.Variable(weights(8, 4)),
        tf.Variable(weights(8, 1)),
    )

    @tf.function(input_signature=[tf.TensorSpec([1, 40, 40, 3], tf.uint8, "image")])
    def detect(image: Any) -> dict[str, Any]:
        x = tf.image.resize(tf.cast(image, tf.float32) / 255.0, [24, 24])
        y = tf.reshape(tf.nn.relu(tf.nn.conv2d(x, kernel, 4, "SAME")), [36, 8])
        corner, size = tf.split(tf.sigmoid(y @ boxes), 2, 1)
        found = tf.concat([corner, corner + size], 1)
        sure = tf.sigmoid(y @ scores)[:, 0]
        best = tf.image.non_max_suppression(found, sure, 5, 0.5)
        return {"boxes": tf.gather(found, best), "scores": tf.gather(sure, best)}

    detect.parts = [kernel, boxes, scores]
    return _module(folder, serving_default=detect)


MAKERS: dict[str, Callable[[Path], Made]] = {
    "alexnet": lambda folder: _checkpoint(folder, alexnet),
    "static lstm": lambda folder: _checkpoint(folder, static_lstm),
    "dynamic rnn": lambda folder: _checkpoint(folder, dynamic_rnn),
    "both ways": lambda folder: _frozen(folder, both_ways),
    "greedy": lambda folder: _frozen(folder, greedy),
    "newton": lambda folder: _frozen(folder, newton),
    "nested branches": lambda folder: _frozen(folder, nested_branches),
    "dilated": lambda folder: _checkpoint(folder, dilated),
    "generator": lambda folder: _checkpoint(folder, generator),
    "recurrent": lambda folder: _keras(folder, recurrent),
    "tagger": lambda folder: _keras(folder, tagger),
    "attentive": lambda folder: _keras(folder, attentive),
    "texts": texts,
    "shops": shops,
    "masked": masked,
    "two doors": two_doors,
    "detector": detector,
    "MobileNetV3Small": lambda folder: _application(folder, "MobileNetV3Small", 96),
    "MobileNet": lambda folder: _application(folder, "MobileNet", 64),
    "EfficientNetV2B0": lambda folder: _application(folder, "EfficientNetV2B0", 64),
}


def sources(folder: Path) -> dict[str, Made]:
    """The path and the outputs of each, by its name; each written once."""
    models = {}
    for name, make in MAKERS.items():
        place = folder / name.replace(" ", "_")
        note = place / "note.txt"
        if not note.exists():
            place.mkdir(parents=True, exist_ok=True)
            path, outputs = make(place)
            note.write_text("\n".join([str(path), *outputs]))
        first, *rest = note.read_text().split("\n")
        models[name] = Path(first), rest
    return models


if __name__ == "__main__":
    root = Path(sys.argv[1])
    written = sources(root)
    for each in sys.argv[2:] or ["savedmodel", "tfjs", "tflite", "onnx", "openvino"]:
        equal(root, written, each)
