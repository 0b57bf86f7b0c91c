"""The examples of README and of the guide print what the page says they print."""

from __future__ import annotations

import doctest
import importlib.util
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from graphscope.cli.demo import chain
from tests.conftest import CORPUS

ROOT = Path(__file__).parent.parent
SPEC = importlib.util.spec_from_file_location("readme", ROOT / "tools" / "readme.py")
readme = importlib.util.module_from_spec(SPEC)
sys.modules["readme"] = readme  # dataclasses look their module up
SPEC.loader.exec_module(readme)
MODULES = ROOT / "tests" / "node_modules"
PAGES = [page for page in readme.PAGES if readme.steps(page.read_text())]
TOLERANT = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds a freshly trained model.ckpt-400, and what is frozen of it."""
    demo = tmp_path_factory.mktemp("readme") / "demo"  # it names the model
    demo.mkdir()
    chain.train_elsewhere(demo)
    readme.run("graphscope freeze model.ckpt-400 -o frozen.pb", demo)
    if (CORPUS / "INDEX.tsv").exists():
        (demo / "corpus").symlink_to(CORPUS)
    return demo


def without_digits(text: str) -> str:
    """The text with what differs from machine to machine as one mark: training rounds differently,
    and so does what two runs differ by, and at which batch size they differ most."""
    text = re.sub(
        r"float32 \(\d+, (.*?)\)  differ by .*", r"float32 (#, \1)  differ by #", text
    )
    text = re.sub(r"largest difference .*", "largest difference #", text)
    text = re.sub(r"\d+\.\d+(e[-+]?\d+)?", "#", text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


@pytest.fixture(scope="module")
def printed() -> dict[str, str]:
    """What the commands of earlier pages printed: one that stands on two pages is run once."""
    return {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_page_prints_what_it_shows(
    page: Path, folder: Path, printed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command and each Python example, from the top of the page to its end."""
    monkeypatch.setenv("GRAPHSCOPE_NODE_MODULES", str(MODULES))
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    scope: dict[str, object] = {}
    wrong = []
    for step in readme.steps(page.read_text()):
        if isinstance(step, readme.Example):
            wrong += differences(step, folder, printed)
        else:
            wrong += python_failures(*step, scope)
    assert not wrong, "\n".join(wrong)


def differences(example: Any, folder: Path, printed: dict[str, str]) -> list[str]:
    """What a command prints where it is not what the page shows."""
    command = example.source
    if "--to tfjs" in command and not (MODULES / "@tensorflow").is_dir():
        return []  # no Node, or no packages: there its last line differs
    if readme.needs_corpus(command) and not (folder / "corpus").exists():
        return []
    if command not in printed:
        printed[command] = readme.run(command, folder)
    got = without_digits(printed[command])
    expected = without_digits("\n".join(example.expected))
    checker = doctest.OutputChecker()
    same = checker.check_output(expected + "\n", got + "\n", TOLERANT)
    return [] if same or expected == got else [f"$ {command}\n{got}"]


def python_failures(line: int, text: str, scope: dict[str, object]) -> list[str]:
    """What a block of Python examples prints where it is not what the page shows; names live on in ``scope``."""
    runner = doctest.DocTestRunner(optionflags=TOLERANT, verbose=False)
    test = doctest.DocTestParser().get_doctest(text + "\n", scope, "page", None, line)
    assert test.examples
    report: list[str] = []
    runner.run(test, out=report.append, clear_globs=False)
    scope.update(test.globs)
    return report


def test_the_two_commands_are_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for block in readme.blocks(readme.README.read_text(), "sh"):
        for line in block[1]:
            target = line.split("#")[0].split()[1]
            assert f"\n{target}:" in makefile


def test_ci_runs_the_test_command() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
