"""Files of several signatures: one model for each in one source, their shared layers shared, each proven by itself."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope.analysis import analyse
from graphscope.analysis.diff.computed import compare_files
from graphscope.cli import cli
from graphscope.errors import GraphError

v1 = tf.compat.v1
X = tf.TensorSpec([None, 6], tf.float32, name="x")


def values(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("f")


class Coder(tf.Module):
    """An encoder and a decoder, by themselves and together."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = tf.Variable(values(6, 8)), tf.Variable(values(8))
        self.decoder = tf.Variable(values(8, 6)), tf.Variable(values(6))

    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32, name="x")])
    def encode(self, x: Any) -> dict[str, Any]:
        kernel, bias = self.encoder
        return {"code": tf.nn.relu(x @ kernel + bias)}

    @tf.function(input_signature=[tf.TensorSpec([None, 8], tf.float32, name="code")])
    def decode(self, code: Any) -> dict[str, Any]:
        kernel, bias = self.decoder
        return {"x": code @ kernel + bias}

    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32, name="x")])
    def __call__(self, x: Any) -> dict[str, Any]:
        return self.decode(self.encode(x)["code"])


class Apart(tf.Module):
    """Two signatures that have nothing in common."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = tf.Variable(values(6, 8))
        self.filters = tf.Variable(values(3, 3, 2, 4))

    @tf.function(input_signature=[tf.TensorSpec([None, 6], tf.float32, name="x")])
    def vector(self, x: Any) -> dict[str, Any]:
        return {"y": tf.tanh(x @ self.kernel)}

    @tf.function(
        input_signature=[tf.TensorSpec([None, 9, 9, 2], tf.float32, name="image")]
    )
    def image(self, image: Any) -> dict[str, Any]:
        maps = tf.nn.relu(tf.nn.conv2d(image, self.filters, 1, "SAME"))
        return {"a": tf.reduce_mean(maps, [1, 2]), "b": tf.reduce_max(maps, [1, 2])}


class Scaled(tf.Module):
    """Weights that no layer of Keras's owns, read by signatures that have no input in common; and one that reads no input."""

    def __init__(self) -> None:
        super().__init__()
        self.slope, self.table = tf.Variable(values()), tf.Variable(values(7, 4))

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])
    def scale(self, x: Any) -> dict[str, Any]:
        return {"y": tf.sin(x * self.slope)}

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])
    def score(self, x: Any) -> dict[str, Any]:
        return {"y": tf.matmul(x * self.slope, self.table, transpose_b=True)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name="ids")])
    def look_up(self, ids: Any) -> dict[str, Any]:
        return {"y": tf.gather(self.table, ids) * tf.exp(self.slope)}

    @tf.function(input_signature=[])
    def slope_of(self) -> dict[str, Any]:
        return {"slope": self.slope + 0.0}


def weights_v2(folder: Path) -> None:
    module = Scaled()
    names = {"scale": module.scale, "score": module.score, "look_up": module.look_up}
    tf.saved_model.save(module, str(folder), {**names, "slope": module.slope_of})


def shared_v2(folder: Path) -> None:
    module = Coder()
    names = {"serving_default": module.__call__, "encode": module.encode}
    tf.saved_model.save(module, str(folder), {**names, "decode": module.decode})


def apart_v2(folder: Path) -> None:
    module = Apart()
    signatures = {"vector": module.vector, "image": module.image}
    tf.saved_model.save(module, str(folder), signatures)


def shared_v1(folder: Path) -> None:
    """A session's graph: one placeholder with two ends, and the first layer on two more; a signature that nothing is fed to."""
    with tf.Graph().as_default(), v1.Session() as session:
        kernel, out = v1.Variable(values(6, 8)), v1.Variable(values(8, 3))
        x, a, b = (v1.placeholder(tf.float32, [None, 6], name=n) for n in "xab")
        hidden, left, right = (tf.nn.relu(each @ kernel) for each in (x, a, b))
        logits = hidden @ out
        ends = {
            "serving_default": ({"x": x}, {"probabilities": tf.nn.softmax(logits)}),
            "features": ({"x": x}, {"hidden": hidden, "logits": logits}),
            "compare": (
                {"left": a, "right": b},
                {"distance": tf.reduce_sum(tf.abs(left - right), 1)},
            ),
        }
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder(str(folder))
        info = v1.saved_model.build_tensor_info
        signatures = {
            name: v1.saved_model.build_signature_def(
                *({k: info(t) for k, t in side.items()} for side in sides),
                "tensorflow/serving/predict",
            )
            for name, sides in ends.items()
        }
        builder.add_meta_graph_and_variables(session, ["serve"], signatures)
        builder.save()


WRITERS: dict[str, Callable[[Path], None]] = {
    "shared_v2": shared_v2,
    "apart_v2": apart_v2,
    "shared_v1": shared_v1,
    "weights_v2": weights_v2,
}
LAYERS_THAT_OWN = {"shared_v2": 2, "apart_v2": 2, "shared_v1": 2, "weights_v2": 2}
SIGNATURES = {
    "shared_v2": {"serving_default", "encode", "decode"},
    "apart_v2": {"vector", "image"},
    "shared_v1": {"serving_default", "features", "compare"},
    "weights_v2": {"scale", "score", "look_up"},
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("signatures")
    for name, write in WRITERS.items():
        write(folder / name)
    return {name: folder / name for name in WRITERS}


@pytest.fixture(scope="module")
def sources(
    files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sources")
    for name, file in files.items():
        analysis = analyse(str(file))
        analysis.write_keras(folder / name)
        proof = analysis.prove(folder / name)
        assert proof.passed and proof.max_rel < 1e-6, (name, proof)
    return {name: folder / name for name in files}


def models_of(source: Path) -> tuple[Any, dict[str, Any]]:
    module = runpy.run_path(str(source / "model.py"))
    model = module["build_model"]()
    model.load_weights(source / "model.weights.h5")
    return model, module["signatures"](model)


@pytest.mark.parametrize("name", WRITERS)
def test_each_signature_is_a_model_that_computes_what_tensorflow_does(
    name: str, files: dict[str, Path], sources: dict[str, Path]
) -> None:
    whole, models = models_of(sources[name])
    assert models.keys() == SIGNATURES[name]
    loaded = tf.saved_model.load(str(files[name])).signatures
    for signature, model in models.items():
        called = loaded[signature]
        specs = called.structured_input_signature[1]
        feeds = {
            k: np.abs(values(5, *spec.shape[1:])).astype(spec.dtype.as_numpy_dtype)
            for k, spec in sorted(specs.items())
        }
        expected = called(**{k: tf.constant(v) for k, v in feeds.items()})
        fed = [*feeds.values()]
        results = model(fed[0] if len(fed) == 1 else fed)
        results = results if isinstance(results, list) else [results]
        for key, result in zip(sorted(expected), results, strict=True):
            np.testing.assert_allclose(result, expected[key], 1e-5, 1e-5)


@pytest.mark.parametrize("name", WRITERS)
def test_what_signatures_share_is_one_layer(
    name: str, sources: dict[str, Path]
) -> None:
    whole, models = models_of(sources[name])
    owners = [layer for layer in whole.layers if layer.weights]
    assert len(owners) == LAYERS_THAT_OWN[name]
    known = {id(weight) for weight in whole.weights}
    assert {id(w) for m in models.values() for w in m.weights} == known


def test_the_record_has_a_verdict_for_each(sources: dict[str, Path]) -> None:
    record = json.loads((sources["shared_v1"] / "verification.json").read_text())
    assert record["signatures"] == dict.fromkeys(SIGNATURES["shared_v1"], "equal")
    rows = {(row["signature"], row["a"]) for row in record["outputs"]}
    assert len(rows) == 4 and {s for s, _ in rows} == SIGNATURES["shared_v1"]


def test_a_wrong_signature_is_different_and_the_others_are_not(
    files: dict[str, Path], sources: dict[str, Path], tmp_path: Path
) -> None:
    """Two inputs of one model swapped: only the distance would not tell, so one is doubled."""
    text = (sources["shared_v2"] / "model.py").read_text()
    assert "return keras.Model([x, code, encode_x], [" in text
    folder = tmp_path / "wrong"
    folder.mkdir()
    for each in sources["shared_v2"].iterdir():
        (folder / each.name).write_bytes(each.read_bytes())
    *head, end = text.partition("    return keras.Model([x, code, encode_x], [")
    outputs, _, rest = end.partition("]")
    names = outputs.split(", ")
    wrong = ", ".join([*names[:-1], f"2 * {names[-1]}"])
    (folder / "model.py").write_text("".join([*head, wrong, "]", rest]))
    proof = compare_files(str(files["shared_v2"]), str(folder))
    assert proof.verdict == "different"
    assert proof.to_json()["signatures"] == {
        "serving_default": "equal",
        "decode": "equal",
        "encode": "different",
    }
    one = compare_files(str(files["shared_v2"]), str(folder), signature="decode")
    assert one.passed and len(one.outputs) == 1


def test_a_signature_that_is_another_once_more(tmp_path: Path) -> None:
    """As Keras's own export writes them; one that only looks alike is no such."""
    module = Coder()
    twin = tf.function(lambda x: module.encode(x), [X])
    names = {"serving_default": module.encode, "serve": module.encode, "twin": twin}
    tf.saved_model.save(module, str(tmp_path / "same"), names)
    same = analyse(str(tmp_path / "same"))
    assert same.of_signatures is same
    report = same.write_keras(tmp_path / "keras")
    assert report.document()["signatures"] == [] and same.prove(tmp_path / "keras")
    names["other"] = tf.function(lambda x: {"code": module.encode(x)["code"] + 1}, [X])
    tf.saved_model.save(module, str(tmp_path / "other"), names)
    report = analyse(str(tmp_path / "other")).write_keras(tmp_path / "keras")
    assert report.document()["signatures"] == ["serving_default", "other"]
    assert [r for r in report.remarks if "once more" in r] == [
        f"signature {name!r} is 'serving_default' once more"
        for name in ("serve", "twin")
    ]


@pytest.mark.parametrize("signature", ["encode", "decode"])
def test_one_signature_alone(
    signature: str, files: dict[str, Path], tmp_path: Path
) -> None:
    analysis = analyse(str(files["shared_v2"]), signature=signature)
    report = analysis.write_keras(tmp_path)
    assert "signatures" not in (tmp_path / "model.py").read_text()
    assert report.layers == 1 and report.document()["signatures"] == []
    assert analysis.prove(tmp_path).passed
    proof = compare_files(str(files["shared_v2"]), str(tmp_path), signature=signature)
    assert proof.passed
    frozen = tmp_path / "net.pb"
    analysis.freeze(frozen)
    proof = compare_files(str(files["shared_v2"]), str(frozen), signature=signature)
    assert proof.passed


def test_asked_outputs_are_one_model(files: dict[str, Path], tmp_path: Path) -> None:
    analyse(str(files["shared_v1"]), outputs=["Softmax"]).write_keras(tmp_path)
    assert "def signatures" not in (tmp_path / "model.py").read_text()


def test_a_signature_that_is_not_declared(files: dict[str, Path]) -> None:
    with pytest.raises(GraphError, match="'encod'.*nearest: 'encode'.*it declares"):
        analyse(str(files["shared_v2"]), signature="encod")


def test_every_command_takes_a_signature() -> None:
    on_models = [c for c in cli.commands.values() if c.params[0].name == "model"]
    for command in on_models:
        options = {o for p in command.params for o in p.opts}
        assert "--signature" in options or "--checkpoint" not in options, command.name


class Trainable(tf.Module):
    """What is trained on a device: a signature that infers, one that trains, one that restores."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = tf.Variable(values(4, 3))

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])
    def infer(self, x: Any) -> dict[str, Any]:
        return {"y": tf.nn.softmax(x @ self.kernel)}

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])
    def train(self, x: Any) -> dict[str, Any]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(x @ self.kernel))
        self.kernel.assign_sub(tape.gradient(loss, self.kernel))
        return {"loss": loss}

    @tf.function(input_signature=[tf.TensorSpec([], tf.string, name="path")])
    def restore(self, path: Any) -> dict[str, Any]:
        (value,) = tf.raw_ops.RestoreV2(
            prefix=path, tensor_names=["k"], shape_and_slices=[""], dtypes=[tf.float32]
        )
        self.kernel.assign(tf.reshape(value, [4, 3]))
        return {"sum": tf.reduce_sum(self.kernel)}


def test_what_cannot_be_written_is_left_out_and_named(tmp_path: Path) -> None:
    module = Trainable()
    names = {"infer": module.infer, "train": module.train, "restore": module.restore}
    tf.saved_model.save(module, str(tmp_path / "saved"), names)
    analysis = analyse(str(tmp_path / "saved"))
    report = analysis.write_keras(tmp_path / "keras")
    assert analysis.prove(tmp_path / "keras").passed
    assert report.layers == 1 and report.document()["signatures"] == []
    assert [r.partition(": ")[0] for r in report.remarks] == [
        "signature 'restore' is left out",
        "signature 'train' is left out",
    ]
