"""What was printed of real files and was false: of each kind one case, and what TensorFlow, or who wrote the file, says of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import graphscope
from graphscope.analysis.documents import describe_model
from graphscope.cli.terminal import inspect_text
from graphscope.infer.finding import Finding
from graphscope.infer.findings import diagnose
from tests.infer.traps import found, model_of

v1 = tf.compat.v1
H2O = "h2oai+deepwater"
BATCH_NORM = "batch-norm-in-training-mode"


def said(path: Path) -> str:
    """What ``inspect`` prints."""
    return inspect_text(describe_model(graphscope.analyse(str(path))), str(path))


def findings(path: Path, *outputs: str) -> dict[str, Finding]:
    analysis = graphscope.analyse(str(path), outputs=outputs)
    return {each.id: each for each in analysis.findings}


def test_a_loop_that_is_a_layer_is_not_kept_beside_it(corpus: Path) -> None:
    path = corpus / "ARM-software+ML-KWS-for-MCU/Pretrained_models/CRNN/CRNN_S.pb"
    assert "kept as layers" not in said(path)
    assert "'rnn/while': recovered as GRU" in findings(path)["loops"].message
    kept = corpus / "blaueck+tf-mtcnn/mtcnn.pb"
    assert "kept as layers that run them: pnet/while (102 ops)" in said(kept)
    assert "kept as a layer that runs the loop" in findings(kept)["loops"].message


def test_ops_of_no_layer_are_named_and_one_is_no_plural(corpus: Path) -> None:
    path = corpus / "ARM-software+ML-KWS-for-MCU/Pretrained_models/CNN/CNN_S.pb"
    names = "decoded_sample_data, AudioSpectrogram, Mfcc"
    assert f"3 ops belong to no layer: {names}" in said(path)
    one = corpus / "tensorflow+rust/examples/addition/model.pb"
    assert "1 op belongs to no layer: z" in said(one)


def test_inputs_are_counted_where_they_are_not_all_shown(corpus: Path) -> None:
    folder = "kaiwaehner+kafka-streams-machine-learning-examples/tensorflow-image-recognition"
    path = corpus / folder / "src/main/resources/generatedModels/TensorFlow_Census"
    listed = said(path).split("Outputs")[0]
    count = len(describe_model(graphscope.analyse(str(path)))["inputs"])
    shown = listed.split("Inputs")[1].count("data ")
    assert f"and {count - shown} more" in listed and count > shown


def test_a_signature_is_an_output_that_stands_out(corpus: Path) -> None:
    path = "tensorflow+decision-forests/tensorflow_decision_forests/test_data/model"
    text = said(corpus / path / "saved_model_adult_rf")
    assert "no output stands out" not in text
    assert text.count("[op-not-registered]") == 1  # one library, three ops
    assert "a custom op" not in text


def test_a_count_is_no_weight(corpus: Path) -> None:
    """``global_step`` under the name ``Variable``; an input pipeline's count of epochs."""
    path = corpus / "SciSharp+TensorFlow.NET/graph/word_cnn_untrained.meta"
    roles = {v.name: v.role for v in graphscope.load(str(path)).variables}
    assert roles["Variable"] == "step counter"
    path = corpus / "AjayTalati+AssociativeRetrieval/save/LSTM/save-56000.meta"
    roles = {v.name: v.role for v in graphscope.load(str(path)).variables}
    assert roles["input/input_producer/limit_epochs/epochs"] == "step counter"


def test_the_loss_is_the_one_that_is_trained_on(corpus: Path) -> None:
    folder = "dotnet+machinelearning-testdata/Microsoft.ML.TensorFlow.TestModels"
    text = said(corpus / folder / "cifar_model/model.ckpt.meta")
    assert "on SoftmaxCrossEntropyWithLogits" not in text
    assert "feeds the loss hinge_loss/" in text


def test_a_shape_is_no_loss_and_a_slot_no_weight(corpus: Path) -> None:
    path = corpus / H2O / "tensorflow/src/main/resources/mlp_784x1x1_10.meta"
    assert "(Shape)" not in said(path)
    path = corpus / "serizba+cppflow/examples/multi_input_output/model"
    assert "4 of 8 weights upstream" in said(path)
    path = corpus / "tensorflow+tfx/tfx/components/testdata/trainer/keras"
    assert "6 of 6 weights upstream" in said(path / "Format-Serving")


def test_penalties_of_the_loss_are_told(corpus: Path) -> None:
    """Open Spiel's alpha_zero/model.py: ``weight_decay * tf.nn.l2_loss(var)``, 0.0001, of all that is no bias."""
    path = corpus / "WilsonCWu+open_spiel/save/checkpoint--1.meta"
    assert "the loss also holds L2(l2=5e-05) of 14 weights" in said(path)


def test_batch_statistics_by_shifted_sums(corpus: Path) -> None:
    """``tf.contrib.layers.batch_norm``, whose default is training."""
    folder = corpus / H2O / "_history/c7ff2cb33e/tensorflow/src/main/resources"
    assert BATCH_NORM in findings(folder / "vgg_32x32x3_10.meta")


def test_layer_normalization_of_keras_2_is_no_batch_norm() -> None:
    def build(rows: int) -> None:
        x = v1.placeholder(tf.float32, [4, 6], name="x")
        ones = tf.ones([rows])
        image = tf.reshape(x, [1, rows, -1, 1] if rows == 4 else [2, 2, 6, 1])
        y, *_ = v1.nn.fused_batch_norm(
            image, ones if rows == 4 else tf.ones([2]), tf.zeros([rows if rows == 4 else 2]), data_format="NCHW"
        )  # fmt: skip
        tf.identity(y, name="y")

    assert not found(model_of(lambda: build(4)), BATCH_NORM, "y")
    assert found(model_of(lambda: build(2)), BATCH_NORM, "y")


def test_files_that_no_output_needs_are_no_danger(corpus: Path) -> None:
    path = corpus / "AjayTalati+AssociativeRetrieval/save/LSTM/save-56000.meta"
    finding = findings(path)["unsafe-files"]
    assert finding.severity == "info" and not finding.remedy
    assert "its outputs do not need them" in finding.message


def test_trust_is_not_advised_where_it_cannot_help() -> None:
    def build() -> None:
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        (y,) = v1.py_func(lambda v: [v], [x], [tf.float32])
        tf.square(y, name="y")

    listed = diagnose(model_of(build), outputs=["y"])
    assert not any("--trust" in each.remedy for each in listed)


def test_a_frozen_graph_is_no_structure_only(corpus: Path) -> None:
    path = corpus / "serizba+cppflow/examples/load_frozen_graph/model.pb"
    assert "no-weights" not in findings(path)
    assert "36 parameters" in said(path)


@pytest.mark.parametrize("form", ["model.h5", "weights.ckpt", "slots"])
def test_averages_of_an_optimizer_are_told(tmp_path: Path, form: str) -> None:
    """Of Keras 2 with ``use_ema``, and of an optimizer with a slot ``average``, as TensorFlow Addons' is."""
    keras = pytest.importorskip("tf_keras")
    model = keras.Sequential([keras.layers.Dense(3, input_shape=(4,))])
    adam = keras.optimizers.Adam(use_ema=True, ema_momentum=0.5)
    if form == "slots":
        adam = keras.optimizers.legacy.Adam()
    model.compile(adam, "mse")
    x = np.random.default_rng(0).normal(size=[8, 4]).astype(np.float32)
    model.fit(x, x[:, :3], verbose=0)
    place = tmp_path / form
    if form == "slots":
        for variable in model.trainable_variables:
            adam.add_slot(variable, "average")
        tf.train.Checkpoint(model=model, optimizer=adam).write(str(place))
    else:
        (model.save if form == "model.h5" else model.save_weights)(place)
    finding = findings(place)["moving-averages-stored"]
    assert "moving averages of 2 weights" in finding.message and not finding.remedy
    roles = [v.role for v in graphscope.load(str(place)).variables]
    assert roles.count("weight") == roles.count("moving average") == 2


def test_a_mask_is_no_layer(tmp_path: Path) -> None:
    import keras

    words = keras.layers.Input((9,), dtype="int32")
    hidden = keras.layers.Embedding(20, 8, mask_zero=True)(words)
    answer = keras.layers.Dense(3)(keras.layers.LSTM(6)(hidden))
    model = keras.Model(words, answer)
    model.save(tmp_path / "model.keras")
    layers = describe_model(graphscope.analyse(str(tmp_path / "model.keras")))["layers"]
    assert layers == {type(each).__name__: 1 for each in model.layers}


@pytest.mark.parametrize("id", ["fixed-batch-size", "op-not-registered"])
def test_alike_findings_are_one(corpus: Path, id: str) -> None:
    path = corpus / "tensorflow+ngraph-bridge/test/python/flib_graph_1.pbtxt"
    listed = graphscope.analyse(str(path)).findings
    assert [each.id for each in listed].count(id) == 1


def test_switches_that_want_one_value_are_one_finding() -> None:
    def build() -> None:
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        for number in range(5):
            keep = v1.placeholder(tf.float32, [], name=f"keep_{number}")
            x = tf.matmul(tf.nn.dropout(x, rate=1 - keep), v1.get_variable(f"w{number}", [4, 4]))  # fmt: skip
        tf.identity(x, name="y")

    (finding,) = found(model_of(build), "dropout-fed", "y")
    assert len(finding.nodes) == 5 and "and 2 more switch between" in finding.message


def test_an_output_for_want_of_another_is_not_said_to_stand_out_and_not_to(
    tmp_path: Path,
) -> None:
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 4, 4, 1], name="x")
        y = v1.nn.conv2d(x, tf.ones([3, 3, 1, 1]), padding="SAME", name="y")
        v1.summary.image("picture", y)
        (tmp_path / "g.pb").write_bytes(graph.as_graph_def().SerializeToString())
    text = said(tmp_path / "g.pb")
    assert "no output stands out" not in text or "y:0" not in text


def test_a_loop_that_is_whole_only_in_the_whole_graph_is_not_broken(
    corpus: Path,
) -> None:
    folder = "benoitsteiner+tensorflow-opencl/tensorflow/core/grappler/costs"
    listed = findings(
        corpus / folder / "graph_properties_testdata/loops_and_queues.pbtxt"
    )
    assert "broken-loop" not in listed and "loops" in listed
