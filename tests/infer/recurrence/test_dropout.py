"""What drops at random in a loop is an argument or a layer of what comes back, and the proof runs the file in its inference form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import graphscope
from tests.render.keras.loop_models import checkpoint_v1, recovered_v1


def dropped(keep: Callable[[Any], Any], cell: str, layers: int = 1) -> Any:
    """Cells of TensorFlow 1 in ``DropoutWrapper``s; ``keep`` makes the probability."""

    def build(v1: Any) -> Any:
        from tf_keras.src.layers.rnn import legacy_cell_wrappers as wrappers
        from tf_keras.src.layers.rnn import legacy_cells as cells

        x = v1.placeholder(v1.float32, (None, 6, 5), "x")
        p = keep(v1)
        many = [getattr(cells, cell)(4) for _ in range(layers)]
        many = [wrappers.DropoutWrapper(each, p, p, p) for each in many]
        whole = cells.MultiRNNCell(many) if layers > 1 else many[0]
        y, _ = v1.nn.dynamic_rnn(whole, x, dtype=v1.float32)
        return v1.identity(y, name="y")

    return build


def constant(v1: Any) -> Any:
    return 0.6


def fed(v1: Any) -> Any:
    return v1.placeholder(v1.float32, (), "keep_prob")


def fed_or_one(v1: Any) -> Any:
    return v1.placeholder_with_default(1.0, (), "keep_prob")


@pytest.mark.parametrize("functions", [False, True], ids=["frames", "functions"])
@pytest.mark.parametrize("keep", [constant, fed, fed_or_one])
def test_a_dropout_wrapper(keep: Any, functions: bool, tmp_path: Path) -> None:
    build = dropped(keep, "BasicLSTMCell")
    made = recovered_v1(build, tmp_path, v2_control_flow=functions)
    ops = Counter(layer.op for layer in made.analysis.layers)
    assert ops == {"LSTM": 1, "Dropout": 2}
    rate = 0.4 if keep is constant else 0.5
    lstm = next(each for each in made.analysis.layers if each.op == "LSTM")
    assert lstm.attrs["recurrent_dropout"] == pytest.approx(rate)
    assert made.proof.passed, made.proof
    assert [str(t) for t in made.analysis.model_inputs] == ["x:0"]


def test_layers_with_dropout_between(tmp_path: Path) -> None:
    made = recovered_v1(dropped(fed, "GRUCell", 2), tmp_path)
    ops = Counter(layer.op for layer in made.analysis.layers)
    assert ops == {"GRU": 2, "Dropout": 4}
    assert made.proof.passed, made.proof


def unrolled(v1: Any) -> Any:
    """Three cells one upon the other, their steps written out, with what is dropped between them."""
    from tf_keras.src.layers.rnn import legacy_cell_wrappers as wrappers
    from tf_keras.src.layers.rnn import legacy_cells as cells

    x = v1.placeholder(v1.float32, (None, 5, 3), "x")
    keep = v1.placeholder(v1.float32, (), "keep_prob")
    many = [cells.BasicLSTMCell(4) for _ in range(3)]
    many = [wrappers.DropoutWrapper(c, output_keep_prob=keep) for c in many]
    whole = cells.MultiRNNCell(many)
    y, _ = v1.nn.static_rnn(whole, v1.unstack(x, axis=1), dtype=v1.float32)
    return v1.identity(y[-1], name="y")


def test_dropouts_between_unrolled_layers(tmp_path: Path) -> None:
    made = recovered_v1(unrolled, tmp_path)
    ops = Counter(layer.op for layer in made.analysis.layers)
    assert ops == {"LSTM": 3, "Dropout": 3}
    assert made.proof.passed, made.proof


def test_a_loop_of_no_class_drops_nothing(tmp_path: Path) -> None:
    """Whatever makes a graph one for inference is done before a loop is looked into, whether a class fits or none."""

    def build(v1: Any) -> Any:
        from tf_keras.src.layers.rnn import legacy_cell_wrappers as wrappers
        from tf_keras.src.layers.rnn import legacy_cells as cells

        x = v1.placeholder(v1.float32, (None, 6, 5), "x")
        cell = cells.LSTMCell(4, use_peepholes=True)
        cell = wrappers.DropoutWrapper(cell, 0.5, 0.5, 0.5)
        y, _ = v1.nn.dynamic_rnn(cell, x, dtype=v1.float32)
        return v1.identity(y, name="y")

    made = recovered_v1(build, tmp_path)
    assert made.proof.passed, made.proof
    assert "drops at random" in made.proof.because


@pytest.mark.parametrize("functions", [False, True], ids=["frames", "functions"])
def test_the_output_is_not_a_counter(functions: bool, tmp_path: Path) -> None:
    """A loop leaves an unnamed Identity for each variable: nobody asks for these."""
    checkpoint_v1(dropped(fed, "BasicLSTMCell"), tmp_path / "model", functions)
    found = graphscope.analyse(tmp_path / "model.meta")
    assert [str(tensor) for tensor in found.outputs] == ["y:0"]
