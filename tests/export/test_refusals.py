"""What every target refuses: one line, exit status 1, and nothing left behind. A new target is met here without being named."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import pytest
import tensorflow as tf

from graphscope.cli import main
from graphscope.export import all_targets, registry
from graphscope.export.options import Options

from .models import freeze_to, values

v1 = tf.compat.v1
TARGETS = sorted([*all_targets(), "keras"])
OPTIONS = {
    "quantize": ["--quantize", "float16"],
    "constants": ["--constants"],
    "calibrate": ["--calibrate", "examples.npz"],
    "page": ["--page"],
}
ROOM = 200_000  # bytes that a file may have where the disk is full


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A frozen graph with 720 kB of weights."""
    kernels = [values(300, 300, seed=seed) / 9 for seed in (0, 1)]

    def build() -> None:
        x = v1.placeholder(tf.float32, [None, 300], name="x")
        tf.nn.softmax(tf.tanh(x @ kernels[0]) @ kernels[1], name="y")

    return freeze_to(tmp_path_factory.mktemp("source") / "net.pb", build)


def out_of(target: str) -> str:
    known = all_targets().get(target)
    is_file = known is not None and not known.IS_FOLDER
    return f"net{known.MARK}" if known is not None and is_file else "net"


class Refusals:
    """The command line, where it refuses."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, folder: Path, *line: object, status: int = 1) -> str:
        """The one line that ``graphscope export`` answers with, which changes nothing in the folder."""
        before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
        with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as end:
            patch.setattr("sys.argv", ["graphscope", "export", *map(str, line)])
            main()
        out, error = self.capsys.readouterr()
        assert end.value.code == status, (out, error)
        assert not out
        after = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
        assert after == before, error
        said = [each for each in error.splitlines() if each.startswith("graphscope:")]
        assert len(said) == 1 and "Traceback" not in error, error
        return said[0]


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refusals:
    return Refusals(capsys)


@contextmanager
def full_disk() -> Iterator[None]:
    """As long as it lasts no file can have more than ROOM bytes: the kernel refuses the write as a full disk does."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_every_wish_has_an_option() -> None:
    """A new field of Options has to be met here, too."""
    everywhere = {"within", "feeds"}
    assert OPTIONS.keys() == {each.name for each in fields(Options)} - everywhere


@pytest.mark.parametrize("target", TARGETS)
def test_an_option_of_another_target(
    source: Path, tmp_path: Path, target: str, refused: Refusals
) -> None:
    known = all_targets().get(target)
    honoured = known.WISHES if known is not None else frozenset()
    place = tmp_path / out_of(target)
    for name in sorted(OPTIONS.keys() - honoured):
        said = refused(tmp_path, source, "--to", target, "-o", place, *OPTIONS[name])
        assert f"--{name} is not for --to {target}" in said


@pytest.mark.parametrize("target", TARGETS)
def test_what_stands_there(
    source: Path, tmp_path: Path, target: str, refused: Refusals
) -> None:
    place = tmp_path / out_of(target)
    place.write_text("a file of the user's")
    line = (source, "--to", target, "-o", place)
    assert "--force" in refused(tmp_path, *line)
    if all_targets().get(target) is None or all_targets()[target].IS_FOLDER:
        assert "remove it yourself" in refused(tmp_path, *line, "--force")
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "diary.txt").write_text("dear")
    line = (source, "--to", target, "-o", folder)
    assert "--force" in refused(tmp_path, *line)
    assert "remove it yourself" in refused(tmp_path, *line, "--force")
    nowhere = tmp_path / "no such folder" / out_of(target)
    assert "there is no folder" in refused(
        tmp_path, source, "--to", target, "-o", nowhere
    )


@pytest.mark.parametrize("target", TARGETS)
def test_the_source_itself(source: Path, target: str, refused: Refusals) -> None:
    said = refused(
        source.parent, source, "--to", target, "-o", source.parent, "--force"
    )
    assert "the model itself" in said


@pytest.mark.parametrize("target", [t for t in TARGETS if t != "keras"])
def test_a_full_disk(
    source: Path, tmp_path: Path, target: str, refused: Refusals
) -> None:
    place = tmp_path / out_of(target)
    with full_disk():
        said = refused(tmp_path, source, "--to", target, "-o", place, "--no-verify")
    assert "cannot be written" in said or "are free on that disk" in said


def test_a_disk_that_is_full_when_openvino_writes(
    source: Path,
    tmp_path: Path,
    refused: Refusals,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    openvino = pytest.importorskip("openvino")
    save = openvino.save_model

    def save_there(*arguments: object, **options: object) -> None:
        with full_disk():
            save(*arguments, **options)

    monkeypatch.setattr(openvino, "save_model", save_there)
    line = (source, "--to", "openvino", "-o", tmp_path / "net", "--no-verify")
    assert "cannot be written" in refused(tmp_path, *line)


@pytest.mark.parametrize("target", all_targets())
def test_a_missing_package(
    source: Path,
    tmp_path: Path,
    target: str,
    refused: Refusals,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not all_targets()[target].NEEDS:
        pytest.skip("it is written without any")
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    place = tmp_path / out_of(target)
    said = refused(tmp_path, source, "--to", target, "-o", place)
    assert f"pip install 'tf-graphscope[{target}]'" in said
