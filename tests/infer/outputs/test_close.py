"""Where two answers are equally good, somebody says so; of what a signature leaves out nothing is likely."""

from __future__ import annotations

from graphscope.cli.terminal import candidates_text
from tests.infer.outputs.test_kinds import answer, minimise
from tests.infer.training.training_graphs import data, dense


def test_two_predictions_of_equal_weight_are_said_to_be_close() -> None:
    import tensorflow.compat.v1 as tf

    def build() -> None:
        x, t = data(None, 4, name="x"), data(None, 3, name="t")
        minimise(tf.reduce_mean(tf.square(dense(x, 3, tf.nn.tanh) - t)))

    assert not any("close" in remark for remark in answer(build).remarks)


def test_a_reason_against_a_candidate_does_not_stand_for_it() -> None:
    candidate = {
        "tensor": "action:0",
        "dtype": "float32",
        "shape": [None, 2],
        "score": 0.65,
        "evidence": ["weights are still applied after it", "its name speaks of it"],
        "points": [-2.0, 1.5],
    }
    text = candidates_text({"inputs": [], "outputs": [candidate], "remarks": []}, True)
    assert "its name speaks of it" in text and "still applied" not in text
