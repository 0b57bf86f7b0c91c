"""The shapes of functions between layers: Keras says them of its own model, and a file says nothing of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from graphscope import load
from graphscope.graph import Shape, TensorSpec
from graphscope.read.keras.shapes.rules import model_specs


def outputs_of(x: Any) -> list[Any]:
    import keras

    ops = keras.ops
    return [
        *ops.split(x, [2, 5], axis=1),
        *ops.split(x, 3, axis=2),
        *ops.unstack(x, axis=2),
        ops.mean(x, axis=[1, 2], keepdims=True),
        ops.max(x),
        ops.argmax(x, axis=-1),
        ops.reshape(x, (-1, 18)),
        ops.expand_dims(x, -1),
        ops.squeeze(ops.mean(x, axis=1, keepdims=True), axis=1),
        ops.squeeze(ops.mean(x, axis=1, keepdims=True)),
        ops.transpose(x, (0, 2, 1)),
        ops.transpose(x),
        ops.tile(x, (1, 2, 3)),
        ops.stack([x, x], axis=1),
        ops.concatenate([x, x, x], axis=-1),
        ops.concatenate([x, x]),
        ops.matmul(x, ops.transpose(x, (0, 2, 1))),
        ops.cast(x, "int32"),
        x[:, 1:, ..., None, 0],
    ]


def test_functions_yield_what_keras_says(tmp_path: Path) -> None:
    import keras

    x = keras.Input((6, 3), batch_size=4, name="x")
    model = keras.Model(x, outputs_of(x))
    model.save(tmp_path / "functions.keras")

    topology = load(tmp_path / "functions.keras").topology
    specs = model_specs(topology, [TensorSpec("float32", (4, 6, 3))])

    assert len(specs) == len(model.outputs)
    for spec, output in zip(specs, model.outputs):
        assert is_compatible(spec.shape, output.shape), (output.name, spec)
    assert sum(spec.shape == y.shape for spec, y in zip(specs, model.outputs)) >= 22


def is_compatible(shape: Shape, truth: tuple[int, ...]) -> bool:
    """Whether every size that is known is the true one."""
    if shape is None:
        return True
    return len(shape) == len(truth) and all(
        map(lambda a, b: a in (None, b), shape, truth)
    )
