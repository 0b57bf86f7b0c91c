"""V1 checkpoints, in one file and in shards, against TensorFlow's reader."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from graphscope.errors import FormatError
from graphscope.read import load
from tests.read.checkpoint.test_bundle import check_against_tensorflow, sample

V1_DTYPES = (
    "float32 float64 float16 bfloat16 int8 int16 int32 int64 uint8 uint16 bool complex64 complex128 string "
    "qint8 quint8 qint32"
).split()


def save_slices(path: Path, tensors: dict, cuts: dict | None = None) -> str:
    import tensorflow as tf

    tf.raw_ops.SaveSlices(
        filename=str(path),
        tensor_names=[name.split("|")[0] for name in tensors],
        shapes_and_slices=[(cuts or {}).get(name, "") for name in tensors],
        data=list(tensors.values()),
    )
    return str(path)


@pytest.mark.parametrize("dtype", V1_DTYPES)
def test_every_dtype(dtype: str, tmp_path: Path) -> None:
    import tensorflow as tf

    try:
        path = save_slices(tmp_path / "m.ckpt-1", {"w": sample(dtype)})
    except tf.errors.UnimplementedError:
        pytest.skip(f"TensorFlow does not write {dtype} in V1")
    model = load(path)
    assert model.format.startswith("TensorFlow checkpoint V1")
    spec = model.weights.spec("w")
    assert (spec.dtype, spec.shape) == (dtype, (2, 3))
    expected = tf.raw_ops.Restore(file_pattern=path, tensor_name="w", dt=dtype)
    expected = np.asarray(expected)
    if expected.dtype.names:
        expected = expected.view(expected.dtype[0])
    assert model.weights["w"].tolist() == expected.tolist()


def test_several_tensors_of_all_sizes(tmp_path: Path) -> None:
    import tensorflow as tf

    tensors = {
        "scalar": tf.constant(3.5),
        "empty": tf.zeros([0, 4]),
        "large": tf.random.normal([300, 1000]),
        "scope/deep/w": tf.constant([[1, 2], [3, 4]], tf.int64),
    }
    path = save_slices(tmp_path / "m", tensors)
    assert check_against_tensorflow(path) == len(tensors)
    (extent,) = load(path).weights.extents("large")
    raw = Path(path).read_bytes()[extent.offset : extent.offset + extent.length]
    assert raw == tensors["large"].numpy().tobytes()


@pytest.mark.parametrize("axis", [0, 1])
def test_slices_join(axis: int, tmp_path: Path) -> None:
    import tensorflow as tf

    whole = np.arange(24, dtype=np.float32).reshape(6, 4)
    parts = np.split(whole, [1, 3], axis)
    texts = {0: ("0,1:-", "1,2:-", "3,3:-"), 1: ("-:0,1", "-:1,2", "-:3,1")}[axis]
    tensors = {f"w|{n}": tf.constant(part) for n, part in enumerate(parts)}
    cuts = {f"w|{n}": f"6 4 {text}" for n, text in enumerate(texts)}
    path = save_slices(tmp_path / "m", tensors, cuts)
    weights = load(path).weights
    assert np.array_equal(weights["w"], whole)
    assert np.array_equal(weights[f"w {cuts['w|1']}"], parts[1])


def shards(folder: Path) -> dict:
    import tensorflow as tf

    tensors = {f"w{n}": tf.random.normal([n + 1, 3]) for n in range(3)}
    for number, (name, value) in enumerate(tensors.items()):
        save_slices(folder / f"m.ckpt-{number:05d}-of-00003", {name: value})
    return tensors


@pytest.mark.parametrize("name", ["m.ckpt", "m.ckpt-00001-of-00003"])
def test_shards_are_one_checkpoint(name: str, tmp_path: Path) -> None:
    tensors = shards(tmp_path)
    weights = load(tmp_path / name).weights
    assert list(weights) == sorted(tensors)
    for key, value in tensors.items():
        assert np.array_equal(weights[key], value.numpy())


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    shards(tmp_path)
    (tmp_path / "m.ckpt-00002-of-00003").unlink()
    weights = load(tmp_path / "m.ckpt").weights
    assert list(weights) == ["w0", "w1"] and not weights.shortages
    (trouble,) = weights.missing_files
    assert "m.ckpt-00002-of-00003" in trouble and "missing" in trouble


def test_a_slice_that_is_missing_is_told(tmp_path: Path) -> None:
    import tensorflow as tf

    path = save_slices(tmp_path / "m", {"w": tf.zeros([2, 4])}, {"w": "6 4 0,2:-"})
    with pytest.raises(FormatError, match="do not cover"):
        load(path).weights["w"]


def test_corpus(corpus: Path) -> None:
    name = (
        "sjchoi86+Tensorflow-101/_history/39f17daaba/notebooks/nets/cnn_simple.ckpt-0"
    )
    assert check_against_tensorflow(str(corpus / name)) == 14


def test_the_meta_beside_is_joined(corpus: Path, tmp_path: Path) -> None:
    folder = (
        corpus
        / "sjchoi86+Tensorflow-101"
        / "_history"
        / "39f17daaba"
        / "notebooks"
        / "nets"
    )
    model = load(folder / "cnn_simple.ckpt-0")
    assert not model.inferred and len(model.keys) == 14
    shutil.copy(folder / "cnn_simple.ckpt-0", tmp_path / "renamed.bin")
    alone = load(tmp_path / "renamed.bin")
    assert alone.inferred and list(alone.weights) == list(model.weights)
