"""Work in a process of its own: its answer, its refusal, its end. Each in a fresh Python, where TensorFlow is not loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

ASK = """
import os, sys
from graphscope.errors import NotRunnable, UnsafeModel
from graphscope.verify.apart import apart

def work():
    {work}

try:
    print("answer", apart(work))
except NotRunnable as error:
    print("not runnable:", error)
except UnsafeModel as error:
    print("unsafe:", error)
"""


@pytest.mark.parametrize(
    "work, printed",
    [
        ("return {'a': 1}", "answer {'a': 1}"),
        ("raise UnsafeModel('it writes files')", "unsafe: it writes files"),
        (
            "os.abort()",
            "not runnable: TensorFlow's process ended without an answer (SIGABRT)",
        ),
        (
            "os.kill(os.getpid(), 9)",
            "not runnable: TensorFlow's process ended without an answer (SIGKILL, most likely for want of memory)",
        ),
    ],
)
def test_each_end_is_told(work: str, printed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK.replace("{work}", work)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == printed, done.stderr
    assert done.returncode == 0


def test_what_should_not_happen_is_told_with_its_traceback() -> None:
    code = ASK.replace("{work}", "return {}['missing']")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert "KeyError: 'missing'" in done.stderr
    assert done.stdout.startswith("not runnable: TensorFlow's process ended")


def test_a_terminal_sees_no_abort(tmp_path) -> None:
    """The work runs in another process, and what was printed before is printed once."""
    code = """
import os
from graphscope.verify.apart import apart
print("before", end=" ")
print(apart(os.getpid) != os.getpid())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "before True\n"
