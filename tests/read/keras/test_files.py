"""Keras files that do not hold all of a model, lie in two files, or bear another's suffix: read, written, proven, or said why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphscope
from graphscope.errors import NotRunnable, UnsafeModel
from graphscope.verify.run.keras_source import run_source

from .compositions import COMPOSITIONS
from .measure import spread


def keras_of(name: str) -> Any:
    return __import__(name)


def proof(path: Path, folder: Path) -> Any:
    found = graphscope.analyse(str(path))
    found.write_keras(folder)
    return found.prove(folder)


@pytest.mark.parametrize("keras", ["keras", "tf_keras"])
@pytest.mark.parametrize("form", [".keras", ".h5"])
def test_the_proof_runs_the_keras_that_wrote_it(
    keras: str, form: str, tmp_path: Path
) -> None:
    for name in ("siamese", "returned_states", "operators"):
        model = COMPOSITIONS[name](keras_of(keras))
        spread(model)
        model.save(tmp_path / f"{name}{form}")
        assert proof(tmp_path / f"{name}{form}", tmp_path / name).passed
    odd = (tmp_path / f"siamese{form}").rename(tmp_path / "siamese.pb")
    assert proof(odd, tmp_path / "odd").passed


@pytest.mark.parametrize("keras", ["keras", "tf_keras"])
def test_json_and_weights_are_one_model(keras: str, tmp_path: Path) -> None:
    model = COMPOSITIONS["three_deep"](keras_of(keras))
    spread(model)
    (tmp_path / "net.json").write_text(model.to_json())
    alone = graphscope.analyse(str(tmp_path / "net.json"))
    assert [layer.op for layer in alone.layers].count("Dense") == 5
    report = alone.write_keras(tmp_path / "alone")
    assert not (tmp_path / "alone" / "model.weights.h5").exists()
    assert any("weights" in remark for remark in report.remarks)
    model.save_weights(tmp_path / "net.weights.h5")
    for name in ("net.json", "net.weights.h5"):
        assert proof(tmp_path / name, tmp_path / "out").passed
    moved = (tmp_path / "net.weights.h5").rename(tmp_path / "other.h5")
    joined = graphscope.load(tmp_path / "net.json", checkpoint=moved)
    kernels = [layer.weights for layer in graphscope.analyse(joined).layers]
    assert sum("kernel" in each for each in kernels) == 5


@pytest.mark.parametrize("keras", ["keras", "tf_keras"])
def test_what_is_missing_is_a_stub(keras: str, tmp_path: Path) -> None:
    K = keras_of(keras)

    class MixedPool(K.layers.Layer):
        def __init__(self, alpha: float = 0.5, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.alpha = alpha

        def build(self, shape: Any) -> None:
            self.mix = self.add_weight(name="mix", shape=(4,), initializer="ones")

        def call(self, x: Any) -> Any:
            return x[:, ::2, ::2] * self.mix

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "alpha": self.alpha}

    def my_activation(x: Any) -> Any:
        return x * 2

    inputs = K.Input((8, 8, 3))
    x = K.layers.Conv2D(4, 3, padding="same", activation=my_activation)(inputs)
    x = K.layers.Flatten()(K.layers.Dropout(0.5)(MixedPool(0.25)(x)))
    x = K.layers.Lambda(lambda t: t + 1)(x)
    model = K.Model(inputs, K.layers.Dense(3)(x))
    for form in (".keras", ".h5"):
        path = tmp_path / f"custom{form}"
        model.save(path)
        found = graphscope.analyse(str(path))
        assert found.layer_table()["parameters"].sum() == model.count_params()
        found.write_keras(tmp_path / "out")
        built = run_source(tmp_path / "out")
        assert sorted(tuple(w.shape) for w in built.weights) == sorted(
            tuple(w.shape) for w in model.weights
        )
        text = (tmp_path / "out" / "model.py").read_text()
        assert "class MixedPool(Missing)" in text and '"alpha": 0.25' in text
        with pytest.raises(NotRunnable, match="not in"):
            found.prove(tmp_path / "out")


def test_a_config_that_names_other_modules_is_not_run(tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    document = json.loads(model.to_json())
    document["config"]["layers"][1]["config"]["kernel_initializer"]["module"] = "os"
    (tmp_path / "net.json").write_text(json.dumps(document))
    model.save_weights(tmp_path / "net.weights.h5")
    with pytest.raises(UnsafeModel, match="'os'"):
        proof(tmp_path / "net.json", tmp_path / "out")


def test_keras_2_rises_by_a_fifth(tmp_path: Path) -> None:
    import tf_keras as K

    inputs = K.Input((5, 3))
    x = K.layers.LSTM(4, recurrent_activation="hard_sigmoid")(inputs)
    model = K.Model(inputs, K.layers.Dense(2, activation="hard_sigmoid")(x))
    model.save(tmp_path / "m.h5")
    assert proof(tmp_path / "m.h5", tmp_path / "out").passed


def test_arguments_that_are_not_defaults_are_kept(tmp_path: Path) -> None:
    import keras

    for name in ("keras", "tf_keras"):
        COMPOSITIONS["arguments_kept"](keras_of(name)).save(tmp_path / "m.h5")
        graphscope.analyse(str(tmp_path / "m.h5")).write_keras(tmp_path / "out")
        first, second = run_source(tmp_path / "out").layers[1:]
        assert isinstance(first.kernel_initializer, keras.initializers.TruncatedNormal)
        assert isinstance(first.kernel_regularizer, keras.regularizers.L1L2)
        assert isinstance(first.activity_regularizer, keras.regularizers.L2)
        assert first.kernel_constraint.max_value == 2.0
        assert isinstance(second.kernel_constraint, keras.constraints.NonNeg)
        text = (tmp_path / "out" / "model.py").read_text()
        assert "zeros" not in text and "glorot" not in text


def test_tensorflow_js_layers_come_back(tmp_path: Path) -> None:
    from tests.read.formats.test_tensorflow_js import write

    model = COMPOSITIONS["three_deep"](keras_of("tf_keras"))
    spread(model)
    weights = {w.name.removesuffix(":0"): w.numpy() for w in model.weights}
    topology = {"keras_version": "2.15", "model_config": json.loads(model.to_json())}
    path = write(tmp_path, topology, weights, format="layers-model")
    found = graphscope.analyse(str(path))
    assert found.layer_table()["parameters"].sum() == model.count_params()
    assert proof(path, tmp_path / "out").passed
    built = run_source(tmp_path / "out")
    x = np.random.default_rng(0).normal(size=(2, 4)).astype("f4")
    np.testing.assert_allclose(built(x), model(x), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("keras", ["keras", "tf_keras"])
def test_random_models(keras: str) -> None:
    from .measure import rows
    from .random_models import random_model

    wrong = []
    for seed in range(30):
        for form, what, reason in rows(
            str(seed), lambda seed=seed: random_model(keras_of(keras), seed)  # type: ignore[misc]
        ):
            if reason:
                wrong.append(f"{seed}{form} {what}: {reason}")
    assert not wrong, "\n".join(wrong)
