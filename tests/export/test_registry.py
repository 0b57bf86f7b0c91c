"""A new target is one file: here it is met by the command line, its options and its proof without anything else being touched."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf

from graphscope.analysis import analyse
from graphscope.cli import main
from graphscope.export import all_targets, targets

from .models import freeze_to, values

v1 = tf.compat.v1
ABACUS = '''
"""One product, written as NumPy's own file and computed by it: a target that only this test has."""

import numpy as np

from graphscope.export.frozen.body import value_of
from graphscope.export.proof.called import CalledRunner
from graphscope.export.proof.endpoints import Endpoints
from graphscope.export.report import Lack

NAME, SUMMARY, RUNTIME, EXTRA = "abacus", "one product", "NumPy", ""
NEEDS, IS_FOLDER, MARK = (), False, ".npy"
WISHES, QUANTIZE, ONE_SIGNATURE = frozenset({"quantize"}), ("float16",), True
KNOWN = {"Placeholder", "Const", "MatMul", "Identity"}


def unsupported(frozen):
    graph = frozen.graph
    return [Lack(graph.op(name), name) for name in graph if graph.op(name) not in KNOWN]


def write(frozen, place, options):
    (name,) = frozen.graph.by_op("Const")
    kernel = value_of(frozen.graph.node(name))
    with open(place, "wb") as file:
        np.save(file, kernel.astype(options.quantize or kernel.dtype))
    return ["counted by hand"]


def run(place, frozen, signature):
    kernel = np.load(place).astype("f")
    ends = Endpoints.of(frozen, frozen.signatures[signature])
    return CalledRunner(ends, str(place), RUNTIME, lambda feeds: {"y": feeds["x"] @ kernel})
'''


@pytest.fixture
def abacus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "abacus.py").write_text(ABACUS)
    monkeypatch.setattr(targets, "__path__", [*targets.__path__, str(folder)])
    all_targets.cache_clear()
    yield
    all_targets.cache_clear()


def _net(path: Path, function) -> Path:
    def build() -> None:
        x = v1.placeholder(tf.float32, [None, 40], name="x")
        tf.identity(function(x @ values(40, 30)), name="y")

    return freeze_to(path, build)


def test_a_new_target_is_one_file(abacus, tmp_path, monkeypatch, capsys) -> None:
    product = _net(tmp_path / "net.pb", tf.identity)
    report = analyse(product).export(tmp_path / "net.npy", "abacus")
    assert report.verified.passed and report.verified.max_rel < 1e-5
    assert report.verified.runtime == "NumPy" and report.remarks == ("counted by hand",)
    half = analyse(product).export(tmp_path / "half.npy", "abacus", quantize="float16")
    assert half.verified.passed and half.verified.max_rel > report.verified.max_rel

    def run(*line: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["graphscope", "export", *map(str, line)])
        try:
            main()
        except SystemExit as end:
            return int(end.code or 0), "".join(capsys.readouterr())
        return 0, "".join(capsys.readouterr())

    status, said = run(product, "--to", "abacus", "-o", tmp_path / "again.npy")
    assert status == 0 and "equal in NumPy" in said
    status, said = run(product, "--to", "abacus", "-o", tmp_path / "net.npy")
    assert status == 1 and "--force replaces it" in said
    steep = _net(tmp_path / "steep.pb", tf.tanh)
    status, said = run(steep, "--to", "abacus", "-o", tmp_path / "steep.npy")
    assert status == 1 and "NumPy has no Tanh" in said
    assert not (tmp_path / "steep.npy").exists()


def test_two_targets_of_one_name_are_an_error(abacus, tmp_path) -> None:
    (tmp_path / "more" / "twin.py").write_text(ABACUS)
    with pytest.raises(ValueError, match="two targets are called 'abacus'"):
        all_targets()
