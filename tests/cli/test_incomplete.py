"""A checkpoint with its graph, and without its shard: all that needs no values works; ``keras`` says what it needs."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.test_cli import run, run_main

CHECKPOINT = "WilsonCWu+open_spiel/save/checkpoint--1"


@pytest.fixture
def short(corpus: Path, tmp_path: Path) -> Path:
    for suffix in (".index", ".meta"):
        shutil.copy(corpus / f"{CHECKPOINT}{suffix}", tmp_path)
    return tmp_path / Path(CHECKPOINT).name


def test_what_needs_no_values_is_the_same(short: Path, corpus: Path) -> None:
    for command, key in (("layers", "layers"), ("outputs", "outputs")):
        whole = json.loads(run(command, corpus / CHECKPOINT, "--json").stdout)[key]
        alone = json.loads(run(command, short, "--json").stdout)[key]
        assert len(alone) == len(whole)
        for ours, theirs in zip(alone, whole):
            ours.pop("freeze", None), theirs.pop("freeze", None)
            assert ours == theirs


def test_keras_names_the_shard_or_writes_the_source(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "keras"
    status, _, err = run_main(capsys, "keras", short, "-o", place)
    assert status == 1 and "data-00000-of-00001" in err
    assert not (place / "model.py").exists()
    result = run("keras", short, "-o", place, "--incomplete")
    assert result.exit_code == 0 and "without weights" in result.stdout
    assert [path.name for path in place.iterdir()] == ["model.py"]
