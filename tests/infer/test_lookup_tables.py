"""Tables filled from files and from checkpoints need neither once they are frozen."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from graphscope.analysis import analyse
from graphscope.errors import NotExpressible
from graphscope.freeze import freeze_model
from graphscope.read import load
from graphscope.verify import compare

v1 = tf.compat.v1
WORDS = np.array([b"dog", b"wolf", b"cat"], object)


def save(folder, build):
    v1.disable_control_flow_v2()
    with tf.Graph().as_default(), v1.Session() as session:
        words = v1.placeholder(tf.string, [None], name="words")
        build(words)
        v1.get_variable("v", [1])
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        for op in v1.get_collection("fill"):
            session.run(op)
        expected = session.run("y:0", {words: WORDS})
        return v1.train.Saver().save(session, str(folder / "m.ckpt")), expected


def run(path, report):
    message = v1.GraphDef.FromString(path.read_bytes())
    with tf.Graph().as_default(), v1.Session() as session:
        tf.import_graph_def(message, name="")
        for name in report.initialisers:
            session.run(name)
        return session.run("y:0", {"words:0": WORDS})


@pytest.mark.parametrize("whole", [True, False])
def test_a_vocabulary_file_becomes_constants(tmp_path, whole):
    vocabulary = tmp_path / "words.txt"
    vocabulary.write_text("cat\ndog\n" if whole else "cat\t7\ndog\t9\n")
    index = tf.lookup.TextFileIndex
    columns = (index.WHOLE_LINE, index.LINE_NUMBER) if whole else (0, 1)

    def build(words):
        init = tf.lookup.TextFileInitializer(
            str(vocabulary), tf.string, columns[0], tf.int64, columns[1]
        )
        tf.identity(tf.lookup.StaticHashTable(init, -1).lookup(words), name="y")

    path, expected = save(tmp_path, build)
    report = freeze_model(load(path), ["y"], tmp_path / "f.pb")
    vocabulary.unlink()
    np.testing.assert_array_equal(run(tmp_path / "f.pb", report), expected)
    assert any("lookup tables" in remark for remark in report.remarks)
    with pytest.raises(NotExpressible, match="words.txt.*SavedModel"):
        freeze_model(load(path), ["y"], tmp_path / "g.pb")


def test_a_file_elsewhere_is_not_copied_into_the_result(tmp_path):
    (tmp_path / "secret").write_text("cat\tdog\n")
    (tmp_path / "model").mkdir()

    def build(words):
        init = tf.lookup.TextFileInitializer(
            str(tmp_path / "secret"), tf.string, 0, tf.string, 1
        )
        tf.identity(tf.lookup.StaticHashTable(init, "").lookup(words), name="y")

    path, _ = save(tmp_path / "model", build)
    with pytest.raises(NotExpressible, match="secret"):
        freeze_model(load(path), ["y"], tmp_path / "f.pb")


def test_a_table_that_the_checkpoint_holds(tmp_path):
    def build(words):
        table = tf.raw_ops.MutableHashTableV2(key_dtype=tf.string, value_dtype=tf.int64)
        keys, values = tf.constant(["cat", "dog"]), tf.constant([3, 4], tf.int64)
        insert = tf.raw_ops.LookupTableInsertV2(
            table_handle=table, keys=keys, values=values
        )
        v1.add_to_collection("fill", insert)
        found = tf.raw_ops.LookupTableFindV2(
            table_handle=table, keys=words, default_value=tf.constant(-1, tf.int64)
        )
        tf.identity(found, name="y")
        kept = tf.raw_ops.LookupTableExportV2(
            table_handle=table, Tkeys=tf.string, Tvalues=tf.int64
        )

        from tensorflow.python.training.saving import saveable_object

        class Saveable(saveable_object.SaveableObject):
            def __init__(self):
                specs = [
                    saveable_object.SaveSpec(kept[0], "", "table-keys"),
                    saveable_object.SaveSpec(kept[1], "", "table-values"),
                ]
                super().__init__(table, specs, "table")

            def restore(self, tensors, shapes):
                return tf.raw_ops.LookupTableImportV2(
                    table_handle=table, keys=tensors[0], values=tensors[1]
                )

        v1.add_to_collection(v1.GraphKeys.SAVEABLE_OBJECTS, Saveable())

    path, expected = save(tmp_path, build)
    report = freeze_model(load(path), ["y"], tmp_path / "f.pb")
    for shard in tmp_path.glob("m.ckpt*"):
        shard.unlink()
    np.testing.assert_array_equal(run(tmp_path / "f.pb", report), expected)
    kinds = {
        n.op for n in v1.GraphDef.FromString((tmp_path / "f.pb").read_bytes()).node
    }
    assert not any(kind.startswith("Restore") for kind in kinds)


def test_the_vocabulary_of_a_saved_model_is_among_its_assets(tmp_path):
    """TensorFlow 2 keeps its name in a variable, here of the same name as a weight."""

    class Words(tf.Module):
        def __init__(self):
            path = tmp_path / "words.txt"
            path.write_text("a\nb\nc\n")
            whole, number = (
                tf.lookup.TextFileIndex.WHOLE_LINE,
                tf.lookup.TextFileIndex.LINE_NUMBER,
            )
            filled = tf.lookup.TextFileInitializer(
                str(path), tf.string, whole, tf.int64, number
            )
            self.table = tf.lookup.StaticVocabularyTable(filled, 1)
            self.kernel = tf.Variable(tf.random.normal([4, 3]))

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.string)])
        def find(self, x):
            return {"y": tf.gather(self.kernel, self.table.lookup(x))}

    words, path = Words(), str(tmp_path / "saved")
    tf.saved_model.save(words, path, signatures=words.find)
    (tmp_path / "words.txt").unlink()
    found = analyse(path)
    assert not [f for f in found.findings if f.severity == "error"]
    found.write_keras(tmp_path / "keras")
    assert found.prove(tmp_path / "keras").passed
    found.freeze(tmp_path / "frozen.pb")
    assert compare(path, str(tmp_path / "frozen.pb")).passed
