"""Runs the same task with several tools, each in a fresh process; prints time, peak memory and ratios in one table."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import NamedTuple

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}


class Cost(NamedTuple):
    """Of one process, start to end: seconds, peak resident MB, what it printed last."""

    seconds: float
    megabytes: float
    said: str


def environment() -> dict[str, str]:
    """That of a user: quiet, and modules are compiled once, as pip does it (where bytecode is forbidden every start compiles them all)."""
    own = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return own | QUIET


def run(code: str, *arguments: str, python: str = sys.executable) -> Cost:
    """The cost of a Python program in a process of its own; raises RuntimeError where it fails."""
    started = time.perf_counter()
    child = subprocess.Popen(
        [python, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(),
    )
    said = child.stdout.read() if child.stdout else ""
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise RuntimeError(f"{arguments}: the program failed (status {status})")
    lines = said.strip().splitlines() or [""]
    return Cost(time.perf_counter() - started, usage.ru_maxrss / 1024, lines[-1])


def compare(title: str, programs: dict[str, str], *arguments: str) -> None:
    """Run each program once to warm the disk cache and once to measure; the last is what the others are held to."""
    costs = {}
    for name, code in programs.items():
        run(code, *arguments)
        costs[name] = run(code, *arguments)
    print(f"\n{title}")
    last = list(costs.values())[-1]
    for name, cost in costs.items():
        print(
            f"  {name:12} {cost.seconds:7.2f} s {cost.megabytes:8.0f} MB   {cost.said:28}"
            f"{last.seconds / cost.seconds:6.1f} x faster {last.megabytes / cost.megabytes:6.1f} x smaller"
        )
