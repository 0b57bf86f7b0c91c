"""Markdown: a table whose every line has the same cells."""

from __future__ import annotations

import re

from graphscope.render import Drawing
from graphscope.render.markdown import to_markdown

from .drawn import HOSTILE, hostile_graph, layer_graph


def test_the_table() -> None:
    graph, specs = layer_graph()
    lines = to_markdown(Drawing(graph, specs, title="m")).splitlines()
    assert lines[0] == "# m"
    assert lines[4].startswith("| images | Placeholder | ? × 28 × 28 × 3 |")
    assert lines[-1] == "| **total** |  |  | **349** |  |  |"


def test_hostile_names_stay_in_their_cell() -> None:
    lines = to_markdown(Drawing(hostile_graph())).splitlines()
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 7 for line in lines)
    assert not any(re.search(r"(?<!\\)[<\[]", line) for line in lines)


def test_the_report_above_the_table() -> None:
    facts = {
        "format": "GraphDef",
        "outputs": [
            {
                "tensor": "y:0",
                "dtype": "float32",
                "shape": [None, 3],
                "evidence": ["a softmax"],
            }
        ],
        "findings": [{"severity": "warning", "message": "<b> & |"}],
    }
    text = to_markdown(Drawing(layer_graph()[0], title="m", facts=facts))
    assert "GraphDef." in text and "- y:0 float32 ? × 3: a softmax" in text
    assert "- **warning**: \\<b\\> \\& \\|" in text
    lines = to_markdown(
        Drawing(hostile_graph(), facts={"format": HOSTILE[9], "remarks": HOSTILE})
    ).splitlines()
    # a line each for nodes and remarks, whatever breaks they hold
    assert len(lines) < len(hostile_graph()) + len(HOSTILE) + 20


def test_the_report_says_what_was_read_and_what_was_inferred() -> None:
    facts = {
        "format": "TensorFlow checkpoint V2",
        "inferred": True,
        "nodes": 6,
        "parameters": 349,
        "bytes": 1396,
        "variables": {"weight": 4, "optimizer slot": 8},
        "roles": {"gradient": 260},
        "family": {"name": "VGG", "variant": "16", "evidence": ["4 of 4"]},
        "remarks": ["a shard is gone"],
    }
    text = to_markdown(Drawing(layer_graph()[0], facts=facts))
    assert "**Read** from the file: no graph; variables: 4 weight, 8 optimizer" in text
    assert "349 parameters, 1.4 KiB." in text
    assert "**Inferred** from names and shapes" in text
    assert "**Only for training**: 260 gradient." in text
    assert "**Known architecture**: VGG 16 (4 of 4)." in text
    assert "- a shard is gone" in text
    graph = to_markdown(Drawing(layer_graph()[0], facts={**facts, "inferred": False}))
    assert "**Read** from the file: 6 nodes;" in graph
    assert "**Inferred**: which tensors are inputs and outputs" in graph


def test_the_report_says_how_the_model_was_trained() -> None:
    entry = {"text": "Adam (lr fed through <b>|rate; 2 weights)"}
    facts = {"format": "f", "training": {"optimizers": [entry], "losses": []}}
    text = to_markdown(Drawing(layer_graph()[0], facts=facts))
    assert "- **Trained by** Adam (lr fed through " in text and "<b>|" not in text
    assert "Trained" not in to_markdown(
        Drawing(layer_graph()[0], facts={"format": "f"})
    )
