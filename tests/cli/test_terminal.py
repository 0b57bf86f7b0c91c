"""How the command line behaves at a terminal and in scripts: colour, wrapping, several models, standard input, errors."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from graphscope.cli import cli
from graphscope.cli.group import Ordered
from graphscope.cli.text.show import wrapped
from tests.cli.test_cli import run, run_main
from tests.export.models import save_checkpoint
from tests.test_api import classifier

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture()
def model(tmp_path: Path) -> Path:
    return classifier(tmp_path / "model.pb")


def on_terminal(*words: object, columns: int = 80, **env: str) -> str:
    """What a terminal of so many columns shows of stdout; the notice on stderr comes and goes by the clock."""
    master, slave = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    inherited = {k: v for k, v in os.environ.items() if k not in ("COLUMNS",)}
    command = [sys.executable, "-m", "graphscope", *map(str, words)]
    process = subprocess.Popen(
        command,
        stdout=slave,
        stderr=subprocess.DEVNULL,
        env={**inherited, "TERM": "xterm", **env},
    )
    os.close(slave)
    text = b""
    while True:
        try:
            chunk = os.read(master, 1 << 16)
        except OSError:
            break
        if not chunk:
            break
        text += chunk
    process.wait()
    os.close(master)
    return text.decode().replace("\r\n", "\n")


def test_colour_on_a_terminal_only(model: Path) -> None:
    shown = on_terminal("inspect", model)
    assert "\x1b[1mInputs\x1b[0m" in shown
    plain = on_terminal("inspect", model, NO_COLOR="1")
    assert "\x1b[" not in plain and ESCAPE.sub("", shown) == plain
    assert "\x1b[" not in on_terminal("inspect", model, TERM="dumb")
    piped = [sys.executable, "-m", "graphscope", "inspect", str(model)]
    for env, is_coloured in (({}, False), ({"FORCE_COLOR": "1"}, True)):
        environment = {k: v for k, v in os.environ.items() if k != "FORCE_COLOR"}
        done = subprocess.run(piped, env={**environment, **env}, capture_output=True)
        assert (b"\x1b[" in done.stdout) == is_coloured
        assert ESCAPE.sub("", done.stdout.decode()).split() == plain.split()


def test_a_file_steers_no_terminal(tmp_path: Path) -> None:
    """Neither by control characters nor by what rich takes for markup."""
    source = classifier(tmp_path / "model.pb").read_bytes()
    path = tmp_path / "hostile.pb"
    path.write_bytes(
        source.replace(b"images", b"[red]a").replace(b"probs", b"p\x1b[2J")
    )
    shown = on_terminal("inspect", path)
    assert "\x1b[2J" not in shown and "[red]a:0" in ESCAPE.sub("", shown)


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_nothing_is_wider_than_the_terminal(columns: int, corpus: Path) -> None:
    """But commands and paths, which are to be copied."""
    path = corpus / "onnx+tensorflow-onnx/tests/models/fc-layers/frozen.pb"
    for name in ("inspect", "layers", "outputs", "variables", "doctor"):
        shown = on_terminal(name, path, columns=columns, NO_COLOR="1")
        long = [line for line in shown.splitlines() if len(line) > columns]
        assert all("graphscope" in line or str(path) in line for line in long), long


def test_wrapped_lines_hang_and_lose_nothing() -> None:
    text = "  note: " + "word " * 40 + "\n    $ graphscope freeze " + "x" * 90
    lines = wrapped(text, 50).splitlines()
    assert lines[1].startswith("    word") and lines[-1].endswith("x" * 90)
    assert max(map(len, lines[:-1])) <= 50
    assert " ".join(lines).split() == text.split()


def test_a_command_that_is_printed_does_not_overwrite_the_model(tmp_path: Path) -> None:
    path = classifier(tmp_path / "frozen.pb")
    text = run("outputs", path).stdout
    assert f"freeze {path} -o frozen_2.pb" in text and "-o frozen.pb" not in text


def test_why_there_are_no_outputs_is_told(corpus: Path) -> None:
    index = next(corpus.rglob("*approximate_plane*/cp.ckpt.index"))
    assert "inferred from the names" in run("outputs", index).stdout


def test_several_models_and_globs(model: Path, tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    classifier(tmp_path / "other.pb", seed=1)
    (tmp_path / "broken.pb").write_text("nothing")
    text = run("variables", model, tmp_path / "other.pb").stdout
    assert text.count("==> ") == 2 and text.count("4 variables") == 2
    lines = run("inspect", tmp_path / "[mo]*.pb", "--json").stdout.splitlines()
    documents = [json.loads(line) for line in lines]
    assert [Path(each["file"]).name for each in documents] == ["model.pb", "other.pb"]
    assert all(each["parameters"] == 67 for each in documents)
    status, out, err = run_main(capsys, "doctor", tmp_path / "*.pb", "--json")
    broken, *rest = map(json.loads, out.splitlines())
    assert status == 1 and len(rest) == 2 and "broken.pb" in err
    assert broken["file"].endswith("broken.pb") and broken["kind"] == "UnknownFormat"
    status, out, err = run_main(capsys, "inspect", tmp_path / "*.nosuch")
    assert status == 1 and "no file matches" in err
    whole = json.loads(run("inspect", model, "--json").stdout)
    assert "file" not in whole  # one model is one document, as it ever was


def test_who_reads_no_further_ends_a_run_over_several(model: Path) -> None:
    """``graphscope inspect a b c | head -1``: no complaint for each of the rest."""
    command = [sys.executable, "-m", "graphscope", "inspect", *[str(model)] * 2]
    copy = model.with_name("copy.pb")
    copy.write_bytes(model.read_bytes())
    process = subprocess.Popen(
        [*command, str(copy)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    if process.stdout is not None:
        process.stdout.readline()
        process.stdout.close()
    _, complaint = process.communicate()
    assert (process.returncode, complaint) == (1, b"")


def test_the_files_of_a_checkpoint_are_one_model(corpus: Path) -> None:
    folder = corpus / "WilsonCWu+open_spiel/save"
    lines = run("variables", folder / "checkpoint--1.*", "--json").stdout
    assert len(json.loads(lines)["variables"]) > 5  # one document, one model


def test_standard_input(model: Path, tmp_path: Path) -> None:
    data, other = model.read_bytes(), str(classifier(tmp_path / "b.pb", seed=1))
    words = {
        ("inspect", "-"): "67 parameters",
        ("layers", "-"): "Dense",
        ("variables", "-"): "hidden/weights",
        ("outputs", "-"): "graphscope freeze - -o",
        ("doctor", "-"): "nothing to object",
        ("explain", "-", "--output", "probs"): "probs: prediction",
        ("freeze", "-", "-o", str(tmp_path / "f.pb")): "wrote",
        ("diff", "-", other): "67 parameters",
    }
    for command, expected in words.items():
        result = CliRunner().invoke(cli, command, input=data)
        assert expected in result.stdout, (command, result.output)
        assert result.exit_code == (3 if command[0] == "diff" else 0)
    result = CliRunner().invoke(cli, ["inspect", "-"], input=b"")
    assert "standard input is empty" in str(result.exception)


def test_errors_are_json_under_json(model: Path, tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    cases = {
        ("inspect", tmp_path / "nosuch.pb"): ("FormatError", 1, "nosuch.pb"),
        ("layers", model, "--output", "nosuch"): ("GraphError", 1, "model.pb"),
        ("layers", model, "--shape", "images=a"): ("BadParameter", 2, ""),
        ("freeze", model): ("MissingParameter", 2, ""),
        ("diff", model, tmp_path / "nosuch.pb"): ("FormatError", 1, "nosuch.pb"),
    }
    for words, (kind, status, file) in cases.items():
        ended, out, err = run_main(capsys, *words, "--json")
        document = json.loads(out)
        assert set(document) == {"error", "kind", "file", "status"}, words
        assert ended == status == document["status"], words
        assert (document["kind"], Path(document["file"]).name) == (kind, file), words
        assert document["error"].split()[0] in err


def test_quiet_and_verbose(model: Path, tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "m.csv"
    assert "wrote" in run_main(capsys, "render", model, "-o", out)[2]
    assert run_main(capsys, "render", model, "-o", out, "-q") == (0, "", "")
    assert run_main(capsys, "-q", "render", model, "-o", out) == (0, "", "")
    err = run_main(capsys, "layers", model, "-v")[2]
    assert "find layers" in err and " ms  " in err
    assert "find layers" in run_main(capsys, "-v", "layers", model)[2]
    assert not run_main(capsys, "layers", model)[2]  # the handler is gone
    status, _, err = run_main(capsys, "-q", "layers", tmp_path / "nosuch")
    assert status == 1 and err.startswith("graphscope: ")


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        (["layers", "M", "--shape", "nosuch=1,2"], ["no node 'nosuch'"]),
        (["variables", "M", "--shape", "image=1,2"], ["no node 'image'", "'images'"]),
        (["variables", "M", "--input", "nosuch"], ["no node 'nosuch'"]),
        (["doctor", "M", "--output", "nosuch"], ["no node 'nosuch'", "likely outputs"]),
        (["freeze", "M", "-o", "T/x.pb", "--output", "out.pb"], ["-o/--out"]),
        (["freeze", "M", "-o", "probs"], ["--output probs"]),
        (["freeze", "M", "-o", "T/x.pb", "--rename", "nosuch=b"], ["'nosuch'"]),
        (["explain", "M", "Dense", "--at", "nosuch"], ["no node 'nosuch'"]),
        (["explain", "M", "Densee", "--at", "probs"], ["Densee", "Dense"]),
        (["explain", "M", "--output", "nosuch"], ["nosuch"]),
        (["layers", "M", "--sort", "nosuch"], ["no column 'nosuch'"]),
        (["layers", "M", "--stop-after", "nosuch"], ["nosuch"]),
        (["layers", "M", "--level", "nosuch"], ["'op', 'layer', 'block'"]),
        (["export", "M", "--to", "nosuch", "-o", "T/x"], ["nosuch", "tflite"]),
        (["inspect", "M", "--checkpoint", "nosuch"], ["nosuch"]),
        (["inspect", "M", "--graph", "nosuch"], ["nosuch"]),
        (["inspect", "M", "-o", "x"], ["No such option"]),
    ],
)
def test_what_names_something_unknown_is_refused_in_one_line(
    words: list[str], answers: list[str], model: Path, tmp_path: Path, capsys
) -> None:  # type: ignore[no-untyped-def]
    words = [w.replace("T/", f"{tmp_path}/").replace("M", str(model)) for w in words]
    before = sorted(tmp_path.iterdir())
    status, out, err = run_main(capsys, *words)
    assert status in (1, 2) and not out, (status, out, err)
    (line,) = [x for x in err.splitlines() if x and not x.startswith(("Usage", "Try"))]
    assert all(answer in line for answer in answers), line
    assert sorted(tmp_path.iterdir()) == before


def test_output_is_a_node_and_out_a_file_everywhere() -> None:
    for name, command in cli.commands.items():
        for param in command.params:
            names = set(param.opts)
            if "-o" in names or "--out" in names:
                assert {"-o", "--out"} <= names and "--output" not in names, name
            if "--output" in names:
                assert param.metavar in ("NAME", "TENSOR"), name


def test_help_is_whole() -> None:
    assert isinstance(cli, Ordered) and "..." not in run("--help").stdout[50:]
    for name, command in cli.commands.items():
        text = run(name, "--help").stdout
        assert "..." not in text.replace("MODEL...", ""), name
        assert max(map(len, text.splitlines())) <= 80
        for param in command.params:
            if param.param_type_name == "option":
                assert getattr(param, "help", None), f"{name} {param.opts}: no help"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_completes_paths(shell: str, tmp_path: Path) -> None:
    script = run("completion", shell).stdout
    assert "_GRAPHSCOPE_COMPLETE" in script
    code = "from graphscope.cli import main; main()"
    for words, expected in {
        "graphscope insp": "inspect",
        "graphscope inspect mod": "file",
        "graphscope freeze m.pb -o mod": "file",
        "graphscope layers m.pb --lev": "--level",
    }.items():
        env = {"_GRAPHSCOPE_COMPLETE": f"{shell}_complete", "COMP_WORDS": words}
        env["COMP_CWORD"] = str(len(words.split()) - 1)
        env["COMP_CWORD"] = words.split()[-1] if shell == "fish" else env["COMP_CWORD"]
        command = [
            sys.executable,
            "-c",
            f"import sys; sys.argv[0]='graphscope'; {code}",
        ]
        done = subprocess.run(
            command, env={**os.environ, **env}, capture_output=True, text=True
        )
        assert expected in done.stdout, (words, done.stdout, done.stderr)


@pytest.mark.parametrize("command", ["freeze", "keras", "render"])
def test_an_output_file_given_as_a_node_is_answered(model: Path, command: str) -> None:
    """``--output`` is a node everywhere: who writes a file's name there is told which option was meant."""
    result = CliRunner().invoke(cli, [command, str(model), "--output", "small.pb"])
    assert result.exit_code == 2 and "-o small.pb writes there" in result.output
    bare = CliRunner().invoke(cli, [command, str(model)])
    assert bare.exit_code == 2 and "Missing option '-o'" in bare.output


@pytest.mark.parametrize(
    "words, spared",
    [
        ("variables", "networkx google.protobuf.descriptor_pb2 graphscope.render.dot"),
        (
            "inspect",
            "networkx graphscope.infer.recurrence.settle graphscope.render.dot",
        ),
        ("render -o graph.dot", "networkx graphscope.render.keras"),
    ],
)
def test_a_command_loads_what_it_needs(
    words: str, spared: str, model: Path, tmp_path: Path
) -> None:
    """The start is most of what a small model takes."""
    command, *options = words.split()
    check_spared([command, str(model), *options], spared, tmp_path)


def test_the_variables_of_a_checkpoint_are_listed_without_roles_of_nodes(
    tmp_path: Path,
) -> None:
    spared = "graphscope.infer.training.roles graphscope.freeze.variables.states"
    check_spared(["variables", str(save_checkpoint(tmp_path))], spared, tmp_path)


def check_spared(words: list[str], spared: str, folder: Path) -> None:
    code = (
        "import sys\nfrom graphscope.cli import main\nsys.argv[0] = 'graphscope'\nmain()\n"
        f"print('loaded', *set({spared.split()}) & set(sys.modules))"
    )
    line = [sys.executable, "-c", code, *words]
    done = subprocess.run(line, capture_output=True, text=True, cwd=folder)
    assert done.stdout.splitlines()[-1] == "loaded", done


def test_a_frozen_file_is_not_called_too_large(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Weights of more than 2 GiB fit as halves, and what does not fit is refused before it is written."""
    from graphscope.analysis import documents
    from graphscope.cli import arguments

    errors = [
        {"id": id, "severity": "error", "message": id, "remedy": "", "nodes": []}
        for id in ("over-2-gib", "broken-loop")
    ]
    monkeypatch.setattr(documents, "describe_errors", lambda analysis: errors)
    arguments.warn_of(None)  # type: ignore[arg-type]
    told = capsys.readouterr().err
    assert "broken-loop" in told and "over-2-gib" not in told
