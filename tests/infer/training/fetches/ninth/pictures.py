"""Pictures: light, driving, boxes, holes, drawn pixels, lines of text, meshes, poses."""

from __future__ import annotations

import importlib

import numpy as np

from ..zoo import Fetches, blind, fetch, layers, ninth
from ..zoo import v1 as tf

_CELLS = importlib.import_module("tf_keras.src.layers.rnn.legacy_cells")
_adam = tf.train.AdamOptimizer


@ninth
def light_in_dark_pictures() -> Fetches:
    """weichen582/RetinexNet model.py: test runs [R_low, I_low, I_delta, S]; a bright picture is decomposed as well."""
    low, high = (
        tf.placeholder(tf.float32, [None, None, None, 3], name=n)
        for n in ("input_low", "input_high")
    )
    conv = layers.conv2d

    def decom(v):
        v = tf.concat([tf.reduce_max(v, axis=3, keepdims=True), v], 3)
        with tf.variable_scope("DecomNet", reuse=tf.AUTO_REUSE):
            h = conv(v, 5, 9, padding="same", name="shallow_feature_extraction")
            h = conv(h, 5, 3, padding="same", activation=tf.nn.relu, name="activated")
            h = conv(h, 4, 3, padding="same", name="recon_layer")
        return tf.sigmoid(h[:, :, :, 0:3]), tf.sigmoid(h[:, :, :, 3:4])

    r_low, i_low = decom(low)
    r_high, i_high = decom(high)
    with tf.variable_scope("RelightNet"):
        c0 = conv(tf.concat([r_low, i_low], 3), 5, 3, padding="same")
        c1 = conv(c0, 5, 3, strides=2, padding="same", activation=tf.nn.relu)
        up = tf.image.resize_nearest_neighbor(c1, (tf.shape(c0)[1], tf.shape(c0)[2]))
        d1 = conv(up, 5, 3, padding="same", activation=tf.nn.relu) + c0
        again = (tf.shape(d1)[1], tf.shape(d1)[2])
        near = tf.image.resize_nearest_neighbor(c1, again)
        fused = conv(tf.concat([near, d1], 3), 5, 1, padding="same")
        delta = conv(fused, 1, 3, padding="same")
    low3, high3, delta3 = (tf.concat([v] * 3, 3) for v in (i_low, i_high, delta))
    s = r_low * delta3

    def off(a, b):
        return tf.reduce_mean(tf.abs(a - b))

    kernel = tf.reshape(tf.constant([[0, 0], [-1, 1]], tf.float32), [2, 2, 1, 1])

    def slope(v, way):
        k = kernel if way == "x" else tf.transpose(kernel, [1, 0, 2, 3])
        return tf.abs(tf.nn.conv2d(v, k, strides=[1, 1, 1, 1], padding="SAME"))

    def smooth(i, r):
        r = tf.image.rgb_to_grayscale(r)
        parts = [
            slope(i, w)
            * tf.exp(-10 * layers.average_pooling2d(slope(r, w), 3, 1, padding="SAME"))
            for w in "xy"
        ]
        return tf.reduce_mean(parts[0] + parts[1])

    decomposed = off(r_low * low3, low) + off(r_high * high3, high)
    decomposed += 1e-3 * (off(r_high * low3, low) + off(r_low * high3, high))
    decomposed += 0.1 * (smooth(i_low, r_low) + smooth(i_high, r_high))
    decomposed += 0.01 * off(r_low, r_high)
    relight = off(s, high) + 3 * smooth(delta, r_low)
    rate = tf.placeholder(tf.float32, name="learning_rate")
    adam = _adam(rate, name="AdamOptimizer")
    for loss, scope in ((decomposed, "DecomNet"), (relight, "RelightNet")):
        own = [v for v in tf.trainable_variables() if scope in v.name]
        adam.minimize(loss, var_list=own)
    return fetch(
        r_low,
        low3,
        delta3,
        s,
        first=[s, delta3, delta],
        twins=[[s], [s, delta3], [delta], [r_low, i_low, delta], [r_low, low3, s]],
    )


@blind
def steering_a_car() -> Fetches:
    """SullyChen/Autopilot-TensorFlow: run.py evaluates y, twice the arctangent; the loss sums weights too."""
    x = tf.placeholder(tf.float32, shape=[None, 24, 40, 3])
    y_ = tf.placeholder(tf.float32, shape=[None, 1])

    def weight(*shape):
        w = tf.Variable(tf.truncated_normal(shape, stddev=0.1))
        return w, tf.Variable(tf.constant(0.1, shape=[shape[-1]]))

    h = x
    for k, c, n, s in ((5, 3, 4, 2), (5, 4, 6, 2), (3, 6, 6, 1)):
        w, b = weight(k, k, c, n)
        h = tf.nn.relu(tf.nn.conv2d(h, w, [1, s, s, 1], padding="VALID") + b)
    size = int(np.prod(h.shape.as_list()[1:]))
    h = tf.reshape(h, [-1, size])
    keep = tf.placeholder(tf.float32)
    for n, m in ((size, 12), (12, 8)):
        w, b = weight(n, m)
        h = tf.nn.dropout(tf.nn.relu(tf.matmul(h, w) + b), keep_prob=keep)
    w, b = weight(8, 1)
    y = tf.multiply(tf.atan(tf.matmul(h, w) + b), 2)
    own = tf.add_n([tf.nn.l2_loss(v) for v in tf.trainable_variables()])
    loss = tf.reduce_mean(tf.square(tf.subtract(y_, y))) + own * 0.001
    _adam(1e-4).minimize(loss)
    tf.summary.scalar("loss", loss)
    tf.summary.merge_all()
    return fetch(y, labels=[y_])


@ninth
def boxes_scores_and_classes() -> Fetches:
    """BichenWuUCB/squeezeDet: demo.py runs [det_boxes, det_probs, det_class]; overlaps are assigned to a variable."""
    shapes = [[2, 8, 8, 3], [2, 18, 1], [2, 18, 4], [2, 18, 4], [2, 18, 3]]
    names = "image_input box_mask box_delta_input box_input labels".split()
    fed = [tf.placeholder(tf.float32, s, name=n) for s, n in zip(shapes, names)]
    ious = tf.Variable(np.zeros((2, 18)), trainable=False, name="iou", dtype=tf.float32)
    queue = tf.FIFOQueue(10, [tf.float32] * 5, [s[1:] for s in shapes])
    queue.enqueue_many(fed)
    image, mask, delta_in, box_in, labels = tf.train.batch(
        queue.dequeue(), batch_size=2, capacity=10
    )

    def conv(v, n, k, s, name, relu=True):
        with tf.variable_scope(name):
            w = tf.get_variable("kernels", [k, k, int(v.shape[3]), n])
            decay = tf.multiply(tf.nn.l2_loss(w), 1e-4, name="weight_loss")
            tf.add_to_collection("losses", decay)
            b = tf.get_variable("biases", [n])
            v = tf.nn.bias_add(tf.nn.conv2d(v, w, [1, s, s, 1], "SAME"), b)
            return tf.nn.relu(v, "relu") if relu else v

    h = conv(image, 6, 3, 2, "conv1")
    h = tf.nn.max_pool(h, [1, 3, 3, 1], [1, 1, 1, 1], "SAME")
    squeeze = conv(h, 3, 1, 1, "s1x1")
    h = tf.concat([conv(squeeze, 4, 1, 1, "e1"), conv(squeeze, 4, 3, 1, "e3")], 3)
    h = tf.nn.dropout(conv(h, 6, 3, 2, "fire"), keep_prob=0.5, name="drop11")
    w = tf.get_variable("last", [2, 2, 6, 72])
    preds = tf.nn.conv2d(h, w, [1, 1, 1, 1], "SAME")
    preds = tf.concat([preds, preds[:, :1]], 1)[:, :, :, :48]
    with tf.variable_scope("interpret_output"):
        probs = tf.nn.softmax(tf.reshape(preds[:, :, :, :18], [-1, 3]))
        probs = tf.reshape(probs, [2, 18, -1], name="p")[:, :, :3]
        probs = tf.reshape(probs, [2, 18, 3], name="pred_class_probs")
        conf = tf.sigmoid(
            tf.reshape(preds[:, :, :, 18:24], [2, 36])[:, :18],
            name="pred_confidence_score",
        )
        deltas = tf.reshape(preds[:, :, :, 24:], [2, -1, 4])[:, :18]
        deltas = tf.reshape(deltas, [2, 18, 4], name="bbox_delta")
        count = tf.reduce_sum(mask, name="num_objects")
    anchors = np.random.RandomState(0).rand(18, 4).astype(np.float32)
    with tf.variable_scope("bbox"):
        dx, dy, dw, dh = tf.unstack(deltas, axis=2)
        cx = tf.identity(anchors[:, 0] + dx * anchors[:, 2], name="bbox_cx")
        cy = tf.identity(anchors[:, 1] + dy * anchors[:, 3], name="bbox_cy")

        def grown(v):
            slope = np.exp(1.0)
            return tf.where(v > 1.0, slope * (v - 1.0 + 1.0), tf.exp(v))

        width = tf.identity(anchors[:, 2] * grown(dw), name="bbox_width")
        height = tf.identity(anchors[:, 3] * grown(dh), name="bbox_height")
        for v in (dx, dy, dw, dh, cx, cy, width, height):
            tf.summary.histogram("activation_summary/" + v.op.name, v)
            tf.summary.scalar("sparsity/" + v.op.name, tf.nn.zero_fraction(v))
        xmin = tf.minimum(tf.maximum(0.0, cx - width / 2), 7.0, name="bbox_xmin")
        ymin = tf.minimum(tf.maximum(0.0, cy - height / 2), 7.0, name="bbox_ymin")
        xmax = tf.maximum(tf.minimum(7.0, cx + width / 2), 0.0, name="bbox_xmax")
        ymax = tf.maximum(tf.minimum(7.0, cy + height / 2), 0.0, name="bbox_ymax")
        w, h = xmax - xmin + 1.0, ymax - ymin + 1.0
        boxes = tf.transpose(
            tf.stack([xmin + 0.5 * w, ymin + 0.5 * h, w, h]), (1, 2, 0), name="bbox"
        )

    def corners(v):
        x, y, w, h = tf.unstack(v, axis=2)
        return x - w / 2, y - h / 2, x + w / 2, y + h / 2

    with tf.variable_scope("IOU"):
        one, two = corners(boxes), corners(box_in)
        w = tf.maximum(0.0, tf.minimum(one[2], two[2]) - tf.maximum(one[0], two[0]))
        h = tf.maximum(0.0, tf.minimum(one[3], two[3]) - tf.maximum(one[1], two[1]))
        areas = [(v[2] - v[0]) * (v[3] - v[1]) for v in (one, two)]
        over = w * h / (areas[0] + areas[1] - w * h + 1e-16)
        over = ious.assign(over * tf.reshape(mask, [2, 18]))
        tf.summary.histogram("activation_summary/conf_score", over)
    with tf.variable_scope("probability"):
        final = tf.multiply(
            probs, tf.reshape(conf, [2, 18, 1]), name="final_class_prob"
        )
        tf.summary.histogram("activation_summary/final_class_prob", final)
        score = tf.reduce_max(final, 2, name="score")
        best = tf.argmax(final, 2, name="class_idx")
    entropy = labels * (-tf.log(probs + 1e-16))
    entropy += (1 - labels) * (-tf.log(1 - probs + 1e-16))
    flat = tf.reshape(mask, [2, 18])
    scale = flat * 75.0 / count + (1 - flat) * 100.0 / (18 - count)
    parts = [
        tf.truediv(tf.reduce_sum(entropy * mask * 1.0), count, name="class_loss"),
        tf.reduce_mean(tf.reduce_sum(tf.square(over - conf) * scale, 1)),
        tf.truediv(
            tf.reduce_sum(5.0 * tf.square(mask * (deltas - delta_in))),
            count,
            name="bbox_loss",
        ),
    ]
    for part in parts:
        tf.add_to_collection("losses", part)
    tf.summary.scalar("mean_iou", tf.reduce_sum(over) / count)
    loss = tf.add_n(tf.get_collection("losses"), name="total_loss")
    step = tf.Variable(0, name="global_step", trainable=False)
    rate = tf.train.exponential_decay(0.01, step, 100, 0.5, staircase=True)
    momentum = tf.train.MomentumOptimizer(learning_rate=rate, momentum=0.9)
    pairs = momentum.compute_gradients(loss, tf.trainable_variables())
    pairs = [(tf.clip_by_norm(g, 1.0), v) for g, v in pairs]
    with tf.control_dependencies([momentum.apply_gradients(pairs, step)]):
        tf.no_op(name="train")
    shown = tf.placeholder(tf.float32, [None, 8, 8, 3], name="image_to_show")
    tf.summary.image("sample_detection_results", shown, collections="image_summary")
    return fetch(
        boxes,
        score,
        best,
        first=[boxes, score, best, final],
        labels=[mask, delta_in, box_in, labels],
        twins=[[boxes, final]],
    )


@blind
def hole_in_a_picture() -> Fetches:
    """jazzsaxmafia/Inpainting train.imagenet.py: reconstruction is pasted; a hidden middle weighs less than its rim."""
    is_train = tf.placeholder(tf.bool)
    rate = tf.placeholder(tf.float32, [])
    images = tf.placeholder(tf.float32, [4, 16, 16, 3], name="images")
    hidden = tf.placeholder(tf.float32, [4, 8, 8, 3], name="images_hiding")

    def conv(v, n, name, k=4, stride=2, padding="SAME"):
        with tf.variable_scope(name):
            w = tf.get_variable("W", [k, k, int(v.shape[3]), n])
            b = tf.get_variable("b", [n])
            v = tf.nn.conv2d(v, w, [1, stride, stride, 1], padding=padding)
            return tf.nn.bias_add(v, b)

    def deconv(v, n, size, name):
        with tf.variable_scope(name):
            w = tf.get_variable("W", [4, 4, n, int(v.shape[3])])
            b = tf.get_variable("b", [n])
            v = tf.nn.conv2d_transpose(v, w, [4, size, size, n], [1, 2, 2, 1])
            return tf.nn.bias_add(v, b)

    def normed(v, name):
        v = tf.clip_by_value(v, -100.0, 100.0)
        with tf.variable_scope(name):
            n = int(v.shape[-1])
            gamma, beta = (tf.get_variable(x, [n]) for x in ("gamma", "beta"))
            mean, var = tf.nn.moments(v, [0, 1, 2], name="moments")
            mean, var = tf.identity(mean), tf.identity(var)
            stored = [tf.Variable(tf.zeros([n]), trainable=False) for _ in range(2)]

            def update():
                new = zip(stored, (mean, var))
                ops = [tf.assign(s, 0.5 * s + 0.5 * b) for s, b in new]
                with tf.control_dependencies(ops):
                    return tf.identity(mean), tf.identity(var)

            m, s = tf.cond(is_train, update, lambda: tuple(map(tf.identity, stored)))
            return tf.nn.batch_normalization(v, m, s, beta, gamma, 1e-8)

    def leaky(v):
        return tf.maximum(0.1 * v, v)

    with tf.variable_scope("GEN"):
        h = leaky(normed(conv(images, 4, "conv1"), "bn1"))
        h = leaky(normed(conv(h, 6, "conv2"), "bn2"))
        h = leaky(normed(conv(h, 8, "conv6", 4, 2, "VALID"), "bn6"))
        h = tf.nn.relu(normed(deconv(h, 6, 2, "deconv4"), "debn4"))
        h = tf.nn.relu(normed(deconv(h, 4, 4, "deconv1"), "debn1"))
        recon = deconv(h, 3, 8, "recon")
    rebuilt = tf.nn.tanh(recon)

    def judge(v, reuse=None):
        with tf.variable_scope("DIS", reuse=reuse):
            h = leaky(normed(conv(v, 4, "conv1"), "bn1"))
            h = tf.reshape(h, [-1, 64])
            with tf.variable_scope("output"):
                w, b = tf.get_variable("W", [64, 1]), tf.get_variable("b", [1])
                return tf.nn.bias_add(tf.matmul(h, w), b)[:, 0]

    pos, neg = judge(hidden), judge(rebuilt, True)
    inner = tf.pad(tf.ones([4, 4]), [[2, 2], [2, 2]])
    inner = tf.concat([tf.reshape(inner, [8, 8, 1])] * 3, 2)
    square = tf.square(hidden - rebuilt)

    def root(mask):
        return tf.reduce_mean(tf.sqrt(1e-5 + tf.reduce_sum(square * mask, [1, 2, 3])))

    own = root(inner) / 10.0 + root(1 - inner)
    entropy = tf.nn.sigmoid_cross_entropy_with_logits
    true = tf.concat([tf.ones([4]), tf.zeros([4])], 0)
    d_loss = tf.reduce_mean(entropy(logits=tf.concat([pos, neg], 0), labels=true))
    g_loss = tf.reduce_mean(entropy(logits=neg, labels=tf.ones([4])))
    g_loss = g_loss * 0.1 + own * 0.9
    for loss, scope in ((g_loss, "GEN"), (d_loss * 0.1, "DIS")):
        weights = [v for v in tf.trainable_variables() if v.name.startswith(scope)]
        kernels = [tf.nn.l2_loss(v) for v in weights if v.name.endswith("W:0")]
        adam = _adam(learning_rate=rate)
        pairs = adam.compute_gradients(
            loss + 1e-5 * tf.reduce_mean(tf.stack(kernels)), var_list=weights
        )
        adam.apply_gradients([(tf.clip_by_value(g, -10.0, 10.0), v) for g, v in pairs])
    return fetch(rebuilt, first=[rebuilt, recon], twins=[[recon]], labels=[hidden])


@ninth
def pixels_after_pixels() -> Fetches:
    """carpedm20/pixel-rnn-tensorflow network.py: predict runs output, a sigmoid; the input is its own label."""
    x = tf.placeholder(tf.float32, [None, 8, 8, 1])

    def conv(v, n, k, kind, scope):
        with tf.variable_scope(scope):
            c = int(v.shape[-1])
            mask = np.ones((k, k, c, n), np.float32)
            mask[k // 2, k // 2 + (kind == "B") :] = mask[k // 2 + 1 :] = 0
            w = tf.get_variable("weights", [k, k, c, n])
            w *= tf.constant(mask)
            b = tf.get_variable("biases", [n])
            return tf.nn.bias_add(tf.nn.conv2d(v, w, [1, 1, 1, 1], "SAME"), b)

    h = conv(x, 6, 7, "A", "conv_inputs")
    for i in range(2):
        h = conv(h, 3, 1, "B", f"CONV{i}")
    for i in range(2):
        h = tf.nn.relu(conv(h, 5, 1, "B", f"CONV_OUT{i}"))
    logits = conv(h, 1, 1, "B", "conv2d_out_logits")
    output = tf.nn.sigmoid(logits)
    loss = tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=x, name="loss")
    descent = tf.train.RMSPropOptimizer(1e-3)
    pairs = descent.compute_gradients(tf.reduce_mean(loss))
    descent.apply_gradients([(tf.clip_by_value(g, -1, 1), v) for g, v in pairs])
    return fetch(output, first=[output, logits], twins=[[logits]])


@blind
def lines_of_text_in_a_scene() -> Fetches:
    """eragonruan/text-detection-ctpn: demo.py runs [bbox_pred, cls_prob]; targets come from a Python function."""
    image = tf.placeholder(tf.float32, [None, None, None, 3], name="input_image")
    box = tf.placeholder(tf.float32, [None, 5], name="input_bbox")
    info = tf.placeholder(tf.float32, [None, 3], name="input_im_info")
    step = tf.get_variable("global_step", [], trainable=False)
    rate = tf.Variable(1e-5, trainable=False)
    parts = tf.split(image, 3, axis=3)
    h = tf.concat([v - m for v, m in zip(parts, (123.68, 116.78, 103.94))], axis=3)
    for n in (4, 6):
        decay = lambda w: 5e-4 * tf.nn.l2_loss(w)  # noqa: E731
        h = layers.conv2d(
            h, n, 3, 2, "same", activation=tf.nn.relu, kernel_regularizer=decay
        )
    h = layers.conv2d(h, 6, 3, padding="same", activation=tf.nn.relu)

    def full(v, n, scope):
        with tf.variable_scope(scope):
            s = tf.shape(v)
            w = tf.get_variable("weights", [int(v.shape[-1]), n])
            b = tf.get_variable("biases", [n])
            v = tf.reshape(v, [s[0] * s[1] * s[2], int(v.shape[-1])])
            return tf.reshape(tf.matmul(v, w) + b, [s[0], s[1], s[2], n])

    shape = tf.shape(h)
    rows = tf.reshape(h, [shape[0] * shape[1], shape[2], 6])
    cells = [_CELLS.LSTMCell(4, name=n) for n in ("fw", "bw")]
    outs, _ = tf.nn.bidirectional_dynamic_rnn(*cells, rows, dtype=tf.float32)
    outs = tf.concat(outs, axis=-1)
    outs = tf.reshape(outs, [shape[0], shape[1], shape[2], 8])
    outs = full(outs, 6, "BiLSTM")
    boxes, classes = full(outs, 8, "bbox_pred"), full(outs, 4, "cls_pred")
    c = tf.shape(classes)
    wide = tf.reshape(classes, [c[0], c[1], -1, 2])
    s = tf.shape(wide)
    prob = tf.reshape(
        tf.nn.softmax(tf.reshape(wide, [-1, s[3]])),
        [-1, s[1], s[2], s[3]],
        name="cls_prob",
    )
    with tf.variable_scope("anchor_target_layer"):
        data = tf.py_func(
            lambda *a: a[:4],
            [classes, box, info, [16], [16]],
            [tf.float32] * 4,
        )
        label = tf.convert_to_tensor(tf.cast(data[0], tf.int32), name="rpn_labels")
    again = tf.reshape(tf.reshape(classes, [c[0], c[1], -1, 2]), [-1, 2])
    label = tf.reshape(label, [-1])
    front = tf.equal(label, 1)
    keep = tf.where(tf.not_equal(label, -1))
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tf.gather(label, keep), logits=tf.gather(again, keep)
    )
    pred, target, inside, outside = (
        tf.gather(tf.reshape(v, [-1, 4]), keep) for v in (boxes, *data[1:])
    )
    d = inside * (pred - target)
    near = tf.cast(tf.less(tf.abs(d), 1.0 / 9.0), tf.float32)
    d = tf.square(d) * 0.5 * 9.0 * near + (tf.abs(d) - 0.5 / 9.0) * tf.abs(near - 1)
    moved = tf.reduce_sum(outside * d, [1])
    moved = tf.reduce_sum(moved) / (tf.reduce_sum(tf.cast(front, tf.float32)) + 1)
    model_loss = tf.reduce_mean(entropy) + moved
    total = tf.add_n(tf.get_collection("regularization_losses")) + model_loss
    for name, v in (("model_loss", model_loss), ("total_loss", total)):
        tf.summary.scalar(name, v)
    adam = _adam(rate)
    done = adam.apply_gradients(adam.compute_gradients(total), global_step=step)
    average = tf.train.ExponentialMovingAverage(0.997, step)
    with tf.control_dependencies([average.apply(tf.trainable_variables()), done]):
        tf.no_op(name="train_op")
    return fetch(boxes, prob, labels=[box], twins=[[boxes, classes], [boxes, wide]])


@ninth
def mesh_from_a_picture() -> Fetches:
    """nywang16/Pixel2Mesh: demo.py runs output3, the finest of three meshes; each is compared and kept smooth."""
    features = tf.placeholder(tf.float32, shape=(None, 3))
    image = tf.placeholder(tf.float32, shape=(16, 16, 3), name="img_inp")
    labels = tf.placeholder(tf.float32, shape=(None, 6))
    support = [tf.placeholder(tf.float32, shape=(None, None)) for _ in range(2)]
    pool = tf.placeholder(tf.int32, shape=(None, 2))
    laplace = [tf.placeholder(tf.int32, shape=(None, 4)) for _ in range(2)]
    edges = [tf.placeholder(tf.int32, shape=(None, 2)) for _ in range(2)]
    v, maps = tf.expand_dims(image, 0), []
    for n in (3, 4):
        decay = lambda w: 1e-5 * tf.nn.l2_loss(w)  # noqa: E731
        v = layers.conv2d(
            v, n, 3, 2, "same", activation=tf.nn.relu, kernel_regularizer=decay
        )
        maps.append(tf.squeeze(v))

    def projected(points):
        h, w = (tf.minimum(tf.maximum(points[:, i] * 4 + 4, 0), 7) for i in (0, 1))
        parts = [points]
        for size, each in zip((8, 4), maps):
            i = tf.stack([tf.cast(h / (8 / size), tf.int32)] * 2, 1)
            j = tf.cast(tf.floor(w / (8 / size)), tf.int32)
            parts.append(tf.gather_nd(each, tf.stack([i[:, 0], j], 1)))
        return tf.concat(parts, 1)

    def graph(v, n, s, act=tf.nn.relu):
        out = tf.add_n(
            [
                tf.matmul(a, layers.dense(v, n, use_bias=False))
                for a in (s, tf.transpose(s))
            ]
        )
        bias = tf.get_variable(f"bias{len(tf.global_variables())}", [n])
        return act(out + bias)

    def block(v, s):
        h = graph(v, 6, s)
        return tf.add(graph(h, 6, s), h) * 0.5

    def unpooled(v):
        middle = tf.reduce_sum(tf.gather(v, pool), 1) * 0.5
        return tf.concat([v, middle], 0)

    with tf.variable_scope("gcn"):
        h = block(projected(features), support[0])
        output1 = graph(h, 3, support[0], lambda v: v)
        output1_2 = unpooled(output1)
        both = tf.concat([projected(output1), h], 1)
        h = block(unpooled(both), support[1])
        output2 = graph(graph(h, 3, support[1]), 3, support[1], lambda v: v)
    loss = 0.3 * tf.add_n(tf.get_collection("regularization_losses"))
    truth, normal = labels[:, :3], labels[:, 3:]
    for i, (before, pred) in enumerate(((features, output1), (output1_2, output2))):
        edge = tf.gather(pred, edges[i][:, 0]) - tf.gather(pred, edges[i][:, 1])
        away = tf.reduce_sum(
            tf.square(tf.expand_dims(truth, 1) - tf.expand_dims(pred, 0)), 2
        )
        near1, near2 = tf.reduce_min(away, 1), tf.reduce_min(away, 0)
        index = tf.argmin(away, 0)
        own = tf.gather(tf.gather(normal, index), edges[i][:, 0])
        cosine = tf.abs(tf.reduce_sum(tf.nn.l2_normalize(own, 1) * edge, 1))
        loss += tf.reduce_mean(near1) * 3000 + 0.55 * tf.reduce_mean(near2) * 3000
        loss += tf.reduce_mean(tf.reduce_sum(tf.square(edge), 1)) * 300
        loss += tf.reduce_mean(cosine) * 0.5

        def curved(v, table):
            return v - tf.reduce_sum(tf.gather(v, table), 1) / 4.0

        bent = curved(before, laplace[i]) - curved(pred, laplace[i])
        moved = tf.reduce_sum(tf.square(before - pred), 1)
        loss += tf.reduce_mean(tf.reduce_sum(tf.square(bent), 1)) * 1500
        loss += tf.reduce_mean(moved) * 100
    own = [v for v in tf.trainable_variables() if v.name.startswith("gcn")]
    loss += 5e-6 * tf.add_n([tf.nn.l2_loss(v) for v in own])
    _adam(3e-5).minimize(loss)
    return fetch(output2, labels=[labels])


@blind
def joints_lifted_to_space() -> Fetches:
    """una-dinosauria/3d-pose-baseline linear_model.py: step runs outputs; weights are clipped by their norm."""
    train = tf.placeholder(tf.bool, name="isTrainingflag")
    keep = tf.placeholder(tf.float32, name="dropout_keep_prob")
    rate = tf.Variable(1e-3, trainable=False, name="learning_rate")
    step = tf.Variable(0, trainable=False, name="global_step")
    rate = tf.train.exponential_decay(rate, step, 100000, 0.96)
    with tf.variable_scope("inputs"):
        x = tf.placeholder(tf.float32, [None, 8], name="enc_in")
        true = tf.placeholder(tf.float32, [None, 12], name="dec_out")

    def linear(v, n, name):
        w = tf.get_variable("w" + name, [int(v.shape[1]), n])
        b = tf.get_variable("b" + name, [n])
        return tf.matmul(v, tf.clip_by_norm(w, 1)) + b

    def layer(v, name):
        v = layers.batch_normalization(linear(v, 10, name), training=train)
        return tf.nn.dropout(tf.nn.relu(v), keep_prob=keep)

    with tf.variable_scope("linear_model"):
        h = layer(x, "1")
        for i in range(2):
            with tf.variable_scope(f"two_linear_{i}"):
                h = h + layer(layer(h, f"2_{i}"), f"3_{i}")
        outputs = linear(h, 12, "4")
    loss = tf.reduce_mean(tf.square(outputs - true))
    tf.summary.scalar("loss/loss", loss)
    error = tf.placeholder(tf.float32, name="error_mm")
    tf.summary.scalar("loss/error_mm", error)
    adam = _adam(rate)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        adam.apply_gradients(adam.compute_gradients(loss), global_step=step)
    tf.summary.scalar("learning_rate/learning_rate", rate)
    return fetch(outputs, labels=[true])
