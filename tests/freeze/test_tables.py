"""Lookup tables are in the frozen file, vocabulary and all: it runs as it is, again and again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope.analysis.results import Analysis
from graphscope.freeze import freeze_model
from graphscope.read import load
from graphscope.verify import compare

v1 = tf.compat.v1
WORDS = np.array([b"b", b"never seen", b"c", b"a"], object)


def saved(folder: Path, reference: bool, loop: bool) -> np.ndarray:
    """A SavedModel of TensorFlow 1 whose table is filled from a file in its assets; and what it says of WORDS."""
    (folder / "words.txt").write_text("a\nb\nc\n")
    v1.disable_control_flow_v2()
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.string, [None], name="x")
        asset = tf.constant(str(folder / "words.txt"))
        v1.add_to_collection(v1.GraphKeys.ASSET_FILEPATHS, asset)
        raw = tf.raw_ops
        dtypes: Any = {"key_dtype": tf.string, "value_dtype": tf.int64}
        columns: Any = {"key_index": -2, "value_index": -1}
        if reference:
            table = raw.HashTable(**dtypes)
            filled = raw.InitializeTableFromTextFile(
                table_handle=table, filename=asset, **columns
            )
            find = raw.LookupTableFind
        else:
            table = raw.HashTableV2(**dtypes)
            filled = raw.InitializeTableFromTextFileV2(
                table_handle=table, filename=asset, **columns
            )
            find = raw.LookupTableFindV2

        def rows(words: Any) -> Any:
            other = tf.constant(3, tf.int64)
            ids = find(table_handle=table, keys=words, default_value=other)
            return tf.reshape(
                tf.gather(np.arange(12, dtype="f").reshape(4, 3), ids), [-1, 3]
            )

        if loop:
            shape = tf.TensorShape([None, 3])
            ends = lambda i, _: i < 2  # noqa: E731
            body = lambda i, y: (i + 1, y + rows(x))  # noqa: E731
            start = [0, tf.zeros([tf.shape(x)[0], 3])]
            y = tf.while_loop(ends, body, start, [tf.TensorShape([]), shape])[1]
        else:
            y = rows(x)
        y = tf.identity(y, name="y")
        session.run(filled)
        expected = session.run(y, {x: WORDS})
        builder = v1.saved_model.Builder(str(folder / "model"))
        signature = v1.saved_model.predict_signature_def({"x": x}, {"y": y})
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            {"serving_default": signature},
            assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS),
            main_op=filled,
        )
        builder.save()
    (folder / "words.txt").unlink()
    return expected


@pytest.mark.parametrize(
    "reference, loop", [(False, False), (True, False), (False, True)]
)
def test_a_table_filled_from_an_asset_needs_no_step_before(
    reference: bool, loop: bool, tmp_path: Path
) -> None:
    expected = saved(tmp_path, reference, loop)
    model = load(str(tmp_path / "model"))
    report = freeze_model(model, ["y"], tmp_path / "f.pb")
    assert report.initialisers == ()
    assert any("fill themselves" in remark for remark in report.remarks)
    message = v1.GraphDef.FromString((tmp_path / "f.pb").read_bytes())
    with tf.Graph().as_default(), v1.Session() as session:
        tf.import_graph_def(message, name="")
        for _ in range(3):
            np.testing.assert_array_equal(session.run("y:0", {"x:0": WORDS}), expected)
    assert compare(tmp_path / "model", tmp_path / "f.pb").verdict == "equal"
    report = freeze_model(load(str(tmp_path / "f.pb")), ["y"], tmp_path / "again.pb")
    assert compare(tmp_path / "f.pb", tmp_path / "again.pb").verdict == "equal"


def test_a_version_that_fills_no_table_twice_is_told_of_the_step(
    tmp_path: Path,
) -> None:
    saved(tmp_path, False, False)
    model = load(str(tmp_path / "model"))
    report = freeze_model(model, ["y"], tmp_path / "f.pb", producer=38)
    assert report.initialisers and "once before the first use" in report.remarks[0]
    assert compare(tmp_path / "model", tmp_path / "f.pb").verdict == "equal"


def test_keras_source_of_a_frozen_table(tmp_path: Path) -> None:
    saved(tmp_path, False, False)
    freeze_model(load(str(tmp_path / "model")), ["y"], tmp_path / "f.pb")
    analysis = Analysis(load(str(tmp_path / "f.pb")))
    analysis.write_keras(tmp_path / "k")
    assert analysis.prove(tmp_path / "k").verdict == "equal"
