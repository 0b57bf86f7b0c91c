"""Graphs whose constants, attributes and wires were damaged: fewer layers, never an exception."""

from __future__ import annotations

import random
from typing import Any

import keras as k
import numpy as np
import pytest

from graphscope.graph import Graph, Model, Node
from graphscope.infer.layers.find import find_layers
from graphscope.match import collapse

from ..patterns.spelling import found_in, keras

L = k.layers
BUILDS = {
    "line": keras(
        lambda: L.Conv1D(4, 3, padding="causal", dilation_rate=2), None, 9, 3
    ),
    "transposed": keras(
        lambda: L.Conv2DTranspose(4, 3, strides=2), None, None, None, 3
    ),
    "repeated": keras(lambda: L.UpSampling2D(2), None, None, None, 3),
    "groups": keras(lambda: L.GroupNormalization(3), None, 4, 4, 12),
    "cropped": keras(lambda: L.Cropping2D(1), None, 8, 8, 3),
    "deep": keras(lambda: L.SeparableConv1D(4, 3), None, 9, 3),
    "dense": keras(lambda: L.Dense(4), None, 5, 12),
}
ODD: tuple[Any, ...] = (None, (), (1,), "X", -1, (0, 0, 0, 0), 1.5, True)


def damaged_value(value: Any, rng: random.Random) -> Any:
    kind = rng.randrange(5)
    if kind == 0:
        return np.asarray(rng.choice([0, -1, 5, 1 << 30]), "int64")
    if kind == 1:
        return np.zeros((0,), value.dtype)
    if kind == 2:
        return np.resize(value, (rng.randrange(1, 5),))
    if kind == 3:
        return np.resize(value, (2, rng.randrange(1, 4)))
    return np.asarray(value, "float32")


def damaged(graph: Graph, rng: random.Random) -> Graph:
    made = Graph()
    chosen = set(rng.sample(list(graph), min(len(graph), rng.randrange(1, 4))))
    for name in graph:
        node, inputs = graph.node(name), list(graph.inputs(name))
        attrs = dict(node.attrs)
        if name in chosen and node.op == "Const":
            attrs["value"] = damaged_value(attrs["value"], rng)
        elif name in chosen:
            for key in list(attrs):
                if rng.random() < 0.4:
                    attrs[key] = rng.choice(ODD)
            if inputs and rng.random() < 0.3:
                inputs.pop()
            elif inputs and rng.random() < 0.3:
                inputs = [rng.choice(inputs) for _ in inputs]
        made.add(name, Node(node.op, attrs, node.outputs), inputs)
    return made


@pytest.mark.parametrize("name", BUILDS)
def test_damage_costs_layers_and_nothing_else(name: str) -> None:
    found = found_in(BUILDS[name])
    rng = random.Random(name)
    for turn in range(60):
        graph = damaged(found.graph, rng)
        specs = found.view.specs if turn % 2 else {}
        collapse(graph, find_layers(graph, Model(graph), specs))
