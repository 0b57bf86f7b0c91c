"""HDF5 against h5py: every way in which it lays out groups, attributes and values; damaged files end in a line."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphscope.errors import FormatError, GraphscopeError
from graphscope.read import load
from graphscope.read.weights.hdf5 import Hdf5
from graphscope.read.weights.stored import StoredWeights
from graphscope.wire.source import Source, open_source

ATTRIBUTES = {
    "layer_names": ["a", "b", "é"],
    "fixed": np.array([b"ab", b"cde"]),
    "config": "x" * 5000,
    "numbers": np.arange(3),
    "flag": True,
}


def write(path: Path, **options: Any) -> Path:
    import h5py

    draw = np.random.default_rng(0).random
    with h5py.File(path, "w", **options) as file:
        file.attrs.update(ATTRIBUTES)
        for number in range(60):
            group = file.create_group(f"layers/dense_{number}/vars")
            group.attrs["name"] = f"d{number}"
            group["0"] = draw((3, 4)).astype("f4")
            group["1"] = np.arange(number)
        group = file["layers"]
        group.attrs.update({f"at{number}": number for number in range(12)})
        packed = {"compression": "gzip", "shuffle": True, "fletcher32": True}
        if options.get("libver") != "latest":
            group.create_dataset("chunks", data=draw((100, 70)), chunks=(30, 40))
            group.create_dataset(
                "packed", data=draw((100, 70)), chunks=(30, 40), **packed
            )
        group.create_dataset("one", data=draw((9, 7)), chunks=(9, 7), **packed)
        group["big_endian"] = draw(4).astype(">f4")
        group["half"], group["bool"] = draw(4).astype("f2"), np.array([True, False])
        group["scalar"], group["nothing"] = 3.5, np.zeros((0, 3))
        group.create_dataset("fill", (5,), "f4", fillvalue=7)
        group["texts"], group["bytes"] = ["a", "bc", "é"], np.array([b"ab", b"cde"])
    return path


def arrays(file: Any, path: str = "") -> dict[str, np.ndarray]:
    """What h5py reads, in its order."""
    listed = {}
    for name in file:
        inner = f"{path}/{name}".strip("/")
        inside = hasattr(file[name], "keys")
        listed |= arrays(file[name], inner) if inside else {inner: file[name][()]}
    return listed


@pytest.mark.parametrize("tracked", [False, True])
@pytest.mark.parametrize("libver", ["earliest", "v108", "v110", "latest"])
def test_layouts(libver: str, tracked: bool, tmp_path: Path) -> None:
    import h5py

    newest = "latest" if libver in ("v110", "latest") else libver
    path = write(tmp_path / "m.h5", libver=newest, track_order=tracked)
    ours = Hdf5(open_source(str(path)))
    stored = {each.path: each.stored for each in ours.datasets()}
    weights = StoredWeights(stored, str(path))
    with h5py.File(path) as file:
        expected = arrays(file)
    assert list(stored) == list(expected)
    for name, array in expected.items():
        assert stored[name].shape == array.shape
        assert np.array_equal(weights[name], array), name
    for name, value in ATTRIBUTES.items():
        told = ours.attribute("", name)
        plain = np.asarray(value).astype(str) if name == "fixed" else value
        assert np.array_equal(told, plain), name
    assert [ours.attribute("layers", f"at{n}") for n in range(12)] == list(range(12))
    assert ours.attribute("layers/dense_3/vars", "name") == "d3"
    assert not ours.has("layers/gone") and ours.dataset("layers") is None


@pytest.mark.parametrize("options", [{}, {"libver": "latest", "track_order": True}])
def test_damage_costs_little(options: dict[str, Any], tmp_path: Path) -> None:
    data = write(tmp_path / "m.h5", **options).read_bytes()
    draw = random.Random(3)
    for _ in range(150):
        broken = bytearray(data)
        for _ in range(draw.choice([1, 1, 3, 10])):
            place = draw.randrange(min(len(data), draw.choice([800, 1 << 30])) - 8)
            junk = draw.choice([b"\0", b"\xff", b"\xff" * 8, draw.randbytes(1)])
            broken[place : place + len(junk)] = junk
        begin = time.process_time()
        read_all(Source("m.h5", bytes(broken)))
        assert time.process_time() - begin < 5


def read_all(source: Source) -> None:
    try:
        file = Hdf5(source)
        stored = {each.path: each.stored for each in file.datasets()}
        file.texts("", "layer_names")
        for name in stored:
            StoredWeights({name: stored[name]}, source.name)[name]
    except GraphscopeError:
        pass


@pytest.mark.parametrize("name", ["hang.h5", "empty.h5", "surrogate.h5"])
def test_cases(name: str) -> None:
    """A loop within libhdf5, an attribute without a value, a text that is no UTF-8."""
    begin = time.process_time()
    try:
        model = load(Path(__file__).parent / "damaged" / name)
        for key in model.weights:
            model.weights[key]
    except FormatError as error:
        assert str(error).count("\n") == 0
    assert time.process_time() - begin < 5
