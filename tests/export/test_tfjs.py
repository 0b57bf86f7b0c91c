"""TensorFlow.js models written without TensorFlow: equal to the source in Node and in a real browser."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from graphscope.analysis import analyse
from graphscope.analysis.diff.computed import compare_files
from graphscope.errors import GraphscopeError, NotExpressible
from graphscope.export.web.op_list import OPS

from .models import freeze_to, save_checkpoint, save_module, values
from .runtimes import (
    MODULES,
    _packages,
    in_browser,
    in_node,
    needs_chromium,
    needs_node,
)

v1 = tf.compat.v1
__all__ = ["_packages"]


def _control(path: Path) -> Path:
    """What TensorFlow.js computes otherwise if it is told as TensorFlow is: constants of branches, one-hot floats, far ends of slices, loops."""

    def build():
        x = v1.placeholder(tf.float32, [None, 6], name="x")
        total = tf.reduce_sum(x)
        branch = v1.cond(total > 0, lambda: tf.constant(2.5), lambda: tf.constant(-1.5))
        hot = tf.one_hot(tf.argmax(x, 1), 6, 0.9, 0.1, name="hot")
        ends = tf.constant([2**62, 2**62], tf.int64)
        tail = tf.strided_slice(
            x, tf.constant([0, 2], tf.int64), ends, tf.constant([1, 1], tf.int64)
        )
        weight = tf.constant(values(6, 6))

        def step(i, h):
            return i + 1, tf.tanh(h @ weight)

        _, h = v1.while_loop(lambda i, h: i < 3, step, [tf.constant(0), x])
        tf.add(h * branch, hot, name="scores")
        tf.nn.softsign(tail, name="tail")

    return freeze_to(path, build)


def _spelt(path: Path) -> Path:
    """Ops that TensorFlow.js lacks, or computes otherwise: each written by those that it has."""

    def build():
        x = v1.placeholder(tf.float32, [None, 8, 8, 4], name="x")
        grouped = tf.nn.conv2d(x, values(3, 3, 2, 6), 2, "SAME", name="grouped")
        blocks = tf.nn.space_to_depth(x, 2, name="blocks")
        buckets = tf.raw_ops.Bucketize(input=x, boundaries=[-1.0, 0.0, 0.5])
        tail = tf.math.erfc(x) + tf.cast(buckets, tf.float32)
        sizes = tf.reshape(tail, [-1, 8, 8, 4])
        heads = tf.einsum("btnh,bsnh->bnts", sizes, x)
        mixed = tf.einsum("bnts,bsnh->btnh", heads, sizes)
        band = tf.linalg.band_part(tf.reduce_sum(x, 3) > -3.0, -1, 0)
        masked = tf.where(band, tf.reduce_mean(x, 3), 0.0)
        masked = tf.ensure_shape(masked, [None, 8, 8])
        tf.tanh(grouped, name="a")
        tf.tanh(blocks, name="b")
        tf.identity(mixed, name="c")
        tf.debugging.check_numerics(masked, "finite", name="d")

    return freeze_to(path, build)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tfjs")


@pytest.fixture(scope="module")
def sources(folder):
    made = {
        "module": analyse(save_module(folder / "module")),
        "control": analyse(_control(folder / "control.pb"), outputs=["scores", "tail"]),
    }
    spelt = _spelt(folder / "spelt.pb")
    made["spelt"] = analyse(spelt, outputs=["a", "b", "c", "d"])
    (folder / "trained").mkdir()
    made["checkpoint"] = analyse(save_checkpoint(folder / "trained"))
    return made


@pytest.fixture(scope="module")
def exports(sources, folder):
    for name, found in sources.items():
        found.export(folder / f"{name}.js", "tfjs", verify=False)
    return {name: folder / f"{name}.js" for name in sources}


@needs_node
@pytest.mark.parametrize("name", ["module", "control", "checkpoint", "spelt"])
@pytest.mark.parametrize("backend", ["cpu", "wasm"])
def test_equal_in_node(sources, exports, name, backend):
    found, _ = in_node(sources[name], exports[name], backend)
    assert found.passed and found.max_rel < 1e-5, found


@needs_chromium
@pytest.mark.parametrize("backend", ["wasm", "webgl", "webgpu"])
def test_equal_in_chromium(sources, exports, backend):
    for name, found in sources.items():
        result, _ = in_browser(found, exports[name], backend)
        assert result.passed and result.max_rel < 1e-4, (name, result)


@needs_node
def test_the_report_says_what_ran_it(sources, tmp_path):
    report = sources["checkpoint"].export(tmp_path / "m", "tfjs")
    proof = report.verified
    assert proof.passed and proof.runtime == "TensorFlow.js (wasm, Node)"
    assert proof.milliseconds > 0 and report.inputs == ("images",)
    assert any("fused" in change for change in report.remarks)


@needs_node
@pytest.mark.parametrize(
    "kind, most", [("float16", 5e-3), ("uint8", 0.05), ("uint16", 1e-3)]
)
def test_quantized_weights_are_small_and_their_error_is_stated(tmp_path, kind, most):
    kernels = [values(64, 256) / 8, values(256, 10, seed=1) / 16]

    def build():
        x = v1.placeholder(tf.float32, [None, 64], name="x")
        tf.nn.softmax(tf.nn.relu(x @ kernels[0]) @ kernels[1], name="y")

    path = freeze_to(tmp_path / "net.pb", build)
    wishes = {"quantize": kind, "within": most}  # large inputs make the softmax steep
    report = analyse(path).export(tmp_path / "m", "tfjs", **wishes)
    assert report.verified.within == most and report.verified.passed
    assert 0 < report.verified.max_rel < most
    assert (
        report.bytes
        < {"uint8": 0.30, "float16": 0.55, "uint16": 0.55}[kind] * report.bytes_before
    )


@needs_node
def test_a_net_that_quantization_destroys_is_caught(tmp_path):
    kernel = values(64, 64) * np.float32(10.0) ** np.linspace(-6, 3, 64, dtype="f")

    def build():
        x = v1.placeholder(tf.float32, [None, 64], name="x")
        tf.nn.tanh(x @ kernel[:, :8] * 1e5, name="y") + 0
        tf.nn.tanh(
            x @ kernel * np.float32(10.0) ** np.linspace(6, -3, 64, dtype="f"), name="z"
        )

    path = freeze_to(tmp_path / "net.pb", build)
    report = analyse(path, outputs=["z"]).export(
        tmp_path / "m", "tfjs", quantize="uint8"
    )
    assert report.verified.passed is False and report.verified.max_rel > 0.02


@needs_node
def test_the_list_of_ops_is_that_of_the_package():
    folder = MODULES / "@tensorflow/tfjs-converter/dist/operations"
    mapped = {
        name
        for path in folder.glob("op_list/*.js")
        for name in re.findall(r"'tfOpName':\s*'(\w+)'", path.read_text())
    }
    executed = {
        name
        for path in folder.glob("executors/*.js")
        for name in re.findall(r"case '(\w+)'", path.read_text())
    }
    assert OPS == mapped & executed


def test_shards_are_of_four_mebibytes_and_hold_all_weights(tmp_path):
    kernel = values(1500, 1500)

    def build():
        x = v1.placeholder(tf.float32, [None, 1500], name="x")
        tf.matmul(x, kernel, name="y")

    found = analyse(freeze_to(tmp_path / "net.pb", build))
    found.export(tmp_path / "m", "tfjs", verify=False)
    document = json.loads((tmp_path / "m" / "model.json").read_text())
    (group,) = document["weightsManifest"]
    sizes = [(tmp_path / "m" / p).stat().st_size for p in group["paths"]]
    assert sizes == [4 << 20, 4 << 20, 9_000_000 - (8 << 20)]
    assert group["paths"][0] == "group1-shard1of3.bin"
    whole = b"".join((tmp_path / "m" / p).read_bytes() for p in group["paths"])
    np.testing.assert_array_equal(np.frombuffer(whole, "f").reshape(1500, 1500), kernel)
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == sorted(
        [*group["paths"], "model.json"]
    )


def test_an_op_that_it_lacks_is_named_before_anything_is_imported(tmp_path):
    def build():
        sound = v1.placeholder(tf.float32, [160, 1], name="sound")
        spectrum = tf.raw_ops.AudioSpectrogram(
            input=sound, window_size=64, stride=32, name="spectrum"
        )
        tf.reduce_mean(spectrum, [0], name="mean")

    path = freeze_to(tmp_path / "sound.pb", build)
    with pytest.raises(
        NotExpressible, match=r"AudioSpectrogram \(node 'spectrum'\).*--input spectrum"
    ):
        analyse(path, outputs=["mean"]).export(tmp_path / "m", "tfjs")
    cut = analyse(path, outputs=["mean"], inputs=["spectrum"]).export(
        tmp_path / "m", "tfjs", verify=False
    )
    assert cut.inputs == ("spectrum",) and (tmp_path / "m" / "model.json").is_file()


def test_an_integer_beyond_32_bits_is_refused(tmp_path):
    def build():
        x = v1.placeholder(tf.int64, [None], name="x")
        tf.add(x, tf.constant(2**40, tf.int64), name="y")

    path = freeze_to(tmp_path / "far.pb", build)
    with pytest.raises(
        GraphscopeError,
        match="holds 1099511627776, and integers of TensorFlow.js have 32",
    ):
        analyse(path, outputs=["y"]).export(tmp_path / "m", "tfjs", verify=False)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["far.pb"]


def test_without_node_nothing_is_proven_and_it_says_so(tmp_path, monkeypatch):
    def build():
        tf.tanh(v1.placeholder(tf.float32, [None, 3], name="x"), name="y")

    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    report = analyse(freeze_to(tmp_path / "net.pb", build)).export(
        tmp_path / "m", "tfjs"
    )
    assert report.verified.passed is None
    assert "Node is not installed" in " ".join(report.verified.remarks)


@needs_node
def test_a_product_with_a_transposed_matrix_is_right_in_wasm(tmp_path):
    """As BERT's classifier has it: TensorFlow.js's fused kernel in wasm is wrong there, so that product stays unfused."""
    weight, bias = values(3, 16), values(3, seed=1)

    def build():
        x = v1.placeholder(tf.float32, [None, 16], name="x")
        tf.nn.bias_add(tf.matmul(x, weight, transpose_b=True), bias, name="y")

    report = analyse(freeze_to(tmp_path / "net.pb", build)).export(
        tmp_path / "m", "tfjs"
    )
    assert report.verified.passed and report.verified.max_rel < 1e-5


@needs_node
def test_strides_wider_than_a_kernel_are_right_in_wasm(tmp_path):
    """Padded by SAME, of which there is nothing to pad in one dimension or in both."""

    def build():
        x = v1.placeholder(tf.float32, [None, 24, 23, 3], name="x")
        both = tf.nn.conv2d(x, values(3, 3, 3, 4), 4, "SAME")
        one = tf.nn.conv2d(x, values(3, 3, 3, 4), [1, 4, 2, 1], "SAME")
        each = tf.nn.depthwise_conv2d(x, values(3, 3, 3, 1), [1, 4, 4, 1], "SAME")
        for name, y in (("both", both), ("one", one), ("each", each)):
            tf.identity(y, name=name)

    path = freeze_to(tmp_path / "strided.pb", build)
    found = analyse(path, outputs=["both", "one", "each"])
    proof = found.export(tmp_path / "web", "tfjs").verified
    assert proof.passed and "wasm" in proof.runtime, proof


@needs_node
def test_verify_runs_the_folder_in_node_and_says_so(sources, exports):
    for name in ("checkpoint", "module"):
        result = compare_files(sources[name].model.source, str(exports[name]))
        assert result.passed and result.max_rel < 1e-5, (name, result)
        said = f"{exports[name]} was run by TensorFlow.js (wasm, Node)"
        assert said in result.remarks
        assert not any("graphscope reads it" in each for each in result.remarks)


def test_verify_without_node_says_what_ran_the_folder(sources, exports, monkeypatch):
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    source = sources["checkpoint"].model.source
    result = compare_files(source, str(exports["checkpoint"]))
    assert result.passed
    assert any("Node is not installed" in each for each in result.remarks)
    assert any("graphscope reads it" in each for each in result.remarks)
