"""The command line on real files: every command, its errors, its JSON, and no TensorFlow."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from graphscope.cli import cli, main
from graphscope.cli.options import parse_shape
from graphscope.cli.terminal import printable
from tests.conftest import CORPUS

FROZEN = "onnx+tensorflow-onnx/tests/models/fc-layers/frozen.pb"
CHECKPOINT = "WilsonCWu+open_spiel/save/checkpoint--1"
SAVED_MODEL = "spotify+basic-pitch/basic_pitch/saved_models/icassp_2022/nmp"


def corpus_rows() -> list[dict[str, str]]:
    if not (CORPUS / "INDEX.tsv").exists():
        return []
    with (CORPUS / "INDEX.tsv").open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def run(*words: object) -> Result:
    """The command in this process; an exception that is no clean exit fails the test."""
    result = CliRunner().invoke(
        cli, [str(word) for word in words], catch_exceptions=True
    )
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def run_main(
    capsys: pytest.CaptureFixture[str], *words: object
) -> tuple[int, str, str]:
    """The console script's main(), with its exit status, stdout and stderr."""
    before, sys.argv = sys.argv, ["graphscope", *map(str, words)]
    try:
        main()
        status = 0
    except SystemExit as stop:
        status = int(stop.code or 0)
    finally:
        sys.argv = before
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize("row", corpus_rows(), ids=lambda row: row["path"][-60:])
def test_inspect_says_something_true_of_each_corpus_file(
    row: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run_main(capsys, "inspect", CORPUS / row["path"], "--json")
    if row["kind"] == "other":
        assert status == 1 and len(err.strip().splitlines()) == 1
        return
    assert status == 0, err
    document = json.loads(out)
    assert document["format"]
    if row["kind"] in ("frozen_pb", "graphdef_pb", "graphdef_pbtxt", "metagraph"):
        assert document["nodes"] == int(row["nodes"])
    assert document["nodes"] or document["variables"]


def test_the_json_keys_that_others_rely_on(corpus: Path) -> None:
    path = corpus / CHECKPOINT
    keys = {"format", "producer", "nodes", "parameters", "bytes", "inputs", "outputs"}
    keys |= {"layers", "variables", "findings"}
    assert keys <= json.loads(run("inspect", path, "--json").stdout).keys()
    variables = json.loads(run("variables", path, "--json").stdout)["variables"]
    assert {"name", "dtype", "shape", "bytes", "role"} <= variables[0].keys()
    layers = json.loads(run("layers", path, "--json").stdout)
    assert {"layers", "unexplained"} <= layers.keys()
    keys = {"name", "type", "config", "weights", "inputs", "output", "output_shape"}
    assert keys | {"parameters", "members", "pattern"} <= layers["layers"][0].keys()
    outputs = json.loads(run("outputs", path, "--json").stdout)
    assert {"tensor", "dtype", "shape", "kind", "evidence"} <= outputs["inputs"][
        0
    ].keys()
    assert {"tensor", "dtype", "shape", "score", "evidence"} <= outputs["outputs"][
        0
    ].keys()
    findings = json.loads(run("doctor", path, "--json").stdout)["findings"]
    for finding in findings:
        assert {"id", "severity", "node", "message", "remedy"} <= finding.keys()


def test_freeze_and_verify(corpus: Path, tmp_path: Path) -> None:
    frozen = tmp_path / "frozen.pb"
    document = json.loads(
        run("freeze", corpus / CHECKPOINT, "-o", frozen, "--json").stdout
    )
    keys = {"path", "inputs", "outputs", "nodes", "constants", "bytes", "dropped"}
    assert keys <= document.keys()
    assert frozen.stat().st_size == document["bytes"]
    verified = run("verify", corpus / CHECKPOINT, frozen, "--json")
    assert verified.exit_code == 0, verified.output
    assert {"max_abs", "max_rel", "passed", "outputs"} <= json.loads(
        verified.stdout
    ).keys()


def test_keras_writes_a_model_and_the_proof(corpus: Path, tmp_path: Path) -> None:
    result = run("keras", corpus / FROZEN, "-o", tmp_path / "out", "--json")
    document = json.loads(result.stdout)
    assert {
        "path",
        "layers",
        "parameters",
        "unexplained",
        "verified",
    } <= document.keys()
    assert document["verified"]["passed"]
    record = json.loads((tmp_path / "out" / "verification.json").read_text())
    assert record["passed"] and record["max_rel"] < 1e-4


@pytest.mark.parametrize(
    "suffix", ["dot", "svg", "png", "html", "md", "csv", "json", "txt", "py"]
)
def test_render_by_suffix(suffix: str, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / f"model.{suffix}"
    assert run("render", corpus / FROZEN, "-o", out).exit_code == 0
    assert out.stat().st_size > 100


def test_explain_says_why_and_why_not(corpus: Path) -> None:
    layers = json.loads(run("layers", corpus / FROZEN, "--json").stdout)["layers"]
    dense = next(layer for layer in layers if layer["type"] == "Dense")
    node = dense["output"].split(":")[0]
    assert "Dense" in run("explain", corpus / FROZEN, "Dense", "--at", node).stdout
    refused = run("explain", corpus / FROZEN, "Conv2D", "--at", node).stdout
    assert "Conv2D" in refused and node in refused


@pytest.mark.parametrize(
    "words, said",
    [
        (["inspect", "{corpus}/nothing.pb"], "nothing.pb"),
        (
            ["freeze", f"{{corpus}}/{FROZEN}", "-o", "{tmp}/x.pb", "-O", "outputt"],
            "'output'",
        ),
        (["inspect", "{corpus}/INDEX.tsv"], "INDEX.tsv"),
        (["render", f"{{corpus}}/{FROZEN}", "-o", "{tmp}/x.xyz"], ".svg"),
        (["layers", "{tmp}"], "{tmp}"),
    ],
)
def test_a_request_at_fault_gets_one_line(
    words: list[str],
    said: str,
    corpus: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [word.format(corpus=corpus, tmp=tmp_path) for word in words]
    status, out, err = run_main(capsys, *words)
    assert status == 1 and not out
    assert len(err.strip().splitlines()) == 1 and said.format(tmp=tmp_path) in err
    assert not list(tmp_path.iterdir())


def test_bad_usage_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main(capsys, "inspect")[0] == 2
    assert run_main(capsys, "nonsense")[0] == 2
    assert run_main(capsys, "inspect", "x", "--shape", "x=abc")[0] == 2


def test_no_command_but_the_runners_loads_tensorflow(
    corpus: Path, tmp_path: Path
) -> None:
    code = """
import sys
from graphscope.cli import cli
corpus, tmp = sys.argv[1:]
checkpoint = corpus + "/%s"
for words in (
    ["inspect", checkpoint], ["variables", checkpoint], ["layers", checkpoint], ["outputs", checkpoint],
    ["doctor", checkpoint], ["render", checkpoint, "-o", tmp + "/x.svg"],
    ["freeze", checkpoint, "-o", tmp + "/x.pb"], ["keras", checkpoint, "-o", tmp + "/k", "--no-verify"],
):
    cli.main(words, standalone_mode=False)
    loaded = [m for m in ("tensorflow", "keras") if m in sys.modules]
    sys.exit(f"{words[0]} loaded {loaded}") if loaded else None
"""
    command = [sys.executable, "-c", code % CHECKPOINT, str(corpus), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_help_names_every_command() -> None:
    said = run("--help").stdout
    for name in (
        "inspect",
        "variables",
        "layers",
        "outputs",
        "doctor",
        "explain",
        "render",
        "freeze",
    ):
        assert name in said
    for name in cli.commands:
        assert run(name, "--help").exit_code == 0


def test_shapes_are_parsed() -> None:
    assert parse_shape("images=1,?,224,3") == ("images", (1, None, 224, 3))


def test_control_characters_are_spelled_out() -> None:
    assert "\x1b" not in printable("\x1b[2Jname\n")
    assert printable("name") == "name"


def test_check_finds_a_damaged_tensor(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = (corpus / CHECKPOINT).parent
    for path in folder.glob(Path(CHECKPOINT).name + ".*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    prefix = tmp_path / Path(CHECKPOINT).name
    assert run("variables", prefix, "--check").exit_code == 0
    shard = next(tmp_path.glob("*.data-*"))
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    assert run("variables", prefix).exit_code == 0
    status, _, err = run_main(capsys, "variables", prefix, "--check")
    assert status == 1 and len(err.strip().splitlines()) == 1 and "CRC32C" in err


def test_without_its_shard_a_checkpoint_lists_what_the_index_says(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = Path(CHECKPOINT).name
    index = (corpus / CHECKPOINT).parent / f"{name}.index"
    (tmp_path / index.name).write_bytes(index.read_bytes())
    listed = json.loads(run("variables", tmp_path / name, "--json").stdout)
    assert len(listed["variables"]) > 10
    found = json.loads(run("doctor", tmp_path / name, "--json").stdout)["findings"]
    assert "shard-missing" in {finding["id"] for finding in found}


def test_what_the_system_refuses_is_said_in_words(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    asked = ["keras", str(corpus / FROZEN), "-o", str(taken), "--no-verify"]
    status, _, err = run_main(capsys, *asked)
    assert status == 1 and taken.read_text() == "mine"
    assert err == f"graphscope: {taken}: File exists, and it is no folder\n"


def test_without_tensorflow_source_and_archive_are_written_all_the_same(
    corpus: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("graphscope.cli.can_run", lambda: False)
    asked = ["keras", str(corpus / FROZEN), "-o", str(tmp_path / "out")]
    status, out, err = run_main(capsys, *asked, "--single-file")
    assert (status, err) == (0, "")
    assert {each.name for each in (tmp_path / "out").iterdir()} == {
        "model.py",
        "model.keras",
    }
    assert out.count("not verified") == 1


def test_what_is_not_proven_has_an_exit_status_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0: compared and equal; 3: different; 4: the same whatever is fed, or not to be run."""
    tf = pytest.importorskip("tensorflow").compat.v1
    forms = {
        "steady": lambda x: tf.nn.relu(-tf.abs(x) - 1.0),
        "plain": lambda x: x * 2.0,
        "other": lambda x: x * 2.1,
        "python": lambda x: tf.reshape(
            tf.py_func(lambda v: v, [x], tf.float32), [-1, 4]
        ),
    }
    for name, form in forms.items():
        with tf.Graph().as_default() as graph:
            tf.identity(form(tf.placeholder(tf.float32, [None, 4], name="x")), "y")
        (tmp_path / name).write_bytes(graph.as_graph_def().SerializeToString())
    ends = {("plain", "plain"): 0, ("plain", "other"): 3, ("steady", "steady"): 4}
    for (a, b), status in {**ends, ("python", "python"): 4}.items():
        words = "verify", tmp_path / a, tmp_path / b
        assert run_main(capsys, *words)[0] == status, (a, b)


def test_a_label_is_not_frozen_and_a_name_that_is_nowhere_gets_the_ranking(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A one-node file was written, with exit 0; only the nearest spelling was named."""
    tf = pytest.importorskip("tensorflow").compat.v1
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        label = tf.placeholder(tf.float32, [None, 1], name="output")
        y = tf.matmul(x, tf.ones([3, 1]), name="dense/MatMul")
        tf.reduce_mean(tf.square(y - label))
    path, out = tmp_path / "m.pb", tmp_path / "frozen.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    freeze = "freeze", path, "-o", out, "--output"
    status, _, err = run_main(capsys, *freeze, "output")
    assert status == 1 and not out.exists() and "--force" in err
    status, _, err = run_main(capsys, *freeze, "y1")
    assert status == 1 and "likely outputs" in err and "Python variable" in err
    assert run_main(capsys, *freeze, "output", "--force")[0] == 0 and out.exists()
