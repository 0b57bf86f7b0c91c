"""BERT, GPT-2 and the PTB model from their checkpoints alone, against graphs in the idiom of their authors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope import analyse, load
from graphscope.analysis import Analysis
from graphscope.analysis.documents import describe_model
from graphscope.families.identify import identify
from graphscope.verify.run.keras_source import run_source
from tests.architectures import bert, gpt2, text_cnn

v1 = tf.compat.v1
rng = np.random.default_rng(11)


def ptb() -> tuple[dict[str, Any], Any]:
    """``ptb_word_lm.py``'s inference graph: BasicLSTMCells with a forget bias of 0, softmax weights by hand."""
    words, width, length = 20, 6, 5
    ids = v1.placeholder(tf.int32, [None, length], "ids")
    table = v1.get_variable("embedding", [words, width])
    x = tf.nn.embedding_lookup(table, ids)
    with v1.variable_scope("RNN"):
        for cell in range(2):
            with v1.variable_scope(f"multi_rnn_cell/cell_{cell}/basic_lstm_cell"):
                kernel = v1.get_variable("kernel", [2 * width, 4 * width])
                bias = v1.get_variable("bias", [4 * width])
            h = c = tf.zeros([tf.shape(ids)[0], width])
            steps = []
            for step in range(length):
                gates = tf.matmul(tf.concat([x[:, step], h], 1), kernel) + bias
                i, j, f, o = tf.split(gates, 4, 1)
                c = c * tf.sigmoid(f) + tf.sigmoid(i) * tf.tanh(j)
                h = tf.tanh(c) * tf.sigmoid(o)
                steps.append(h)
            x = tf.stack(steps, 1)
    softmax_w = v1.get_variable("softmax_w", [width, words])
    softmax_b = v1.get_variable("softmax_b", [words])
    rows = tf.matmul(tf.reshape(x, [-1, width]), softmax_w) + softmax_b
    return {"ids": ids}, tf.reshape(rows, [-1, length, words])


def small_bert() -> tuple[dict[str, Any], Any]:
    _, pooled = bert.bert(7, bert.Config(), masked=False)
    graph = v1.get_default_graph()
    feeds = {
        n: graph.get_tensor_by_name(f"{n}:0") for n in ("input_ids", "segment_ids")
    }
    return feeds, bert.classified(pooled, training=False)


def small_gpt2() -> tuple[dict[str, Any], Any]:
    logits, _ = gpt2.gpt2(length=7)
    return {"tokens": v1.get_default_graph().get_tensor_by_name("tokens:0")}, logits


def small_text_cnn() -> tuple[dict[str, Any], Any]:
    scores, _ = text_cnn.text_cnn()
    graph = v1.get_default_graph()
    keep = graph.get_tensor_by_name("dropout_keep_prob:0")
    KEPT[keep.name] = 1.0
    return {"input_x": graph.get_tensor_by_name("input_x:0")}, scores


def char_rnn() -> tuple[dict[str, Any], Any]:
    """sherjilozair/char-rnn-tensorflow: LSTM cells with their forget bias of 1."""
    letters, width, length = 12, 6, 5
    ids = v1.placeholder(tf.int32, [None, length], "ids")
    table = v1.get_variable("embedding", [letters, width])
    x = tf.nn.embedding_lookup(table, ids)
    for cell in range(2):
        with v1.variable_scope(f"rnnlm/multi_rnn_cell/cell_{cell}/lstm_cell"):
            kernel = v1.get_variable("kernel", [2 * width, 4 * width])
            bias = v1.get_variable("bias", [4 * width])
        h = c = tf.zeros([tf.shape(ids)[0], width])
        steps = []
        for step in range(length):
            gates = tf.matmul(tf.concat([x[:, step], h], 1), kernel) + bias
            i, j, f, o = tf.split(gates, 4, 1)
            c = c * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
            h = tf.tanh(c) * tf.sigmoid(o)
            steps.append(h)
        x = tf.stack(steps, 1)
    with v1.variable_scope("rnnlm"):
        softmax_w = v1.get_variable("softmax_w", [width, letters])
        softmax_b = v1.get_variable("softmax_b", [letters])
    return {"ids": ids}, tf.einsum("bld,dv->blv", x, softmax_w) + softmax_b


KEPT: dict[str, float] = {}  # what dropout keeps, where it is fed
CASES: dict[str, tuple[Callable[[], Any], dict[str, int], str]] = {
    "bert": (small_bert, {"heads": 4}, "BERT, 3 layers of 16, 4 heads"),
    "gpt2": (small_gpt2, {"heads": 4}, "GPT-2, 3 layers of 16, 4 heads"),
    "text cnn": (
        small_text_cnn,
        {},
        "TextCNN, 6 filters of 3, 4, 5 words, 30 words of 8, 3 classes",
    ),
    "char-rnn": (char_rnn, {}, "char-RNN, 2 LSTM of 6, 12 characters"),
    "ptb": (ptb, {}, "PTB language model, 2 LSTM of 6, 20 words"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_model_of_texts_is_named_wired_and_equal(name: str, tmp_path: Path) -> None:
    build, options, title = CASES[name]
    with tf.Graph().as_default(), v1.Session() as session:
        KEPT.clear()
        feeds, output = build()
        for variable in v1.global_variables():
            value = rng.normal(0, 0.3, variable.shape.as_list())
            session.run(variable.assign(value.astype("float32")))
        # the authors norm beside the scope of the mlp, the graph of the tests within it
        names = {
            v.op.name.replace("mlp/ln_2", "ln_2"): v for v in v1.global_variables()
        }
        saver = v1.train.Saver(names)
        path = saver.save(session, str(tmp_path / "m"), write_meta_graph=False)
        limit = 2 if name == "bert" else 12
        ids = {n: rng.integers(0, limit, (3, t.shape[1])) for n, t in feeds.items()}
        expected = session.run(output, {feeds[n]: ids[n] for n in feeds} | KEPT)
    identity = identify(load(path), options)
    assert identity.claim is not None, identity.remarks
    assert str(identity.claim).startswith(title)
    Analysis(identity.model).write_keras(tmp_path / "keras")
    model = run_source(tmp_path / "keras")
    actual = np.asarray(
        model([ids[n] for n in feeds] if len(feeds) > 1 else ids[name_of(feeds)])
    )
    scale = float(np.abs(expected).max())
    np.testing.assert_allclose(
        actual.reshape(expected.shape), expected, atol=1e-4 * scale
    )


def name_of(feeds: dict[str, Any]) -> str:
    (name,) = feeds
    return name


def test_a_graph_is_named_by_the_weights_of_its_layers(tmp_path: Path) -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        small_bert()
        session.run(v1.global_variables_initializer())
        path = v1.train.Saver().save(session, str(tmp_path / "m"))
        odd = v1.get_variable("bert/encoder/layer_0/odd", [16, 16])
        session.run(odd.initializer)
        other = v1.train.Saver().save(session, str(tmp_path / "odd"))
    family = describe_model(analyse(path))["family"]
    assert family["name"] == "BERT" and family["left_over"] == []
    assert describe_model(analyse(other))["family"] is None
