"""TensorFlow Lite, ONNX and OpenVINO: written by their converters from what we made convertible, proven in their own runtimes."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from graphscope.analysis import analyse
from graphscope.errors import GraphscopeError, NotExpressible
from graphscope.export import registry
from graphscope.export.convert.op_lists import ONNX
from graphscope.export.convert.refusals import lacks
from graphscope.export.frozen import Frozen
from graphscope.graph import Graph, Node, Signature, Tensor
from graphscope.wire import op_registry

from .models import freeze_to, save_checkpoint, save_module, values

v1 = tf.compat.v1
NAMES = {"tflite": "net.tflite", "onnx": "net.onnx", "openvino": "net"}


def needs(target):
    missing = [n for n in registry.target_of(target).NEEDS if not find_spec(n)]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {missing}")


TARGETS = [pytest.param(name, marks=needs(name)) for name in NAMES]


def _loops():
    """TensorFlow 1's loop over TensorArrays: what static converters do not take as it is."""
    x = v1.placeholder(tf.float32, [2, 5, 4], name="x")
    turned = tf.transpose(x, [1, 0, 2])
    weight = tf.constant(values(4, 4) / 2)
    read = tf.TensorArray(tf.float32, 5).unstack(turned)
    written = tf.TensorArray(tf.float32, 5)

    def step(i, h, written):
        h = tf.tanh(h @ weight + read.read(i))
        return i + 1, h, written.write(i, h)

    start = (tf.constant(0), tf.zeros([2, 4]), written)
    _, h, written = v1.while_loop(lambda i, *_: i < 5, step, start)
    tf.identity(h, name="state")
    tf.transpose(written.stack(), [1, 0, 2], name="states")


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    return {
        "checkpoint": analyse(save_checkpoint(folder)),
        "loops": analyse(
            freeze_to(folder / "loops.pb", _loops), outputs=["state", "states"]
        ),
        "module": analyse(save_module(folder / "module")),
    }


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("source", ["checkpoint", "loops"])
def test_equal_in_its_own_runtime(sources, tmp_path, target, source):
    found = sources[source]
    report = found.export(tmp_path / NAMES[target], target)
    proof = report.verified
    assert proof.passed and proof.max_rel < 1e-5, proof
    assert proof.runtime == registry.target_of(target).RUNTIME
    assert {row["passed"] for row in proof.outputs} == {True}
    assert len(list(tmp_path.iterdir())) == 1


@needs("tflite")
def test_tflite_has_every_signature_and_fills_tables(sources, tmp_path):
    report = sources["module"].export(tmp_path / "net.tflite", "tflite")
    assert report.verified.passed and set(report.signatures) == {
        "serving_default",
        "embed",
    }
    from ai_edge_litert.interpreter import Interpreter

    listed = Interpreter(str(tmp_path / "net.tflite")).get_signature_list()
    assert listed["serving_default"] == {
        "inputs": ["features"],
        "outputs": ["index", "scores"],
    }


@needs("onnx")
def test_onnx_bears_the_names_of_the_signature(sources, tmp_path):
    import onnxruntime

    sources["checkpoint"].export(tmp_path / "net.onnx", "onnx", verify=False)
    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"))
    assert [each.name for each in session.get_inputs()] == ["images"]
    assert [each.name for each in session.get_outputs()] == ["probabilities"]
    (found,) = session.run(None, {"images": values(4, 8, 8, 3)})
    assert found.shape == (4, 5)


def _dense(tmp_path):
    kernels = [values(64, 256) / 8, values(256, 10, seed=1) / 16]

    def build():
        x = v1.placeholder(tf.float32, [None, 64], name="x")
        tf.nn.softmax(tf.nn.relu(x @ kernels[0]) @ kernels[1], name="y")

    return analyse(freeze_to(tmp_path / "dense.pb", build))


@needs("tflite")
@pytest.mark.parametrize(
    "kind, size", [("float16", 0.6), ("dynamic", 0.35), ("int8", 0.35)]
)
def test_quantized_tflite(tmp_path, kind, size):
    np.savez(tmp_path / "examples.npz", x=values(100, 64))
    calibrate = str(tmp_path / "examples.npz") if kind == "int8" else ""
    found = _dense(tmp_path)
    report = found.export(
        tmp_path / "net.tflite",
        "tflite",
        quantize=kind,
        calibrate=calibrate,
        within=0.05,
    )
    assert report.verified.passed and 0 < report.verified.max_rel < 0.05
    assert report.bytes < size * report.bytes_before
    drawn = [each for each in report.verified.remarks if "on drawn inputs" in each]
    assert len(drawn) == (kind == "int8")


@needs("tflite")
def test_an_int8_softmax_too_coarse_for_its_values_says_so(tmp_path):
    """A thousand classes, none of them likely: LiteRT's 1 / 256 is more than any of them, whoever converts it."""
    kernel = values(64, 1000) / 80

    def build():
        x = v1.placeholder(tf.float32, [None, 64], name="x")
        tf.nn.softmax(tf.identity(x @ kernel, name="logits"), name="y")

    path = freeze_to(tmp_path / "wide.pb", build)
    np.savez(tmp_path / "examples.npz", x=values(100, 64))
    wishes = {"quantize": "int8", "calibrate": str(tmp_path / "examples.npz")}
    proof = analyse(path).export(tmp_path / "net.tflite", "tflite", **wishes).verified
    assert not proof.passed and proof.max_rel > 0.3
    (coarse,) = [each for each in proof.remarks if "moves in steps of 0.0039" in each]
    assert coarse.startswith("y:0 ") and "--quantize dynamic" in coarse
    before = analyse(path, outputs=["logits"])
    proof = before.export(tmp_path / "logits.tflite", "tflite", **wishes).verified
    assert proof.passed and not any(
        "in steps of" in each for each in proof.remarks
    ), proof.remarks


@needs("tflite")
def test_int8_without_examples_is_refused(tmp_path):
    found = _dense(tmp_path)
    with pytest.raises(GraphscopeError, match="--calibrate FILE.npz"):
        found.export(tmp_path / "net.tflite", "tflite", quantize="int8")
    np.savez(tmp_path / "wrong.npz", y=values(3, 64))
    with pytest.raises(GraphscopeError, match="has no array 'x'; it has y"):
        found.export(
            tmp_path / "net.tflite",
            "tflite",
            quantize="int8",
            calibrate=str(tmp_path / "wrong.npz"),
        )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dense.pb", "wrong.npz"]


@pytest.mark.parametrize("target", TARGETS)
def test_an_op_that_is_lacking_is_named_with_a_cut(tmp_path, target):
    def build():
        sound = v1.placeholder(tf.string, [], name="sound")
        wave, _ = tf.audio.decode_wav(sound, 1, 16, name="wave")
        tf.reduce_mean(tf.transpose(wave), [1], name="mean")

    found = analyse(freeze_to(tmp_path / "sound.pb", build), outputs=["mean"])
    with pytest.raises(
        NotExpressible, match=r"DecodeWav \(node '.*wave'\).*cut .*--input .*wave"
    ):
        found.export(tmp_path / NAMES[target], target)
    assert [p.name for p in tmp_path.iterdir()] == ["sound.pb"]


@pytest.mark.parametrize("target", TARGETS)
def test_a_missing_package_is_answered_with_the_line_that_brings_it(
    tmp_path, target, monkeypatch
):
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    with pytest.raises(
        GraphscopeError, match=rf"pip install 'tf-graphscope\[{target}\]'"
    ):
        _dense(tmp_path).export(tmp_path / NAMES[target], target)


@pytest.mark.parametrize("target", TARGETS)
def test_an_op_is_named_before_a_converter_is_imported(tmp_path, target, monkeypatch):
    """With its package out of reach the answer is the same: the op, its node and the nearest cut."""

    def build():
        sound = v1.placeholder(tf.float32, [160, 1], name="sound")
        spectrum = tf.raw_ops.AudioSpectrogram(
            input=sound, window_size=64, stride=32, name="spectrum"
        )
        coefficients = tf.raw_ops.Mfcc(
            spectrogram=spectrum, sample_rate=16000, name="Mfcc"
        )
        tf.reduce_mean(coefficients, [0], name="mean")

    found = analyse(freeze_to(tmp_path / "sound.pb", build), outputs=["mean"])
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    line = r"AudioSpectrogram \(node 'spectrum'\), Mfcc \(node 'Mfcc'\); cut the graph behind it: --input Mfcc$"
    with pytest.raises(NotExpressible, match=line):
        found.export(tmp_path / NAMES[target], target)
    cut = analyse(tmp_path / "sound.pb", outputs=["mean"], inputs=["Mfcc"])
    with pytest.raises(GraphscopeError, match="pip install"):  # nothing lacks any more
        cut.export(tmp_path / NAMES[target], target)


def test_what_is_computed_beforehand_lacks_nothing():
    """An op that no input reaches is a constant to every converter."""

    def frozen(*names):
        graph = Graph()
        graph.add("x", Node("Placeholder", {"dtype": "float32"}), ())
        graph.add("c", Node("Const", {"dtype": "float32", "value": values(3)}), ())
        graph.add("g", Node("Lgamma", {"T": "float32"}), [Tensor(names[0])])
        graph.add("y", Node("Mul", {"T": "float32"}), [Tensor("x"), Tensor("g")])
        signature = Signature({"x": Tensor("x")}, {"y": Tensor("y")})
        return Frozen(graph, {"serving_default": signature})

    assert not lacks(frozen("c"), frozenset({"Placeholder", "Mul"}))
    assert lacks(frozen("x"), frozenset({"Placeholder", "Mul"})) == [("Lgamma", "g")]


@needs("onnx")
def test_the_list_of_ops_has_all_that_tf2onnx_handles():
    folder = Path(find_spec("tf2onnx").origin).parent
    names = set()
    for path in folder.glob("onnx_opset/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "tf_op":
                handled = ast.literal_eval(node.args[0])
                names |= {handled} if isinstance(handled, str) else set(handled)
    assert names & set(op_registry.registry()) <= ONNX


@pytest.mark.parametrize("target", TARGETS)
def test_a_gelu_and_other_ops_are_written_as_the_converter_knows_them(tmp_path, target):
    """What tf.nn.gelu writes today is Erfc, which neither LiteRT nor ONNX has."""
    kernel = values(6, 6)

    def build():
        x = v1.placeholder(tf.float32, [None, 6], name="x")
        y = tf.nn.gelu(x @ kernel, approximate=False)
        y = tf.raw_ops.ClipByValue(t=y, clip_value_min=-0.5, clip_value_max=2.0)
        y = y + tf.math.log1p(tf.math.expm1(tf.abs(x)))
        buckets = tf.raw_ops.Bucketize(input=x, boundaries=[-1.0, 0.0, 0.5])
        tf.add(y, tf.cast(buckets, tf.float32), name="y")

    path = freeze_to(tmp_path / "net.pb", build)
    assert "Erfc" in path.read_bytes().decode("latin-1")
    report = analyse(path).export(tmp_path / NAMES[target], target)
    assert report.verified.passed and report.verified.max_rel < 2e-5
