"""Tables on a terminal: they fit it, and show what was asked for."""

from __future__ import annotations

import re

import click
import pytest
from click.testing import CliRunner

from graphscope.cli import cli
from graphscope.cli.survey import rows_text as survey_rows
from graphscope.cli.text.tables import Choice, Table, table_text
from graphscope.graph import Graph, Node, Tensor
from graphscope.render.text import to_text

HEAD = ["layer", "type", "output shape", "parameters", "connected to", "config"]
ROWS = [
    [f"encoder/block{i}/attention/output", "Dense", "? × 128", f"{i * 77:,}"]
    + [f"encoder/block{i}/attention/values", "units=128, activation=gelu, " * 3]
    for i in range(12)
]
VALUES = [[*row[:2], (None, 128), i * 77, *row[4:]] for i, row in enumerate(ROWS)]
TABLE = Table(HEAD, ROWS, VALUES, frozenset({"parameters"}))


@pytest.mark.parametrize("width", [50, 80, 100, 132, 200])
def test_a_table_fits_and_says_what_is_left_out(width: int) -> None:
    lines = table_text(TABLE, Choice(), width).splitlines()
    assert max(map(len, lines)) <= width
    left_out = lines[-1] if lines[-1].startswith("(left out") else ""
    for name in HEAD:
        assert (name in lines[0]) != (f"{name}," in left_out or f"{name};" in left_out)
    assert "block11" in lines[13] or width < 60
    assert "77" in lines[3]


@pytest.mark.parametrize(
    "form",
    [
        "layer_{}/kernel/.ATTRIBUTES/VARIABLE_VALUE/of/the/object",
        "a/long/scope/that/all/of/them/have/in/front/layer_{}",
        "a/long/scope/in/front/of/layer_{}/and/one/that/is/behind/it/as/well",
        "x" * 90 + "{}" + "y" * 90,
    ],
)
def test_names_that_differ_are_told_apart(form: str) -> None:
    rows = [[form.format(i), "Dense", "? × 128", "1", "", ""] for i in range(12)]
    table = Table(HEAD, rows, rows)
    for width in (50, 60, 80):
        lines = table_text(table, Choice(), width).splitlines()
        assert max(map(len, lines)) <= width
        text = "\n".join(lines[2:])
        names = re.split(r"Dense.*\n", text)[:12]
        assert len(set(names)) == 12, text


def test_wide_shows_all() -> None:
    text = table_text(TABLE, Choice(wide=True), 80)
    assert ROWS[0][5].strip() in text and "…" not in text


def test_rows_and_columns_that_are_asked_for() -> None:
    choice = Choice(
        sort="-parameters", pattern="BLOCK1", columns=("layer", "parameters")
    )
    lines = table_text(TABLE, choice, 80).splitlines()
    assert lines[0].split() == ["layer", "parameters"]
    assert [line.split()[1] for line in lines[2:]] == ["847", "770", "77"]
    with pytest.raises(click.BadParameter, match="there are: layer, type"):
        table_text(TABLE, Choice(sort="size"), 80)


def test_the_commands_take_the_options(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    graph = Graph()
    graph.add("x", Node("Placeholder", {"dtype": "float32"}))
    for i in range(3):
        source = Tensor(f"scope/relu{i - 1}" if i else "x")
        graph.add(f"scope/relu{i}", Node("Relu", {"T": "float32"}), [source])
    path = tmp_path / "graph.txt"
    path.write_text(to_text(graph))
    monkeypatch.delenv("COLUMNS", raising=False)
    run = CliRunner().invoke
    done = run(cli, ["layers", str(path), "--grep", "relu1", "--columns", "layer,type"])
    assert done.exit_code == 0, done.output
    assert "relu1" in done.output and "relu2" not in done.output
    assert "1 of 4 rows" in done.output
    assert run(cli, ["layers", str(path), "--sort", "nosuch"]).exit_code == 2
    assert run(cli, ["variables", str(path), "--wide"]).exit_code == 0


def test_the_answer_of_a_query_fits_with_any_columns() -> None:
    names = ["place", "count", *(f"column {i}" for i in range(30))]
    rows = [
        (f"/very/long/{'x' * 60}/{i}.pb", i, *["words " * 9] * 30) for i in range(3)
    ]
    text = survey_rows(names, rows)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80 and "    0" in lines[2]
    assert lines[-1].startswith("(left out: column ") and "more; --wide" in lines[-1]
    assert "words words words" in survey_rows(names, rows, wide=True)


def test_rows_are_sought_in_columns_that_are_not_shown() -> None:
    table = Table(("layer", "type"), [("a", "Conv2D"), ("b", "Dense")])
    assert table_text(table, Choice(pattern="conv", columns=("layer",))).endswith("a")
