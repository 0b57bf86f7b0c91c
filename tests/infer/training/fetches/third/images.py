"""Detection, segmentation, text in images, GANs and other generators, flow and depth."""

from __future__ import annotations

from ..zoo import Fetches, fetch, layers, third
from ..zoo import v1 as tf


def _trained(scope):
    return [v for v in tf.trainable_variables() if v.name.startswith(scope)]


def _entropy(logits, labels):
    return tf.reduce_mean(
        tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=labels)
    )


def _conv(x, n, stride=1, **arguments):
    return layers.conv2d(x, n, 3, stride, padding="same", **arguments)


@third
def three_scales_of_boxes() -> Fetches:
    """YunYang1994/tensorflow-yolov3: freezes pred_sbbox, pred_mbbox and pred_lbbox."""
    image = tf.placeholder(tf.float32, [None, 32, 32, 3], name="input/input_data")
    labels, trues = [], []
    for s in "sml":
        labels.append(tf.placeholder(tf.float32, [None, None, None, 2, 8], f"l_{s}"))
        trues.append(tf.placeholder(tf.float32, [None, None, 4], f"{s}bboxes"))
    trainable = tf.placeholder(tf.bool, name="training")

    def unit(v, n, stride=1):
        v = _conv(v, n, stride, use_bias=False)
        return tf.nn.leaky_relu(
            layers.batch_normalization(v, training=trainable), alpha=0.1
        )

    def decode(v, anchors, stride, scope):
        with tf.variable_scope(scope):
            shape = tf.shape(v)
            n, size = shape[0], shape[1]
            v = tf.reshape(v, (n, size, size, 2, 8))
            y = tf.tile(tf.range(size)[:, tf.newaxis], [1, size])
            x = tf.tile(tf.range(size)[tf.newaxis, :], [size, 1])
            grid = tf.concat([x[:, :, tf.newaxis], y[:, :, tf.newaxis]], -1)
            grid = tf.tile(grid[tf.newaxis, :, :, tf.newaxis, :], [n, 1, 1, 2, 1])
            xy = (tf.sigmoid(v[..., 0:2]) + tf.cast(grid, tf.float32)) * stride
            wh = tf.exp(v[..., 2:4]) * anchors * stride
            conf, prob = tf.sigmoid(v[..., 4:5]), tf.sigmoid(v[..., 5:])
            return tf.concat([xy, wh, conf, prob], axis=-1)

    deep = unit(unit(unit(image, 4, 2), 8, 2), 8, 2)
    low = unit(deep, 8, 2)
    raws = [layers.conv2d(low, 16, 1)]
    up = tf.image.resize_nearest_neighbor(unit(low, 4), [4, 4])
    mid = tf.concat([up, deep], -1)
    raws.append(layers.conv2d(unit(mid, 8), 16, 1))
    raws.append(layers.conv2d(unit(unit(mid, 4), 8), 16, 1))
    boxes = [
        decode(raw, [[1.2, 1.5], [2.0, 3.7]], stride, f"pred_{s}bbox")
        for raw, stride, s in zip(raws, (16.0, 8.0, 8.0), "lms")
    ]
    loss = 0.0
    for raw, box, label, true in zip(raws, boxes, labels, trues):
        raw = tf.reshape(raw, tf.shape(label))
        overlap = tf.minimum(box[..., None, :4], true[:, None, None, None])
        far = tf.cast(tf.reduce_max(overlap[..., 0], -1) < 0.5, tf.float32)
        there = label[..., 4:5]
        giou = there * tf.reduce_sum(tf.abs(box[..., :4] - label[..., :4]), -1, True)
        conf = tf.nn.sigmoid_cross_entropy_with_logits(
            labels=there, logits=raw[..., 4:5]
        ) * (there + (1 - there) * far[..., None])
        prob = there * tf.nn.sigmoid_cross_entropy_with_logits(
            labels=label[..., 5:], logits=raw[..., 5:]
        )
        for part in (giou, conf, prob):
            loss += tf.reduce_mean(tf.reduce_sum(part, [1, 2, 3, 4]))
    step = tf.Variable(1.0, trainable=False)
    rate = tf.cond(step < 100.0, lambda: step / 100.0 * 1e-3, lambda: 1e-3 * 1.0)
    update = tf.assign_add(step, 1.0)
    moving = tf.train.ExponentialMovingAverage(0.99).apply(tf.trainable_variables())
    train = tf.train.AdamOptimizer(rate).minimize(loss)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        with tf.control_dependencies([train, update]):
            with tf.control_dependencies([moving]):
                tf.no_op()
    tf.summary.scalar("total_loss", loss)
    return fetch(*boxes, labels=labels + trues)


@third
def exported_detector() -> Fetches:
    """tensorflow/models object_detection exporter: four tensors, from uint8 images."""
    image = tf.placeholder(tf.uint8, [1, None, None, 3], name="image_tensor")
    x = tf.image.resize_bilinear(tf.cast(image, tf.float32), [32, 32])
    x = _conv((2.0 / 255.0) * x - 1.0, 8, 4, activation=tf.nn.relu6)
    raw = tf.reshape(_conv(x, 8), [1, -1, 4])
    scores = tf.sigmoid(tf.reshape(_conv(x, 6), [1, -1, 3]))[:, :, 1:]
    corners = tf.concat([raw[..., :2] - 0.5, raw[..., :2] + tf.exp(raw[..., 2:])], -1)
    picked = []
    for c in range(2):
        chosen = tf.image.non_max_suppression(corners[0], scores[0, :, c], 5, 0.6)
        picked.append(
            (
                tf.gather(corners[0], chosen),
                tf.gather(scores[0, :, c], chosen),
                tf.fill([tf.size(chosen)], float(c)),
            )
        )
    boxes, values, classes = (tf.concat(p, 0) for p in zip(*picked))
    order = tf.nn.top_k(values, tf.minimum(5, tf.size(values))).indices

    def padded(v):
        v = tf.gather(v, order)
        missing = [[0, 5 - tf.shape(v)[0]]] + [[0, 0]] * (v.shape.rank - 1)
        return tf.expand_dims(tf.pad(v, missing), 0)

    outputs = [
        tf.identity(padded(boxes), "detection_boxes"),
        tf.identity(padded(values), "detection_scores"),
        tf.identity(padded(classes) + 1.0, "detection_classes"),
        tf.identity(
            tf.cast(tf.reshape(tf.size(order), [1]), tf.float32), "num_detections"
        ),
    ]
    return fetch(*outputs, first=outputs[:3], frozen=True)


@third
def text_regions_on_towers() -> Fetches:
    """argman/EAST multigpu_train.py: eval.py fetches f_score and f_geometry."""
    images = tf.placeholder(tf.float32, [None, None, None, 3], name="input_images")
    maps = tf.placeholder(tf.float32, [None, None, None, 1], name="input_score_maps")
    geometry = tf.placeholder(tf.float32, [None, None, None, 5], name="input_geo_maps")
    masks = tf.placeholder(
        tf.float32, [None, None, None, 1], name="input_training_masks"
    )
    step = tf.get_variable("step", [], initializer=tf.zeros_initializer(), trainable=0)
    adam = tf.train.AdamOptimizer(tf.train.exponential_decay(1e-4, step, 10000, 0.94))
    grads, answers = [], []
    parts = [tf.split(v, 2) for v in (images, maps, geometry, masks)]
    for gpu, (image, score, geo, mask) in enumerate(zip(*parts)):
        with tf.device(f"/gpu:{gpu}"), tf.name_scope(f"model_{gpu}"):
            with tf.variable_scope("net", reuse=gpu > 0):
                x = image - [123.68, 116.78, 103.94]
                x = _conv(x, 8, 2, activation=tf.nn.relu, name="c1")
                x = layers.batch_normalization(x, training=True, name="bn")
                x = _conv(x, 8, 2, activation=tf.nn.relu, name="c2")
                f_score = layers.conv2d(x, 1, 1, activation=tf.nn.sigmoid, name="s")
                far = layers.conv2d(x, 4, 1, activation=tf.nn.sigmoid, name="g") * 512
                angle = layers.conv2d(x, 1, 1, activation=tf.nn.sigmoid, name="a")
                angle = (angle - 0.5) * 3.14159 / 2
                f_geometry = tf.concat([far, angle], -1)
        answers.append((f_score, f_geometry))
        both = tf.reduce_sum(score * f_score * mask)
        union = tf.reduce_sum(score * mask) + tf.reduce_sum(f_score * mask) + 1e-5
        dice = (1.0 - 2 * both / union) * 0.01
        d, theta = tf.split(geo, [4, 1], 3)
        d_hat, theta_hat = tf.split(f_geometry, [4, 1], 3)
        inter = tf.reduce_prod(tf.minimum(d, d_hat), -1, keepdims=True)
        outer = tf.reduce_prod(d, -1, True) + tf.reduce_prod(d_hat, -1, True) - inter
        aabb = -tf.log((inter + 1.0) / (outer + 1.0))
        loss = aabb + 20 * (1 - tf.cos(theta_hat - theta))
        total = tf.reduce_mean(loss * score * mask) + dice
        if gpu == 0:
            tf.summary.image("score_map_pred", f_score * 255)
            tf.summary.scalar("model_loss", total)
        grads.append(adam.compute_gradients(total))
    mean = [
        (tf.reduce_mean(tf.stack([g for g, _ in pair]), 0), pair[0][1])
        for pair in zip(*grads)
    ]
    adam.apply_gradients(mean, global_step=step)
    return fetch(*answers[0], labels=[maps, geometry, masks])


@third
def proposals_by_python() -> Fetches:
    """endernewton/tf-faster-rcnn: test_image runs cls_prob, bbox_pred and rois."""
    image = tf.placeholder(tf.float32, [1, None, None, 3])
    info = tf.placeholder(tf.float32, [3])
    gt = tf.placeholder(tf.float32, [None, 5])
    net = _conv(image, 8, 2, activation=tf.nn.relu)
    rpn = _conv(net, 8, activation=tf.nn.relu, name="rpn_conv")
    score = layers.conv2d(rpn, 4, 1, name="rpn_cls_score")
    pairs = tf.reshape(score, [-1, 2])
    prob = tf.nn.softmax(pairs, name="rpn_cls_prob")
    box = layers.conv2d(rpn, 8, 1, name="rpn_bbox_pred")
    rois, _ = tf.py_func(
        lambda p, b, i: (b[:4], p[:4]), [prob, box, info], [tf.float32, tf.float32]
    )
    rois = tf.reshape(rois, [-1, 4], name="rois")
    target, weights = tf.py_func(
        lambda s, g: (g[:4], g[:4]), [score, gt], [tf.float32, tf.float32]
    )
    target.set_shape([None, 4])
    label = tf.cast(tf.reshape(target[:, 0], [-1]), tf.int32)
    crops = tf.image.crop_and_resize(
        net, rois / 100.0, tf.zeros([tf.shape(rois)[0]], tf.int32), [6, 6]
    )
    flat = layers.dense(tf.reshape(crops, [-1, 288]), 16, tf.nn.relu)
    cls_score = layers.dense(flat, 3, name="cls_score")
    cls_prob = tf.nn.softmax(cls_score, name="cls_prob")
    tf.argmax(cls_score, axis=1, name="cls_pred")
    bbox = layers.dense(flat, 12, name="bbox_pred")
    ce = tf.nn.sparse_softmax_cross_entropy_with_logits
    loss = tf.reduce_mean(ce(logits=cls_score, labels=label))
    loss += tf.reduce_mean(ce(logits=pairs[: tf.shape(label)[0]], labels=label))
    far = tf.abs(weights * (bbox[:, :4] - target))
    near = tf.stop_gradient(tf.cast(far < 1.0, tf.float32))
    loss += tf.reduce_mean(
        tf.reduce_sum(far * far * 0.5 * near + (far - 0.5) * (1 - near), 1)
    )
    for v in tf.trainable_variables():
        loss += 1e-4 * tf.nn.l2_loss(v)
    rate = tf.Variable(1e-3, trainable=False)
    momentum = tf.train.MomentumOptimizer(rate, 0.9)
    momentum.apply_gradients(momentum.compute_gradients(loss))
    return fetch(cls_prob, bbox, rois, first=[cls_prob, bbox, cls_score], labels=[gt])


@third
def semantic_predictions() -> Fetches:
    """tensorflow/models deeplab export_model.py: SemanticPredictions, cut back to the image's size."""
    image = tf.placeholder(tf.uint8, [1, None, None, 3], name="ImageTensor")
    shape = tf.shape(image)
    x = tf.pad(tf.cast(image, tf.float32) - 127.5, [[0, 0], [0, 1], [0, 1], [0, 0]])
    x = tf.image.resize_bilinear(x, [33, 33]) / 127.5
    x = _conv(x, 8, 2, activation=tf.nn.relu)
    pooled = tf.reduce_mean(x, [1, 2], keepdims=True)
    pooled = layers.conv2d(pooled, 4, 1, activation=tf.nn.relu)
    pooled = tf.image.resize_bilinear(pooled, [17, 17])
    x = tf.concat([pooled, layers.conv2d(x, 4, 1, activation=tf.nn.relu)], -1)
    logits = tf.image.resize_bilinear(layers.conv2d(x, 5, 1), [33, 33])
    logits = tf.image.resize_bilinear(logits, shape[1:3] + 1, align_corners=True)
    classes = tf.argmax(logits, 3)
    cut = tf.slice(classes, [0, 0, 0], [1, shape[1], shape[2]])
    whole = tf.identity(cut, name="SemanticPredictions")
    return fetch(whole, frozen=True)


@third
def pose_stages_of_two_branches() -> Fetches:
    """ildoonet/tf-pose-estimation: Openpose/concat_stage7 of the last stage."""
    image = tf.placeholder(tf.float32, [None, 32, 32, 3], name="image")
    vectors = tf.placeholder(tf.float32, [None, 8, 8, 6], name="vectmap")
    heats = tf.placeholder(tf.float32, [None, 8, 8, 4], name="heatmap")
    feature = _conv(_conv(image, 8, 2, activation=tf.nn.relu), 8, 2)
    x, losses = tf.nn.relu(feature), []
    for stage in range(1, 4):
        l1 = layers.conv2d(_conv(x, 8, activation=tf.nn.relu), 6, 1, name=f"M{stage}L1")
        l2 = layers.conv2d(_conv(x, 8, activation=tf.nn.relu), 4, 1, name=f"M{stage}L2")
        losses += [tf.nn.l2_loss(l1 - vectors), tf.nn.l2_loss(l2 - heats)]
        x = tf.concat([l1, l2, feature], -1, name=f"concat_stage{stage + 1}")
    out = tf.concat([l2, l1], -1, name="Openpose/concat_stage7")
    total = tf.reduce_sum(losses) / 4.0
    step = tf.Variable(0, trainable=False)
    rate = tf.train.exponential_decay(1e-4, step, 100, 0.33, staircase=True)
    tf.train.AdamOptimizer(rate, epsilon=1e-8).minimize(total, global_step=step)
    tf.summary.scalar("loss", total)
    return fetch(out, first=[out, l1, l2], labels=[vectors, heats])


@third
def cascade_with_hard_examples() -> Fetches:
    """AITTSMD/MTCNN-Tensorflow, R-Net: cls_prob, bbox_pred, landmark_pred."""
    image = tf.placeholder(tf.float32, [16, 24, 24, 3], name="input_image")
    label = tf.placeholder(tf.float32, [16], name="label")
    box = tf.placeholder(tf.float32, [16, 4], name="bbox_target")
    mark = tf.placeholder(tf.float32, [16, 10], name="landmark_target")
    x = layers.max_pooling2d(_conv(image, 8), 3, 2)
    alpha = tf.get_variable("alphas", [8], initializer=tf.constant_initializer(0.25))
    x = tf.nn.relu(x) + alpha * (x - tf.abs(x)) * 0.5
    x = layers.dense(layers.flatten(x), 16)
    cls = layers.dense(x, 2, activation=tf.nn.softmax, name="cls_fc")
    bbox, marks = layers.dense(x, 4, name="bbox_fc"), layers.dense(x, 10, name="mark")
    valid = tf.where(label < 0, tf.zeros_like(label), tf.ones_like(label))
    flat = tf.reshape(cls, [-1, 1])
    rows = tf.range(16) * 2 + tf.cast(tf.nn.relu(label), tf.int32)
    loss = -tf.log(tf.squeeze(tf.gather(flat, rows)) + 1e-10) * valid
    keep = tf.cast(tf.reduce_sum(valid) * 0.7, tf.int32)
    hard, _ = tf.nn.top_k(loss, k=keep)
    cls_loss = tf.reduce_mean(hard)
    on = tf.cast(tf.equal(tf.abs(label), 1), tf.float32)
    error = tf.reduce_sum(tf.square(bbox - box), axis=1) * on
    _, index = tf.nn.top_k(error, k=tf.cast(tf.reduce_sum(on), tf.int32))
    box_loss = tf.reduce_mean(tf.gather(error, index))
    error = tf.reduce_sum(tf.square(marks - mark), 1)
    mark_loss = tf.reduce_mean(error * tf.cast(tf.equal(label, -2), tf.float32))
    pred = tf.argmax(cls, axis=1)
    hit = tf.cast(tf.equal(pred, tf.cast(label, tf.int64)), tf.float32)
    accuracy = tf.reduce_mean(tf.gather(hit, tf.squeeze(tf.where(label >= 0))))
    total = cls_loss + 0.5 * box_loss + 0.5 * mark_loss
    tf.train.MomentumOptimizer(1e-3, 0.9).minimize(total)
    tf.summary.scalar("cls_accuracy", accuracy)
    return fetch(cls, bbox, marks, labels=[label, box, mark])


@third
def pixel_wise_softmax() -> Fetches:
    """jakeret/tf_unet: predicter, with a weighted cross entropy over flattened maps."""
    x = tf.placeholder("float", [None, None, None, 1], name="x")
    y = tf.placeholder("float", [None, None, None, 2], name="y")
    keep = tf.placeholder(tf.float32, name="dropout_probability")
    h = tf.nn.dropout(_conv(x, 8, activation=tf.nn.relu), keep_prob=keep)
    logits = layers.conv2d(_conv(h, 8, activation=tf.nn.relu), 2, 1)
    flat, labels = tf.reshape(logits, [-1, 2]), tf.reshape(y, [-1, 2])
    weight = tf.reduce_sum(labels * tf.constant([0.2, 0.8]), 1)
    loss = tf.nn.softmax_cross_entropy_with_logits_v2(logits=flat, labels=labels)
    cost = tf.reduce_mean(loss * weight)
    exponent = tf.exp(logits - tf.reduce_max(logits, axis=3, keepdims=True))
    predicter = exponent / tf.reduce_sum(exponent, axis=3, keepdims=True)
    correct = tf.equal(tf.argmax(predicter, 3), tf.argmax(y, 3))
    tf.reduce_mean(tf.cast(correct, tf.float32))
    tf.reduce_mean(-tf.reduce_sum(labels * tf.log(tf.reshape(predicter, [-1, 2]))))
    tf.train.MomentumOptimizer(0.2, 0.9).minimize(cost)
    return fetch(predicter, labels=[y])


@third
def domains_by_label() -> Fetches:
    """taki0112/StarGAN: x_fake from piped images and target labels."""
    x, org, trg = tf.data.make_one_shot_iterator(
        tf.data.Dataset.from_generator(
            lambda: iter(()), (tf.float32,) * 3, ([4, 16, 16, 3], [4, 5], [4, 5])
        )
    ).get_next()

    def generator(image, c, reuse=False):
        with tf.variable_scope("generator", reuse=reuse):
            c = tf.tile(tf.reshape(c, [-1, 1, 1, 5]), [1, 16, 16, 1])
            h = _conv(tf.concat([image, c], -1), 8, use_bias=False, name="c")
            mean, var = tf.nn.moments(h, [1, 2], keepdims=True)
            h = tf.nn.relu((h - mean) * tf.rsqrt(var + 1e-5))
            return tf.tanh(_conv(h, 3, use_bias=False, name="o"))

    def judge(image, reuse=False):
        with tf.variable_scope("discriminator", reuse=reuse):
            h = tf.nn.leaky_relu(_conv(image, 8, 2, name="c"))
            return _conv(h, 1, name="d"), layers.dense(layers.flatten(h), 5, name="k")

    fake = generator(x, trg)
    back = generator(fake, org, True)
    real_logit, real_class = judge(x)
    fake_logit, fake_class = judge(fake, True)
    alpha = tf.random_uniform([4, 1, 1, 1])
    mixed = x + alpha * (fake - x)
    grad = tf.gradients(judge(mixed, True)[0], mixed)[0]
    penalty = tf.reduce_mean(tf.square(tf.norm(layers.flatten(grad), axis=1) - 1.0))
    d = tf.reduce_mean(fake_logit) - tf.reduce_mean(real_logit) + 10 * penalty
    d += _entropy(real_class, org)
    g = -tf.reduce_mean(fake_logit) + _entropy(fake_class, trg)
    g += 10 * tf.reduce_mean(tf.abs(x - back))
    tf.train.AdamOptimizer(1e-4, 0.5).minimize(g, var_list=_trained("generator"))
    tf.train.AdamOptimizer(1e-4, 0.5).minimize(d, var_list=_trained("discriminator"))
    return fetch(fake)


@third
def bidirectional_gan() -> Fetches:
    """BiGAN / ALI: encoder's code and generator's picture, judged in pairs."""
    x = tf.placeholder(tf.float32, [None, 28], name="X")
    z = tf.placeholder(tf.float32, [None, 5], name="z")
    with tf.variable_scope("encoder"):
        code = layers.dense(layers.dense(x, 16, tf.nn.relu), 5)
    with tf.variable_scope("generator"):
        picture = layers.dense(layers.dense(z, 16, tf.nn.relu), 28, tf.nn.sigmoid)

    def judge(a, b, reuse):
        with tf.variable_scope("judge", reuse=reuse):
            h = layers.dense(tf.concat([a, b], 1), 16, tf.nn.relu, name="h")
            return layers.dense(h, 1, tf.nn.sigmoid, name="o")

    real, fake = judge(x, code, False), judge(picture, z, True)
    d = -tf.reduce_mean(tf.log(real + 1e-8) + tf.log(1 - fake + 1e-8))
    g = -tf.reduce_mean(tf.log(fake + 1e-8) + tf.log(1 - real + 1e-8))
    makers = _trained("encoder") + _trained("generator")
    tf.train.AdamOptimizer(1e-3).minimize(d, var_list=_trained("judge"))
    tf.train.AdamOptimizer(1e-3).minimize(g, var_list=makers)
    return fetch(picture, code)


@third
def noise_drawn_inside() -> Fetches:
    """igul222/improved_wgan_training: Generator(n) draws its noise; fixed noise gives the samples that are saved."""
    real = tf.placeholder(tf.int32, [8, 48])
    fixed = tf.constant([[0.1 * (i - j) for j in range(6)] for i in range(8)])

    def generator(noise, reuse):
        with tf.variable_scope("Generator", reuse=reuse):
            noise = tf.random_normal([8, 6]) if noise is None else noise
            h = tf.nn.relu(layers.dense(noise, 16, name="in"))
            return tf.tanh(layers.dense(h, 48, name="out"))

    def judge(v, reuse):
        with tf.variable_scope("Discriminator", reuse=reuse):
            h = tf.nn.leaky_relu(layers.dense(v, 16, name="in"))
            return tf.reshape(layers.dense(h, 1, name="out"), [-1])

    data = 2 * ((tf.cast(real, tf.float32) / 255.0) - 0.5)
    fake = generator(None, False)
    d_real, d_fake = judge(data, False), judge(fake, True)
    mixed = data + tf.random_uniform([8, 1]) * (fake - data)
    slope = tf.gradients(judge(mixed, True), [mixed])[0]
    slopes = tf.sqrt(tf.reduce_sum(tf.square(slope), 1))
    d = tf.reduce_mean(d_fake) - tf.reduce_mean(d_real)
    d += 10 * tf.reduce_mean((slopes - 1.0) ** 2)
    tf.train.AdamOptimizer(1e-4, 0.0, 0.9).minimize(
        -tf.reduce_mean(d_fake), var_list=_trained("Generator")
    )
    tf.train.AdamOptimizer(1e-4, 0.0, 0.9).minimize(
        d, var_list=_trained("Discriminator")
    )
    samples = generator(fixed, True)
    return fetch(samples, first=[samples, fake])


@third
def super_resolution_with_test_copy() -> Fetches:
    """tensorlayer/srgan: net_g_test.outputs, a copy in inference mode beside the trained one."""
    low = tf.placeholder(tf.float32, [2, 8, 8, 3], name="t_image_input_to_SRGAN")
    high = tf.placeholder(tf.float32, [2, 16, 16, 3], name="t_target_image")
    shown = tf.placeholder(tf.float32, [1, None, None, 3], name="input_image")

    def generator(v, train, reuse):
        with tf.variable_scope("SRGAN_g", reuse=reuse):
            h = first = _conv(v, 16, activation=tf.nn.relu, name="n64s1")
            h = _conv(h, 16, use_bias=False, name="c1")
            h = layers.batch_normalization(h, training=train, name="b1") + first
            h = tf.nn.relu(tf.depth_to_space(_conv(h, 16, name="up"), 2))
            return tf.tanh(layers.conv2d(h, 3, 1, name="out"))

    def judge(v, reuse):
        with tf.variable_scope("SRGAN_d", reuse=reuse):
            h = tf.nn.leaky_relu(_conv(v, 8, 2, name="c"))
            return layers.dense(layers.flatten(h), 1, name="o")

    def vgg(v, reuse):
        with tf.variable_scope("vgg19", reuse=reuse):
            v = tf.image.resize_images((v + 1) / 2, [16, 16]) * 255.0
            return _conv(v, 8, 2, activation=tf.nn.relu, name="c", trainable=False)

    fake = generator(low, True, False)
    real_logit, fake_logit = judge(high, False), judge(fake, True)
    d = _entropy(real_logit, tf.ones_like(real_logit))
    d += _entropy(fake_logit, tf.zeros_like(fake_logit))
    mse = tf.reduce_mean(tf.reduce_sum(tf.squared_difference(fake, high), [1, 2, 3]))
    content = 2e-6 * tf.losses.mean_squared_error(vgg(high, False), vgg(fake, True))
    g = mse + content + 1e-3 * _entropy(fake_logit, tf.ones_like(fake_logit))
    test = generator(shown, False, True)
    g_vars = _trained("SRGAN_g")
    tf.train.AdamOptimizer(1e-4, beta1=0.9).minimize(mse, var_list=g_vars)
    tf.train.AdamOptimizer(1e-4, beta1=0.9).minimize(g, var_list=g_vars)
    tf.train.AdamOptimizer(1e-4).minimize(d, var_list=_trained("SRGAN_d"))
    return fetch(test, labels=[high])


@third
def depth_from_motion() -> Fetches:
    """tinghuiz/SfMLearner: pred_depth and poses, trained on photographs alone."""
    target = tf.placeholder(tf.float32, [2, 16, 16, 3], name="tgt_image")
    source = tf.placeholder(tf.float32, [2, 16, 16, 3], name="src_image")
    with tf.variable_scope("depth_net"):
        h = _conv(target, 8, 2, activation=tf.nn.relu)
        h = layers.conv2d_transpose(h, 8, 3, 2, padding="same", activation=tf.nn.relu)
        disp = 10 * _conv(h, 1, activation=tf.sigmoid) + 0.01
        small = 10 * _conv(h, 1, 2, activation=tf.sigmoid) + 0.01
    depth, small_depth = 1.0 / disp, 1.0 / small
    with tf.variable_scope("pose_exp_net"):
        h = _conv(tf.concat([target, source], 3), 8, 2, activation=tf.nn.relu)
        pose = 0.01 * tf.reduce_mean(layers.conv2d(h, 6, 1), [1, 2])
    loss = 0.0
    for scale, d in enumerate((depth, small_depth)):
        size = 16 // 2**scale
        now = tf.image.resize_area(target, [size, size])
        then = tf.image.resize_area(source, [size, size])
        shift = tf.reshape(pose[:, :3], [2, 1, 1, 3]) / d
        warped = then * (1 + shift)
        loss += tf.reduce_mean(tf.abs(warped - now))
        dx = d[:, :, 1:] - d[:, :, :-1]
        loss += 0.5 / 2**scale * tf.reduce_mean(tf.abs(dx))
        tf.summary.image(f"scale{scale}_disparity_image", 1.0 / d)
    step = tf.Variable(0, name="global_step", trainable=False)
    tf.train.AdamOptimizer(2e-4, 0.9).minimize(loss, global_step=step)
    return fetch(depth, pose, first=[depth, disp])
