"""Small models in many forms for surveys, made without TensorFlow."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np

from graphscope.wire import messages as proto

FLOAT = 1
LARGE = 1 << 21  # elements of the weights of ``large``: 8 MB


def net(draw: random.Random, depth: int = 0) -> Any:
    """A GraphDef: some Dense layers with ReLUs, weights inside; ``draw`` chooses widths and values."""
    graph = proto.GraphDef()
    graph.node.add(name="x", op="Placeholder").attr["dtype"].type = FLOAT
    last, width = "x", 4
    for number in range(depth or draw.randrange(2, 5)):
        units = draw.choice([4, 8, 16])
        constant(
            graph,
            f"w{number}",
            np.array([[draw.random() for _ in range(units)] for _ in range(width)]),
        )
        constant(graph, f"b{number}", np.array([draw.random() for _ in range(units)]))
        for name, op, inputs in (
            (f"m{number}", "MatMul", (last, f"w{number}")),
            (f"a{number}", "BiasAdd", (f"m{number}", f"b{number}")),
            (f"r{number}", "Relu", (f"a{number}",)),
        ):
            graph.node.add(name=name, op=op, input=inputs).attr["T"].type = FLOAT
        last, width = f"r{number}", units
    return graph


def large(seed: int) -> Any:
    """A GraphDef of two small Dense layers and one with 8 MB of weights."""
    graph = net(random.Random(seed), depth=2)
    width = len(graph.node[-4].attr["value"].tensor.tensor_content) // 4
    constant(graph, "large", np.zeros((width, LARGE // width)))
    for name, op, inputs in (
        ("g", "MatMul", ("r1", "large")),
        ("y", "Softmax", ("g",)),
    ):
        graph.node.add(name=name, op=op, input=inputs).attr["T"].type = FLOAT
    return graph


def constant(graph: Any, name: str, values: np.ndarray) -> None:
    node = graph.node.add(name=name, op="Const")
    tensor = node.attr["value"].tensor
    node.attr["dtype"].type = tensor.dtype = FLOAT
    for size in values.shape:
        tensor.tensor_shape.dim.add(size=size)
    tensor.tensor_content = values.astype("<f4").tobytes()


def write(folder: Path, number: int, seed: int) -> Path:
    """One model, by turns a GraphDef, its text, a MetaGraph, a SavedModel."""
    graph = net(random.Random(seed))
    folder.mkdir(parents=True, exist_ok=True)
    kind = number % 4
    if kind == 0:
        path = folder / f"m{number}.pb"
        path.write_bytes(graph.SerializeToString())
    elif kind == 1:
        path = folder / f"m{number}.pbtxt"
        path.write_text(str(graph))
    elif kind == 2:
        path = folder / f"m{number}.meta"
        meta = proto.MetaGraphDef()
        meta.meta_info_def.tensorflow_version = "1.15.0"
        meta.graph_def.CopyFrom(graph)
        path.write_bytes(meta.SerializeToString())
    else:
        path = folder / f"m{number}"
        path.mkdir()
        saved = proto.SavedModel(saved_model_schema_version=1)
        meta = saved.meta_graphs.add()
        meta.meta_info_def.tags.append("serve")
        meta.graph_def.CopyFrom(graph)
        (path / "saved_model.pb").write_bytes(saved.SerializeToString())
    return path


def many(folder: Path, count: int, seed: int = 0) -> None:
    """So many models, a hundred to a folder, and a file that is none in each folder."""
    for number in range(count):
        inner = folder / f"{number // 100:04d}"
        write(inner, number, seed + number)
        if number % 100 == 0:
            (inner / "notes.txt").write_text("no model")
