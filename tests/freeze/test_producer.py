"""What ``freeze --producer`` leaves is known to TensorFlow of that version, and computes what it did; all else is refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from graphscope.errors import NotExpressible
from graphscope.freeze import freeze_model
from graphscope.freeze.older.op_history import lifetimes, releases
from graphscope.read import load
from graphscope.verify import compare

v1 = tf.compat.v1


def written(folder: Path, build) -> str:
    with tf.Graph().as_default() as graph:
        tf.identity(build(), name="y")
    path = folder / "graph.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return str(path)


def feed(*shape: int | None, dtype=tf.float32):
    return v1.placeholder(dtype, shape)


def while_loop():
    x = feed(3)

    def step(i, a):
        one = tf.reshape(tf.cast(a, tf.float32), [1])
        rows = tf.raw_ops.TensorListFromTensor(
            tensor=one, element_shape=tf.constant([], tf.int32)
        )
        return i + 1, a * 2 + tf.raw_ops.TensorListLength(input_handle=rows)

    start = [0, tf.cast(100 * x[0], tf.int32)]
    return tf.while_loop(lambda i, a: i < 3, step, start)[1]


def strings():
    choice, words = feed(None, dtype=tf.bool), feed(None, dtype=tf.string)
    return tf.raw_ops.SelectV2(condition=choice, t=words, e=tf.constant(""))


def paddings():
    x, kernel = feed(1, 6, 6, 2), np.ones((3, 3, 2, 1), "f")
    pads = [[0, 0], [2, 1], [1, 2], [0, 0]]
    return tf.nn.conv2d(x, kernel, 1, pads)


def half_pixels():
    return tf.raw_ops.ResizeBilinear(
        images=feed(1, 4, 4, 1), size=[8, 8], half_pixel_centers=True
    )


REFUSED = {
    "op": (lambda: tf.einsum("ij,jk->ki", feed(2, 3), feed(3, 2)), 24, "Einsum", 119),
    "op of strings": (strings, 27, "SelectV2", 38),
    "attribute": (paddings, 24, "attribute explicit_paddings of Conv2D", 38),
    "attribute of resizing": (half_pixels, 27, "attribute half_pixel_centers", 38),
    "loop and its body": (while_loop, 24, "no (Stateless)?While|TensorList", 27),
    "steeper": (lambda: tf.nn.leaky_relu(feed(3), 1.5), 24, "LeakyRelu", 38),
    "before all": (lambda: feed(3) + 1.0, 15, "the oldest is 21", 0),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_that_version_did_not_know_is_refused_by_name(tmp_path, kind):
    build, producer, name, enough = REFUSED[kind]
    v1.enable_control_flow_v2()
    path = written(tmp_path, build)
    with pytest.raises(NotExpressible, match=name) as raised:
        freeze_model(load(path), ["y"], tmp_path / "f.pb", producer=producer)
    assert not (tmp_path / "f.pb").exists()
    if enough:
        assert f"--producer {enough} " in str(raised.value)
        freeze_model(load(path), ["y"], tmp_path / "f.pb", producer=enough)
        assert compare(path, tmp_path / "f.pb").passed


def test_an_op_that_no_release_is_known_to_have_is_refused(tmp_path):
    message = v1.GraphDef()
    for name, op in (("x", "Placeholder"), ("y", "Beamsearch")):
        message.node.add(name=name, op=op)
    message.node[0].attr["dtype"].type = 1
    message.node[1].input.append("x")
    (tmp_path / "g.pb").write_bytes(message.SerializeToString())
    with pytest.raises(NotExpressible, match="no Beamsearch .*no release"):
        freeze_model(load(str(tmp_path / "g.pb")), ["y"], tmp_path / "f", producer=2000)


def selected(dtype):
    def build():
        condition = tf.reduce_any(feed(None, 1) > 0, -1, keepdims=True)
        x = tf.cast(feed(None, 4), dtype)
        return tf.raw_ops.SelectV2(condition=condition, t=x, e=tf.constant(3, dtype))

    return build


REWRITTEN = {
    "select of floats": selected(tf.float32),
    "select of integers": selected(tf.int64),
    "select keeps what is not finite apart": lambda: tf.raw_ops.SelectV2(
        condition=(x := feed(None, 3)) > 0,
        t=tf.math.log(tf.abs(x)),
        e=1 / (0.0 * x + 2),
    ),
    "leaky relu": lambda: tf.nn.leaky_relu(feed(None, 3), 0.3),
    "product of stacks": lambda: tf.matmul(feed(2, 3, 4), feed(2, 4, 5)),
    "product of one type": lambda: tf.raw_ops.BatchMatMulV3(
        x=feed(2, 3, 4), y=feed(2, 4, 5), Tout=tf.float32, adj_x=False, adj_y=False
    ),
}


@pytest.mark.parametrize("kind", REWRITTEN)
def test_what_had_another_spelling_is_rewritten_and_computes_the_same(tmp_path, kind):
    path = written(tmp_path, REWRITTEN[kind])
    freeze_model(load(path), ["y"], tmp_path / "f.pb", producer=24)
    message = v1.GraphDef.FromString((tmp_path / "f.pb").read_bytes())
    for node in message.node:
        life = lifetimes()[node.op]
        assert life.knows(24), node.op
        assert all(life.attrs.get(name, 0) <= 24 for name in node.attr), node
    assert compare(path, tmp_path / "f.pb").passed


def test_the_table_says_what_the_releases_said():
    """SelectV2 came with 1.14, Einsum with 2.0; Rpc went before 2.8."""
    assert list(releases())[:2] == [21, 24]
    since = {op: lifetimes()[op].since for op in ("SelectV2", "Einsum", "MatMul")}
    assert since == {"SelectV2": 38, "Einsum": 119, "MatMul": 21}
    assert lifetimes()["Conv2D"].attrs["explicit_paddings"] == 38
    assert not lifetimes()["Rpc"].knows(987)
    assert set(dir(tf.raw_ops)) & {"MatMul", "Rpc"} == {"MatMul"}
