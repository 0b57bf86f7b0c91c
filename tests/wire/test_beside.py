"""What killed runs left beside a file: theirs goes, what a living process or somebody else has stays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from graphscope.wire.beside import is_running, remove_stale


def ended() -> int:
    """The number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    return process.pid


def test_only_what_ended_processes_left_is_removed(tmp_path: Path) -> None:
    path, dead, alive = tmp_path / "m.pb", ended(), os.getpid()
    stale = tmp_path / f".m.pb.{dead}.part"
    others = [
        tmp_path / f".m.pb.{alive}.part",  # still writing
        tmp_path / f".other.pb.{dead}.part",  # of another file
        tmp_path / f"m.pb.{dead}.part",  # not our spelling
        tmp_path / f".m.pb.{dead}.part.txt",
        path,
    ]
    for each in (stale, *others):
        each.write_bytes(b"x")

    remove_stale(path)

    assert not stale.exists()
    assert all(each.exists() for each in others)


def test_a_link_or_folder_of_such_a_name_is_left(tmp_path: Path) -> None:
    dead = ended()
    target = tmp_path / "precious"
    target.write_bytes(b"x")
    link, folder = tmp_path / f".a.{dead}.part", tmp_path / f".b.{dead}.part"
    link.symlink_to(target)
    folder.mkdir()

    remove_stale(tmp_path / "a")
    remove_stale(tmp_path / "b")
    remove_stale(tmp_path / "nowhere" / "c")  # no folder: nothing to remove

    assert link.is_symlink() and target.exists() and folder.is_dir()


def test_a_process_is_running_until_it_ends() -> None:
    assert is_running(os.getpid())
    assert is_running(1)  # somebody else's
    assert not is_running(ended())
