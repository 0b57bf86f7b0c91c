"""A CudnnRNN is the recurrent layers that it computes; no CPU runs it, so its documented equations say what is right."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphscope
from tests.infer.recurrence.cudnn_graphs import FEATURES, STEPS, UNITS, Raw, frozen
from tests.infer.recurrence.test_settle import classes
from tests.render.keras.loop_models import load

RAW = {
    "LSTM": Raw("lstm"),
    "GRU": Raw("gru", op="CudnnRNNV2"),
    "SimpleRNN": Raw("rnn_tanh", 2, op="CudnnRNNV3"),
    "SimpleRNN, relu": Raw("rnn_relu", both=True),
    "LSTM, deep": Raw("lstm", 2, both=True),
    "GRU, deep": Raw("gru", 2, both=True, op="CudnnRNNV3"),
    "LSTM, canonical": Raw("lstm", 2, both=True, canonical=True),
}


@pytest.mark.parametrize("name", RAW)
def test_a_cudnn_rnn_is_its_layers(name: str, tmp_path: Path) -> None:
    raw = RAW[name]
    outputs, values = frozen(raw.build, tmp_path / "model.pb")
    analysis = graphscope.analyse(tmp_path / "model.pb", outputs=outputs)
    analysis.write_keras(tmp_path / "keras")
    count = raw.layers * raw.directions
    assert classes(analysis) == {name.partition(",")[0]: count}
    x = np.random.default_rng(3).normal(size=(STEPS, 3, FEATURES)).astype("float32")
    answer = load(tmp_path / "keras")(x)
    for one, other in zip(answer, raw.reference(values, x), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def both_ways(kind: str, masked: bool, backwards: bool) -> Any:
    """What Keras 2 runs on a GPU in the place of its LSTM or GRU: its own function."""

    def build() -> list[Any]:
        import tensorflow as tf
        from tf_keras.src.layers.rnn import gru, lstm

        v1, gates = tf.compat.v1, 4 if kind == "LSTM" else 3
        x = v1.placeholder(tf.float32, (None, STEPS, FEATURES), "x")
        lengths = v1.placeholder(tf.int32, (None,), "lengths") if masked else None
        zero = tf.zeros((tf.shape(x)[0], UNITS))
        bias = (gates * UNITS,) if kind == "LSTM" else (2, gates * UNITS)
        run = lstm.gpu_lstm if kind == "LSTM" else gru.gpu_gru
        states = [zero, zero] if kind == "LSTM" else [zero]
        _, y, *_ = run(
            x,
            *states,
            kernel=v1.get_variable("kernel", (FEATURES, gates * UNITS)),
            recurrent_kernel=v1.get_variable("recurrent", (UNITS, gates * UNITS)),
            bias=v1.get_variable("bias", bias),
            mask=tf.sequence_mask(lengths, STEPS) if masked else None,
            time_major=False,
            go_backwards=backwards,
            sequence_lengths=None,
            return_sequences=True,
        )
        return [tf.identity(y, name="y")]

    return build


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("case", ["plain", "masked", "backwards"])
def test_what_keras_2_runs_on_a_gpu(kind: str, case: str, tmp_path: Path) -> None:
    import tensorflow as tf
    import tf_keras

    masked, backwards = case == "masked", case == "backwards"
    build = both_ways(kind, masked, backwards)
    outputs, values = frozen(build, tmp_path / "model.pb")
    analysis = graphscope.analyse(tmp_path / "model.pb", outputs=outputs)
    analysis.write_keras(tmp_path / "keras")
    assert classes(analysis) == Counter([kind])
    x = np.random.default_rng(3).normal(size=(3, STEPS, FEATURES)).astype("float32")
    lengths = np.array([STEPS, 2, 4], np.int32)
    layer = getattr(tf_keras.layers, kind)(
        UNITS, return_sequences=True, go_backwards=backwards
    )
    layer.build((None, STEPS, FEATURES))
    layer.set_weights([values[n] for n in ("kernel", "recurrent", "bias")])
    mask = tf.sequence_mask(lengths, STEPS) if masked else None
    expected = layer(x, mask=mask).numpy()
    if masked:  # past the end cuDNN puts out zeros
        expected *= mask.numpy()[..., None]
    model = load(tmp_path / "keras")
    fed = [{"x": x, "lengths": lengths}[each.name] for each in model.inputs]
    answer = model(fed if masked else fed[0])
    np.testing.assert_allclose(answer, expected, atol=1e-6)


def test_a_projection_stays_the_op(tmp_path: Path) -> None:
    """cuDNN's own projection is in no class of Keras."""

    def build() -> list[Any]:
        import tensorflow as tf

        v1 = tf.compat.v1
        x = v1.placeholder(tf.float32, (STEPS, None, FEATURES), "x")
        state = tf.zeros((1, tf.shape(x)[1], 3))
        result = tf.raw_ops.CudnnRNNV3(
            input=x,
            input_h=state,
            input_c=tf.zeros((1, tf.shape(x)[1], UNITS)),
            params=v1.get_variable("p", (300,)),
            sequence_lengths=tf.fill([tf.shape(x)[1]], STEPS),
            num_proj=3,
        )
        return [tf.identity(result.output)]

    outputs, _ = frozen(build, tmp_path / "model.pb")
    analysis = graphscope.analyse(tmp_path / "model.pb", outputs=outputs)
    assert not classes(analysis)
