"""A bucket of S3, on a server of this machine: whole catalogue rows, structure by ranges, nothing read twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_cli import run_main
from tests.survey.makers import LARGE, large, write

pytest.importorskip("duckdb")
pytest.importorskip("s3fs", reason="s3fs reads buckets: pip install '.[test]'")
pytest.importorskip("flask_cors", reason="moto's server: pip install '.[test]'")
moto = pytest.importorskip("moto.server", reason="an S3: pip install '.[test]'")
BLOCK = 1 << 20  # bytes


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket named ``models``, as an fsspec file system; what is in it is gone with it."""
    server = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in (
        ("AWS_ENDPOINT_URL", f"http://{host}:{port}"),
        ("AWS_ACCESS_KEY_ID", "nobody"),
        ("AWS_SECRET_ACCESS_KEY", "nothing"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ):
        monkeypatch.setenv(name, value)
    import s3fs

    system = s3fs.S3FileSystem(skip_instance_cache=True)
    system.mkdir("models")
    yield system
    server.stop()


def test_a_bucket_has_whole_rows_and_is_read_by_ranges(
    bucket: Any, tmp_path: Path, capsys, monkeypatch
) -> None:
    monkeypatch.delenv("GRAPHSCOPE_CHECK", raising=False)  # which reads weights
    bucket.pipe("models/deep/er/large.pb", large(3).SerializeToString())
    bucket.pipe("models/notes.txt", b"no model")
    for number in (2, 3):  # a MetaGraph, a SavedModel
        path = write(tmp_path / "local", number, number)
        bucket.put(str(path), f"models/{path.name}", recursive=path.is_dir())
    words = ("survey", "s3://models", "-o", tmp_path / "c", "--jobs", "1", "--json")
    status, told, message = run_main(capsys, *words)
    assert status == 0, message
    document = json.loads(told)
    assert (document["models"], document["errors"]) == (3, 0)
    rows = rows_by_place(capsys, tmp_path / "c")
    assert {place: row["format"] for place, row in rows.items()} == {
        "s3://models/deep/er/large.pb": "GraphDef",
        "s3://models/m2.meta": "MetaGraph",
        "s3://models/m3": "SavedModel v1",
    }
    local = local_rows(capsys, tmp_path)
    for name in ("m2.meta", "m3"):
        assert facts(rows[f"s3://models/{name}"]) == facts(local[name])
    wide = rows["s3://models/deep/er/large.pb"]
    assert wide["size"] > 4 * LARGE and wide["parameters"] > LARGE
    assert 0 < wide["fetched"] < BLOCK
    assert document["fetched"] >= sum(row["fetched"] for row in rows.values())

    assert json.loads(run_main(capsys, *words)[1])["read"] == 0
    bucket.pipe("models/m2.meta", write(tmp_path / "new", 2, 9).read_bytes())
    assert json.loads(run_main(capsys, *words)[1])["read"] == 1


def rows_by_place(capsys: Any, catalogue: Path) -> dict[str, dict[str, Any]]:
    sql = "SELECT * FROM models"
    told = run_main(capsys, "survey", "-o", catalogue, "--query", sql, "--json")[1]
    return {row["place"]: row for row in json.loads(told)}


def local_rows(capsys: Any, folder: Path) -> dict[str, dict[str, Any]]:
    """The rows of the same files from the disk, by the file's name."""
    words = ("survey", folder / "local", "-o", folder / "l", "--jobs", "1")
    assert run_main(capsys, *words)[0] == 0
    return {
        Path(place).name: row
        for place, row in rows_by_place(capsys, folder / "l").items()
    }


def facts(row: dict[str, Any]) -> dict[str, Any]:
    """What a row says of the model: not where it lies, nor when and how it was read."""
    other = ("place", "stamp", "modified", "seconds", "fetched", "read_at")
    return {name: value for name, value in row.items() if name not in other}
