"""Work in a process of its own: its answer, its refusal, its end. Each in a fresh Python, where TensorFlow is not loaded."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ASK = """
import os, sys
from graphscope.errors import NotRunnable, UnsafeModel
from graphscope.verify.run.child_process import apart

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
        (  # as tblib makes it: an exception takes along what nothing can pickle
            "import copyreg, threading; copyreg.pickle(UnsafeModel, lambda e: (UnsafeModel, (threading.Lock(),)))\n"
            "    raise UnsafeModel('it writes files')",
            "unsafe: it writes files",
        ),
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
from graphscope.verify.run.child_process import apart
print("before", end=" ")
print(apart(os.getpid) != os.getpid())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "before True\n"


NETWORK = """
    import socket
    try:
        socket.create_connection(("127.0.0.1", {port}), 2).close()
    except OSError as error:
        return "unreachable"
    return "reached"
"""


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")
def test_the_network_is_out_of_reach() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        work = NETWORK.format(port=server.getsockname()[1]).strip()
        done = subprocess.run(
            [sys.executable, "-c", ASK.replace("{work}", work)],
            capture_output=True,
            text=True,
            check=False,
        )
    if not namespaces():
        pytest.skip("this system lets nobody leave the network")
    assert done.stdout == "answer unreachable\n", done.stderr


def namespaces() -> bool:
    code = "import sys; from graphscope.verify.run.limits import _leave_network as f; sys.exit(not f())"
    return not subprocess.run([sys.executable, "-c", code], check=False).returncode


def test_limits_on_time_memory_and_files() -> None:
    work = "import resource as r; return [r.getrlimit(k)[0] for k in (r.RLIMIT_CPU, r.RLIMIT_DATA, r.RLIMIT_FSIZE)]"
    done = subprocess.run(
        [sys.executable, "-c", ASK.replace("{work}", work)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("answer [") and "-1" not in done.stdout


def test_what_is_written_in_passing_is_reported_and_removed(tmp_path) -> None:
    from graphscope.verify.run.limits import scratch_folder

    remarks: list[str] = []
    home = os.getcwd()
    with scratch_folder(remarks, "m.pb"):
        folder = Path.cwd()
        (folder / "left.txt").write_text("x")
    assert os.getcwd() == home and not folder.exists()
    assert "m.pb" in remarks[0] and "left.txt" in remarks[0]
