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


def test_steps_first_are_turned(tmp_path: Path) -> None:
    """``time_major``, which Keras 3 has no more, in a shared layer, with states, and wrapped."""
    import tf_keras as K

    L, a, b = K.layers, K.Input((2, 3), batch_size=4), K.Input((2, 3), batch_size=4)
    whole = {"time_major": True, "return_sequences": True}
    shared = L.GRU(3, **whole)
    x, h, c = L.LSTM(5, return_state=True, **whole)(L.Add()([shared(a), shared(b)]))
    y = L.LSTM(5, time_major=True)(x, initial_state=[h, c])
    z = L.Bidirectional(L.SimpleRNN(2, **whole))(x)
    model = K.Model([a, b], [L.Dense(2)(y), L.Dense(1)(z), x])
    spread(model)
    model.save(tmp_path / "m.h5")
    assert proof(tmp_path / "m.h5", tmp_path / "out").passed
    text = (tmp_path / "out" / "model.py").read_text()
    assert "time_major" not in text and text.count("layers.GRU(") == 1


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


@pytest.mark.parametrize("name, gates", [("CuDNNLSTM", 4), ("CuDNNGRU", 3)])
def test_cudnn_weights_are_turned(name: str, gates: int, tmp_path: Path) -> None:
    """The file of a plain layer, renamed and given the other's weights: tf_keras says what they mean."""
    import h5py
    import tf_keras as K
    from tf_keras.src.saving.legacy import hdf5_format

    plain = getattr(K.layers, name.removeprefix("CuDNN"))
    model = K.Sequential([K.Input((5, 3)), plain(2, name="cell")])
    model.save(tmp_path / "m.h5")
    rng = np.random.default_rng(0)
    shapes = [(3, 2 * gates), (2, 2 * gates), (4 * gates,)]
    weights = [rng.normal(size=shape).astype("f4") for shape in shapes]
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        text = file.attrs["model_config"].replace(f'"{plain.__name__}"', f'"{name}"')
        file.attrs["model_config"] = text
        group = file["model_weights"]["cell"]
        for key, value in zip(list(group.attrs["weight_names"]), weights):
            del group[key]
            group[key] = value
    converted = hdf5_format.preprocess_weights_for_loading(model.layers[0], weights)
    model.set_weights(converted)
    graphscope.analyse(str(tmp_path / "m.h5")).write_keras(tmp_path / "out")
    built = run_source(tmp_path / "out")
    x = rng.normal(size=(2, 5, 3)).astype("f4")
    np.testing.assert_allclose(built(x), model(x), rtol=1e-4, atol=1e-5)


def test_keras_1_says_it_in_its_own_words(tmp_path: Path) -> None:
    """A file of Keras 1, made by hand: its arguments and weights are those of a net of Keras 2."""
    import h5py
    import tf_keras as K

    model = K.Sequential(
        [
            K.Input((8, 8, 3)),
            K.layers.Conv2D(4, (3, 2), padding="same", activation="relu"),
            K.layers.MaxPooling2D((2, 2)),
            K.layers.Flatten(),
            K.layers.Dense(2, activation="softmax"),
        ]
    )
    spread(model)
    layers = [
        {"class_name": "Convolution2D", "config": {"name": "c", "nb_filter": 4, "nb_row": 3, "nb_col": 2, "border_mode": "same",
         "activation": "relu", "subsample": [1, 1], "dim_ordering": "tf", "init": "glorot_uniform", "bias": True,
         "W_regularizer": None, "batch_input_shape": [None, 8, 8, 3], "trainable": True}},
        {"class_name": "MaxPooling2D", "config": {"name": "p", "pool_size": [2, 2], "strides": [2, 2], "border_mode": "valid",
         "dim_ordering": "tf", "trainable": True}},
        {"class_name": "Flatten", "config": {"name": "f", "trainable": True}},
        {"class_name": "Dense", "config": {"name": "d", "output_dim": 2, "input_dim": 64, "activation": "softmax", "bias": True,
         "init": "uniform", "trainable": True}},
    ]  # fmt: skip
    with h5py.File(tmp_path / "m.h5", "w") as file:
        config = {"class_name": "Sequential", "config": layers}
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "1.2.2"
        top = file.create_group("model_weights")
        top.attrs["layer_names"] = [b"c", b"p", b"f", b"d"]
        for name, layer in zip("cpfd", model.layers):
            group = top.create_group(name)
            names = [f"{name}_{part}".encode() for part in "Wb"][: len(layer.weights)]
            group.attrs["weight_names"] = names
            for key, value in zip(names, layer.get_weights()):
                group[key.decode()] = value
    graphscope.analyse(str(tmp_path / "m.h5")).write_keras(tmp_path / "out")
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("f4")
    found = run_source(tmp_path / "out")(x)
    np.testing.assert_allclose(found, model(x), rtol=1e-5, atol=1e-6)


_OLD = {
    "init": "glorot_uniform",
    "W_regularizer": None,
    "b_regularizer": None,
    "trainable": True,
}
_RECURRENT = {**_OLD, "inner_init": "orthogonal", "inner_activation": "hard_sigmoid", "activation": "tanh", "U_regularizer": None,
              "dropout_W": 0.0, "dropout_U": 0.0, "return_sequences": True, "go_backwards": False, "stateful": False,
              "unroll": False, "consume_less": "cpu", "forget_bias_init": "one", "output_dim": 4}  # fmt: skip
_CONVOLUTION = {
    **_OLD,
    "nb_filter": 4,
    "border_mode": "same",
    "activation": "relu",
    "bias": True,
}
_GATES = {"LSTM": "icfo", "GRU": "zrh"}


def _as_keras_1(layer: Any, kind: str) -> list[np.ndarray]:
    """The weights of a layer of Keras 2 in the layout of Keras 1: each gate by itself, kernels over one axis over two ..."""
    values = layer.get_weights()
    if kind in _GATES:
        order = {"icfo": (0, 2, 1, 3), "zrh": (0, 1, 2)}[_GATES[kind]]
        gates = [np.split(value, len(order), -1) for value in values]
        return [gate[n] for n in order for gate in gates]
    if kind == "Convolution1D":
        return [values[0][:, None], values[1]]
    if layer.get_config().get("data_format") == "channels_first":
        return [values[0].transpose(3, 2, 0, 1), values[1]]
    return values


@pytest.mark.parametrize(
    ("kind", "config", "shape"),
    [
        ("LSTM", _RECURRENT, (5, 3)),
        ("GRU", _RECURRENT, (5, 3)),
        ("SimpleRNN", _RECURRENT, (5, 3)),
        ("Bidirectional", _RECURRENT, (5, 3)),
        ("TimeDistributed", _OLD, (5, 3)),
        ("Convolution1D", {**_CONVOLUTION, "filter_length": 3, "subsample_length": 1}, (5, 3)),
        ("Convolution2D", {**_CONVOLUTION, "nb_row": 3, "nb_col": 2, "subsample": [1, 1], "dim_ordering": "th"}, (3, 6, 5)),
    ],
)  # fmt: skip
def test_keras_1_stored_weights_otherwise(
    kind: str, config: dict[str, Any], shape: tuple[int, ...], tmp_path: Path
) -> None:
    """Files of Keras 1 made by hand; the truth is tf_keras, into which the same weights go by its own conversion."""
    import h5py
    import tf_keras as K

    hard = {"recurrent_activation": "hard_sigmoid", "return_sequences": True}
    L = K.layers
    twin: Any = {
        "LSTM": lambda: L.LSTM(4, **hard),
        "GRU": lambda: L.GRU(4, reset_after=False, **hard),
        "SimpleRNN": lambda: L.SimpleRNN(4, return_sequences=True),
        "Bidirectional": lambda: L.Bidirectional(L.LSTM(4, **hard)),
        "TimeDistributed": lambda: L.TimeDistributed(L.Dense(4)),
        "Convolution1D": lambda: L.Conv1D(4, 3, padding="same", activation="relu"),
        "Convolution2D": lambda: L.Conv2D(4, (3, 2), padding="same", activation="relu", data_format="channels_first"),
    }[kind]()  # fmt: skip
    model = K.Sequential([K.Input(shape), twin])
    spread(model)
    inner = {"Bidirectional": "LSTM", "TimeDistributed": "Dense"}.get(kind)
    ours = {**config, "name": "l", "batch_input_shape": [None, *shape]}
    if inner:
        within = {"class_name": inner, "config": {**config, "name": "i", "output_dim": 4, "activation": config.get("activation", "linear")}}  # fmt: skip
        ours = {"name": "l", "layer": within, "batch_input_shape": [None, *shape], "trainable": True}  # fmt: skip
        ours |= {"merge_mode": "concat"} if kind == "Bidirectional" else {}
    halves = [twin.forward_layer, twin.backward_layer] if kind == "Bidirectional" else [twin]  # fmt: skip
    values = [v for half in halves for v in _as_keras_1(half, inner or kind)]
    with h5py.File(tmp_path / "m.h5", "w") as file:
        layers = [{"class_name": kind, "config": ours}]
        chain = {"class_name": "Sequential", "config": layers}
        file.attrs["model_config"] = json.dumps(chain)
        top = file.create_group("model_weights")
        top.attrs["layer_names"] = [b"l"]  # Keras 1 says no version
        group = top.create_group("l")
        names = [f"l_W_{n}".encode() for n in range(len(values))]
        group.attrs["weight_names"] = names
        for key, value in zip(names, values):
            group[key.decode()] = value
    with h5py.File(tmp_path / "m.h5") as file:  # tf_keras's own conversion agrees
        K.src.saving.legacy.hdf5_format.load_weights_from_hdf5_group(file["model_weights"], model)  # fmt: skip
    found = graphscope.analyse(str(tmp_path / "m.h5"))
    assert found.layer_table()["parameters"].sum() == model.count_params()
    found.write_keras(tmp_path / "out")
    x = np.random.default_rng(0).normal(size=(2, *shape)).astype("f4")
    if kind == "Convolution2D":  # TensorFlow has no channels first on CPU
        want = K.layers.Conv2D(4, (3, 2), padding="same", activation="relu")
        want.build((None, 6, 5, 3))
        want.set_weights(twin.get_weights())
        expected = np.moveaxis(np.asarray(want(np.moveaxis(x, 1, -1))), -1, 1)
    else:
        expected = np.asarray(model(x))
    np.testing.assert_allclose(run_source(tmp_path / "out")(x), expected, atol=1e-5)


@pytest.mark.parametrize("mode", ["concat", "sum", "dot"])
def test_a_chain_of_keras_1_begins_with_chains_that_it_merges(
    mode: str, tmp_path: Path
) -> None:
    import h5py
    import tf_keras as K

    a, b = K.Input((3,)), K.Input((5,))
    left = K.layers.Dense(4, activation="tanh", name="left")
    right = K.layers.Dense(4, name="right")
    merge = {"concat": K.layers.Concatenate(), "sum": K.layers.Add(), "dot": K.layers.Dot(1)}  # fmt: skip
    last = K.layers.Dense(2, name="last")
    model = K.Model([a, b], last(merge[mode]([left(a), right(b)])))
    spread(model)
    config = {**_OLD, "bias": True, "output_dim": 4}
    branches = [
        {"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {**config, "name": name, "activation": activation,
         "batch_input_shape": [None, size], "input_dim": size}}]}
        for name, activation, size in (("left", "tanh", 3), ("right", "linear", 5))
    ]  # fmt: skip
    layers = [
        {"class_name": "Merge", "config": {"name": "m", "mode": mode, "concat_axis": -1, "dot_axes": [[1], [1]], "layers": branches}},
        {"class_name": "Dense", "config": {**config, "name": "last", "output_dim": 2, "activation": "linear"}},
    ]  # fmt: skip
    with h5py.File(tmp_path / "m.h5", "w") as file:
        chain = {"class_name": "Sequential", "config": layers}
        file.attrs["model_config"] = json.dumps(chain)
        top = file.create_group("model_weights")
        top.attrs["layer_names"] = [b"left", b"right", b"m", b"last"]
        for layer in (left, right, last):
            group = top.create_group(layer.name)
            group.attrs["weight_names"] = names = [b"W", b"b"]
            for key, value in zip(names, layer.get_weights()):
                group[key.decode()] = value
        top.create_group("m").attrs["weight_names"] = np.zeros(0, "S1")
    found = graphscope.analyse(str(tmp_path / "m.h5"))
    assert found.layer_table()["parameters"].sum() == model.count_params()
    found.write_keras(tmp_path / "out")
    rng = np.random.default_rng(0)
    x = [rng.normal(size=(2, size)).astype("f4") for size in (3, 5)]
    built = run_source(tmp_path / "out")
    np.testing.assert_allclose(built(x), model(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("keras", ["keras", "tf_keras"])
def test_what_lies_within_is_an_output_when_asked_for(
    keras: str, tmp_path: Path
) -> None:
    """Of a shared layer the second call; what only other outputs need is left out."""
    K = keras_of(keras)
    a, b = K.Input((4,), name="a"), K.Input((4,), name="b")
    shared = K.layers.Dense(3, activation="tanh", name="shared")
    x = K.layers.Add(name="sum")([shared(a), shared(b)])
    model = K.Model([a, b], K.layers.Dense(2, name="last")(x))
    spread(model)
    model.save(tmp_path / "m.h5")
    for outputs, inputs, calls in ((["sum"], 2, 2), (["shared_call1"], 1, 1)):
        found = graphscope.analyse(str(tmp_path / "m.h5"), outputs=outputs)
        found.write_keras(tmp_path / "out")
        assert found.prove(tmp_path / "out").passed
        built = run_source(tmp_path / "out")
        assert len(built.inputs) == inputs and len(built.weights) == 2
