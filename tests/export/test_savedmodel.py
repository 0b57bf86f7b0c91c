"""SavedModels written without TensorFlow, opened by each of its loaders; and what every target refuses."""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from graphscope.analysis import analyse
from graphscope.errors import GraphscopeError, WouldOverwrite
from graphscope.export.bundle import saved
from graphscope.read import load

from .models import freeze_to, save_checkpoint, save_module, values

v1 = tf.compat.v1
GIVEN = values(3, 4, seed=5)


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    return save_module(tmp_path_factory.mktemp("module"))


@pytest.fixture(scope="module")
def exported(module, tmp_path_factory):
    place = tmp_path_factory.mktemp("out") / "model"
    return place, analyse(module).export(place, "savedmodel")


def called(folder, signature, **feeds):
    loaded = tf.saved_model.load(str(folder))
    found = loaded.signatures[signature](
        **{k: tf.constant(v) for k, v in feeds.items()}
    )
    return {name: value.numpy() for name, value in found.items()}


def test_every_signature_is_proven(exported):
    place, report = exported
    assert set(report.signatures) == {"serving_default", "embed"}
    assert set(report.outputs) == {"scores", "index"} and report.inputs == ("features",)
    assert report.verified.passed and report.verified.max_rel < 1e-6
    assert report.verified.runtime == "TensorFlow" and report.verified.milliseconds > 0
    assert len(report.verified.outputs) == 3


@pytest.mark.parametrize("signature", ["serving_default", "embed"])
def test_tensorflow_2_loads_it(module, exported, signature):
    mine = called(exported[0], signature, features=GIVEN)
    theirs = called(module, signature, features=GIVEN)
    assert mine.keys() == theirs.keys()
    for name in theirs:
        np.testing.assert_allclose(mine[name], theirs[name], rtol=1e-5, atol=1e-6)


def test_its_weights_are_variables_in_a_bundle(exported):
    place = exported[0]
    stored = dict(tf.train.list_variables(str(place / "variables" / "variables")))
    assert sorted(stored.values()) == [[4, 80], [80, 4]]
    assert (place / "saved_model.pb").stat().st_size < 20_000
    assert len(tf.saved_model.load(str(place)).variables) == 2


def test_two_models_with_variables_of_one_name_share_none(tmp_path):
    for seed in (0, 1):
        kernel = values(16, 32, seed=seed)

        def build():
            x = v1.placeholder(tf.float32, [None, 16], name="x")
            tf.matmul(x, tf.constant(kernel, name="kernel"), name="y")

        path = freeze_to(tmp_path / f"{seed}.pb", build)
        analyse(path).export(tmp_path / f"{seed}", "savedmodel", verify=False)
    x = tf.constant(values(2, 16))
    loaded = [tf.saved_model.load(str(tmp_path / str(seed))) for seed in (0, 1)]
    for seed, each in enumerate(loaded):
        found = each.signatures["serving_default"](x=x)["y"]
        np.testing.assert_allclose(found, x @ values(16, 32, seed=seed), rtol=1e-5)


def test_the_c_api_loads_and_restores_it(exported):
    """What Go, Rust, Java and C++ callers use: TF_LoadSessionFromSavedModel."""
    folder = Path(tf.__file__).parent
    library = next(iter(sorted(folder.glob("libtensorflow_cc.so*"))), None)
    if library is None:
        pytest.skip("this TensorFlow brings no libtensorflow_cc")
    api = ctypes.CDLL(str(library))
    for name in ("TF_NewStatus", "TF_NewGraph", "TF_NewSessionOptions"):
        getattr(api, name).restype = ctypes.c_void_p
    api.TF_LoadSessionFromSavedModel.restype = ctypes.c_void_p
    api.TF_Message.restype = ctypes.c_char_p
    options, graph, status = (
        ctypes.c_void_p(getattr(api, name)())
        for name in ("TF_NewSessionOptions", "TF_NewGraph", "TF_NewStatus")
    )
    tags = (ctypes.c_char_p * 1)(b"serve")
    place = str(exported[0]).encode()
    api.TF_LoadSessionFromSavedModel(options, None, place, tags, 1, graph, None, status)
    assert api.TF_GetCode(status) == 0, api.TF_Message(status)


def test_a_training_checkpoint_becomes_its_inference_form(tmp_path):
    checkpoint = save_checkpoint(tmp_path)
    report = analyse(checkpoint).export(tmp_path / "1", "savedmodel")
    assert report.verified.passed and report.verified.max_rel < 1e-5
    assert report.inputs == ("images",)
    names = [
        n for n, _ in tf.train.list_variables(str(tmp_path / "1/variables/variables"))
    ]
    assert not any("Adam" in name for name in names)
    found = called(tmp_path / "1", "serving_default", images=values(2, 8, 8, 3))
    np.testing.assert_allclose(found["probabilities"].sum(1), 1, rtol=1e-5)


def test_a_weight_that_was_damaged_in_the_source_is_not_sealed_anew(tmp_path):
    """What its checkpoint says of it goes with it, so that whoever loads the export is told."""
    prefix = save_checkpoint(tmp_path)
    shard = prefix.with_name(f"{prefix.name}.data-00000-of-00001")
    weight = load(str(prefix)).weights.extents("dense/kernel")[0]
    with open(shard, "r+b") as file:
        file.seek(weight.offset)
        file.write(b"\xff")
    analyse(prefix).export(tmp_path / "1", "savedmodel", verify=False)
    with pytest.raises(tf.errors.DataLossError, match="[Cc]hecksum does not match"):
        tf.saved_model.load(str(tmp_path / "1"))


def test_with_constants_there_is_one_file(module, tmp_path):
    place = tmp_path / "model"
    report = analyse(module).export(place, "savedmodel", constants=True)
    assert report.verified.passed
    assert [p.name for p in place.rglob("*") if p.is_file()] == ["saved_model.pb"]


def test_nothing_of_tensorflow_is_loaded_to_write_one(module, tmp_path):
    """Nor networkx, whose import costs as much as the export of a small net."""
    checkpoint = save_checkpoint(tmp_path)
    code = f"""
import sys
from graphscope.analysis import analyse
for number, path in enumerate([{str(module)!r}, {str(checkpoint)!r}]):
    analyse(path).export({str(tmp_path)!r} + f"/{{number}}", "savedmodel", verify=False)
print([m for m in ("tensorflow", "keras", "networkx") if m in sys.modules])"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_what_stands_there_is_replaced_only_with_force_and_only_if_it_is_an_export(
    module, exported, tmp_path
):
    place = tmp_path / "model"
    found = analyse(module)
    found.export(place, "savedmodel", verify=False)
    before = (place / "saved_model.pb").read_bytes()
    with pytest.raises(WouldOverwrite, match="--force"):
        found.export(place, "savedmodel", verify=False)
    found.export(place, "savedmodel", verify=False, force=True, constants=True)
    assert (place / "saved_model.pb").read_bytes() != before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear")
    with pytest.raises(WouldOverwrite, match="no export of this kind"):
        found.export(tmp_path / "mine", "savedmodel", verify=False, force=True)
    for own in (module, module.parent):
        with pytest.raises(WouldOverwrite, match="the model itself"):
            found.export(own, "savedmodel", verify=False, force=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine", "model"]


def test_a_full_disk_leaves_nothing(module, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saved, "write_bundle", full)
    with pytest.raises(GraphscopeError, match="No space left on device"):
        analyse(module).export(tmp_path / "m", "savedmodel", verify=False)
    assert not list(tmp_path.iterdir())


def test_wrong_wishes_are_one_line(module, tmp_path):
    for wishes, line in (
        ({"quantize": "uint8"}, "--quantize is not for --to savedmodel"),
        ({"page": True}, "--page is not for --to savedmodel"),
        ({"target": "coreml"}, "no target is called 'coreml'; there are .*savedmodel"),
    ):
        target = wishes.pop("target", "savedmodel")
        with pytest.raises(GraphscopeError, match=line):
            analyse(module).export(tmp_path / "m", target, verify=False, **wishes)
    with pytest.raises(GraphscopeError, match="there is no folder"):
        analyse(module).export(tmp_path / "no" / "m", "savedmodel", verify=False)


def test_an_output_that_never_changes_is_not_proven(tmp_path):
    def build():
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        tf.identity(tf.shape(x)[1], name="width")

    path = freeze_to(tmp_path / "constant.pb", build)
    found = analyse(path, outputs=["width"]).export(tmp_path / "m", "savedmodel")
    assert found.verified.passed is None
    assert any("the same whatever was fed" in r for r in found.verified.remarks)


def test_the_command_line(module, tmp_path):
    line = [
        sys.executable,
        "-m",
        "graphscope",
        "export",
        str(module),
        "--to",
        "savedmodel",
    ]
    line += ["-o", str(tmp_path / "m"), "--json"]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["verified"]["passed"] and document["verified"]["max_rel"] < 1e-6
    assert document["target"] == "savedmodel" and document["unsupported"] == []
    with open(tmp_path / "m" / "saved_model.pb", "ab") as file:
        file.write(b"\0")  # somebody changed what graphscope wrote
    again = subprocess.run(line, capture_output=True, text=True)
    assert again.returncode == 1 and again.stderr.count("\n") == 1
