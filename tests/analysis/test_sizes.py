"""One number for one thing: inspect, layers, variables and every rendering agree on layers, parameters, shapes and bytes."""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import graphscope
from graphscope.analysis import Analysis, sizes
from graphscope.analysis.documents import (
    describe_layers,
    describe_model,
    describe_variables,
)
from graphscope.analysis.sizes import bytes_text
from graphscope.cli.terminal import amount
from graphscope.read.variables.roles import PARAMETERS
from graphscope.render import renderer
from tests.cli.test_cli import run, run_main
from tests.generated import checkpoints
from tests.test_api import classifier, one_of_each_kind


def check(analysis: Analysis, path: Path) -> None:
    model, layers = describe_model(analysis), describe_layers(analysis)
    table = analysis.layer_table()
    drawing = analysis.drawing(report=True)
    rendered = json.loads(renderer(".json")(drawing))
    rows = list(csv.DictReader(io.StringIO(str(renderer(".csv")(drawing)))))

    counts = Counter(layer["type"] for layer in layers["layers"])
    assert model["layers"] == dict(counts), path
    names = {layer["name"] for layer in layers["layers"]}
    of_table = table[table["layer"].isin(names)]
    assert Counter(of_table["type"]) == counts, path

    total = model["parameters"]
    inside = total - layers["parameters_outside"]
    assert layers["parameters"] == total
    of_layers = sum(layer["parameters"] for layer in layers["layers"])
    assert of_layers + layers["parameters_of_ops"] == inside
    assert sum(table["parameters"]) == inside, path
    assert rendered["parameters"] == inside == sum(int(r["parameters"]) for r in rows)
    assert rendered["facts"]["parameters"] == total

    shapes = {layer["name"]: layer["output_shape"] for layer in layers["layers"]}
    for name, shape in zip(table["layer"], table["output shape"], strict=True):
        if name in shapes:
            assert shapes[name] == (None if shape is None else list(shape)), name

    variables = describe_variables(analysis)["variables"]
    weights = [row for row in variables if row["role"] in PARAMETERS]
    stored = sum(int(np.prod(row["shape"] or [1])) for row in weights)
    assert stored + model["constants"] * bool(analysis.model.variables) >= inside
    assert model["bytes"] >= sum(row["bytes"] for row in weights)
    if not model["constants"]:
        assert total == stored, path
        assert model["bytes"] == sum(row["bytes"] for row in weights), path


def test_of_published_models(corpus: Path) -> None:
    paths = [*one_of_each_kind(corpus), *sorted(corpus.rglob("*frozen*.pb"))[:8]]
    assert len(paths) > 16
    for path in paths:
        check(graphscope.analyse(path), path)


@pytest.mark.parametrize("seed", [7, 61007, 61008, 61009])
def test_of_generated_checkpoints(seed: int, tmp_path: Path) -> None:
    _, saved = checkpoints.checkpoint(seed, tmp_path)
    check(graphscope.analyse(saved.path), tmp_path)


def test_on_the_terminal(tmp_path: Path) -> None:
    path = classifier(tmp_path / "model.pb")
    check(graphscope.analyse(path), path)
    assert "67 parameters, 268 B" in run("inspect", path).stdout
    assert "5 rows, 67 parameters\n" in run("layers", path).stdout
    assert "4 variables, 268 B" in run("variables", path).stdout
    assert amount(94_371_840) == bytes_text(94_371_840) == "90.0 MiB"


def test_beyond_a_budget_of_nodes_no_layer_is_looked_for(
    tmp_path: Path, capsys, monkeypatch
) -> None:
    path = classifier(tmp_path / "a model.pb")
    analysis, whole = graphscope.analyse(path), describe_model(graphscope.analyse(path))
    large = describe_model(analysis, 3)
    assert not analysis.__dict__.get("_states", {}).keys() - {"unfuse_ops"}
    command = f"graphscope layers '{path}'"
    nodes = len(analysis.graph)
    assert large["over_budget"] == {"nodes": nodes, "most": 3, "command": command}
    assert list(whole) == [key for key in large if key != "over_budget"]
    open_keys = {"over_budget", "layers", "unexplained", "unexplained_nodes", "outputs"}
    assert {k for k in large if large[k] != whole.get(k)} <= open_keys
    for short, long in zip(large["outputs"], whole["outputs"], strict=True):
        assert short | {"shape": 0} == long | {"shape": 0}
    assert describe_model(graphscope.analyse(path), nodes) == whole

    monkeypatch.setattr(sizes, "MOST_NODES", 3)
    status, text, _ = run_main(capsys, "inspect", path)
    assert status == 0 and text.count(command) == 2  # More: too
    assert f"the outputs need {nodes} nodes, more than 3; {command} looks" in text
    status, text, _ = run_main(capsys, *shlex.split(command)[1:])
    assert status == 0 and "Dense" in text


def test_beyond_a_budget_what_is_stored_is_counted(corpus: Path) -> None:
    for path in one_of_each_kind(corpus):
        whole = describe_model(graphscope.analyse(path))
        large = describe_model(graphscope.analyse(path), 0)
        if "over_budget" in large and whole["variables"]:
            assert large["parameters"] <= whole["parameters"]
            names = {f["id"] for f in whole["findings"]} - {"loops"}
            assert {f["id"] for f in large["findings"]} == names, path
