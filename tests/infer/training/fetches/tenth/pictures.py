"""Pictures and clouds: films, cars, colours, people, hands, letters."""

from __future__ import annotations

import numpy as np

from ..zoo import Fetches, fetch, layers, tenth
from ..zoo import v1 as tf

_adam = tf.train.AdamOptimizer


def _average(towers):
    averaged = []
    for pairs in zip(*towers):
        grads = tf.concat([tf.expand_dims(g, 0) for g, _ in pairs], 0)
        averaged.append((tf.reduce_mean(grads, 0), pairs[0][1]))
    return averaged


@tenth
def sport_in_a_film() -> Fetches:
    """hx173149/C3D-tensorflow: predictions are softmax of inference_c3d; training has towers that share all weights."""
    films = tf.placeholder(tf.float32, shape=(4, 4, 8, 8, 3))
    labels = tf.placeholder(tf.int64, shape=(4))
    rate = tf.placeholder(tf.float32, shape=[])
    adam, towers, heads = _adam(learning_rate=rate), [], []

    def variable(name, shape, decay):
        v = tf.get_variable(name, shape)
        if decay is not None:
            cost = tf.multiply(tf.nn.l2_loss(v), decay, name="weight_loss")
            tf.add_to_collection("losses", cost)
        return v

    for gpu in range(2):
        with tf.name_scope(f"c3d_{gpu}") as scope:
            with tf.variable_scope("c3d_var", reuse=bool(gpu)):
                w1 = variable("wc1", [3, 3, 3, 3, 4], 0.0)
                w2 = variable("wc2", [3, 3, 3, 4, 5], 0.0)
                w3, w4 = variable("wd1", [40, 6], 0.005), variable(
                    "wout", [6, 5], 0.005
                )
                b1, b2 = variable("bc1", [4], 0.0), variable("bc2", [5], 0.0)
                b3, b4 = variable("bd1", [6], 0.0), variable("bout", [5], 0.0)
            h = films[gpu * 2 : (gpu + 1) * 2, :, :, :, :]
            for w, b in ((w1, b1), (w2, b2)):
                h = tf.nn.bias_add(tf.nn.conv3d(h, w, [1] * 5, "SAME"), b)
                h = tf.nn.relu(h, "relu")
                h = tf.nn.max_pool3d(h, [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], "SAME")
            h = tf.transpose(h, perm=[0, 1, 4, 2, 3])
            h = tf.reshape(h, [2, 20])
            h = tf.concat([h, h], 1)
            h = tf.nn.relu(tf.matmul(h, w3) + b3, name="fc1")
            logits = tf.matmul(tf.nn.dropout(h, keep_prob=0.5), w4) + b4
            own = labels[gpu * 2 : (gpu + 1) * 2]
            entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(
                logits=logits, labels=own
            )
            tf.add_to_collection("losses", tf.reduce_mean(entropy))
            losses = tf.get_collection("losses", scope)
            total = tf.add_n(losses, name="total_loss")
            averages = tf.train.ExponentialMovingAverage(0.9, name="loss")
            apply = averages.apply([*losses, total])
            right = tf.equal(tf.argmax(logits, 1), own)
            tf.reduce_mean(tf.cast(right, tf.float32))
            with tf.control_dependencies([apply]):
                total = tf.identity(total)
            towers.append(adam.compute_gradients(total))
            heads.append(logits)
    train = adam.apply_gradients(_average(towers))
    averages = tf.train.ExponentialMovingAverage(0.999)
    tf.group(train, averages.apply(tf.trainable_variables()))
    return fetch(heads[0], first=heads, labels=[labels], twins=[[heads[1]], heads])


@tenth
def cars_in_a_point_cloud() -> Fetches:
    """qianguih/voxelnet: predict_step runs prob_output and delta_output, joined over towers; boxes are chosen apart."""
    epoch = tf.Variable(0, trainable=False)
    epoch.assign(epoch + 1)
    start = tf.Variable(0.001, trainable=False, dtype=tf.float32)
    step = tf.Variable(1, trainable=False)
    rate = tf.train.piecewise_constant(epoch, [80, 120], [start, start * 0.1, start])
    phase = tf.placeholder(tf.bool, name="phase")
    adam = _adam(rate)

    def conv(v, n, k, name, three=False, last=False):
        with tf.variable_scope(name, reuse=tf.AUTO_REUSE):
            make = layers.conv3d if three else layers.conv2d
            v = make(v, n, k, padding="same", name="conv")
            if not last:
                v = layers.batch_normalization(v, training=phase, name="bn")
            return v if last else tf.nn.relu(v)

    def vfe(v, mask, n, name):
        with tf.variable_scope(name, reuse=tf.AUTO_REUSE):
            point = layers.dense(v, n, tf.nn.relu, name="dense")
            point = layers.batch_normalization(point, training=phase, name="bn")
        most = tf.tile(tf.reduce_max(point, axis=1, keepdims=True), [1, 5, 1])
        both = tf.concat([point, most], axis=2)
        return tf.multiply(both, tf.cast(tf.tile(mask, [1, 1, 2 * n]), tf.float32))

    probs, deltas, towers, norms, labels, parts = [], [], [], [], [], []
    with tf.variable_scope(tf.get_variable_scope()):
        for gpu in range(2):
            with tf.name_scope(f"gpu_{gpu}"):
                feature = tf.placeholder(tf.float32, [None, 5, 7], name="feature")
                tf.placeholder(tf.int64, [None], name="number")
                place = tf.placeholder(tf.int64, [None, 4], name="coordinate")
                most = tf.reduce_max(feature, axis=2, keepdims=True)
                mask = tf.not_equal(most, 0)
                x = vfe(vfe(feature, mask, 3, "VFE-1"), mask, 4, "VFE-2")
                x = tf.scatter_nd(place, tf.reduce_max(x, axis=1), [1, 2, 4, 4, 8])
                fed = [
                    tf.placeholder(tf.float32, [None, 4, 4, n]) for n in (14, 2, 14, 2)
                ]
                sums = [tf.placeholder(tf.float32, [None, 1, 1, 1]) for _ in range(2)]
                target, pos, pos_reg, neg = fed
                labels += [*fed, *sums]
                x = conv(x, 4, 3, "conv1", three=True)
                x = tf.reshape(tf.transpose(x, perm=[0, 2, 3, 4, 1]), [-1, 4, 4, 8])
                x = conv(x, 6, 3, "conv2")
                x = tf.concat([x, conv(x, 6, 3, "conv3")], -1)
                p = tf.sigmoid(conv(x, 2, 1, "conv20", last=True))
                r = conv(x, 14, 1, "conv21", last=True)
                pos_loss = (-pos * tf.log(p + 1e-6)) / sums[0]
                neg_loss = (-neg * tf.log(1 - p + 1e-6)) / sums[1]
                cls = tf.reduce_sum(1.5 * pos_loss + 1 * neg_loss)
                off = tf.subtract(r * pos_reg, target * pos_reg)
                near = tf.cast(tf.less(tf.abs(off), 1.0 / 9), tf.float32)
                smooth = off * off * 4.5 * near + (tf.abs(off) - 0.5 / 9) * (1 - near)
                reg = tf.reduce_sum(smooth / sums[0])
                parts = [reg, cls, tf.reduce_sum(pos_loss), tf.reduce_sum(neg_loss)]
                own = tf.trainable_variables()
                loss = tf.reduce_sum(cls + reg)
                grads, norm = tf.clip_by_global_norm(tf.gradients(loss, own), 5.0)
                probs.append(p)
                deltas.append(r)
                towers.append(list(zip(grads, own)))
                norms.append(norm)
    train = adam.apply_gradients(_average(towers), global_step=step)
    tf.group(train, *tf.get_collection(tf.GraphKeys.UPDATE_OPS))
    delta, prob = tf.concat(deltas, axis=0), tf.concat(probs, axis=0)
    views = [tf.placeholder(tf.uint8, [None, 4, 4, 3]) for _ in range(3)]
    boxes = tf.placeholder(tf.float32, [None, 4])
    scores = tf.placeholder(tf.float32, [None])
    tf.image.non_max_suppression(boxes, scores, max_output_size=3, iou_threshold=0.1)
    tf.summary.merge(
        [tf.summary.scalar(f"train/{i}", v) for i, v in enumerate(parts)]
        + [tf.summary.histogram(v.name, v) for v in tf.trainable_variables()]
    )
    tf.summary.merge([tf.summary.image(f"predict/{i}", v) for i, v in enumerate(views)])
    towers = [[p, r] for p, r in zip(probs, deltas)]
    first = [prob, delta, *probs, *deltas]
    return fetch(prob, delta, first=first, labels=labels, twins=towers)


@tenth
def colours_of_a_grey_picture() -> Fetches:
    """nilboy/colorization-tf: demo.py runs conv8_313; the loss takes a derivative by it, weighed by a prior."""
    grey = tf.placeholder(tf.float32, (2, 16, 16, 1))
    colours = tf.placeholder(tf.float32, (2, 4, 4, 9))
    prior = tf.placeholder(tf.float32, (2, 4, 4, 1))
    step = tf.get_variable(
        "global_step", [], initializer=tf.constant_initializer(0), trainable=False
    )
    rate = tf.train.exponential_decay(3e-5, step, 100, 0.316, staircase=True)
    adam = _adam(learning_rate=rate, beta2=0.99)

    def conv(name, v, n, stride=1, relu=True, k=3, up=False):
        with tf.variable_scope(name):
            c = int(v.shape[3])
            w = tf.get_variable("weights", [k, k, n, c] if up else [k, k, c, n])
            decay = tf.multiply(tf.nn.l2_loss(w), 0.001, name="weight_loss")
            tf.add_to_collection("losses", decay)
            b = tf.get_variable("biases", [n])
            if up:
                size = [int(v.shape[0]), int(v.shape[1]) * 2, int(v.shape[2]) * 2, n]
                v = tf.nn.conv2d_transpose(v, w, size, [1, 2, 2, 1], "SAME")
            else:
                v = tf.nn.conv2d(v, w, [1, stride, stride, 1], "SAME")
            v = tf.nn.bias_add(v, b)
            return tf.nn.relu(v) if relu else v

    with tf.name_scope("gpu") as scope:
        h = conv("conv1", grey, 4)
        h = conv("conv2", h, 4, 2)
        h = layers.batch_normalization(h, training=True, name="bn_1")
        h = conv("conv3", conv("conv4", h, 5, 2), 5, 2)
        h = layers.batch_normalization(h, training=True, name="bn_2")
        h = conv("conv5", h, 5, k=4, up=True)
        h = conv("conv6", h, 5)
        out = conv("conv7", h, 9, relu=False, k=1)
        flat, true = tf.reshape(out, [-1, 9]), tf.reshape(colours, [-1, 9])
        entropy = tf.nn.softmax_cross_entropy_with_logits(logits=flat, labels=true)
        total = tf.reduce_sum(entropy) / 2
        decay = tf.add_n(tf.get_collection("losses"))
        tf.summary.scalar("weight_loss", decay)
        slope = tf.stop_gradient(tf.gradients(total, out)[0])
        loss = tf.reduce_sum(slope * out * prior) + decay
        tf.summary.scalar("new_loss", loss)
        tf.summary.scalar("total_loss", total)
        summaries = tf.get_collection(tf.GraphKeys.SUMMARIES, scope)
    grads = adam.compute_gradients(loss)
    summaries.append(tf.summary.scalar("learning_rate", rate))
    for g, v in grads:
        summaries.append(tf.summary.histogram(v.op.name + "/gradients", g))
        summaries.append(tf.summary.histogram(v.op.name, v))
    train = adam.apply_gradients(grads, global_step=step)
    averages = tf.train.ExponentialMovingAverage(0.999, step)
    tf.group(train, averages.apply(tf.trainable_variables()))
    tf.summary.merge(summaries)
    return fetch(out, first=[out, flat], labels=[colours, prior], twins=[[flat]])


@tenth
def who_is_seen_again() -> Fetches:
    """VisualComputingInstitute/triplet-reid: embed.py runs endpoints['emb']; triplets are the hardest of a batch."""
    data = (
        np.zeros([4, 12, 8, 3], np.float32),
        np.array(["a"] * 4),
        np.array(["b"] * 4),
    )
    data = tf.data.Dataset.from_tensors(data).repeat(None).prefetch(1)
    images, _, people = tf.data.make_one_shot_iterator(data).get_next()
    images = tf.ensure_shape(images, [4, 12, 8, 3])
    with tf.variable_scope("body"):
        h = images - np.array([123.68, 116.78, 103.94], np.float32)
        for i in range(2):
            h = layers.conv2d(h, 4, 3, 2, "same", use_bias=False, name=f"conv{i}")
            h = layers.batch_normalization(h, training=True, name=f"bn{i}")
            h = tf.nn.relu(h)
        pooled = tf.reduce_mean(h, [1, 2], name="pool5")
    with tf.name_scope("head"):
        h = layers.dense(pooled, 6, use_bias=False)
        h = tf.nn.relu(layers.batch_normalization(h, training=True))
        emb = layers.dense(h, 5, name="emb")
    with tf.name_scope("cdist"):
        diffs = tf.expand_dims(emb, axis=1) - tf.expand_dims(emb, axis=0)
        dists = tf.sqrt(tf.reduce_sum(tf.square(diffs), axis=-1) + 1e-12)
    with tf.name_scope("batch_hard"):
        same = tf.equal(tf.expand_dims(people, axis=1), tf.expand_dims(people, axis=0))
        negative = tf.logical_not(same)
        eye = tf.eye(tf.shape(people)[0], dtype=tf.bool)
        positive = tf.logical_xor(same, eye)
        furthest = tf.reduce_max(dists * tf.cast(positive, tf.float32), axis=1)
        closest = tf.map_fn(
            lambda x: tf.reduce_min(tf.boolean_mask(x[0], x[1])),
            (dists, negative),
            tf.float32,
        )
        losses = tf.nn.softplus(furthest - closest)
    with tf.name_scope("monitoring"):
        _, indices = tf.nn.top_k(-dists, k=3)
        indices = indices[:, 1:]
        own = tf.tile(tf.expand_dims(tf.range(tf.shape(indices)[0]), 1), [1, 2])
        right = tf.gather_nd(same, tf.stack((own, indices), -1))
        right = tf.cast(right, tf.float32)
        top1, precision = tf.reduce_mean(right[:, 0]), tf.reduce_mean(right)
        far, near = tf.boolean_mask(dists, negative), tf.boolean_mask(dists, positive)
    active = tf.reduce_sum(tf.cast(tf.greater(losses, 1e-5), tf.float32))
    loss = tf.reduce_mean(losses)
    tf.summary.histogram("loss_distribution", losses)
    for name, value in (("loss", loss), ("top1", top1), ("active", active)):
        tf.summary.scalar(name, value)
    tf.summary.scalar("prec_at_2", precision)
    for name, value in (("dists", dists), ("neg", far), ("pos", near)):
        tf.summary.histogram(name, value)
    tf.summary.histogram("embedding_lengths", tf.norm(emb, axis=1))
    step = tf.Variable(0, name="global_step", trainable=False)
    rate = tf.train.exponential_decay(3e-4, tf.maximum(0, step - 15), 10, 0.001)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        _adam(rate).minimize(loss, global_step=step)
    tf.summary.merge_all()
    return fetch(emb)


@tenth
def joints_of_a_hand() -> Fetches:
    """timctho/convolutional-pose-machines-tensorflow cpm_hand.py: the demo runs current_heatmap, of the last stage."""
    image = tf.placeholder(tf.float32, shape=(None, 16, 16, 3), name="input_image")
    centre = tf.placeholder(tf.float32, shape=(None, 16, 16, 1), name="center_map")
    true = tf.placeholder(tf.float32, shape=(None, 4, 4, 5), name="gt_heatmap")

    def conv(v, n, k, name, act=tf.nn.relu):
        return layers.conv2d(v, n, k, 1, "same", activation=act, name=name)

    with tf.variable_scope("pooled_center_map"):
        layers.average_pooling2d(centre, [9, 9], [4, 4], "same", name="center_map")
    with tf.variable_scope("sub_stages"):
        h = image
        for i in range(2):
            h = conv(h, 4, 3, f"sub_conv{i}")
            h = layers.max_pooling2d(h, [2, 2], 2, "same", name=f"sub_pool{i}")
        feature = conv(h, 4, 3, "sub_stage_img_feature")
    with tf.variable_scope("stage_1"):
        h = conv(feature, 6, 1, "conv1")
        maps = [conv(h, 5, 1, "stage_heatmap", None)]
    for stage in (2, 3):
        with tf.variable_scope(f"stage_{stage}"):
            h = tf.concat([maps[-1], feature], axis=3)
            for i in range(3):
                h = conv(h, 4, 3, f"mid_conv{i}")
            maps.append(conv(h, 5, 1, "mid_conv7", None))
    total = 0
    for stage, each in enumerate(maps):
        with tf.variable_scope(f"stage{stage + 1}_loss"):
            loss = tf.nn.l2_loss(each - true, name="l2_loss") / 2
        tf.summary.scalar(f"stage{stage + 1}_loss", loss)
        total += loss
    tf.summary.scalar("total loss", total)
    with tf.variable_scope("train"):
        step = tf.train.get_or_create_global_step()
        rate = tf.train.exponential_decay(1e-3, step, 100, 0.5)
        tf.summary.scalar("learning rate", rate)
        adam = _adam(rate)
        grads = adam.compute_gradients(total)
        adam.apply_gradients(grads, global_step=step)
    tf.summary.merge_all()
    return fetch(maps[-1], labels=[true])


@tenth
def letters_in_another_font() -> Fetches:
    """kaonashi-tyc/zi2zi: infer runs eval_handle.generator, fake_B; shuffled letters without a target go a second way."""
    size = 2
    real, shuffled = (
        tf.placeholder(tf.float32, [size, 8, 8, 2], name=f"{n}_A_and_B_images")
        for n in ("real", "shuffled")
    )
    ids = tf.placeholder(tf.int64, shape=None, name="embedding_ids")
    shuffled_ids = tf.placeholder(tf.int64, shape=None, name="shuffled_embedding_ids")
    real_b, real_a, shuffled_a = real[..., :1], real[..., 1:2], shuffled[..., 1:2]
    table = tf.get_variable("ebd", [3, 4], trainable=False)

    def normal(v, name):
        return layers.batch_normalization(v, training=True, name=name)

    def encoder(v, again):
        with tf.variable_scope("generator", reuse=again):
            e1 = layers.conv2d(v, 3, 5, 2, "same", name="g_e1_conv")
            e2 = layers.conv2d(tf.nn.leaky_relu(e1), 4, 5, 2, "same", name="g_e2_conv")
            return normal(e2, "g_e2_bn"), e1

    def generator(v, which, again=False):
        code, skip = encoder(v, again)
        own = tf.reshape(tf.nn.embedding_lookup(table, which), [size, 1, 1, 4])
        code = tf.concat([code, tf.tile(own, [1, 2, 2, 1])], 3)
        with tf.variable_scope("generator", reuse=again):
            h = layers.conv2d_transpose(
                tf.nn.relu(code), 3, 5, 2, "same", name="g_d1_deconv"
            )
            h = tf.nn.dropout(normal(h, "g_d1_bn"), keep_prob=0.5)
            h = tf.nn.relu(tf.concat([h, skip], 3))
            h = layers.conv2d_transpose(h, 1, 5, 2, "same", name="g_d2_deconv")
            return tf.nn.tanh(h), code

    def judge(v, again):
        with tf.variable_scope("discriminator", reuse=again):
            h = tf.nn.leaky_relu(layers.conv2d(v, 3, 5, 2, "same", name="d_h0_conv"))
            h = layers.conv2d(h, 4, 5, 2, "same", name="d_h1_conv")
            h = tf.reshape(tf.nn.leaky_relu(normal(h, "d_bn_1")), [size, -1])
            one = layers.dense(h, 1, name="d_fc1")
            return tf.nn.sigmoid(one), one, layers.dense(h, 3, name="d_fc2")

    fake_b, code_a = generator(real_a, ids)
    real_d, real_logits, real_kind = judge(tf.concat([real_a, real_b], 3), False)
    fake_d, fake_logits, fake_kind = judge(tf.concat([real_a, fake_b], 3), True)
    shuffled_b, code_s = generator(shuffled_a, shuffled_ids, True)
    other = judge(tf.concat([shuffled_a, shuffled_b], 3), True)
    again = encoder(fake_b, True)[0] - code_a[..., :4]
    again_s = encoder(shuffled_b, True)[0] - code_s[..., :4]
    const = tf.reduce_mean(tf.square(again)) + tf.reduce_mean(tf.square(again_s))

    def entropy(logits, labels):
        return tf.reduce_mean(
            tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=labels)
        )

    kinds = tf.reshape(tf.one_hot(indices=ids, depth=3), [size, 3])
    kinds_s = tf.reshape(tf.one_hot(indices=shuffled_ids, depth=3), [size, 3])
    kind_losses = [
        entropy(real_kind, kinds),
        entropy(fake_kind, kinds),
        entropy(other[2], kinds_s),
    ]
    d_loss = entropy(real_logits, tf.ones_like(real_d))
    d_loss += entropy(fake_logits, tf.zeros_like(fake_d))
    d_loss += entropy(other[1], tf.zeros_like(other[0])) + sum(kind_losses) / 3.0
    l1 = 100 * tf.reduce_mean(tf.abs(fake_b - real_b))
    tv = tf.nn.l2_loss(fake_b[:, 1:] - fake_b[:, :7]) / 8
    cheat = entropy(fake_logits, tf.ones_like(fake_d))
    cheat += entropy(other[1], tf.ones_like(other[0]))
    g_loss = cheat + l1 + (kind_losses[1] + kind_losses[2]) / 2.0 + 15 * const
    tf.summary.merge([tf.summary.scalar("d_loss", d_loss)])
    tf.summary.merge([tf.summary.scalar("g_loss", g_loss), tf.summary.scalar("tv", tv)])
    rate = tf.placeholder(tf.float32, name="learning_rate")
    for loss, mark in ((d_loss, "d_"), (g_loss, "g_")):
        own = [v for v in tf.trainable_variables() if mark in v.name]
        _adam(rate, beta1=0.5).minimize(loss, var_list=own)
    return fetch(
        fake_b, first=[fake_b, shuffled_b], twins=[[shuffled_b], [fake_b, shuffled_b]]
    )
