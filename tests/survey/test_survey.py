"""``graphscope survey`` end to end: rows, resume, hostile files, queries, the page, SARIF, archives, relatives."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from graphscope.wire import messages as proto
from tests.cli.test_cli import run_main
from tests.survey.makers import constant, many, net, write

pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")
HOSTILE = Path(__file__).parents[3] / "shared" / "cases" / "hostile"


def rows_of(capsys, folder: Path, sql: str) -> list[dict]:
    status, told, message = run_main(
        capsys, "survey", "-o", folder, "--query", sql, "--json"
    )
    assert status == 0, message
    return json.loads(told)


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory) -> tuple[Path, Path, dict]:
    """A folder of models, hostile files and an archive; its catalogue; what the command says."""
    place = tmp_path_factory.mktemp("place")
    many(place, 8)
    frozen = net(random.Random(77))
    (place / "one.pb").write_bytes(frozen.SerializeToString())
    (place / "copy.pb").write_bytes(frozen.SerializeToString())
    tuned = proto.GraphDef.FromString(frozen.SerializeToString())
    for node in tuned.node:  # the last bias is another
        if node.name.startswith("b"):
            last = node
    content = last.attr["value"].tensor.tensor_content
    last.attr["value"].tensor.tensor_content = bytes(len(content))
    (place / "tuned.pb").write_bytes(tuned.SerializeToString())
    (place / "lfs.pb").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    (place / "<img src=x onerror=alert(1)>\u202e.pb").write_bytes(b"\x0a\xff")
    (place / "picture.png").write_bytes(b"\x89PNG\r\n" + bytes(100))
    nested = io.BytesIO()
    with zipfile.ZipFile(nested, "w") as archive:
        archive.writestr("deeper.pb", frozen.SerializeToString())
    with zipfile.ZipFile(place / "more.zip", "w") as archive:
        archive.writestr("inner/one.pb", frozen.SerializeToString())
        archive.writestr("../out.pb", frozen.SerializeToString())
        archive.writestr("nested.zip", nested.getvalue())
    folder = tmp_path_factory.mktemp("home") / "catalogue"
    words = [sys.executable, "-m", "graphscope", "survey", place, "-o", folder]
    words += [
        "--jobs",
        "1",
        "--hash-weights",
        "--json",
        "--sarif",
        folder.parent / "s.sarif",
    ]
    done = subprocess.run(
        list(map(str, words)), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return place, folder, json.loads(done.stdout)


def test_every_model_has_a_row(surveyed, capsys) -> None:
    place, folder, document = surveyed
    assert document["models"] == 14 and document["errors"] == 2
    rows = rows_of(capsys, folder, "SELECT * FROM models ORDER BY place")
    named = {os.path.relpath(row["place"], place): row for row in rows}
    one = named["one.pb"]
    assert one["format"] == "GraphDef" and one["error"] == ""
    assert one["parameters"] == sum(
        v for v in [one["bytes"] // 4]
    )  # all of them are floats
    assert {e["class"] for e in one["layers"]} >= {"Dense"}
    assert one["outputs"][0]["score"] > 0.5 and one["inputs"][0]["tensor"] == "x:0"
    assert {"savedmodel", "tfjs"} <= set(one["targets"])
    assert "LFS" in named["lfs.pb"]["error"]
    assert "more.zip!/inner/one.pb" in named
    assert named["more.zip!/inner/one.pb"]["weights"] == one["weights"] != ""
    assert not {n for n in named for w in ("out", "picture", "deeper") if w in n}


def test_relatives_are_told(surveyed) -> None:
    place, folder, document = surveyed
    assert document["relations"] == {"same weights": 2, "fine-tuned from": 1}


def test_the_page_is_text_and_nothing_else(surveyed) -> None:
    _, folder, _ = surveyed
    page = (folder / "catalogue.html").read_text()
    assert "<img" not in page and "\u202e" not in page
    assert "\\u003cimg src=x onerror=alert(1)\\u003e" in page
    assert "http://" not in page and "https://" not in page


def test_findings_are_sarif(surveyed) -> None:
    _, folder, _ = surveyed
    log = json.loads((folder.parent / "s.sarif").read_text())
    results = log["runs"][0]["results"]
    assert log["version"] == "2.1.0"
    assert sum(r["ruleId"] == "unreadable" for r in results) == 2
    rules = {rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]}
    assert {r["ruleId"] for r in results} <= rules


def test_what_is_known_is_not_read_again(surveyed, capsys) -> None:
    place, folder, _ = surveyed
    words = ("survey", place, "-o", folder, "--jobs", "1", "--json")
    status, told, message = run_main(capsys, *words)
    assert status == 0, message
    assert json.loads(told)["read"] == 0
    write(place, 4, 1234)
    os.utime(place / "one.pb", ns=(5, 5))
    status, told, _ = run_main(capsys, *words, "--fail-on", "error")
    assert json.loads(told)["read"] == 2 and json.loads(told)["models"] == 15
    assert status == 1  # two of them cannot be read
    assert len(rows_of(capsys, folder, "SELECT DISTINCT place FROM models")) == 15
    (other,) = rows_of(capsys, folder, "SELECT count(*) AS n FROM models")
    assert other == {"n": 15}


def test_a_query_that_is_none_is_one_line(surveyed, capsys) -> None:
    _, folder, _ = surveyed
    words = ("survey", "-o", folder, "--query", "SELEC place FROM models")
    status, _, message = run_main(capsys, *words)
    assert status == 1 and message.count("\n") == 1 and "--query" in message


def test_a_folder_of_other_things_is_no_catalogue(tmp_path: Path, capsys) -> None:
    (tmp_path / "diary.txt").write_text("mine")
    status, _, message = run_main(capsys, "survey", tmp_path, "-o", tmp_path)
    assert status == 1 and "holds no catalogue" in message
    assert [path.name for path in tmp_path.iterdir()] == ["diary.txt"]


def test_limit_and_since_and_format(tmp_path: Path, capsys) -> None:
    many(tmp_path / "place", 4)
    os.utime(tmp_path / "place" / "0000" / "m0.pb", (1e9, 1e9))
    words = (
        "survey",
        tmp_path / "place",
        "-o",
        tmp_path / "c",
        "--jobs",
        "1",
        "--json",
    )
    words += ("--since", "2002-01-01", "--limit", "3", "--format", "text")
    status, told, message = run_main(capsys, *words)
    assert status == 0, message
    assert json.loads(told)["formats"] == {"GraphDef (text)": 1}
    assert len(rows_of(capsys, tmp_path / "c", "SELECT place FROM models")) in (2, 3)
    status, _, message = run_main(capsys, *words, "--since", "yesterday")
    assert status == 2 and "no date" in message


def test_a_model_that_takes_too_long_costs_one_row(tmp_path: Path) -> None:
    """A child is ended by its limits, told so, and those after it are read."""
    from graphscope.survey.options import Limits
    from graphscope.survey.places import folders_in
    from graphscope.survey.run.pool import Reader
    from graphscope.survey.units import units_of

    for number in range(3):
        write(tmp_path, 4 * number, number)
    large = net(random.Random(1))
    import numpy as np

    constant(large, "large", np.zeros((1 << 23,)))
    (tmp_path / "m1.pb").write_bytes(large.SerializeToString())
    units = list(units_of(folders_in(str(tmp_path))))
    code = (
        "import time, graphscope.survey.run.limited as limited; real = limited.describe\n"
        "def slow(unit, limits):\n"
        "    if unit.path.endswith('m4.pb'):\n"
        "        while True: pass\n"
        "    if unit.path.endswith('m1.pb'): kept = bytearray(1 << 30)\n"
        "    return real(unit, limits)\n"
        "limited.describe = slow; limited.serve()"
    )
    reader = Reader.__new__(Reader)
    reader.limits = Limits(seconds=1, megabytes=300)
    reader.process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    rows = {Path(row["place"]).name: row["error"] for row in reader.rows(units)}
    reader.close()
    assert rows["m0.pb"] == rows["m8.pb"] == ""
    assert "more than 1 s of processor time" in rows["m4.pb"]
    assert "more than 300 MB of memory" in rows["m1.pb"]


CHILDREN = """
import os, sys
from graphscope.survey.options import Limits
from graphscope.survey.places import folders_in
from graphscope.survey.run import limited
from graphscope.survey.units import units_of
limited.PER_CHILD = 2
before = len(os.listdir("/proc/self/fd"))
units = list(units_of(folders_in(sys.argv[1])))
print(len(list(limited.rows_of(units, Limits()))), len(os.listdir("/proc/self/fd")) - before)
try:
    print(os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    print("no child is left")
"""


def test_a_reader_keeps_no_child_and_no_file_open(tmp_path: Path) -> None:
    many(tmp_path, 5)
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.write(tmp_path / "0000" / "m0.pb", "m.pb")
    words = [sys.executable, "-c", CHILDREN, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == "8 0\nno child is left\n"


def test_a_killed_run_loses_nothing(tmp_path: Path, capsys) -> None:
    """SIGKILL in the middle: what was read stands in the journal, and the next run reads the rest only."""
    place, folder = tmp_path / "place", tmp_path / "c"
    many(place, 40)
    words = ["survey", str(place), "-o", str(folder), "--jobs", "1"]
    with subprocess.Popen([sys.executable, "-m", "graphscope", *words]) as child:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and _lines(folder) < 10:
            time.sleep(0.05)
        child.send_signal(signal.SIGKILL)
        child.wait(20)
    before = _lines(folder)
    assert before >= 10 and not list((folder / "parts").iterdir())
    status, told, message = run_main(capsys, *words, "--json")
    assert status == 0, message
    document = json.loads(told)
    assert document["models"] == 40 and document["known"] >= 10
    (count,) = rows_of(
        capsys, folder, "SELECT count(*) AS n, count(DISTINCT place) AS m FROM models"
    )
    assert count == {"n": 40, "m": 40}


def _lines(folder: Path) -> int:
    journals = folder.glob("journal-*.jsonl")
    return sum(path.read_text().count("\n") for path in journals)


def test_progress_has_an_estimate_once_all_is_listed() -> None:
    from graphscope.cli.survey import progress_text
    from graphscope.survey import Survey

    state = Survey("c", listed=3700, known=100, read=1200, models=400)
    text = progress_text(state, 100.0)
    assert text == "1,200 of 3,600 and more files, 400 models, 12.0 a second"
    state.is_listed = True
    assert progress_text(state, 100.0).endswith(", about 3 min left")
    state.read = 3000
    assert progress_text(state, 100.0).endswith(", about 20 s left")


def test_a_missing_package_is_named_with_the_line_that_installs_it(
    monkeypatch, tmp_path: Path, capsys
) -> None:
    from graphscope.survey import options

    monkeypatch.setattr(options, "find_spec", lambda name: None)
    status, _, message = run_main(capsys, "survey", tmp_path, "-o", tmp_path / "c")
    assert status == 1 and "pip install 'tf-graphscope[survey]'" in message
    assert not (tmp_path / "c").exists()
