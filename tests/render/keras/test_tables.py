"""Look-up tables come back as a layer that holds their keys and values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope.analysis.results import Analysis, analyse

v1 = tf.compat.v1


def recovered(folder: Path, build: Any) -> Analysis:
    """The model that ``build`` makes of a vector of words, saved as TensorFlow 1 did, and written as Keras."""
    with tf.Graph().as_default(), v1.Session() as session:
        words = v1.placeholder(tf.string, [None], name="words")
        y = tf.identity(build(words), name="y")
        session.run(v1.tables_initializer())
        v1.saved_model.simple_save(
            session,
            str(folder / "saved"),
            {"words": words},
            {"y": y},
            legacy_init_op=v1.tables_initializer(),
        )
    found = analyse(folder / "saved")
    found.write_keras(folder / "keras")
    return found


def numbers(words: Any) -> Any:
    init = tf.lookup.KeyValueTensorInitializer(
        ["cat", "dög"], [3, 4], value_dtype=tf.int64
    )
    return tf.lookup.StaticHashTable(init, -1).lookup(words) * 2


def places(words: Any) -> Any:
    init = tf.lookup.KeyValueTensorInitializer(
        ["cat", "dog"], [0, 1], value_dtype=tf.int64
    )
    return tf.one_hot(tf.lookup.StaticHashTable(init, 2).lookup(words), 3)


def weights(words: Any) -> Any:
    init = tf.lookup.KeyValueTensorInitializer(["cat", "dog"], [0.5, -1.5])
    table = tf.lookup.StaticHashTable(init, 0.0)
    return table.lookup(words) + tf.cast(table.size(), tf.float32)


@pytest.mark.parametrize("build", [numbers, places, weights])
def test_a_table_is_a_layer(tmp_path: Path, build: Any) -> None:
    import keras

    from graphscope.verify.run.keras_source import run_source

    found = recovered(tmp_path, build)
    assert found.prove(tmp_path / "keras").passed
    model = run_source(tmp_path / "keras")
    words = tf.constant(["dög", "dog", "cat", "emu"])
    with tf.Graph().as_default(), v1.Session() as session:
        v1.saved_model.load(session, ["serve"], str(tmp_path / "saved"))
        wanted = session.run("y:0", {"words:0": words.numpy()})
    np.testing.assert_array_equal(model(words), wanted)
    model.save(tmp_path / "again.keras")
    custom = {"LookupTable": type(model.layers[1])}
    again = keras.models.load_model(tmp_path / "again.keras", custom_objects=custom)
    np.testing.assert_array_equal(again(words), wanted)


def test_a_list_of_words_needs_no_values(tmp_path: Path) -> None:
    text = (recovered(tmp_path, places) and tmp_path / "keras" / "model.py").read_text()
    assert "values=[" not in text and "'cat', 'dog'" in text.replace('"', "'")
