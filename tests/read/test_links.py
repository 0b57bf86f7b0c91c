"""Links that lead out of a model's folder are not followed, in any format; what the user names may be a link."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from graphscope.errors import FormatError
from graphscope.graph import Model
from graphscope.read import load
from graphscope.wire import messages as proto
from tests.read.tables import block, table


def tfjs(folder: Path) -> tuple[Path, Path]:
    entry = {"name": "w", "shape": [2], "dtype": "float32"}
    document = {
        "format": "graph-model",
        "modelTopology": {"node": [{"name": "w", "op": "Const", "attr": {}}]},
        "weightsManifest": [{"paths": ["a.bin"], "weights": [entry]}],
    }
    (folder / "model.json").write_text(json.dumps(document))
    return folder / "model.json", folder / "a.bin"


def checkpoint(folder: Path) -> tuple[Path, Path]:
    header = proto.BundleHeaderProto(num_shards=1).SerializeToString()
    entry = proto.BundleEntryProto(dtype=1, size=8)
    entry.shape.dim.add(size=2)
    rows = [(b"", header), (b"w", entry.SerializeToString())]
    (folder / "m.index").write_bytes(table([block(rows)]))
    return folder / "m.index", folder / "m.data-00000-of-00001"


def value(model: Model) -> np.ndarray:
    return np.asarray(model.value("w") if "w" in model.graph else model.weights["w"])


@pytest.mark.parametrize("maker", [tfjs, checkpoint])
def test_a_shard_that_is_a_link_to_elsewhere(maker, tmp_path: Path) -> None:
    inside, outside = tmp_path / "model", tmp_path / "secret"
    inside.mkdir(), outside.mkdir()
    (outside / "data").write_bytes(np.ones(2, "f4").tobytes())
    path, shard = maker(inside)
    os.symlink(outside / "data", shard)
    with pytest.raises(FormatError, match="outside of the model's folder"):
        value(load(path))


@pytest.mark.parametrize("maker", [tfjs, checkpoint])
def test_a_cache_that_links_every_file(maker, tmp_path: Path) -> None:
    """As model hubs keep them: the file that is named is a link into the folder where all of them lie."""
    blobs, shown = tmp_path / "blobs", tmp_path / "snapshot"
    blobs.mkdir(), shown.mkdir()
    path, shard = maker(blobs)
    shard.write_bytes(np.ones(2, "f4").tobytes())
    for each in (path, shard):
        os.symlink(each, shown / each.name)
    assert np.array_equal(value(load(shown / path.name)), [1, 1])
