"""Faces: embeddings trained by classes and centres."""

from __future__ import annotations

from ..zoo import Fetches, fetch, fifth, layers
from ..zoo import v1 as tf
from .vision import decay_of

_sparse = tf.nn.sparse_softmax_cross_entropy_with_logits


@fifth
def faces_by_softmax_and_centres() -> Fetches:
    """davidsandberg/facenet train_softmax.py: 'embeddings' is what validate_on_lfw.py and compare.py run."""
    step = tf.Variable(0, trainable=False)
    rate = tf.placeholder(tf.float32, name="learning_rate")
    size = tf.placeholder(tf.int32, name="batch_size")
    phase = tf.placeholder(tf.bool, name="phase_train")
    paths = tf.placeholder(tf.string, (None, 1), name="image_paths")
    classes = tf.placeholder(tf.int32, (None, 1), name="labels")
    queue = tf.FIFOQueue(20, [tf.string, tf.int32], [(1,), (1,)])
    queue.enqueue_many([paths, classes], name="enqueue_op")
    names, labels = queue.dequeue_many(size)

    def read(name):
        return tf.image.decode_png(tf.read_file(name[0]), channels=3)

    images = tf.map_fn(
        lambda n: tf.cast(read(n)[:12, :12], tf.float32), names, tf.float32
    )
    images.set_shape([None, 12, 12, 3])
    images = tf.identity(tf.identity(images, "image_batch"), "input")
    labels = tf.identity(tf.squeeze(labels, 1), "label_batch")
    h = layers.conv2d(images, 8, 3, 2, use_bias=False)
    h = tf.nn.relu(layers.batch_normalization(h, training=phase))
    h = layers.dropout(layers.flatten(h), 0.2, training=phase)
    prelogits = layers.dense(h, 6, name="Bottleneck")
    logits = layers.dense(prelogits, 5, name="Logits")
    embeddings = tf.nn.l2_normalize(prelogits, 1, 1e-10, name="embeddings")
    norm = tf.reduce_mean(tf.norm(tf.abs(prelogits) + 1e-4, ord=1.0, axis=1))
    centers = tf.get_variable(
        "centers", [5, 6], trainable=False, initializer=tf.zeros_initializer()
    )
    own = tf.gather(centers, tf.reshape(labels, [-1]))
    moved = tf.scatter_sub(centers, labels, 0.05 * (own - prelogits))
    with tf.control_dependencies([moved]):
        centre = tf.reduce_mean(tf.square(prelogits - own))
    decayed = tf.train.exponential_decay(rate, step, 100, 1.0, staircase=True)
    tf.summary.scalar("learning_rate", decayed)
    ce = _sparse(labels=labels, logits=logits, name="cross_entropy_per_example")
    mean = tf.reduce_mean(ce, name="cross_entropy")
    right = tf.cast(
        tf.equal(tf.argmax(logits, 1), tf.cast(labels, tf.int64)), tf.float32
    )
    tf.reduce_mean(right)
    total = tf.add_n(
        [mean, norm * 5e-4, centre * 0.01, decay_of(tf.trainable_variables())],
        name="total_loss",
    )
    averages = tf.train.ExponentialMovingAverage(0.9, name="avg")
    with tf.control_dependencies([averages.apply([mean, total])]):
        adagrad = tf.train.AdagradOptimizer(decayed)
        grads = adagrad.compute_gradients(total, tf.trainable_variables())
    applied = adagrad.apply_gradients(grads, global_step=step)
    shadows = tf.train.ExponentialMovingAverage(0.999, step)
    with tf.control_dependencies([applied, shadows.apply(tf.trainable_variables())]):
        tf.no_op(name="train")
    tf.train.Saver(tf.trainable_variables())
    return fetch(embeddings, labels=[labels])
