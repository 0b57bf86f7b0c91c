"""What a user may type: prefixes, shards, folders, versions; and what is said when nothing is there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from graphscope.errors import FormatError, UnknownFormat
from graphscope.read import load
from graphscope.read.checkpoint.locate import find_file


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder


@pytest.mark.parametrize(
    "held, typed, found",
    [
        (["m.index", "m.data-00000-of-00001"], "m", "m.index"),
        (["m.index", "m.data-00000-of-00001"], "m.data-00000-of-00001", "m.index"),
        (["m-00000-of-00002", "m-00001-of-00002"], "m", "m-00000-of-00002"),
        (["m.meta"], "m", "m.meta"),
        (["m.pb"], "m", "m.pb"),
        (["m-9.index", "m-10.index"], "", "m-10.index"),
        (["saved_model.pb", "x.index"], "", "saved_model.pb"),
        (["1/saved_model.pb", "12/saved_model.pb"], "", "12/saved_model.pb"),
        (["a/saved_model.pb", "notes/x.txt", "y.txt"], "", "a/saved_model.pb"),
        (["only.one"], "", "only.one"),
    ],
)
def test_what_stands_for_what(
    held: list, typed: str, found: str, tmp_path: Path
) -> None:
    touch(tmp_path, *held)
    assert find_file(str(tmp_path / typed)) == str(tmp_path / found)


def test_near_names(tmp_path: Path) -> None:
    touch(tmp_path, "model.ckpt-100.index", "model.ckpt-200.index")
    with pytest.raises(FormatError, match="no such file.*model.ckpt-100.index"):
        find_file(str(tmp_path / "model.ckpt-101.index"))
    with pytest.raises(FormatError, match="no such file"):
        find_file(str(tmp_path / "nowhere" / "x"))
    with pytest.raises(UnknownFormat, match="it holds a.txt, b.txt"):
        find_file(str(touch(tmp_path / "f", "a.txt", "b.txt")))


def test_data_without_their_index(tmp_path: Path) -> None:
    touch(tmp_path, "m.data-00000-of-00001")
    for typed in ("m", "m.data-00000-of-00001"):
        with pytest.raises(FormatError, match="without .*m.index"):
            find_file(str(tmp_path / typed))


def test_graph_pbtxt_stands_in_for_a_lost_meta(corpus: Path, tmp_path: Path) -> None:
    source = corpus / "tensorflow+tfx/tfx/components/testdata/trainer/current"
    for path in (source / "Format-Serving").iterdir():
        if path.is_file() and path.suffix != ".meta":
            shutil.copy(path, tmp_path)
    model = load(tmp_path / "model.ckpt-1000")
    assert not model.inferred and len(model.keys) == len(model.weights) == 60
    assert any("graph.pbtxt" in remark for remark in model.remarks)
    other = corpus / "tensorflow+ngraph-bridge/test/python/flib_graph_1.pbtxt"
    (tmp_path / "graph.pbtxt").chmod(0o644)
    (tmp_path / "graph.pbtxt").write_bytes(other.read_bytes())
    model = load(tmp_path / "model.ckpt-1000")
    assert model.inferred
    assert any("another model" in remark for remark in model.remarks)
