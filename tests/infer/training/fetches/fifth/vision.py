"""Pictures and points: classes, segments, boxes, faces, larger pictures."""

from __future__ import annotations

import numpy as np

from ..zoo import Fetches, fetch, fifth, layers
from ..zoo import v1 as tf

_sparse = tf.nn.sparse_softmax_cross_entropy_with_logits


def queued(*specs):
    """What a queue of examples gives: ``(shape, dtype)`` each, in batches of 2."""
    parts = [tf.placeholder(dtype, shape) for shape, dtype in specs]
    queue = tf.FIFOQueue(8, [p.dtype for p in parts], [p.shape for p in parts])
    queue.enqueue(parts)
    batch = queue.dequeue_many(2)
    return batch if len(parts) > 1 else [batch]


def decay_of(weights, amount=5e-4):
    """A sum of L2 losses."""
    return tf.add_n([amount * tf.nn.l2_loss(v) for v in weights])


def _averaged_norm(x, training, scope):
    """charlesq34's batch_norm_template: its averages are an ExponentialMovingAverage's shadows, chosen by tf.cond."""
    with tf.variable_scope(scope):
        n = int(x.shape[-1])
        beta = tf.Variable(tf.zeros([n]), name="beta")
        gamma = tf.Variable(tf.ones([n]), name="gamma")
        mean, variance = tf.nn.moments(x, [0, 1, 2], name="moments")
        ema = tf.train.ExponentialMovingAverage(0.9)
        apply = tf.cond(
            training, lambda: ema.apply([mean, variance]), lambda: tf.no_op()
        )

        def update():
            with tf.control_dependencies([apply]):
                return tf.identity(mean), tf.identity(variance)

        def stored():
            return (ema.average(mean), ema.average(variance))

        m, v = tf.cond(training, update, stored)
        return tf.nn.batch_normalization(x, m, v, beta, gamma, 1e-3)


@fifth
def points_turned_by_a_small_net() -> Fetches:
    """charlesq34/pointnet train.py: eval_one_epoch runs ``ops['pred']``."""
    cloud = tf.placeholder(tf.float32, [4, 16, 3])
    labels = tf.placeholder(tf.int32, [4])
    training = tf.placeholder(tf.bool, shape=())
    batch = tf.Variable(0)
    tf.summary.scalar("bn_decay", tf.minimum(0.99, 1 - 0.5 / tf.to_float(batch + 1)))

    def conv(x, n, size, scope):
        with tf.variable_scope(scope):
            w = tf.get_variable("weights", [*size, int(x.shape[-1]), n])
            tf.add_to_collection("losses", tf.nn.l2_loss(w) * 0.0)
            b = tf.get_variable("biases", [n])
            x = tf.nn.bias_add(tf.nn.conv2d(x, w, [1, 1, 1, 1], "VALID"), b)
            return tf.nn.relu(_averaged_norm(x, training, "bn"))

    image = tf.expand_dims(cloud, -1)
    with tf.variable_scope("transform_net1"):
        h = tf.nn.max_pool(
            conv(image, 8, [1, 3], "tconv1"), [1, 16, 1, 1], [1] * 4, "VALID"
        )
        h = tf.reshape(h, [4, -1])
        w = tf.get_variable("transform_XYZ/weights", [8, 9])
        transform = tf.reshape(
            tf.matmul(h, w) + np.eye(3, dtype=np.float32).ravel(), [4, 3, 3]
        )
    turned = tf.expand_dims(tf.matmul(cloud, transform), -1)
    h = conv(conv(turned, 8, [1, 3], "conv1"), 12, [1, 1], "conv2")
    h = tf.reshape(
        tf.nn.max_pool(h, [1, 16, 1, 1], [1] * 4, "VALID", name="maxpool"), [4, -1]
    )
    h = layers.dense(h, 10, tf.nn.relu)

    def dropped():
        return tf.nn.dropout(h, 0.7)

    h = tf.cond(training, dropped, lambda: h)
    pred = layers.dense(h, 5)
    loss = tf.reduce_mean(_sparse(logits=pred, labels=labels))
    tf.summary.scalar("classify loss", loss)
    apart = tf.matmul(transform, tf.transpose(transform, perm=[0, 2, 1])) - np.eye(
        3, dtype=np.float32
    )
    penalty = tf.nn.l2_loss(apart)
    tf.summary.scalar("mat loss", penalty)
    correct = tf.equal(tf.argmax(pred, 1), tf.to_int64(labels))
    tf.summary.scalar("accuracy", tf.reduce_sum(tf.cast(correct, tf.float32)) / 4.0)
    rate = tf.train.exponential_decay(0.001, batch * 4, 2000, 0.7, staircase=True)
    rate = tf.maximum(rate, 0.00001)
    tf.summary.scalar("learning_rate", rate)
    tf.train.AdamOptimizer(rate).minimize(loss + penalty * 0.001, global_step=batch)
    tf.summary.merge_all()
    return fetch(pred, labels=[labels])


@fifth
def larger_picture_added_to_bicubic() -> Fetches:
    """jiny2001/dcscn-super-resolution: load_graph reads 'output:0'; x, x2 and the dropout rate are fed."""
    x = tf.placeholder(tf.float32, [1, None, None, 1], name="x")
    y = tf.placeholder(tf.float32, [1, None, None, 1], name="y")
    x2 = tf.placeholder(tf.float32, [1, None, None, 1], name="x2")
    keep = tf.placeholder(tf.float32, [], name="dropout_keep_rate")
    tf.placeholder(tf.bool, name="is_training")
    weights = []

    def conv(v, n, size, scope, active=True):
        with tf.variable_scope(scope):
            w = tf.Variable(
                tf.truncated_normal([size, size, int(v.shape[-1]), n]), name="conv_W"
            )
            b = tf.Variable(tf.zeros([n]), name="conv_B")
            weights.append(w)
            tf.summary.histogram("weights", w)
            v = tf.nn.bias_add(
                tf.nn.conv2d(v, w, [1] * 4, "SAME"), b, name=scope + "_add"
            )
            if active:
                slope = tf.Variable(tf.zeros([n]), name="prelu")
                v = tf.nn.relu(v) + tf.multiply(slope, v - tf.abs(v)) * 0.5
                v = tf.nn.dropout(v, keep, name="dropout")
            return v

    parts = [conv(x, 6, 3, "CNN1")]
    parts.append(conv(parts[-1], 4, 3, "CNN2"))
    with tf.variable_scope("Concat"):
        joined = tf.concat(parts, 3, name="H_concat")
    a, b = conv(joined, 4, 1, "A1"), conv(conv(joined, 3, 1, "B1"), 3, 3, "B2")
    up = tf.depth_to_space(
        conv(tf.concat([b, a], 3, name="Concat2"), 28, 3, "Up-PS", False), 2
    )
    y_ = tf.add(conv(up, 1, 3, "R-CNN1", False), x2, name="output")
    rate = tf.placeholder(tf.float32, [], name="LearningRate")
    diff = tf.subtract(y_, y, "diff")
    mse = tf.reduce_mean(tf.square(diff, name="diff_square"), name="mse")
    loss = tf.identity(mse, name="image_loss") + decay_of(weights, 1e-4)
    tf.summary.scalar("loss", loss)
    adam = tf.train.AdamOptimizer(rate)
    grads, variables = zip(*adam.compute_gradients(loss))
    grads, _ = tf.clip_by_global_norm(grads, 5.0)
    adam.apply_gradients(zip(grads, variables))
    return fetch(y_, labels=[y])


@fifth
def lanes_by_two_maps() -> Fetches:
    """MaybeShewill-CV/lanenet-lane-detection: test_lanenet runs [binary_seg_ret, instance_seg_ret]."""
    images, binary, instance = queued(
        ([16, 16, 3], tf.float32), ([16, 16, 1], tf.float32), ([16, 16, 1], tf.float32)
    )
    with tf.variable_scope("LaneNet"):
        h = layers.conv2d(images, 8, 3, padding="same", activation=tf.nn.relu)
        h = layers.conv2d(h, 8, 3, padding="same", activation=tf.nn.relu)
        logits = layers.conv2d(h, 2, 1, use_bias=False, name="binary_logits")
        pixels = layers.conv2d(h, 8, 3, padding="same", name="instance")
        pixels = tf.nn.relu(layers.batch_normalization(pixels, training=True))
        embedding = layers.conv2d(
            pixels, 4, 1, use_bias=False, name="pix_embedding_conv"
        )
    flat = tf.reshape(tf.cast(binary, tf.int32), [-1])
    hot = tf.one_hot(flat, 2, axis=-1)
    counts = tf.reduce_sum(hot, 0)
    inverse = 1.0 / tf.log(1.02 + counts / tf.reduce_sum(counts))
    weights = tf.reduce_sum(hot * inverse, 1)
    ce = tf.losses.softmax_cross_entropy(hot, tf.reshape(logits, [-1, 2]), weights)
    ids = tf.reshape(tf.cast(instance, tf.int32), [-1])
    vectors = tf.reshape(embedding, [-1, 4])
    sums = tf.unsorted_segment_sum(vectors, ids, 3)
    sizes = tf.unsorted_segment_sum(tf.ones_like(ids, tf.float32), ids, 3)
    centres = sums / (tf.expand_dims(sizes, 1) + 1e-6)
    near = tf.norm(vectors - tf.gather(centres, ids), axis=1) - 0.5
    near = tf.square(tf.clip_by_value(near, 0.0, 100.0))
    between = tf.expand_dims(centres, 0) - tf.expand_dims(centres, 1)
    far = tf.square(tf.nn.relu(6.0 - tf.norm(between + 1e-6, axis=2)))
    loss = ce + tf.reduce_mean(near) + tf.reduce_mean(far)
    loss += decay_of([v for v in tf.trainable_variables() if "kernel" in v.name])
    score = tf.nn.softmax(logits=logits)
    prediction = tf.argmax(score, axis=-1)
    right = tf.equal(prediction, tf.cast(tf.squeeze(binary, -1), tf.int64))
    tf.summary.scalar("train_accuracy", tf.reduce_mean(tf.to_float(right)))
    tf.summary.image("predict", tf.cast(tf.expand_dims(prediction * 255, -1), tf.uint8))
    tf.summary.scalar("train_total_loss", loss)
    step = tf.Variable(0, trainable=False, name="global_step")
    rate = tf.train.polynomial_decay(0.01, step, 1000, power=0.9)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        tf.train.MomentumOptimizer(rate, 0.9).minimize(loss, global_step=step)
    return fetch(prediction, embedding, first=[prediction, embedding, score, logits])


@fifth
def segments_of_a_dilated_net() -> Fetches:
    """DrSleep/tensorflow-deeplab-resnet train.py: fetches ``pred`` for pictures; inference.py its argmax alike."""
    images, labels = queued(([17, 17, 3], tf.float32), ([17, 17, 1], tf.uint8))
    h = layers.conv2d(images, 8, 3, 2, padding="same", use_bias=False, name="conv1")
    h = tf.nn.relu(layers.batch_normalization(h, training=False, name="bn_conv1"))
    branches = [
        layers.conv2d(h, 5, 3, padding="same", dilation_rate=d, name=f"fc1_voc12_c{i}")
        for i, d in enumerate((1, 2))
    ]
    raw = tf.add_n(branches, name="fc1_voc12")
    small = tf.image.resize_nearest_neighbor(labels, tf.stack(raw.shape[1:3]))
    truth = tf.reshape(tf.squeeze(small, [3]), [-1])
    indices = tf.squeeze(tf.where(tf.less_equal(truth, 4)), 1)
    gt = tf.cast(tf.gather(truth, indices), tf.int32)
    chosen = tf.gather(tf.reshape(raw, [-1, 5]), indices)
    loss = tf.reduce_mean(_sparse(logits=chosen, labels=gt))
    trainable = [
        v
        for v in tf.trainable_variables()
        if "beta" not in v.name and "gamma" not in v.name
    ]
    loss += decay_of([v for v in trainable if "kernel" in v.name])
    up = tf.argmax(tf.image.resize_bilinear(raw, tf.shape(images)[1:3]), axis=3)
    pred = tf.expand_dims(up, 3)
    shown = [
        tf.py_func(lambda *a: a[0], [v, 2], v.dtype) for v in (images, labels, pred)
    ]
    shown = [tf.cast(v, tf.uint8) for v in shown]
    tf.summary.image("images", tf.concat(axis=2, values=shown), max_outputs=2)
    step = tf.placeholder(tf.float32, ())
    rate = tf.scalar_mul(tf.constant(2.5e-4), tf.pow(1 - step / 20001, 0.9))
    heads = [v for v in trainable if "fc" in v.name]
    body = [v for v in trainable if "fc" not in v.name]
    grads = tf.gradients(loss, body + heads)
    one = tf.train.MomentumOptimizer(rate, 0.9)
    two = tf.train.MomentumOptimizer(rate * 10.0, 0.9)
    tf.group(
        one.apply_gradients(zip(grads[: len(body)], body)),
        two.apply_gradients(zip(grads[len(body) :], heads)),
    )
    return fetch(pred, first=[pred, up, raw])


@fifth
def segments_of_three_scales() -> Fetches:
    """hellochick/ICNet-tensorflow train.py: sub4, sub24 and conv6_cls are trained on; inference reads conv6_cls."""

    def net(images):
        h = layers.conv2d(
            images, 8, 3, 2, padding="same", activation=tf.nn.relu, name="conv1"
        )
        low = layers.conv2d(
            h, 8, 3, 2, padding="same", activation=tf.nn.relu, name="conv2"
        )
        sub4 = layers.conv2d(low, 4, 1, name="sub4_out")
        up = tf.image.resize_bilinear(low, tf.shape(h)[1:3])
        up = layers.conv2d(up, 8, 3, padding="same", name="sub24")
        fused = tf.nn.relu(up + layers.conv2d(h, 8, 1, name="conv3_1_sub2_proj"))
        sub24 = layers.conv2d(fused, 4, 1, name="sub24_out")
        last = layers.conv2d(
            fused, 8, 3, padding="same", activation=tf.nn.relu, name="sub12"
        )
        return sub4, sub24, layers.conv2d(last, 4, 1, name="conv6_cls")

    def losses(outs, label):
        total = []
        for out, share in zip(outs, (0.16, 0.4, 1.0)):
            small = tf.image.resize_nearest_neighbor(label, tf.shape(out)[1:3])
            truth = tf.reshape(small, [-1])
            kept = tf.logical_and(tf.less_equal(truth, 3), tf.not_equal(truth, 255))
            indices = tf.squeeze(tf.where(kept), 1)
            gt = tf.cast(tf.gather(truth, indices), tf.int32)
            pred = tf.gather(tf.reshape(out, [-1, 4]), indices)
            total.append(share * tf.reduce_mean(_sparse(logits=pred, labels=gt)))
        return tf.add_n(total) + decay_of(
            [v for v in tf.trainable_variables() if "kernel" in v.name]
        )

    images, label = queued(([16, 16, 3], tf.float32), ([16, 16, 1], tf.int32))
    outs = net(images)
    loss = losses(outs, label)
    with tf.variable_scope("", reuse=True):
        others, truth = queued(([16, 16, 3], tf.float32), ([16, 16, 1], tf.int32))
        seen = net(others)
        losses(seen, truth)
    step = tf.placeholder(dtype=tf.float32, shape=())
    rate = tf.scalar_mul(tf.constant(5e-4), tf.pow((1 - step / 60000), 0.9))
    variables = tf.trainable_variables()
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        grads = tf.gradients(loss, variables)
        tf.train.MomentumOptimizer(rate, 0.9).apply_gradients(zip(grads, variables))
    return fetch(outs[2], first=[outs[2], seen[2]])


@fifth
def segments_with_streaming_metrics() -> Fetches:
    """kwotsin/TensorFlow-ENet train_enet.py: test_enet.py runs the argmax of ``probabilities``."""

    def net(images, reuse=None):
        with tf.variable_scope("ENet", reuse=reuse):
            h = layers.conv2d(images, 6, 3, 2, padding="same", name="initial")
            pooled = layers.max_pooling2d(images, 2, 2)
            h = tf.concat([h, pooled], 3)
            h = tf.nn.relu(layers.batch_normalization(h, training=True, name="bn"))
            logits = layers.conv2d_transpose(h, 4, 2, 2, name="fullconv")
            return logits, tf.nn.softmax(logits, name="logits_to_softmax")

    images, annotations = queued(([16, 16, 3], tf.float32), ([16, 16, 1], tf.uint8))
    logits, probabilities = net(images)
    annotations = tf.reshape(annotations, [2, 16, 16])
    hot = tf.one_hot(annotations, 4, axis=-1)
    weights = tf.reduce_sum(hot * np.array([1.0, 2.0, 3.0, 4.0], np.float32), 3)
    tf.losses.softmax_cross_entropy(hot, logits, weights)
    total = tf.losses.get_total_loss()
    step = tf.train.get_or_create_global_step()
    rate = tf.train.exponential_decay(5e-4, step, 100, 0.1, staircase=True)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        tf.train.AdamOptimizer(rate, epsilon=1e-8).minimize(total, step)
    predictions = tf.argmax(probabilities, -1)
    accuracy, one = tf.metrics.accuracy(predictions, annotations)
    iou, two = tf.metrics.mean_iou(annotations, predictions, 4)
    tf.group(one, two)
    images_val, truth = queued(([16, 16, 3], tf.float32), ([16, 16, 1], tf.uint8))
    _, probabilities_val = net(images_val, True)
    truth = tf.reshape(truth, [2, 16, 16])
    predictions_val = tf.argmax(probabilities_val, -1)
    accuracy_val, three = tf.metrics.accuracy(predictions_val, truth)
    tf.group(three)
    shown = tf.reshape(tf.cast(predictions_val, tf.float32), [-1, 16, 16, 1])
    for name, value in (
        ("Total_Loss", total),
        ("validation_accuracy", accuracy_val),
        ("training_accuracy", accuracy),
        ("IOU", iou),
    ):
        tf.summary.scalar("Monitor/" + name, value)
    tf.summary.image("Images/Validation_original_image", images_val, max_outputs=1)
    tf.summary.image("Images/Validation_segmentation_output", shown, max_outputs=1)
    tf.summary.merge_all()
    first = [probabilities, predictions, probabilities_val, predictions_val]
    return fetch(probabilities, first=first)
