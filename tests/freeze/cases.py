"""Small training graphs with the traps that real ones have; each saves a checkpoint and says what evaluation computes.

A case builds its graph in the default graph and returns ``Case(output, feeds, reference, settings)``: the tensor to freeze, the data
to feed, the tensor that the author would evaluate, and what the author would feed to switch the graph to evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from tf_keras.src.layers.rnn import legacy_cell_wrappers as wrappers
from tf_keras.src.layers.rnn import legacy_cells as cells

v1 = tf.compat.v1


@dataclass
class Case:
    output: str
    feeds: dict[str, Any]
    reference: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    initialisers: tuple[str, ...] = ()
    write_version: int = 2
    saved: Any = None
    steps: tuple[str, ...] = ()


def data(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype("f")


def weight(name: str, shape: list[int], **options: Any) -> Any:
    options.setdefault("use_resource", False)
    return v1.get_variable(
        name, shape, initializer=v1.random_normal_initializer(seed=3), **options
    )


def moving(name: str, size: int, value: float, resource: bool) -> Any:
    start = v1.constant_initializer(value)
    return v1.get_variable(
        name, [size], initializer=start, trainable=False, use_resource=resource
    )


def _cond_batch_norm(resource: bool) -> Case:
    x = v1.placeholder(tf.float32, [None, 4], name="x")
    mode = v1.placeholder(tf.bool, [], name="is_training")
    mean = moving("bn/mean", 3, 0.5, resource)
    variance = moving("bn/variance", 3, 2.0, resource)
    h = tf.matmul(x, weight("w", [4, 3], use_resource=resource))

    def batch():
        m, v = tf.nn.moments(h, [0])
        updates = [
            v1.assign_sub(mean, (mean - m) * 0.1),
            v1.assign_sub(variance, (variance - v) * 0.1),
        ]
        with tf.control_dependencies(updates):
            return tf.identity(m), tf.identity(v)

    m, v = v1.cond(mode, batch, lambda: (tf.identity(mean), tf.identity(variance)))
    tf.identity(tf.nn.batch_normalization(h, m, v, None, None, 1e-3), name="y")
    return Case("y", {"x:0": data(5, 4)}, settings={"is_training:0": False})


def cond_batch_norm_with_references() -> Case:
    """FIELD.md J: what TensorFlow's own freeze makes a graph of that TensorFlow cannot import."""
    return _cond_batch_norm(False)


def cond_batch_norm_with_resources() -> Case:
    return _cond_batch_norm(True)


def batch_norm_by_averages_in_a_cond() -> Case:
    """The batch norm of a hundred repositories: ``ema.apply([mean, variance])`` inside ``tf.cond``."""
    x = v1.placeholder(tf.float32, [None, 4], name="x")
    phase = v1.placeholder(tf.bool, [], name="phase_train")
    h = tf.matmul(x, weight("w", [4, 3]))
    m, v = tf.nn.moments(h, [0], name="moments")
    m.set_shape([3]), v.set_shape([3])
    ema = tf.train.ExponentialMovingAverage(0.5)

    def update():
        with tf.control_dependencies([ema.apply([m, v])]):
            return tf.identity(m), tf.identity(v)

    mean, variance = v1.cond(phase, update, lambda: (ema.average(m), ema.average(v)))
    tf.identity(
        tf.nn.batch_normalization(h, mean, variance, None, None, 1e-3), name="y"
    )
    return Case("y", {"x:0": data(5, 4)}, settings={"phase_train:0": False})


def _training_batch_norm(fused: bool, resource: bool) -> Case:
    x = v1.placeholder(tf.float32, [None, 4, 4, 2], name="x")
    mean = moving("bn/mean", 3, 0.5, resource)
    variance = moving("bn/variance", 3, 2.0, resource)
    gamma = weight("gamma", [3], use_resource=resource)
    h = tf.nn.conv2d(x, weight("w", [3, 3, 2, 3], use_resource=resource), 1, "SAME")
    zeros = tf.zeros([3])
    if fused:
        y, m, v = v1.nn.fused_batch_norm(h, gamma, zeros, is_training=True)
    else:
        m, v = tf.nn.moments(h, [0, 1, 2])
        y = tf.nn.batch_normalization(h, m, v, zeros, gamma, 1e-3)
    tf.nn.relu(y, name="y")
    for variable, batch in ((mean, m), (variance, v)):
        step = v1.assign_sub(variable, (variable - batch) * 0.01)
        v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, step)
    reference = tf.nn.batch_normalization(h, mean, variance, zeros, gamma, 1e-3)
    tf.nn.relu(reference, name="reference")
    return Case("y", {"x:0": data(2, 4, 4, 2)}, "reference")


def fused_batch_norm_that_only_trains() -> Case:
    return _training_batch_norm(True, False)


def fused_batch_norm_that_only_trains_with_resources() -> Case:
    return _training_batch_norm(True, True)


def decomposed_batch_norm_that_only_trains() -> Case:
    return _training_batch_norm(False, False)


def decomposed_batch_norm_that_only_trains_with_resources() -> Case:
    return _training_batch_norm(False, True)


def dropout_by_placeholder() -> Case:
    x = v1.placeholder(tf.float32, [None, 8], name="x")
    keep = v1.placeholder(tf.float32, [], name="keep_prob")
    h = v1.nn.dropout(tf.matmul(x, weight("w", [8, 6])), rate=1 - keep)
    tf.identity(tf.nn.softmax(h), name="y")
    return Case("y", {"x:0": data(3, 8)}, settings={"keep_prob:0": 1.0})


def dropout_that_is_always_on() -> Case:
    x = v1.placeholder(tf.float32, [None, 8], name="x")
    h = tf.matmul(x, weight("w", [8, 6]))
    tf.identity(tf.nn.dropout(h, 0.4), name="y")
    tf.identity(h, name="reference")
    return Case("y", {"x:0": data(3, 8)}, "reference")


def dropout_as_tensorflow_1_0_wrote_it() -> Case:
    x = v1.placeholder(tf.float32, [None, 8], name="x")
    h = tf.matmul(x, weight("w", [8, 6]))
    mask = tf.floor(0.7 + tf.random.uniform(tf.shape(h)))
    tf.multiply(tf.divide(h, 0.7), mask, name="y")
    tf.identity(h, name="reference")
    return Case("y", {"x:0": data(3, 8)}, "reference")


def moving_averages_of_the_weights() -> Case:
    x = v1.placeholder(tf.float32, [None, 4], name="x")
    w = weight("w", [4, 3])
    y = tf.matmul(x, w, name="y")
    loss = tf.reduce_mean(tf.square(y))
    step = v1.train.GradientDescentOptimizer(0.1).minimize(loss)
    ema = tf.train.ExponentialMovingAverage(0.9)
    with tf.control_dependencies([step]):
        ema.apply([w])
    tf.matmul(x, ema.average(w), name="reference")
    return Case(
        "y", {"x:0": data(3, 4)}, "reference", steps=("ExponentialMovingAverage",)
    )


def partitioned_variables() -> Case:
    x = v1.placeholder(tf.float32, [None, 10], name="x")
    with v1.variable_scope("p", partitioner=v1.fixed_size_partitioner(3)):
        w = weight("w", [10, 4])
    tf.matmul(x, tf.convert_to_tensor(w), name="y")
    return Case("y", {"x:0": data(2, 10)})


def embedding_of_partitions() -> Case:
    ids = v1.placeholder(tf.int32, [None], name="ids")
    with v1.variable_scope("p", partitioner=v1.fixed_size_partitioner(2)):
        table = weight("table", [10, 4], use_resource=True)
    v1.nn.embedding_lookup(table, ids, name="y")
    tf.identity(v1.nn.embedding_lookup(table, ids), name="out")
    return Case("out", {"ids:0": np.int32([1, 7, 9, 0])})


def checkpoint_of_version_1() -> Case:
    x = v1.placeholder(tf.float32, [None, 10], name="x")
    tf.matmul(x, weight("w", [10, 4]), name="y")
    return Case("y", {"x:0": data(2, 10)}, write_version=1)


def embedding_with_resource_gather() -> Case:
    ids = v1.placeholder(tf.int64, [None, 3], name="ids")
    table = weight("table", [20, 5], use_resource=True)
    tf.reduce_sum(tf.nn.embedding_lookup(table, ids), 1, name="y")
    return Case("y", {"ids:0": np.int64([[0, 19, 3], [4, 5, 6]])})


def shape_of_a_resource_variable() -> Case:
    x = v1.placeholder(tf.float32, [None, 4], name="x")
    w = weight("w", [4, 3], use_resource=True)
    shape = tf.raw_ops.VariableShape(input=w.handle)
    ready = tf.raw_ops.VarIsInitializedOp(resource=w.handle)
    scale = tf.where(ready, tf.cast(shape[1], tf.float32), -1.0)
    tf.multiply(tf.matmul(x, w), scale, name="y")
    return Case("y", {"x:0": data(2, 4)})


def _lstm(steps: Any, x: Any, resource: bool) -> Any:
    kernel = weight("lstm/kernel", [7, 16], use_resource=resource)
    zeros = tf.zeros([tf.shape(x)[1], 4])
    reads = tf.TensorArray(tf.float32, steps).unstack(x)

    def body(i, h, c, out):
        z = tf.matmul(tf.concat([reads.read(i), h], 1), kernel)
        a, j, f, o = tf.split(z, 4, 1)
        c = c * tf.sigmoid(f + 1.0) + tf.sigmoid(a) * tf.tanh(j)
        h = tf.tanh(c) * tf.sigmoid(o)
        return i + 1, h, c, out.write(i, h)

    start = (0, zeros, zeros, tf.TensorArray(tf.float32, steps))
    return v1.while_loop(lambda i, *_: i < steps, body, start)[3].stack()


def recurrent_loop_with_references() -> Case:
    x = v1.placeholder(tf.float32, [5, None, 3], name="x")
    tf.identity(_lstm(5, x, False), name="y")
    return Case("y", {"x:0": data(5, 2, 3)})


def recurrent_loop_with_resources() -> Case:
    x = v1.placeholder(tf.float32, [5, None, 3], name="x")
    tf.identity(_lstm(5, x, True), name="y")
    return Case("y", {"x:0": data(5, 2, 3)})


def loop_of_tensorflow_2() -> Case:
    v1.enable_control_flow_v2()
    try:
        return recurrent_loop_with_resources()
    finally:
        v1.disable_control_flow_v2()


def dropout_in_a_loop_of_tensorflow_2() -> Case:
    v1.enable_control_flow_v2()
    x = v1.placeholder(tf.float32, [None, 4], name="x")
    w = weight("w", [4, 4], use_resource=True)
    loops = [
        v1.while_loop(
            lambda i, a: i < 3, lambda i, a: (i + 1, drop(tf.tanh(a @ w))), [0, x]
        )[1]
        for drop in (lambda a: tf.nn.dropout(a, 0.4), tf.identity)
    ]
    v1.disable_control_flow_v2()
    tf.identity(loops[0], name="y")
    tf.identity(loops[1], name="reference")
    return Case("y", {"x:0": data(3, 4)}, "reference")


def branches_of_tensorflow_2() -> Case:
    v1.enable_control_flow_v2()
    x = v1.placeholder(tf.float32, [None, 4], name="x")
    a, b = (weight(n, [4, 4], use_resource=True) for n in "ab")

    def nested():
        inner = tf.cond(
            tf.reduce_sum(x) > 1e9, lambda: x, lambda: tf.gather(b, [0, 1, 2, 3])
        )
        return tf.matmul(x, inner)

    y = v1.cond(tf.reduce_sum(x) > -1e9, nested, lambda: tf.matmul(x, a))
    cases = [lambda: y, lambda: tf.matmul(y, a), lambda: y * tf.reduce_sum(b)]
    tf.identity(v1.switch_case(tf.shape(x)[0] - 2, cases), name="y")
    v1.disable_control_flow_v2()
    return Case("y", {"x:0": data(3, 4)})


def variables_captured_by_functions() -> Case:
    x = v1.placeholder(tf.float32, [None, 4], name="x")
    w = weight("w", [4, 4], use_resource=True)

    @tf.function
    def inner(v):
        return tf.matmul(v, w)

    @tf.function
    def outer(v):
        for _ in tf.range(2):
            v = inner(v) * 0.5
        return v

    tf.identity(outer(x), name="y")
    return Case("y", {"x:0": data(3, 4)})


def lstm_by_dynamic_rnn() -> Case:
    """Sequence lengths, two layers, dropout around the cells: all inside the loop."""
    x = v1.placeholder(tf.float32, [None, 5, 3], name="x")
    lengths = v1.placeholder(tf.int32, [None], name="lengths")
    keep = v1.placeholder(tf.float32, [], name="keep_prob")
    stack = [
        wrappers.DropoutWrapper(cells.LSTMCell(4), output_keep_prob=keep)
        for _ in range(2)
    ]
    y, _ = v1.nn.dynamic_rnn(cells.MultiRNNCell(stack), x, lengths, dtype=tf.float32)
    tf.identity(y, name="y")
    feeds = {"x:0": data(3, 5, 3), "lengths:0": np.int32([5, 2, 3])}
    return Case("y", feeds, settings={"keep_prob:0": 1.0})


def gru_by_static_rnn() -> Case:
    x = v1.placeholder(tf.float32, [None, 4, 3], name="x")
    y, _ = v1.nn.static_rnn(cells.GRUCell(5), tf.unstack(x, axis=1), dtype=tf.float32)
    tf.concat(y, 1, name="y")
    return Case("y", {"x:0": data(2, 4, 3)})


def bidirectional_lstm() -> Case:
    x = v1.placeholder(tf.float32, [None, 4, 3], name="x")
    y, _ = v1.nn.bidirectional_dynamic_rnn(
        cells.BasicLSTMCell(3), cells.BasicLSTMCell(3), x, dtype=tf.float32
    )
    tf.concat(y, 2, name="y")
    return Case("y", {"x:0": data(2, 4, 3)})


def translation_from_sequence_to_sequence() -> Case:
    """An encoder, and a decoder that feeds its own words back: embeddings inside and outside of loops."""
    words = v1.placeholder(tf.int32, [None, 6], name="words")
    table, out = weight("table", [11, 4]), weight("out", [5, 11])
    _, state = v1.nn.dynamic_rnn(
        cells.GRUCell(5), tf.nn.embedding_lookup(table, words), dtype=tf.float32
    )
    with v1.variable_scope("decoder"):
        cell = cells.GRUCell(5)
        cell.build([None, 4])

    def step(i, word, h, scores):
        _, h = cell(tf.nn.embedding_lookup(table, word), h)
        logits = tf.matmul(h, out)
        word = tf.argmax(logits, 1, output_type=tf.int32)
        return i + 1, word, h, scores.write(i, logits)

    start = (0, tf.zeros_like(words[:, 0]), state, tf.TensorArray(tf.float32, 4))
    scores = v1.while_loop(lambda i, *_: i < 4, step, start)[3].stack()
    tf.identity(scores, name="y")
    return Case("y", {"words:0": np.int32([[1, 2, 3, 4, 5, 10], [0, 0, 7, 7, 9, 1]])})


def queue() -> Case:
    images = tf.constant(data(6, 4))
    queue = v1.FIFOQueue(10, [tf.float32, tf.int32], shapes=[[4], []], name="queue")
    queue.enqueue_many([images, tf.range(6)])
    batch, labels = queue.dequeue_many(3, name="batch")
    tf.matmul(batch, weight("w", [4, 2]), name="y")
    tf.identity(labels)
    return Case("y", {"batch:0": data(3, 4)})


def iterator() -> Case:
    dataset = tf.data.Dataset.from_tensor_slices(
        (data(6, 4), np.arange(6, dtype="i"))
    ).batch(2)
    images, labels = v1.data.make_initializable_iterator(dataset).get_next("next")
    tf.matmul(images, weight("w", [4, 2]), name="y")
    tf.identity(labels)
    return Case("y", {"next:0": data(3, 4)})


def lookup_table() -> Case:
    words = v1.placeholder(tf.string, [None], name="words")
    keys = tf.constant(["cat", "dog", "cow"])
    values = tf.constant([0, 1, 2], tf.int64)
    init = tf.lookup.KeyValueTensorInitializer(keys, values)
    table = tf.lookup.StaticHashTable(init, 2)
    tf.gather(weight("w", [3, 4]), table.lookup(words), name="y")
    return Case("y", {"words:0": np.array([b"cow", b"dog", b"wolf"], object)})


def assertions_and_summaries() -> Case:
    x = v1.placeholder(tf.float32, [None, 4], name="x")
    check = v1.assert_less(x, 1e9)
    with tf.control_dependencies([check]):
        h = tf.identity(x)
    h = tf.debugging.check_numerics(tf.matmul(h, weight("w", [4, 2])), "bad")
    h = v1.Print(h, [h])
    v1.summary.histogram("h", h)
    tf.stop_gradient(h, name="y")
    return Case("y", {"x:0": data(3, 4)})


def generator_and_discriminator() -> Case:
    z = v1.placeholder(tf.float32, [None, 4], name="z")
    real = v1.placeholder(tf.float32, [None, 6], name="real")
    fake = tf.tanh(tf.matmul(z, weight("g/w", [4, 6])), name="fake")
    d = weight("d/w", [6, 1])
    scores = [tf.matmul(images, d) for images in (fake, real)]
    loss = tf.reduce_mean(tf.nn.softplus(scores[0]) + tf.nn.softplus(-scores[1]))
    v1.train.AdamOptimizer().minimize(loss)
    return Case("fake", {"z:0": data(3, 4)})


def towers() -> Case:
    x = v1.placeholder(tf.float32, [None, 4], name="x")
    outputs = []
    for i in range(2):
        with tf.device(f"/gpu:{i}"), v1.variable_scope("net", reuse=i > 0):
            part = tf.split(tf.concat([x, x], 0), 2)[i]
            outputs.append(tf.matmul(part, weight("w", [4, 2]), name=f"tower{i}"))
    tf.add_n(outputs, name="y")
    return Case("y", {"x:0": data(3, 4)})


def accumulated_in_a_temporary_variable() -> Case:
    x = v1.placeholder(tf.float32, [3, 4], name="x")
    parts = [tf.matmul(x, weight(f"w{i}", [4, 4])) for i in range(3)]
    variable = tf.raw_ops.TemporaryVariable(
        shape=[3, 4], dtype=tf.float32, var_name="t"
    )
    start = tf.raw_ops.Assign(ref=variable, value=tf.zeros([3, 4]))
    adds = [tf.raw_ops.AssignAdd(ref=start, value=p, use_locking=True) for p in parts]
    with tf.control_dependencies(adds):
        total = tf.raw_ops.DestroyTemporaryVariable(ref=start, var_name="t")
    tf.identity(total, name="y")
    return Case("y", {"x:0": data(3, 4)})


def a_value_that_is_assigned_on_the_way() -> Case:
    x = v1.placeholder(tf.float32, [2, 4], name="x")
    state = weight("state", [2, 4])
    tf.multiply(v1.assign(state, x * 2.0), weight("w", [4]), name="y")
    return Case("y", {"x:0": data(2, 4)})


CASES = [
    accumulated_in_a_temporary_variable,
    a_value_that_is_assigned_on_the_way,
    assertions_and_summaries,
    batch_norm_by_averages_in_a_cond,
    bidirectional_lstm,
    branches_of_tensorflow_2,
    checkpoint_of_version_1,
    cond_batch_norm_with_references,
    cond_batch_norm_with_resources,
    decomposed_batch_norm_that_only_trains,
    decomposed_batch_norm_that_only_trains_with_resources,
    dropout_as_tensorflow_1_0_wrote_it,
    dropout_by_placeholder,
    dropout_in_a_loop_of_tensorflow_2,
    dropout_that_is_always_on,
    embedding_of_partitions,
    embedding_with_resource_gather,
    fused_batch_norm_that_only_trains,
    fused_batch_norm_that_only_trains_with_resources,
    generator_and_discriminator,
    gru_by_static_rnn,
    iterator,
    lookup_table,
    lstm_by_dynamic_rnn,
    loop_of_tensorflow_2,
    moving_averages_of_the_weights,
    partitioned_variables,
    queue,
    recurrent_loop_with_references,
    recurrent_loop_with_resources,
    shape_of_a_resource_variable,
    towers,
    translation_from_sequence_to_sequence,
    variables_captured_by_functions,
]
