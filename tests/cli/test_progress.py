"""The line that says what is being done: on a terminal, after a second, and gone afterwards."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

from graphscope.analysis.progress import announced, listening
from graphscope.cli.text.progress import Notice

WORK = """
import time
from graphscope.analysis.progress import announce
from graphscope.cli.text.progress import end_notice, noticing
with noticing():
    announce("find layers \\x1b[31m")
    time.sleep({seconds})
    end_notice()
    print("done")
"""


def run(seconds: float, **env: str) -> tuple[str, str]:
    """What goes to the terminal on stderr, and to stdout, which is a pipe."""
    master, slave = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", WORK.format(seconds=seconds)],
        stdout=subprocess.PIPE,
        stderr=slave,
        env={**os.environ, "TERM": "xterm", **env},
        text=True,
    )
    os.write(slave, b"end")
    line = ""
    while not line.endswith("end"):
        line += os.read(master, 10_000).decode()
    os.close(slave)
    os.close(master)
    return line, done.stdout


def test_what_takes_longer_than_a_second_says_what_it_does() -> None:
    line, out = run(1.9)
    assert "find layers \\x1b[31m … 1 s" in line and "\x1b[31m" not in line
    assert line.endswith("\r\x1b[Kend") and out == "done\n"


def test_what_is_quick_or_no_terminal_says_nothing() -> None:
    assert run(0.1) == ("end", "done\n")
    assert run(1.5, TERM="dumb") == ("end", "done\n")


def test_where_the_whole_is_known_it_says_how_far_and_how_long() -> None:
    notice = Notice()
    heard: list[tuple[str, float | None]] = []
    with listening(lambda work, share: heard.append((work, share))):
        assert list(announced([30, 10], "reading {}".format, float)) == [30, 10]
    assert heard == [("reading 30", 0.0), ("reading 10", 0.75)]
    notice.hear(*heard[0])
    begin = notice.counted_from
    assert begin is not None and notice.text(begin).startswith("reading 30 … 0 %, ")
    notice.hear(*heard[1])
    assert notice.text(begin + 9) == "reading 10 … 75 %, 9 s, about 3 s left"
    notice.hear("drawing", None)
    assert notice.text(begin + 9) == "drawing … 9 s"
