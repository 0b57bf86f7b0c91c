"""Where what is trained meets what it is trained on: towers, tables, judges, rates; most were red before."""

from __future__ import annotations

import pytest
import tensorflow.compat.v1 as tf

from tests.infer.outputs.test_kinds import answer, best, kinds, minimise
from tests.infer.training.training_graphs import data, dense, weight


def _towers(names: str) -> list[tf.Tensor]:
    w, v = weight(6, 8), weight(8, 3)
    return [
        tf.matmul(tf.tanh(tf.matmul(data(None, 6, name=n), w)), v, name=f"code_{n}")
        for n in names
    ]


def test_a_triplet_is_trained_for_the_code_of_a_tower() -> None:
    def build() -> None:
        a, p, n = _towers("apn")
        near = tf.reduce_sum(tf.square(a - p), 1)
        far = tf.reduce_sum(tf.square(a - n), 1)
        minimise(tf.reduce_mean(tf.maximum(near - far + 1.0, 0.0)))

    assert best(build) <= {"code_a", "code_p", "code_n"}


def test_a_pair_told_alike_or_not_is_trained_for_its_codes() -> None:
    def build() -> None:
        a, b = _towers("ab")
        same = data(None, name="same")
        gap = tf.reduce_sum(tf.square(a - b), 1)
        past = tf.square(tf.maximum(1.0 - tf.sqrt(gap + 1e-6), 0.0))
        minimise(tf.reduce_mean(same * gap + (1.0 - same) * past))

    assert best(build) <= {"code_a", "code_b"} and kinds(build)["same"] == "label"


def test_good_and_bad_items_are_ranked_by_one_score() -> None:
    def build() -> None:
        user, good, bad = (data(None, name=n, dtype=tf.int32) for n in "ugb")
        users, items = weight(9, 4), weight(9, 4)

        def score(item: tf.Tensor, name: str) -> tf.Tensor:
            rows = tf.gather(users, user) * tf.gather(items, item)
            return tf.reduce_sum(rows, 1, name=name)

        gap = score(good, "of_good") - score(bad, "of_bad")
        minimise(-tf.reduce_mean(tf.log(tf.sigmoid(gap))))

    assert best(build) <= {"of_good", "of_bad"}


def test_an_actor_is_pushed_by_the_slope_of_its_critic() -> None:
    def build() -> None:
        s, a, y, slope = (data(None, n, name=t) for n, t in zip((4, 2, 1, 2), "sayg"))
        action = tf.identity(dense(dense(s, 8, tf.nn.relu), 2, tf.nn.tanh), "action")
        own = tf.trainable_variables()
        value = tf.identity(dense(dense(tf.concat([s, a], 1), 8, tf.nn.relu), 1), "q")
        theirs = tf.trainable_variables()[len(own) :]
        step = zip(tf.gradients(action, own, -slope), own)
        tf.train.AdamOptimizer().apply_gradients(step)
        loss = tf.reduce_mean(tf.square(value - y))
        tf.train.AdamOptimizer().minimize(loss, var_list=theirs)
        tf.gradients(value, a)

    assert answer(build).outputs[0].tensor.node == "action"
    assert "action" in best(build)


def test_a_generator_is_shown_to_a_judge_of_the_same_optimizer() -> None:
    def build() -> None:
        z, x = data(None, 3, name="z"), data(None, 6, name="x")
        fake = tf.identity(dense(dense(z, 8, tf.nn.relu), 6, tf.nn.tanh), "fake")
        w, v = weight(6, 8), weight(8, 1)
        real, made = (tf.matmul(tf.nn.relu(tf.matmul(s, w)), v) for s in (x, fake))
        entropy = tf.nn.sigmoid_cross_entropy_with_logits
        losses = [
            entropy(labels=tf.ones_like(real), logits=real),
            entropy(labels=tf.zeros_like(made), logits=made),
        ]
        minimise(tf.add_n([tf.reduce_mean(each) for each in losses]))

    assert answer(build).outputs[0].tensor.node in ("fake", "dense_1/Tanh")


@pytest.mark.parametrize("rate", ["fed", "fixed"])
def test_a_rate_of_dropout_is_no_label(rate: str) -> None:
    def build() -> None:
        x, t = data(None, 4, name="x"), data(None, 1, name="t")
        keep = tf.placeholder(tf.float32, name="keep") if rate == "fed" else 0.8
        h = dense(x, 8, tf.nn.relu)
        y = tf.identity(dense(tf.nn.dropout(h, keep_prob=keep), 1), "y")
        minimise(tf.reduce_mean(tf.square(y - t)))

    assert best(build) == {"y"} and kinds(build)["t"] == "label"
    assert kinds(build).get("keep") != "label"


def test_two_tables_are_learned_for_their_product() -> None:
    def build() -> None:
        one, other = weight(7, 2, name="rows"), weight(2, 9, name="columns")
        whole, seen = data(7, 9, name="whole"), data(7, 9, name="seen")
        minimise(tf.nn.l2_loss((whole - tf.matmul(one, other, name="filled")) * seen))

    assert best(build) == {"filled"}


def test_a_residual_is_shown_with_its_picture() -> None:
    def build() -> None:
        x, t = data(None, 8, 8, 1, name="x"), data(None, 8, 8, 1, name="t")
        w = weight(3, 3, 1, 4), weight(3, 3, 4, 1)
        h = tf.nn.relu(tf.nn.conv2d(x, w[0], [1] * 4, "SAME"))
        noise = tf.nn.conv2d(h, w[1], [1] * 4, "SAME", name="noise")
        tf.summary.image("clean", tf.subtract(x, noise, name="clean"))
        minimise(tf.nn.l2_loss(noise - t))

    assert best(build) == {"clean"}
