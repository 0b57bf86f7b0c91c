"""JSON: strict, complete, what the graph says."""

from __future__ import annotations

import json

import numpy as np

from graphscope.graph import FunctionRef, Graph, Node
from graphscope.render import Drawing
from graphscope.render.json import plain, to_json

from .drawn import HOSTILE, hostile_graph, layer_graph


def test_the_document() -> None:
    graph, specs = layer_graph()
    found = json.loads(to_json(Drawing(graph, specs, level="layer", outputs=("fc",))))
    assert found["level"] == "layer" and found["outputs"] == ["fc"]
    assert found["parameters"] == 349 == sum(n["parameters"] for n in found["nodes"])
    conv = found["nodes"][1]
    assert conv["name"] == "conv1" and conv["inputs"] == ["images:0"]
    assert conv["outputs"] == [{"dtype": "float32", "shape": [None, 28, 28, 8]}]
    assert conv["weights"]["bias"] == {"variable": "conv1/bias", "shape": [8]}


def test_hostile_names_are_the_files_own() -> None:
    names = {
        node["name"] for node in json.loads(to_json(Drawing(hostile_graph())))["nodes"]
    }
    assert {text for text in HOSTILE if text.strip()} <= names


def test_everything_has_a_plain_form() -> None:
    graph = Graph()
    attrs = {
        "a": np.arange(3),
        "b": np.zeros(1000),
        "c": float("nan"),
        "d": FunctionRef("f", {"x": 1}),
        "e": b"\xff",
        "f": {1: (2, {3})},
        "g": np.float32(1),
        "h": np.array([b"x"], object),
        "i": 1j,
    }
    graph.add("n", Node("Op", attrs))
    found = json.loads(to_json(Drawing(graph)))["nodes"][0]["attrs"]
    assert found["a"]["values"] == [0, 1, 2] and "values" not in found["b"]
    assert found["c"] == "nan" and found["d"] == {"function": "f", "attrs": {"x": 1}}
    assert plain(None) is None and plain(True) is True
