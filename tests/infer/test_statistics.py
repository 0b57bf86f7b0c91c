"""Statistics against numpy's own, streamed or not, and the memory that they take."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from graphscope.graph import Graph, Model, TensorSpec, Weights
from graphscope.infer import statistics as module
from graphscope.infer.statistics import measure, statistics_of
from graphscope.read import load


class WeightRef(Weights):
    """Arrays in memory: no extents."""

    def __init__(self, **arrays: np.ndarray) -> None:
        self.arrays = arrays

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]

    def __iter__(self):
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    def spec(self, name: str) -> TensorSpec:
        found = self.arrays[name]
        dtype = "string" if found.dtype == object else str(found.dtype)
        return TensorSpec(dtype, found.shape)


def of(array: np.ndarray):
    return measure(Model(Graph(), weights=WeightRef(w=array)), "w")


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int8", "bool"])
def test_numpys_own_numbers(dtype: str, monkeypatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 64)
    array = (np.random.default_rng(0).standard_normal((37, 5)) * 3).astype(dtype)
    found, wide = of(array), array.astype(np.float64)
    assert found.count == array.size and found.zeros == int((wide == 0).sum())
    expected = (wide.min(), wide.max(), wide.mean(), wide.std())
    told = (found.minimum, found.maximum, found.mean, found.std)
    assert np.allclose(told, expected, rtol=1e-12)
    assert found.healthy


def test_nan_and_infinities_are_counted_and_left_out() -> None:
    found = of(np.array([1.0, np.nan, np.inf, -np.inf, 3.0, 0.0]))
    assert (found.nan, found.inf, found.zeros) == (1, 2, 1)
    assert (found.minimum, found.maximum, found.mean) == (0.0, 3.0, 4 / 3)
    assert not found.healthy


def test_all_nan_and_empty_and_no_numbers() -> None:
    assert np.isnan(of(np.full(3, np.nan)).mean)
    assert of(np.zeros((0, 4), np.float32)).count == 0
    assert of(np.array([b"x"], object)) is None


def test_dead_channels() -> None:
    kernel = np.random.default_rng(0).standard_normal((3, 3, 4, 6)).astype(np.float32)
    kernel[..., 2] = 0
    kernel[..., 5] = 1e-30
    found = of(kernel)
    assert (found.channels, found.dead) == (6, (2, 5))
    assert of(np.zeros((4, 2), np.float32)).dead == (0, 1)
    assert of(np.zeros(4, np.float32)).dead == ()


def test_complex_values_count_by_magnitude() -> None:
    assert of(np.array([3 + 4j, 0j])).maximum == 5.0


def test_from_a_checkpoint_and_partitioned(corpus: Path) -> None:
    model = load(corpus / "WilsonCWu+open_spiel/save/checkpoint--1")
    for name in model.weights:
        array = model.weights[name].astype(np.float64)
        found = measure(model, name)
        assert np.isclose(found.mean, array.mean(), rtol=1e-9, atol=1e-12), name
        assert found.maximum == array.max()


def test_rows_for_json() -> None:
    array = np.array([[1.0, 0.0], [np.nan, 0.0]], np.float32)
    row = statistics_of(Model(Graph(), weights=WeightRef(w=array)), "w")
    expected = {"minimum": 0.0, "maximum": 1.0, "zeros": 2, "nan": 1, "inf": 0}
    assert expected.items() <= row.items()
    assert (row["channels"], row["dead"]) == (2, [1])
    model = Model(
        Graph(), weights=WeightRef(w=np.full(2, np.nan), s=np.array([b""], object))
    )
    assert statistics_of(model, "w")["mean"] is None
    assert statistics_of(model, "s") == statistics_of(model, "gone") == {}


def test_constants_of_a_frozen_graph(corpus: Path) -> None:
    model = load(corpus / "onnx+tensorflow-onnx/tests/models/fc-layers/frozen.pb")
    names = [n for n in model.graph.by_op("Const") if model.value(n).size > 1000]
    assert names
    for name in names:
        assert np.isclose(measure(model, name).std, model.value(name).std(), rtol=1e-4)


def test_memory_stays_small(tmp_path: Path) -> None:
    """A variable of 400 MB takes less than 64 MiB."""
    from graphscope.wire import messages as proto
    from tests.read.tables import write_table

    rows, columns = 100_000, 1000
    entry = proto.BundleEntryProto(dtype=1, size=rows * columns * 4)
    entry.shape.dim.add(size=rows)
    entry.shape.dim.add(size=columns)
    header = proto.BundleHeaderProto(num_shards=1).SerializeToString()
    write_table(
        tmp_path / "m.index", [(b"", header), (b"w", entry.SerializeToString())]
    )
    with open(tmp_path / "m.data-00000-of-00001", "wb") as file:
        file.truncate(rows * columns * 4)  # a hole: reads as zeros
    code = (
        "import resource, sys; from graphscope.read import load;"
        "from graphscope.infer.statistics import measure;"
        "m = load(sys.argv[1]); use = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "before = use(); s = measure(m, 'w'); print(s.zeros, use() - before)"
    )
    run = [sys.executable, "-c", code, str(tmp_path / "m")]
    zeros, grown = subprocess.run(run, capture_output=True, text=True).stdout.split()
    assert int(zeros) == rows * columns and int(grown) < 64 << 10
