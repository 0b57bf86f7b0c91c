"""Strings that decoders take: TensorFlow decodes what is made."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from graphscope.graph import Graph, Node, Tensor
from graphscope.verify.feeds.draw import Port, draw
from graphscope.verify.feeds.strings import picture, text_for, wave


def test_sound_and_pictures_are_what_tensorflow_decodes():
    rng = np.random.default_rng(0)
    sound, rate = tf.audio.decode_wav(wave(rng))
    assert sound.shape == (16000, 1) and rate == 16000
    assert tf.io.decode_png(picture(rng)).shape == (64, 64, 3)
    assert tf.io.decode_jpeg(picture(rng)).shape == (64, 64, 3)


def test_examples_hold_the_features_that_are_parsed():
    from graphscope.wire import messages as proto
    from graphscope.wire.nodes import graph_from_nodes

    features = {
        "x": tf.io.FixedLenFeature([3], tf.float32),
        "n": tf.io.FixedLenFeature([], tf.int64),
        "s": tf.io.FixedLenFeature([2], tf.string),
        "v": tf.io.VarLenFeature(tf.float32),
    }
    with tf.Graph().as_default() as graph:
        text = tf.compat.v1.placeholder(tf.string, [None], name="examples")
        tf.io.parse_example(text, features)
    data = graph.as_graph_def().SerializeToString()
    made = text_for(
        graph_from_nodes(proto.GraphDef.FromString(data).node), "examples", 0, [b"w"]
    )
    parsed = tf.io.parse_example([made, made], features)
    assert parsed["x"].shape == (2, 3) and parsed["s"].shape == (2, 2)
    assert set(parsed["s"].numpy().flat) <= {b"w", b""}
    assert parsed["v"].values.shape == (2,)


def test_a_string_that_anything_may_be_is_a_number():
    graph = Graph()
    graph.add("x", Node("Placeholder", {"dtype": "string"}))
    graph.add("y", Node("StringLength", {}), [Tensor("x")])
    assert text_for(graph, "x", 0).isdigit()


def test_a_word_that_is_looked_up_is_one_that_the_table_knows():
    graph = Graph()
    graph.add("x", Node("Placeholder", {"dtype": "string"}))
    graph.add("t", Node("HashTableV2", {}))
    graph.add("y", Node("LookupTableFindV2", {}), [Tensor("t"), Tensor("x")])
    assert {text_for(graph, "x", n, [b"a", b"b"]) for n in range(9)} == {b"a", b"b"}


def test_one_string_is_another_in_each_draw():
    """A placeholder of one string, as KWS-for-MCU has: each draw is another sound, of another spectrum."""
    texts = tuple(wave(np.random.default_rng(seed)) for seed in range(5))
    rng, port = np.random.default_rng(0), Port("x", "string", (), texts=texts)
    drawn = [draw(rng, port, ()) for _ in range(9)]
    assert all(value.shape == () for value in drawn)
    assert len({value.item() for value in drawn}) > 1
    spectra = [
        np.abs(np.fft.rfft(tf.audio.decode_wav(text)[0][:, 0], 512)) for text in texts
    ]
    ends = {int(spectrum.argmax()) for spectrum in spectra}
    assert len(ends) > 1
