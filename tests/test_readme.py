"""README's examples print what README says they print."""

from __future__ import annotations

import doctest
import importlib.util
import os
import re
import sys
from pathlib import Path

import pytest

from graphscope.cli.demo import chain
from tests.conftest import CORPUS

ROOT = Path(__file__).parent.parent
SPEC = importlib.util.spec_from_file_location("readme", ROOT / "tools" / "readme.py")
readme = importlib.util.module_from_spec(SPEC)
sys.modules["readme"] = readme  # dataclasses look their module up
SPEC.loader.exec_module(readme)
MODULES = ROOT / "tests" / "node_modules"
TEXT = (ROOT / "README.rst").read_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds a freshly trained model.ckpt-400."""
    made = tmp_path_factory.mktemp("readme") / "demo"  # it names the model
    made.mkdir()
    chain.train_elsewhere(made)
    if (CORPUS / "INDEX.tsv").exists():
        (made / "corpus").symlink_to(CORPUS)
    return made


def without_digits(text: str) -> str:
    """The text with what differs from machine to machine as one mark: training rounds differently,
    and so does what two runs differ by, and at which batch size they differ most."""
    text = re.sub(
        r"float32 \(\d+, (.*?)\)  differ by .*", r"float32 (#, \1)  differ by #", text
    )
    text = re.sub(r"largest difference .*", "largest difference #", text)
    text = re.sub(r"\d+\.\d+(e[-+]?\d+)?", "#", text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def test_the_commands_print_what_readme_shows(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPHSCOPE_NODE_MODULES", str(MODULES))
    examples = readme.commands(TEXT)
    assert len(examples) >= 7
    for example in examples:
        if "--to tfjs" in example.source and not (MODULES / "@tensorflow").is_dir():
            continue  # no Node, or no packages: there its last line differs
        if readme.needs_corpus(example.source) and not (folder / "corpus").exists():
            continue
        printed = without_digits(readme.run(example.source, folder))
        expected = without_digits("\n".join(example.expected))
        same = doctest.OutputChecker().check_output(
            expected + "\n",
            printed + "\n",
            doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE,
        )
        assert same or expected == printed, f"$ {example.source}\n{printed}"


def test_the_python_examples_hold(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = [each.source for each in readme.commands(TEXT)]
    for command in commands:
        out = folder / command.split()[-1]
        if readme.needs_corpus(command):
            continue
        if "-o" in command.split() and not out.exists() and "--to tfjs" not in command:
            written = f"{command} --no-verify" if " export " in command else command
            readme.run(written, folder)
    monkeypatch.chdir(folder)
    runner = doctest.DocTestRunner(
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    )
    scope: dict[str, object] = {}
    for line, body in readme.blocks(TEXT, "python"):
        test = doctest.DocTestParser().get_doctest(
            "\n".join(body) + "\n", scope, "README", None, line
        )
        assert test.examples
        runner.run(test, clear_globs=False)
        scope = test.globs
    assert runner.summarize(verbose=False).failed == 0


def test_the_two_commands_are_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for block in readme.blocks(TEXT, "sh"):
        for line in block[1]:
            target = line.split("#")[0].split()[1]
            assert f"\n{target}:" in makefile


def test_ci_runs_the_test_command() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
