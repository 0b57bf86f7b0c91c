"""Boxes, classes and faces."""

from __future__ import annotations

import numpy as np

from ..zoo import Fetches, fetch, fifth, layers
from ..zoo import v1 as tf
from .vision import queued

_sparse = tf.nn.sparse_softmax_cross_entropy_with_logits


@fifth
def grid_of_anchors() -> Fetches:
    """thtrieu/darkflow yolov2: ``self.out`` ('output') is run; the loss reshapes, squashes and compares it."""
    cells, boxes, classes = 9, 2, 3
    image = tf.placeholder(tf.float32, [None, 24, 24, 3], "input")
    h = image
    for n in (6, 8):
        h = layers.conv2d(h, n, 3, padding="same", use_bias=False)
        h = layers.batch_normalization(h, training=False)
        h = layers.max_pooling2d(tf.maximum(0.1 * h, h), 2, 2)
    h = layers.conv2d(h, boxes * (5 + classes), 2, 2)
    out = tf.identity(h, name="output")
    size = [None, cells, boxes]
    probs, proid = (tf.placeholder(tf.float32, size + [classes]) for _ in range(2))
    confs_, areas = (tf.placeholder(tf.float32, size) for _ in range(2))
    coord = tf.placeholder(tf.float32, size + [4])
    upleft, botright = (tf.placeholder(tf.float32, size + [2]) for _ in range(2))

    def expit(v):
        return 1.0 / (1.0 + tf.exp(-v))

    net = tf.reshape(out, [-1, 3, 3, boxes, 5 + classes])
    coords = tf.reshape(net[:, :, :, :, :4], [-1, cells, boxes, 4])
    anchors = np.ones([1, 1, boxes, 2], np.float32)
    xy = expit(coords[:, :, :, 0:2])
    wh = tf.sqrt(tf.exp(coords[:, :, :, 2:4]) * anchors / 3.0)
    c = tf.reshape(expit(net[:, :, :, :, 4]), [-1, cells, boxes, 1])
    prob = tf.reshape(tf.nn.softmax(net[:, :, :, :, 5:]), [-1, cells, boxes, classes])
    adjusted = tf.concat([xy, wh, c, prob], 3)
    size_ = tf.pow(wh, 2) * 3.0
    floor, ceil = xy - size_ * 0.5, xy + size_ * 0.5
    inner = tf.maximum(tf.minimum(ceil, botright) - tf.maximum(floor, upleft), 0.0)
    inner = inner[:, :, :, 0] * inner[:, :, :, 1]
    iou = tf.truediv(inner, areas + size_[:, :, :, 0] * size_[:, :, :, 1] - inner)
    best = tf.to_float(tf.equal(iou, tf.reduce_max(iou, [2], True)))
    confs = tf.multiply(best, confs_)
    conid = 1.0 * (1.0 - confs) + 5.0 * confs
    cooid = tf.concat(4 * [tf.expand_dims(confs, -1)], 3)
    weigh = tf.concat(classes * [tf.expand_dims(confs, -1)], 3)
    true = tf.concat([coord, tf.expand_dims(confs, 3), probs], 3)
    weights = tf.concat([cooid, tf.expand_dims(conid, 3), weigh], 3)
    loss = tf.multiply(tf.pow(adjusted - true, 2), weights)
    loss = tf.reduce_sum(tf.reshape(loss, [-1, cells * boxes * (5 + classes)]), 1)
    loss = 0.5 * tf.reduce_mean(loss)
    tf.summary.scalar("yolov2 loss", loss)
    rmsprop = tf.train.RMSPropOptimizer(1e-5)
    rmsprop.apply_gradients(rmsprop.compute_gradients(loss))
    return fetch(out, labels=[probs, proid, confs_, areas, coord, upleft, botright])


@fifth
def boxes_of_two_maps() -> Fetches:
    """balancap/SSD-Tensorflow train_ssd_network.py: evaluation reads predictions and localisations of each map."""
    image, *truth = queued(
        ([16, 16, 3], tf.float32),
        ([8, 8, 2], tf.int64),
        ([4, 4, 2], tf.int64),
        ([8, 8, 2, 4], tf.float32),
        ([4, 4, 2, 4], tf.float32),
        ([8, 8, 2], tf.float32),
        ([4, 4, 2], tf.float32),
    )
    with tf.variable_scope("ssd_300_vgg"):
        one = layers.conv2d(
            image, 8, 3, 2, padding="same", activation=tf.nn.relu, name="block4"
        )
        dropped = layers.dropout(one, 0.5, training=True)
        two = layers.conv2d(
            dropped, 8, 3, 2, padding="same", activation=tf.nn.relu, name="block7"
        )
        logits, localisations, predictions = [], [], []
        for i, (h, n) in enumerate(((one, 8), (two, 4))):
            with tf.variable_scope(f"block{i}_box"):
                loc = layers.conv2d(
                    tf.nn.l2_normalize(h, 3), 8, 3, padding="same", name="conv_loc"
                )
                cls = layers.conv2d(h, 6, 3, padding="same", name="conv_cls")
                localisations.append(tf.reshape(loc, [2, n, n, 2, 4]))
                logits.append(tf.reshape(cls, [2, n, n, 2, 3]))
                predictions.append(tf.nn.softmax(logits[-1]))

    def flat(parts, *last):
        return tf.concat([tf.reshape(p, [-1, *last]) for p in parts], 0)

    scores, classes = flat(logits, 3), flat(truth[:2])
    overlap, boxes, found = flat(truth[4:]), flat(truth[2:4], 4), flat(localisations, 4)
    positive = overlap > 0.5
    fpositive = tf.cast(positive, tf.float32)
    count = tf.reduce_sum(fpositive)
    negative = tf.logical_and(tf.logical_not(positive), overlap > -0.5)
    soft = tf.where(
        negative, tf.nn.softmax(scores)[:, 0], 1.0 - tf.cast(negative, tf.float32)
    )
    most = tf.cast(3.0 * count, tf.int32) + 2
    values, _ = tf.nn.top_k(-soft, k=tf.minimum(most, tf.size(soft)))
    hard = tf.cast(tf.logical_and(negative, soft < -values[-1]), tf.float32)
    ce = _sparse(logits=scores, labels=classes)
    pos = tf.div(tf.reduce_sum(ce * fpositive), 2, name="value")
    ce = _sparse(logits=scores, labels=tf.cast(positive, tf.int64))
    neg = tf.div(tf.reduce_sum(ce * hard), 2, name="value")
    away = found - boxes
    absolute = tf.abs(away)
    smooth = 0.5 * ((absolute - 1) * tf.minimum(absolute, 1) + absolute)
    near = tf.div(
        tf.reduce_sum(smooth * tf.expand_dims(fpositive, -1)), 2, name="value"
    )
    for loss in (pos, neg, near):
        tf.losses.add_loss(loss)
        tf.summary.scalar(loss.op.name, loss)
    for end in (one, two):
        tf.summary.histogram("activations/" + end.op.name, end)
        tf.summary.scalar("sparsity/" + end.op.name, tf.nn.zero_fraction(end))
    step = tf.train.get_or_create_global_step()
    rate = tf.train.exponential_decay(0.01, step, 100, 0.94, staircase=True)
    averages = tf.train.ExponentialMovingAverage(0.999, step)
    rmsprop = tf.train.RMSPropOptimizer(rate, 0.9, 0.9, 1.0)
    total = tf.add_n(tf.losses.get_losses())
    grads = rmsprop.compute_gradients(total)
    with tf.control_dependencies([averages.apply(tf.trainable_variables())]):
        rmsprop.apply_gradients(grads, global_step=step)
    both = [*predictions, *localisations]
    return fetch(*both, first=[*both, *logits])


@fifth
def boxes_drawn_while_training() -> Fetches:
    """yangxue0827/R2CNN_FPN_Tensorflow train.py: fast_rcnn_predict gives boxes, scores and categories; demo.py runs them."""
    image, truth = queued(([16, 16, 3], tf.float32), ([4, 5], tf.float32))
    image, truth = image[:1], truth[0]
    gt, gt_class = truth[:, :4], tf.cast(truth[:, 4], tf.int32)
    h = layers.conv2d(image, 8, 3, 2, padding="same", activation=tf.nn.relu, name="C2")
    h = layers.conv2d(h, 8, 3, padding="same", activation=tf.nn.relu, name="rpn/conv")
    rpn_boxes = tf.reshape(layers.conv2d(h, 4, 1, name="rpn/box"), [-1, 4])
    rpn_scores = tf.reshape(layers.conv2d(h, 2, 1, name="rpn/cls"), [-1, 2])
    anchors = tf.constant(np.random.RandomState(0).rand(64, 4).astype(np.float32))
    nearest = tf.argmin(tf.reduce_sum(tf.square(anchors[:, None] - gt[None]), 2), 1)
    target = tf.gather(gt, nearest) - anchors
    mask = tf.to_float(tf.reduce_sum(tf.abs(target), 1) < 1.0)
    rpn_loc = tf.reduce_mean(tf.reduce_sum(tf.abs(rpn_boxes - target), 1) * mask)
    rpn_cls = tf.losses.sparse_softmax_cross_entropy(tf.to_int32(mask), rpn_scores)
    tf.losses.add_loss(rpn_loc)
    decoded = tf.clip_by_value(rpn_boxes + anchors, 0.0, 1.0)
    objectness = tf.nn.softmax(rpn_scores)[:, 1]
    kept = tf.image.non_max_suppression(decoded, objectness, 12, 0.7)
    proposals = tf.stop_gradient(tf.gather(decoded, kept))
    proposal_scores = tf.stop_gradient(tf.gather(objectness, kept))
    rois = tf.image.crop_and_resize(h, proposals, tf.zeros_like(kept), [4, 4])
    f = layers.dense(layers.flatten(layers.max_pooling2d(rois, 2, 2)), 12, tf.nn.relu)
    with tf.variable_scope("fast_rcnn"):
        cls = layers.dense(f, 3, name="cls_fc")
        reg = layers.dense(f, 12, name="reg_fc")
    near = tf.argmin(tf.reduce_sum(tf.square(proposals[:, None] - gt[None]), 2), 1)
    wanted = tf.gather(gt_class, near)
    loc_target = tf.gather(gt, near) - proposals
    picked = tf.reduce_sum(
        tf.reshape(reg, [-1, 3, 4]) * tf.one_hot(wanted, 3)[..., None], 1
    )
    loc_loss = tf.reduce_mean(tf.abs(picked - loc_target))
    cls_loss = tf.losses.sparse_softmax_cross_entropy(wanted, cls)
    tf.losses.add_loss(loc_loss)
    with tf.name_scope("fast_rcnn_predict"):
        score = tf.nn.softmax(cls)
        all_boxes = tf.reshape(reg, [-1, 3, 4]) + proposals[:, None]
        boxes, scores, category = [], [], []
        for c in (1, 2):
            one = tf.clip_by_value(all_boxes[:, c], 0.0, 1.0)
            alive = tf.image.non_max_suppression(one, score[:, c], 5, 0.3)
            boxes.append(tf.gather(one, alive))
            scores.append(tf.gather(score[:, c], alive))
            category.append(tf.fill(tf.shape(alive), c))
        boxes, scores, category = (tf.concat(v, 0) for v in (boxes, scores, category))
        sure = tf.reshape(tf.where(tf.greater_equal(scores, 0.6)), [-1])
        boxes, scores, category = (
            tf.gather(v, sure) for v in (boxes, scores, category)
        )

    def draw(*parts):
        return tf.py_func(lambda *a: a[0], list(parts), tf.float32)

    objects = tf.gather(proposals, tf.reshape(tf.where(proposal_scores > 0.5), [-1]))
    pictures = {
        "img/gtboxes": draw(image, gt),
        "img/faster_rcnn_predict": draw(image, boxes, category, scores),
        "rpn/rpn_object_boxes": draw(image, objects),
    }
    for name, picture in pictures.items():
        tf.summary.image(name, tf.reshape(picture, [1, 16, 16, 3]))
    total = tf.losses.get_total_loss()
    for name, loss in (
        ("rpn_loc", rpn_loc),
        ("rpn_cls", rpn_cls),
        ("loc", loc_loss),
        ("cls", cls_loss),
    ):
        tf.summary.scalar("loss/" + name, loss)
    step = tf.train.get_or_create_global_step()
    rate = tf.train.piecewise_constant(
        step, [np.int64(20000), np.int64(40000)], [1e-3, 1e-4, 1e-5]
    )
    tf.train.MomentumOptimizer(rate, 0.9).minimize(total, step)
    tf.summary.merge_all()
    return fetch(boxes, scores, category)


@fifth
def residual_net_with_validation_twin() -> Fetches:
    """wenxinxu/resnet-in-tensorflow: test() runs softmax of inference(); training holds a twin for validation."""

    def inference(v, reuse):
        with tf.variable_scope("conv0", reuse=reuse):
            h = layers.conv2d(
                v,
                8,
                3,
                padding="same",
                kernel_regularizer=lambda w: 2e-4 * tf.nn.l2_loss(w),
                name="c",
            )
        for i in range(2):
            with tf.variable_scope(f"conv1_{i}", reuse=reuse):
                mean, variance = tf.nn.moments(h, [0, 1, 2])
                beta = tf.get_variable("beta", 8, initializer=tf.zeros_initializer())
                gamma = tf.get_variable("gamma", 8, initializer=tf.ones_initializer())
                n = tf.nn.batch_normalization(h, mean, variance, beta, gamma, 0.001)
                h += layers.conv2d(tf.nn.relu(n), 8, 3, padding="same", name="c")
        with tf.variable_scope("fc", reuse=reuse):
            pooled = tf.reduce_mean(tf.nn.relu(h), [1, 2])
            w = tf.get_variable("fc_weights", [8, 10])
            return tf.matmul(pooled, w) + tf.get_variable("fc_bias", [10])

    def loss_of(logits, labels):
        labels = tf.cast(labels, tf.int64)
        ce = _sparse(logits=logits, labels=labels, name="cross_entropy_per_example")
        return tf.reduce_mean(ce, name="cross_entropy")

    def error(predictions, labels, n):
        hit = tf.to_float(tf.nn.in_top_k(predictions, labels, k=1))
        return (n - tf.reduce_sum(hit)) / float(n)

    x, y = tf.placeholder(tf.float32, [8, 12, 12, 3]), tf.placeholder(tf.int32, [8])
    vx, vy = tf.placeholder(tf.float32, [4, 12, 12, 3]), tf.placeholder(tf.int32, [4])
    rate = tf.placeholder(tf.float32, [])
    step, vali_step = (tf.Variable(0, trainable=False) for _ in range(2))
    logits, vali_logits = inference(x, False), inference(vx, True)
    full = tf.add_n(
        [loss_of(logits, y), *tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)]
    )
    predictions, vali = tf.nn.softmax(logits), tf.nn.softmax(vali_logits)
    top1, vali_top1 = error(predictions, y, 8), error(vali, vy, 4)
    vali_loss = loss_of(vali_logits, vy)
    ema = tf.train.ExponentialMovingAverage(0.95, step)
    moved = ema.apply([full, top1])
    tf.summary.scalar("train_top1_error_avg", ema.average(top1))
    tf.train.MomentumOptimizer(rate, 0.9).minimize(full, global_step=step)
    other = tf.train.ExponentialMovingAverage(0.0, vali_step)
    tf.group(vali_step.assign_add(1), other.apply([vali_top1, vali_loss]), moved)
    tf.summary.scalar("val_top1_error", other.average(vali_top1))
    return fetch(
        predictions, first=[predictions, vali, logits, vali_logits], labels=[y, vy]
    )


@fifth
def capsules_with_masked_decoder() -> Fetches:
    """naturomics/CapsNet-Tensorflow: argmax_idx is what accuracy takes; the decoder is masked with the label."""
    x, labels = queued(([12, 12, 1], tf.float32), ([], tf.int32))
    y = tf.one_hot(labels, 4, axis=1, dtype=tf.float32)
    with tf.variable_scope("Conv1_layer"):
        conv1 = layers.conv2d(x, 8, 5, activation=tf.nn.relu)

    def squash(v):
        norm = tf.reduce_sum(tf.square(v), -2, keepdims=True)
        return norm / (1 + norm) / tf.sqrt(norm + 1e-9) * v

    with tf.variable_scope("PrimaryCaps_layer"):
        caps1 = squash(
            tf.reshape(
                layers.conv2d(conv1, 8, 5, 2, activation=tf.nn.relu), [2, -1, 4, 1]
            )
        )
    with tf.variable_scope("DigitCaps_layer"):
        n = int(caps1.shape[1])
        w = tf.get_variable("Weight", [1, n, 24, 4, 1])
        biases = tf.get_variable("bias", [1, 1, 4, 6, 1])
        u = tf.tile(tf.reshape(caps1, [2, n, 1, 4, 1]), [1, 1, 24, 1, 1])
        u_hat = tf.reshape(tf.reduce_sum(w * u, axis=3, keepdims=True), [2, n, 4, 6, 1])
        stopped = tf.stop_gradient(u_hat)
        b = tf.constant(np.zeros([2, n, 4, 1, 1], np.float32))
        for i in range(2):
            c = tf.nn.softmax(b, axis=2)
            s = tf.reduce_sum(c * (u_hat if i else stopped), 1, keepdims=True) + biases
            v = squash(s)
            b += tf.reduce_sum(stopped * tf.tile(v, [1, n, 1, 1, 1]), 3, keepdims=True)
        caps2 = tf.squeeze(v, axis=1)
    with tf.variable_scope("Masking"):
        v_length = tf.sqrt(
            tf.reduce_sum(tf.square(caps2), axis=2, keepdims=True) + 1e-9
        )
        softmax_v = tf.nn.softmax(v_length, axis=1)
        argmax = tf.reshape(tf.to_int32(tf.argmax(softmax_v, axis=1)), [2])
        masked = tf.matmul(
            tf.squeeze(caps2), tf.reshape(y, (-1, 4, 1)), transpose_a=True
        )
        v_length = tf.sqrt(
            tf.reduce_sum(tf.square(caps2), axis=2, keepdims=True) + 1e-9
        )
    with tf.variable_scope("Decoder"):
        fc = layers.dense(tf.reshape(masked, [2, -1]), 12, tf.nn.relu)
        decoded = layers.dense(fc, 144, tf.sigmoid)
    left = tf.reshape(tf.square(tf.maximum(0.0, 0.9 - v_length)), [2, -1])
    right = tf.reshape(tf.square(tf.maximum(0.0, v_length - 0.1)), [2, -1])
    margin = tf.reduce_mean(tf.reduce_sum(y * left + 0.5 * (1 - y) * right, axis=1))
    rebuilt = tf.reduce_mean(tf.square(decoded - tf.reshape(x, [2, -1])))
    total = margin + 0.0005 * rebuilt
    for name, loss in (
        ("margin", margin),
        ("reconstruction", rebuilt),
        ("total", total),
    ):
        tf.summary.scalar("train/" + name, loss)
    tf.summary.image("reconstruction_img", tf.reshape(decoded, [2, 12, 12, 1]))
    right = tf.equal(tf.to_int32(labels), argmax)
    tf.reduce_sum(tf.cast(right, tf.float32))
    tf.summary.scalar(
        "test/accuracy", tf.placeholder_with_default(tf.constant(0.0), [])
    )
    step = tf.Variable(0, name="global_step", trainable=False)
    tf.train.AdamOptimizer().minimize(total, global_step=step)
    return fetch(argmax, first=[argmax, softmax_v, v_length])
