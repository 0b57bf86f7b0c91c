"""Nothing is destroyed: no file of the model, no file that somebody else wrote or edited; nothing is left half done."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from graphscope.wire import messages as proto
from tests.cli.test_cli import run_main


def small(folder: Path, name: str = "m.pb") -> Path:
    graph = proto.GraphDef()
    graph.node.add(name="x", op="Placeholder").attr["dtype"].type = 1
    graph.node.add(name="y", op="Relu", input=["x"]).attr["T"].type = 1
    path = folder / name
    path.write_bytes(graph.SerializeToString())
    return path


def dense(folder: Path, units: int = 300) -> Path:
    graph = proto.GraphDef()
    graph.node.add(name="x", op="Placeholder").attr["dtype"].type = 1
    weight = graph.node.add(name="w", op="Const")
    weight.attr["dtype"].type = weight.attr["value"].tensor.dtype = 1
    for size in (units, units):
        weight.attr["value"].tensor.tensor_shape.dim.add(size=size)
    weight.attr["value"].tensor.tensor_content = os.urandom(4 * units * units)
    graph.node.add(name="y", op="MatMul", input=["x", "w"]).attr["T"].type = 1
    (folder / "d.pb").write_bytes(graph.SerializeToString())
    return folder / "d.pb"


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_the_model_itself_is_no_output(tmp_path: Path, capsys, force) -> None:
    model = small(tmp_path)
    data = model.read_bytes()
    os.link(model, tmp_path / "other.pb")
    os.symlink(model, tmp_path / "link.pb")
    for name in ("m.pb", "other.pb", "link.pb"):
        status, _, said = run_main(
            capsys, "freeze", model, "-o", tmp_path / name, *force
        )
        assert status == 1 and said.count("\n") == 1, said
        assert model.read_bytes() == data


def test_no_part_of_a_checkpoint_is_an_output(tmp_path: Path, capsys, corpus) -> None:
    """The issue's second case: the data file of the checkpoint that is being read."""
    import shutil

    found = sorted(corpus.rglob("*.index"))
    index = next(path for path in found if path.with_suffix(".meta").exists())
    for path in index.parent.glob(f"{index.stem}.*"):
        shutil.copy(path, tmp_path / path.name)
    for path in tmp_path.iterdir():
        data = path.read_bytes()
        run_main(capsys, "freeze", tmp_path / index.stem, "-o", path, "--force")
        assert path.read_bytes() == data


def test_somebody_elses_file_stays(tmp_path: Path, capsys) -> None:
    model = small(tmp_path)
    notes = tmp_path / "notes.md"
    notes.write_text("mine")
    status, _, said = run_main(capsys, "render", model, "-o", notes)
    assert status == 1 and "--force" in said and notes.read_text() == "mine"
    assert run_main(capsys, "render", model, "-o", notes, "--force")[0] == 0
    assert run_main(capsys, "render", model, "-o", notes)[0] == 0  # ours by now
    status, _, said = run_main(capsys, "render", model, "-o", "/dev/null", "--force")
    assert status == 1 and os.path.exists("/dev/null")


def test_an_edited_model_py_stays(tmp_path: Path, capsys) -> None:
    model, folder = dense(tmp_path), tmp_path / "keras"
    command = ("keras", model, "-o", folder, "--no-verify")
    assert run_main(capsys, *command)[0] == 0
    assert run_main(capsys, *command)[0] == 0
    source = folder / "model.py"
    source.write_text(source.read_text() + "# mine\n")
    status, _, said = run_main(capsys, *command)
    assert status == 1 and "was changed" in said and "# mine" in source.read_text()
    assert run_main(capsys, *command, "--force")[0] == 0
    assert "# mine" not in source.read_text()


@pytest.mark.parametrize(
    "target, part", [("savedmodel", "note"), ("tfjs", "model.json")]
)
def test_an_export_has_the_same_guard(tmp_path: Path, capsys, target, part) -> None:
    """Folders are in the ledger as files are: ours are replaced, edited ones only with --force, foreign ones never."""
    place = tmp_path / "out"
    command = ("export", dense(tmp_path), "--to", target, "-o", place, "--no-verify")
    place.mkdir()
    assert run_main(capsys, *command)[0] == 0  # an empty folder is nobody's
    assert run_main(capsys, *command)[0] == 0
    (place / part).write_text("mine")
    status, _, message = run_main(capsys, *command)
    assert status == 1 and "was changed" in message
    assert (place / part).read_text() == "mine"
    assert run_main(capsys, *command, "--force")[0] == 0
    foreign = tmp_path / "notes"
    foreign.mkdir()
    (foreign / "diary.txt").write_text("mine")
    for force, words in (((), "did not write"), (("--force",), "no export")):
        status, _, message = run_main(capsys, *command[:5], foreign, *force)
        assert status == 1 and words in message and message.count("\n") == 1
    assert (foreign / "diary.txt").read_text() == "mine"


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
from graphscope.cli import main
main()
"""


@pytest.mark.parametrize("most", [1000, 100_000, 350_000])
def test_a_full_disk_is_a_line_and_no_file(tmp_path: Path, most: int) -> None:
    model, folder = dense(tmp_path), tmp_path / "keras"
    words = [str(most), "keras", model, "-o", folder, "--no-verify"]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert "model.weights.h5: File too large" in done.stderr
    assert not list(folder.iterdir())
    assert resource.getrlimit(resource.RLIMIT_FSIZE)  # ours is as it was


SLOW = """
import sys, time
from pathlib import Path
from graphscope.cli import end_by_signal
from graphscope.wire.beside import beside
end_by_signal()
with beside(Path(sys.argv[1])) as unfinished:
    unfinished.write_text("half")
    print("begun", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_is_ended_leaves_nothing(tmp_path: Path, number: int, capsys) -> None:
    target = tmp_path / "out.md"
    with subprocess.Popen(
        [sys.executable, "-c", SLOW, str(target)], stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None and child.stdout.readline() == b"begun\n"
        assert len(list(tmp_path.iterdir())) == 1
        child.send_signal(number)
        child.wait(20)
    if number == signal.SIGTERM:
        assert not list(tmp_path.iterdir())
    (tmp_path / f".out.md.{os.getpid()}.part").write_text("of a run that goes on")
    (tmp_path / ".out.md.mine.part").write_text("no name of ours")
    time.sleep(0.1)
    assert run_main(capsys, "render", small(tmp_path), "-o", target)[0] == 0
    kept = {".out.md.mine.part", "m.pb", "out.md"}
    assert {path.name for path in tmp_path.iterdir()} == kept


SHRINKS = """
import os, sys
from pathlib import Path
from graphscope.cli.endings import end_by_signal
from graphscope.read import load
from graphscope.wire.beside import beside
end_by_signal()
model = load(sys.argv[1])
with beside(Path(sys.argv[2])) as unfinished:
    unfinished.write_text("half")
    os.truncate(sys.argv[1], 5000)
    print(model.graph.attrs("w")["value"].sum())
"""


@pytest.mark.skipif(not hasattr(signal, "SIGBUS"), reason="no such signal here")
def test_a_file_that_shrinks_while_it_is_mapped(tmp_path: Path) -> None:
    model, target = dense(tmp_path), tmp_path / "out.md"
    done = subprocess.run(
        [sys.executable, "-c", SHRINKS, str(model), str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert "became shorter" in done.stderr and not done.stdout
    assert [path.name for path in tmp_path.iterdir()] == [model.name]
