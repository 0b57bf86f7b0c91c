"""Damaged and malicious files: a GraphscopeError in one line, or a model; never a traceback, a hang or a flood."""

from __future__ import annotations

import os
import resource
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphscope.errors import FormatError, GraphError, GraphscopeError
from graphscope.read import load
from graphscope.wire import messages as proto
from graphscope.wire.protobuf import read_varint
from tests.read.tables import block, sealed, table, varint

CALM = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def survey(path: Path) -> None:
    """Load a file and read all of it: every attribute, every weight."""
    model = load(path)
    graphs = [model.graph, *(f.graph for f in model.functions.values())]
    for graph in graphs:
        for name in graph:
            dict(graph.attrs(name))
    for name in model.weights:
        model.weights.spec(name)
        if model.weights.spec(name).dtype not in ("variant", "resource"):
            model.weights[name]


def survives(path: Path) -> None:
    """Survey it; whatever is wrong must be told in one printable line."""
    try:
        survey(path)
    except GraphscopeError as error:
        text = str(error)
        assert text and "\n" not in text and len(text) < 2000, text


SEEDS = {
    "index": "onnx+tensorflow-onnx/tests/models/regression/checkpoint/model.index",
    "objects": "MADscientist314+tensorflow_basecaller/training_10/cp.ckpt.index",
    "v1": "benoitsteiner+tensorflow-opencl/tensorflow/contrib/session_bundle/testdata/half_plus_two/00000123/export-00000-of-00001",
    "meta": "SciSharp+TensorFlow.NET/graph/xor.meta",
    "pb": "uTensor+utensor_cgen/_history/7dbb505dd1/tests/conv/test_conv.pb",
    "saved": "tensorflow+tfjs/tfjs-node/test_objects/saved_model/module_with_multiple_signatures/saved_model.pb",
    "text": "tensorflow+ngraph-bridge/test/python/flib_graph_1.pbtxt",
}


@pytest.fixture
def seed(corpus: Path, tmp_path: Path):
    """Copies one small file of the corpus, with what lies beside it, into a folder of its own."""

    def copy(kind: str) -> Path:
        source = corpus / SEEDS[kind]
        folder = tmp_path / kind
        if not folder.exists():
            folder.mkdir()
            for other in source.parent.iterdir():
                if other.is_file() and other.stat().st_size < 1 << 20:
                    shutil.copy(other, folder)
                    (folder / other.name).chmod(0o644)
        return folder / source.name

    return copy


@pytest.mark.parametrize("kind", SEEDS)
def test_truncation(kind: str, seed) -> None:
    path = seed(kind)
    data = path.read_bytes()
    for length in range(0, len(data), max(64, len(data) // 200 // 64 * 64)):
        path.write_bytes(data[:length])
        survives(path)


@pytest.mark.parametrize("kind", SEEDS)
@CALM
@given(places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 7)), min_size=1))
def test_bit_flips(kind: str, seed, places: list) -> None:
    path = seed(kind)
    backup = path.with_name("." + path.name)
    if not backup.exists():
        shutil.copy(path, backup)
    data = bytearray(backup.read_bytes())
    for place, bit in places:
        data[min(int(place * len(data)), len(data) - 1)] ^= 1 << bit
    path.write_bytes(data)
    survives(path)


@pytest.mark.parametrize("name", ["x.pb", "x.index", "x.meta", "x.h5", "x", "x.tflite"])
@CALM
@given(data=st.binary(max_size=600))
def test_noise(name: str, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    survives(path)


@CALM
@given(
    entries=st.lists(
        st.tuples(
            st.text(max_size=8), st.integers(0, 40), st.lists(st.integers(-2, 1 << 62), max_size=4),
            st.integers(-1, 3), st.integers(-2, 1 << 63 - 1), st.integers(-2, 1 << 62),
        ),
        max_size=4,
    ),
    shards=st.integers(-1, 1 << 30),
)  # fmt: skip
def test_entries_that_lie(tmp_path: Path, entries: list, shards: int) -> None:
    rows = {b"": proto.BundleHeaderProto(num_shards=shards).SerializeToString()}
    for name, dtype, sizes, shard, offset, size in entries:
        entry = proto.BundleEntryProto(
            dtype=dtype, shard_id=shard, offset=offset % (1 << 63), size=size
        )
        for each in sizes:
            entry.shape.dim.add(size=each)
        rows[name.encode()] = entry.SerializeToString()
    (tmp_path / "m.index").write_bytes(table([block(sorted(rows.items()))]))
    (tmp_path / "m.data-00000-of-00001").write_bytes(b"\0" * 64)
    survives(tmp_path / "m.index")


def wrong(path: Path, data: bytes, match: str) -> None:
    path.write_bytes(data)
    with pytest.raises((FormatError, GraphError), match=match):
        survey(path)


def test_handles_beyond_the_file_and_beyond_64_bits(tmp_path: Path) -> None:
    good = block([(b"", b"\x08\x01")])
    far = table([good], handles=[varint(1 << 40) + varint(10)])
    wrong(tmp_path / "a.index", far, "truncated or damaged")
    huge = table([good], handles=[varint((1 << 64) - 8) + varint(16)])
    wrong(tmp_path / "b.index", huge, "truncated or damaged")
    endless = table([good], handles=[b"\xff" * 20])
    wrong(tmp_path / "c.index", endless, "never ends")


def test_a_key_that_shares_more_than_there_is(tmp_path: Path) -> None:
    body = varint(9) + varint(1) + varint(1) + b"kv" + b"\0\0\0\0\x01\0\0\0"
    wrong(tmp_path / "a.index", table([body]), "longer than the block|no reader|kind")


def test_keys_that_unfold_to_gigabytes_are_refused(tmp_path: Path) -> None:
    """One long key, then 100,000 entries that each share all of it and add a byte."""
    long = b"k" * 60_000
    header = b"\x08\x01"
    body = varint(0) + varint(0) + varint(2) + header
    body += varint(0) + varint(len(long)) + varint(0) + long
    body += (varint(len(long)) + varint(1) + varint(0) + b"x") * 100_000
    body += b"\0\0\0\0\x01\0\0\0"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wrong(tmp_path / "a.index", table([body]), "unfolds")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


@pytest.mark.parametrize("announced", [1 << 34, 1 << 20])
def test_a_snappy_bomb_is_refused(announced: int, tmp_path: Path) -> None:
    bomb = varint(announced) + b"\0a" + b"\xfe\x01\x00" * 50
    wrong(tmp_path / "a.index", table([bomb], kind=1), "snappy")


def test_an_unknown_compression_is_named(tmp_path: Path) -> None:
    data = table([block([(b"", b"\x08\x01")])], kind=7)
    wrong(tmp_path / "a.index", data, "method 7")


def test_a_gzip_bomb_is_refused(tmp_path: Path) -> None:
    import gzip

    wrong(tmp_path / "a.pb", gzip.compress(b"\0" * (80 << 20)), "unpacks to more")


def test_overlapping_blocks_are_refused(tmp_path: Path) -> None:
    good = block([(b"", b"\x08\x01"), (b"k" * 4000, b"v" * 4000)])
    handle = varint(0) + varint(len(good))
    data = table([good] + [b""] * 50, handles=[handle] * 51)
    wrong(tmp_path / "a.index", data, "overlap")


def test_deep_nesting_binary(tmp_path: Path) -> None:
    """A function attribute within a function attribute, 10,000 deep."""
    attr = b"\x18\x01"
    for _ in range(10_000):
        entry = b"\x0a\x01f" + b"\x12" + varint(len(attr)) + attr
        inner = b"\x0a\x01g" + b"\x12" + varint(len(entry)) + entry
        attr = b"\x52" + varint(len(inner)) + inner
    entry = b"\x0a\x01f\x12" + varint(len(attr)) + attr
    node = b"\x0a\x01n\x12\x04NoOp\x2a" + varint(len(entry)) + entry
    wrong(tmp_path / "a.pb", b"\x0a" + varint(len(node)) + node, "not a GraphDef|nest")


def test_deep_nesting_text(tmp_path: Path) -> None:
    opening = 'attr { key: "f" value { func { name: "g" '
    text = 'node { name: "n" op: "NoOp" ' + opening * 10_000 + "} } } " * 10_000 + "}"
    wrong(tmp_path / "a.pbtxt", text.encode(), "nest|not a GraphDef|deep")


def test_deep_json(tmp_path: Path) -> None:
    wrong(tmp_path / "a.json", b'{"a":' * 100_000, "JSON|unknown")


def test_a_function_that_calls_itself_is_read(tmp_path: Path) -> None:
    graph = proto.GraphDef()
    graph.node.add(name="call", op="f")
    function = graph.library.function.add()
    function.signature.name = "f"
    function.node_def.add(name="again", op="f")
    (tmp_path / "a.pb").write_bytes(graph.SerializeToString())
    model = load(tmp_path / "a.pb")
    assert list(model.functions["f"].graph) == ["again"]


def test_a_chain_of_20_000_identities_does_not_recurse(tmp_path: Path) -> None:
    graph = proto.GraphDef()
    graph.node.add(name="n0", op="VariableV2")
    for number in range(1, 20_000):
        graph.node.add(name=f"n{number}", op="Identity", input=[f"n{number - 1}"])
    graph.node.add(name="a", op="Assign", input=["n19999", "n19999"])
    (tmp_path / "a.pb").write_bytes(graph.SerializeToString())
    assert len(load(tmp_path / "a.pb").graph) == 20_001


def test_checkpoint_files_do_not_lead_out_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "checkpoint"')
    with pytest.raises(FormatError, match="circle"):
        load(tmp_path)


def test_a_checkpoint_file_does_not_lead_out_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "checkpoint").write_text('model_checkpoint_path: "../secret"')
    with pytest.raises(FormatError, match="outside"):
        load(tmp_path / "in")


def test_a_link_out_of_a_saved_model_is_not_followed(seed, tmp_path: Path) -> None:
    path = seed("saved")
    away = tmp_path / "away"
    away.mkdir()
    (away / "variables.index").write_bytes(table([block([(b"", b"\x08\x01")])]))
    os.symlink(away, path.parent / "variables")
    with pytest.raises(FormatError, match="outside"):
        load(path)


def test_varints() -> None:
    assert read_varint(b"\xac\x02", 0, "") == (300, 2)
    for data in (b"", b"\x80", b"\xff" * 11):
        with pytest.raises(FormatError, match="never ends"):
            read_varint(data, 0, "x")


def test_sealed_blocks_are_what_the_reader_checks() -> None:
    assert sealed(b"abc")[3] == 0


def test_slices_that_all_lie_in_one_place(tmp_path: Path) -> None:
    """A thousand slices of a megabyte each, in a file of a megabyte."""
    from graphscope.read.weights.partitions import slice_key

    step, count = 1 << 18, 1000
    whole = proto.BundleEntryProto(dtype=1)
    whole.shape.dim.add(size=step * count)
    part = proto.BundleEntryProto(dtype=1, size=4 * step)
    part.shape.dim.add(size=step)
    rows = {b"": proto.BundleHeaderProto(num_shards=1).SerializeToString()}
    for number in range(count):
        whole.slices.add().extent.add(start=number * step, length=step)
        rows[slice_key("w", ((number * step, step),))] = part.SerializeToString()
    rows[b"w"] = whole.SerializeToString()
    (tmp_path / "m.data-00000-of-00001").write_bytes(b"\0" * 4 * step)
    data = table([block(sorted(rows.items()))])
    wrong(tmp_path / "m.index", data, "lie over one another")


def test_two_values_for_billions(tmp_path: Path) -> None:
    graph = proto.GraphDef()
    tensor = graph.node.add(name="w", op="Const").attr["value"].tensor
    tensor.dtype = 1
    tensor.float_val.extend([1.0, 2.0])
    tensor.tensor_shape.dim.add(size=(1 << 31) - 1)
    wrong(tmp_path / "a.pb", graph.SerializeToString(), "repetition")


def test_a_compressed_dataset_that_unpacks_to_gigabytes(tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["layer_names"] = ["d"]
        group = file.create_group("d")
        group.attrs["weight_names"] = ["w"]
        group.create_dataset(
            "w", (1 << 30,), "f8", chunks=(1 << 20,), compression="gzip"
        )
    with pytest.raises(FormatError, match="unpacks to"):
        survey(tmp_path / "m.h5")
