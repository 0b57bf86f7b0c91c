"""The guide: it builds without a warning, and what it says of commands, keys and models is so."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from graphscope.cli import cli
from graphscope.cli.demo import chain
from tests.conftest import CORPUS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def tool(name: str) -> ModuleType:
    """A module of ``tools/``, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


commands = tool("commands")
KEYS = commands.keys_by_document((DOCS / "json_keys.txt").read_text())

# What is run to see the keys of each document: the demo's files stand in the working directory.
RUNS = {
    "inspect": ("inspect model.ckpt-400", "inspect bare/model.ckpt-400"),
    "variables": ("variables model.ckpt-400 --stats", "variables frozen.pb"),
    "variables --over-time": ("variables over --over-time",),
    "layers": ("layers model.ckpt-400",),
    "layers --stop-after": ("layers model.ckpt-400 --stop-after find_layers",),
    "outputs": ("outputs model.ckpt-400", "outputs frozen.pb"),
    "doctor": ("doctor model.ckpt-400",),
    "diff": ("diff model.ckpt-400 frozen.pb", "diff frozen.pb frozen.pb"),
    "freeze": ("freeze model.ckpt-400 -o half.pb --half",),
    "keras": ("keras model.ckpt-400 -o keras --no-verify",),
    "verify": ("verify model.ckpt-400 frozen.pb",),
    "export": ("export frozen.pb --to savedmodel -o saved",),
    "assign": ("assign bare/model.ckpt-400 model.ckpt-400.meta",),
    "survey": ("survey bare -o catalogue",),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's checkpoint, what is frozen of it, and its weights alone."""
    demo = tmp_path_factory.mktemp("guide") / "demo"
    (demo / "bare").mkdir(parents=True)
    chain.train_elsewhere(demo)
    for part in demo.glob("model.ckpt-400.*"):
        if part.suffix != ".meta":
            (demo / "bare" / part.name).write_bytes(part.read_bytes())
    (demo / "over").mkdir()
    for step in (400, 500):
        for part in demo.glob("model.ckpt-400.*"):
            name = part.name.replace("400", str(step))
            (demo / "over" / name).write_bytes(part.read_bytes())
    frozen = ["freeze", str(demo / "model.ckpt-400"), "-o", str(demo / "frozen.pb")]
    assert CliRunner().invoke(cli, frozen).exit_code == 0
    return demo


def test_every_command_with_json_has_its_keys() -> None:
    with_json = {
        name
        for name, command in cli.commands.items()
        if any("--json" in each.opts for each in command.params)
    }
    assert (
        with_json
        == {title.split()[0] for title in KEYS}
        == {r.split()[0] for r in RUNS}
    )


@pytest.mark.parametrize("title", RUNS)
def test_the_keys_are_those_that_are_printed(
    title: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    unknown, seen = [], set()
    for run in RUNS[title]:
        result = CliRunner().invoke(cli, [*run.split(), "--json", *_force(run)])
        assert result.exit_code in (0, 3), result.output
        for path, kind in commands.paths_of(json.loads(result.stdout)):
            key = next((k for k in KEYS[title] if commands.is_named(path, k)), None)
            if key is None or not key.types & {kind, "any"} | _integral(key, kind):
                unknown.append(f"{'.'.join(path)}: {kind}")
            seen.add(key)
    assert not sorted(set(unknown)), f"docs/json_keys.txt, [{title}]"
    top = {key for key in KEYS[title] if len(key.path) == 1}
    assert top <= seen, f"documented, but not printed: {top - seen}"


def _force(run: str) -> list[str]:
    return ["--force"] if " -o " in run and not run.startswith("survey") else []


def _integral(key: object, kind: str) -> set[str]:
    """A number may be a whole one; what is below an argument of any kind is not described."""
    return key.types & {"number"} if kind == "integer" else set()


def test_the_page_of_commands_has_every_option() -> None:
    page = commands.page()
    for name, command in cli.commands.items():
        for each in command.params:
            for option in each.opts if each.param_type_name == "option" else ():
                assert option in page, f"{name} {option}"


def test_the_guide_builds_without_a_warning(tmp_path: Path) -> None:
    for module in ("sphinx", "myst_nb"):
        pytest.importorskip(module)
    sphinx = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    built = subprocess.run(
        [*sphinx, str(DOCS), str(tmp_path)], capture_output=True, text=True, cwd=ROOT
    )
    assert built.returncode == 0, built.stderr
    page = (tmp_path / "commands.html").read_text()
    assert "--fail-on" in page and "layers.[].members" in page
    assert "Traceback" not in page


def test_the_gallery_shows_what_is_recovered() -> None:
    figures = tool("figures")
    if not (CORPUS / "INDEX.tsv").exists():
        pytest.skip("no published models here")
    from graphscope.analysis import analyse

    for shown in figures.SHOWN[:6]:
        stored = (DOCS / "gallery" / f"{shown.name}.py.txt").read_text()
        assert (
            figures.source_of(analyse(CORPUS / shown.source)) == stored
        ), f"{shown.name}: python tools/figures.py DEMO CORPUS writes the gallery anew"
