"""The line that says what is being done: on a terminal, after a second, and gone afterwards."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys

from graphscope.analysis.progress import announced, listening
from graphscope.cli.text.progress import Notice

WORK = """
import sys
from graphscope.analysis.progress import announce
from graphscope.cli.text import progress
progress.PATIENCE = {patience}
with progress.noticing():
    announce("find layers \\x1b[31m")
    sys.stdin.readline() if {waits} else __import__("time").sleep(0.1)
    progress.end_notice()
    print("done")
"""


def run(patience: float, line_at: str = "", **env: str) -> tuple[str, str]:
    """What goes to the terminal on stderr, and to stdout, which is a pipe; the work ends once ``line_at`` stands there,
    however loaded the machine is."""
    master, slave = pty.openpty()
    work = WORK.format(patience=patience, waits=bool(line_at))
    line = ""
    with subprocess.Popen(
        [sys.executable, "-c", work],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=slave,
        env={**os.environ, "TERM": "xterm", **env},
        text=True,
    ) as child:
        while line_at and child.poll() is None and not re.search(line_at, line):
            if select.select([master], [], [], 1)[0]:
                line += os.read(master, 10_000).decode()
        out, _ = child.communicate("\n")
    os.write(slave, b"end")
    while not line.endswith("end"):
        line += os.read(master, 10_000).decode()
    os.close(slave)
    os.close(master)
    return line, out


def test_what_takes_longer_than_a_second_says_what_it_does() -> None:
    text = r"find layers \\x1b\[31m … [1-9]\d* s"
    line, out = run(1.0, text)
    assert re.search(text, line) and "\x1b[31m" not in line
    assert line.endswith("\r\x1b[Kend") and out == "done\n"


def test_what_is_quick_or_no_terminal_says_nothing() -> None:
    assert run(60.0) == ("end", "done\n")
    assert run(0.01, TERM="dumb") == ("end", "done\n")


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
