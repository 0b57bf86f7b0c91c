"""Graphs of the corpus with random damage go through the whole chain: an answer or one line, never a traceback."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from graphscope.analysis.documents import describe_layers, describe_model
from graphscope.analysis.results import analyse
from graphscope.errors import GraphscopeError
from graphscope.wire import messages as proto

FILES = (
    "blaueck+tf-mtcnn/mtcnn.pb",
    "ARM-software+ML-KWS-for-MCU/Pretrained_models/CNN/CNN_S.pb",
    "onnx+tensorflow-onnx/tests/models/gru/frozen.pb",
    "WilsonCWu+open_spiel/save/checkpoint--1.meta",
)
OPS = "Reshape StridedSlice Conv2D Switch Merge While If ConcatV2 Pack Custom Einsum SaveV2 AssignSub Enter Split"


def wrong_value(message: Any, rng: random.Random) -> None:
    """Something that the attribute cannot be."""
    message.Clear()
    kind = rng.randrange(5)
    if kind == 0:
        message.i = rng.choice([-1, 0, 1 << 40])
    elif kind == 1:
        message.s = b"\xff\x00x"
    elif kind == 2:
        message.list.i.extend([0, -5, 1 << 33])
    elif kind == 3:
        message.type = rng.choice([0, 3, 20, 999])
    # else: an AttrValue that holds nothing


def damage(graph: Any, rng: random.Random) -> None:
    """One wire, attribute, op or constant of the graph made wrong."""
    node, other, kind = rng.choice(graph.node), rng.choice(graph.node), rng.randrange(6)
    attrs = sorted(node.attr)
    if kind == 0 and attrs:
        node.attr.pop(rng.choice(attrs))
    elif kind == 1 and attrs:
        wrong_value(node.attr[rng.choice(attrs)], rng)
    elif kind == 2 and node.input:
        node.input[rng.randrange(len(node.input))] = other.name + rng.choice(
            ["", ":1", ":99"]
        )
    elif kind == 3:
        node.op = rng.choice(OPS.split())
    elif kind == 4 and node.input:
        del node.input[rng.randrange(len(node.input))]
    elif node.op == "Const":
        node.attr["value"].tensor.tensor_shape.dim.add(size=rng.choice([0, -3, 5]))
    else:
        node.input.insert(0, f"^{other.name}")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("seed", range(12))
def test_damage_is_an_answer_or_one_line(
    file: str, seed: int, corpus: Path, tmp_path: Path
) -> None:
    kind = "MetaGraphDef" if file.endswith(".meta") else "GraphDef"
    message = proto.parse(kind, (corpus / file).read_bytes(), file)
    rng = random.Random(f"{file} {seed}")
    for _ in range(rng.randint(1, 5)):
        damage(message.graph_def if kind == "MetaGraphDef" else message, rng)
    path = tmp_path / "damaged.pb"
    path.write_bytes(message.SerializeToString())
    for step in (
        describe_model,
        describe_layers,
        lambda f: f.render(tmp_path / "x.py"),
    ):
        try:
            step(analyse(path))
        except GraphscopeError as error:
            assert len(str(error).splitlines()) == 1
