"""A web server's folders: what is there, what is read of it (structure, not weights), what is read again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from graphscope.survey.places import folders_in
from graphscope.survey.units import units_of
from tests.cli.test_cli import run_main
from tests.survey.makers import LARGE, large, write
from tests.survey.server import serving

pytest.importorskip("duckdb")


def test_links_down_are_followed_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "m.pb").write_bytes(b"12")
    page = '<a href="deep/">d</a><a href="../other.pb">x</a><a href="http://x/y.pb">y</a><a href="/top.pb">t</a>'
    (tmp_path / "in" / "index.html").write_text(page)
    (tmp_path / "other.pb").write_bytes(b"1")
    with serving(tmp_path) as (url, _):
        units = list(units_of(folders_in(f"{url}/in")))
        assert [unit.place for unit in units] == [f"{url}/in/deep/m.pb"]
        assert units[0].size == 2
        one = list(units_of(folders_in(f"{url}/other.pb")))
        assert [unit.place for unit in one] == [f"{url}/other.pb"]


def test_structure_is_read_and_weights_are_not(
    tmp_path: Path, capsys, monkeypatch
) -> None:
    monkeypatch.delenv("GRAPHSCOPE_CHECK", raising=False)  # which reads weights
    place = tmp_path / "bucket"
    (place / "a").mkdir(parents=True)
    (place / "a" / "large.pb").write_bytes(large(3).SerializeToString())
    write(place / "b", 3, 3)  # a SavedModel
    with serving(place) as (url, sent):
        words = ("survey", url, "-o", tmp_path / "c", "--jobs", "1", "--json")
        status, told, message = run_main(capsys, *words)
        assert status == 0, message
        document = json.loads(told)
        assert document["models"] == 2 and document["errors"] == 0
        assert 0 < document["fetched"] < 500_000 < 4 * LARGE
        assert sum(sent) < 1_000_000  # pages too
        assert json.loads(run_main(capsys, *words)[1])["read"] == 0
        os.utime(place / "a" / "large.pb", ns=(7, 7))
        assert json.loads(run_main(capsys, *words)[1])["read"] == 1
    sql = "SELECT fetched, size FROM models WHERE place LIKE '%large.pb'"
    words = ("survey", "-o", tmp_path / "c", "--query", sql, "--json")
    ((row),) = json.loads(run_main(capsys, *words)[1])
    assert row["fetched"] < row["size"] / 20
