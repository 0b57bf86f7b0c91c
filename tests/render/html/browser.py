"""Headless Chromium, told what to do line by line (browser.cjs)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.export.chromium import MODULES, needs_chromium

__all__ = ["Browser", "browser", "needs_chromium"]


class Browser:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def ask(self, **request: Any) -> Any:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        reply = json.loads(self.process.stdout.readline())
        assert "error" not in reply, (request, reply)
        return reply["value"]

    def open(self, path: Path, **how: Any) -> float:
        """Show a page; returns the milliseconds until its first picture was drawn."""
        return self.ask(open=str(path), **how)

    def js(self, code: str) -> Any:
        return self.ask(eval=code)

    def assert_quiet(self) -> None:
        """Nothing on the console, and the only request was the page."""
        noise = self.ask(noise=True)
        assert not noise["console"] and len(noise["requests"]) == 1, noise


@contextmanager
def browser() -> Iterator[Browser]:
    line = ["node", str(Path(__file__).with_name("browser.cjs")), str(MODULES)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(line, text=True, **pipes) as process:
        yield Browser(process)
        assert process.stdin
        process.stdin.close()
