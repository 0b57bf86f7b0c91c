"""V2 checkpoints against tf.train.load_checkpoint: names, dtypes, shapes and every value."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from graphscope.errors import FormatError, MissingWeight
from graphscope.infer.findings import diagnose
from graphscope.read import load

DTYPES = (
    "float16 bfloat16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool complex64 complex128 "
    "qint8 quint8 qint16 quint16 qint32 string float8_e5m2 float8_e4m3fn"
).split()


def same(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Equal bit for bit, NaN included."""
    theirs = np.array(theirs, object) if isinstance(theirs, bytes) else theirs
    if ours.dtype == object:
        return bool((ours == theirs).all()) and ours.shape == theirs.shape
    theirs = np.asarray(theirs)
    if theirs.dtype.names:  # quantised types are structured in TensorFlow's numpy
        theirs = theirs.view(theirs.dtype[0])
    kinds = (ours.dtype.str, theirs.dtype.str)
    return kinds[0] == kinds[1] and ours.tobytes() == theirs.tobytes()


def check_against_tensorflow(prefix: str) -> int:
    """Assert that all of a checkpoint equals TensorFlow's reading; the number of variables."""
    import tensorflow as tf

    reader = tf.train.load_checkpoint(prefix)
    shapes, dtypes = (
        reader.get_variable_to_shape_map(),
        reader.get_variable_to_dtype_map(),
    )
    weights = load(prefix, check=True).weights
    assert set(weights) == set(shapes)
    for name, shape in shapes.items():
        spec = weights.spec(name)
        assert spec.shape == tuple(shape), name
        assert spec.dtype == dtypes[name].name, name
        if spec.dtype not in ("variant", "resource"):
            assert same(weights[name], reader.get_tensor(name)), name
    return len(shapes)


def save(prefix: Path, tensors: dict, slices: dict | None = None) -> str:
    import tensorflow as tf

    names = list(tensors)
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=[name.split("|")[0] for name in names],
        shape_and_slices=[(slices or {}).get(name, "") for name in names],
        tensors=[tensors[name] for name in names],
    )
    return str(prefix)


def sample(dtype: str):
    import tensorflow as tf

    values = [[0, 1, 2], [3, 100, 7]]
    if dtype == "string":
        return tf.constant([["", "a", "longer text"], ["\0\xff", "é", "x" * 300]])
    if dtype.startswith("q") and dtype.startswith(("qint", "quint")):
        return tf.bitcast(tf.constant(values, tf.as_dtype(dtype[1:])), dtype)
    if dtype.startswith("float8"):
        return tf.cast(tf.constant(values, tf.float32), dtype)
    return tf.cast(tf.constant(values), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype(dtype: str, tmp_path: Path) -> None:
    prefix = save(tmp_path / "m", {"scope/w": sample(dtype), "other": sample("int32")})
    assert check_against_tensorflow(prefix) == 2


def test_scalars_empty_ones_and_nan(tmp_path: Path) -> None:
    import tensorflow as tf

    tensors = {
        "scalar": tf.constant(3.5),
        "empty": tf.zeros([0, 4]),
        "odd": tf.constant([float("nan"), float("inf"), -0.0]),
        "text": tf.constant("one"),
        "no text": tf.constant([], tf.string),
    }
    assert check_against_tensorflow(save(tmp_path / "m", tensors)) == len(tensors)


def test_several_shards(tmp_path: Path) -> None:
    import tensorflow as tf

    parts = []
    for number in range(3):
        tensors = {f"part{number}/w": tf.random.normal([5, number + 1])}
        parts.append(save(tmp_path / f"temp{number}", tensors))
    tf.raw_ops.MergeV2Checkpoints(
        checkpoint_prefixes=parts, destination_prefix=str(tmp_path / "all")
    )
    assert len(list(tmp_path.glob("all.data-*-of-00003"))) == 3
    assert check_against_tensorflow(str(tmp_path / "all")) == 3


@pytest.mark.parametrize("axis", [0, 1])
def test_partitioned_variables_whole_and_in_part(axis: int, tmp_path: Path) -> None:
    import tensorflow as tf

    whole = np.arange(24, dtype=np.float32).reshape(6, 4)
    cuts = {0: ["6 4 0,4:-", "6 4 4,2:-"], 1: ["6 4 -:0,1", "6 4 -:1,3"]}[axis]
    first, second = np.split(whole, [4] if axis == 0 else [1], axis)
    tensors = {"odd\0é/w|0": tf.constant(first), "odd\0é/w|1": tf.constant(second)}
    prefix = save(tmp_path / "m", tensors, dict(zip(tensors, cuts)))
    assert check_against_tensorflow(prefix) == 1
    model = load(prefix)
    (name,) = model.weights
    assert np.array_equal(model.weights[name], whole)
    assert np.array_equal(model.weights[f"{name} {cuts[1]}"], second)
    assert model.weights.spec(f"{name} {cuts[0]}").shape == first.shape
    assert f"{name} {cuts[0]}" in model.weights
    assert f"{name} 6 4 0,9:-" not in model.weights
    assert (model.weights.extents(name) is not None) == (axis == 0)


def test_extents_are_the_raw_bytes(tmp_path: Path) -> None:
    import tensorflow as tf

    values = np.random.default_rng(0).standard_normal((7, 3)).astype(np.float32)
    model = load(
        save(tmp_path / "m", {"w": tf.constant(values), "s": tf.constant("x")})
    )
    (extent,) = model.weights.extents("w")
    with open(extent.path, "rb") as file:
        file.seek(extent.offset)
        assert file.read(extent.length) == values.tobytes()
    assert model.weights.extents("s") is None


def test_values_are_not_read_until_asked_for_and_are_read_only(tmp_path: Path) -> None:
    import tensorflow as tf

    prefix = save(tmp_path / "m", {"w": tf.zeros([4])})
    array = load(prefix).weights["w"]
    with pytest.raises(ValueError):
        array[0] = 1


def test_every_corpus_checkpoint(corpus: Path) -> None:
    found = sorted(corpus.rglob("*.index"))
    assert len(found) > 10
    for index in found:
        prefix = str(index).removesuffix(".index")
        assert check_against_tensorflow(prefix) > 0


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    import tensorflow as tf

    prefix = save(tmp_path / "m", {"w": tf.zeros([4])})
    (tmp_path / "m.data-00000-of-00001").unlink()
    model = load(prefix)
    assert [(v.name, v.shape) for v in model.variables] == [("w", (4,))]
    assert list(model.weights.shortages) == ["w"] and not model.has_value("w")
    (trouble,) = model.weights.missing_files
    assert "m.data-00000-of-00001: this data shard is missing" in trouble
    with pytest.raises(MissingWeight, match="'w'.*m.data-00000-of-00001.*missing"):
        model.weights["w"]
    (finding,) = [f for f in diagnose(model) if f.id == "shard-missing"]
    assert "m.data-00000-of-00001" in finding.message and "put it" in finding.remedy


def test_a_short_shard_is_named(tmp_path: Path) -> None:
    import tensorflow as tf

    prefix = save(tmp_path / "m", {"w": tf.zeros([400])})
    shard = tmp_path / "m.data-00000-of-00001"
    shard.write_bytes(shard.read_bytes()[:100])
    model = load(prefix)
    with pytest.raises(MissingWeight, match="'w'.*: 100 bytes.*truncated"):
        model.weights["w"]


def test_a_damaged_tensor_is_found_when_asked_to_check(tmp_path: Path) -> None:
    import tensorflow as tf

    prefix = save(tmp_path / "m", {"w": tf.zeros([400])})
    shard = tmp_path / "m.data-00000-of-00001"
    data = bytearray(shard.read_bytes())
    data[77] ^= 1
    shard.write_bytes(data)
    load(prefix).weights["w"]
    with pytest.raises(FormatError, match="'w'.*CRC32C"):
        load(prefix, check=True).weights["w"]


def test_a_damaged_index_is_found(tmp_path: Path) -> None:
    import tensorflow as tf

    prefix = save(tmp_path / "m", {"w": tf.zeros([400])})
    index = tmp_path / "m.index"
    data = bytearray(index.read_bytes())
    data[20] ^= 1
    index.write_bytes(data)
    with pytest.raises(FormatError, match="CRC32C"):
        load(prefix)


def test_any_file_of_a_checkpoint_stands_for_it(tmp_path: Path) -> None:
    import tensorflow as tf

    save(tmp_path / "m-7", {"w": tf.zeros([4])})
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "/gone/m-7"\n')
    names = ["m-7", "m-7.index", "m-7.data-00000-of-00001", "checkpoint", ""]
    for name in names:
        assert list(load(tmp_path / name).weights) == ["w"]
    shutil.move(tmp_path / "checkpoint", tmp_path / "other")
    assert list(load(tmp_path).weights) == ["w"]


def test_a_big_endian_checkpoint_is_refused(tmp_path: Path) -> None:
    from graphscope.wire import messages as proto
    from tests.read.tables import write_table

    header = proto.BundleHeaderProto(num_shards=1, endianness=1)
    write_table(tmp_path / "m.index", [(b"", header.SerializeToString())])
    with pytest.raises(FormatError, match="big-endian"):
        load(tmp_path / "m")
