"""An architecture -> the files that it is published in: frozen ``.pb``, checkpoint, SavedModel, training checkpoint."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..recovery import freeze
from . import Architecture
from .legacy import tensorflow_1

v1 = tf.compat.v1


def write(net: Architecture, form: str, folder: Path) -> tuple[str, list[str]]:
    """Build the net with random weights and save it; returns its path and its outputs (none where the file says them)."""
    if net.idiom == "tf1":
        return _write_graph(net, form, folder)
    return _write_function(net, form, folder)


def random_values(name: str, shape: Sequence[int]) -> Any:
    """Values that keep a net's activations in scale and show every mistake in wiring, epsilon and statistics."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if "variance" in name:
        return rng.uniform(0.5, 1.5, shape).astype("f")
    if name.split(":")[0].endswith(("gamma", "scale")):
        return rng.normal(1, 0.1, shape).astype("f")
    if len(shape) < 2:
        return rng.normal(0, 0.1, shape).astype("f")
    fan_in = max(1, int(np.prod(shape[:-1])))
    if "depthwise" in name:
        fan_in //= shape[2]
    return rng.normal(0, fan_in**-0.5, shape).astype("f")


def _write_graph(net: Architecture, form: str, folder: Path) -> tuple[str, list[str]]:
    with tensorflow_1() as graph, v1.Session(graph=graph) as session:
        made = net.build(training=True) if form == "training" else net.build()
        outputs = list(made) if isinstance(made, list | tuple) else [made]
        names = [tensor.name for tensor in outputs]
        session.run(
            [v1.global_variables_initializer(), v1.local_variables_initializer()]
        )
        for variable in v1.trainable_variables() + v1.moving_average_variables():
            _set(variable, session)
        for variable in v1.global_variables():
            if variable.name.split(":")[0].endswith(("moving_mean", "moving_variance")):
                _set(variable, session)
        if form == "pb":
            return _frozen(session, outputs, folder), names
        if form == "saved_model":
            return _saved(session, outputs, folder), []
        return v1.train.Saver().save(session, str(folder / "model.ckpt")), names


def _set(variable: Any, session: Any) -> None:
    if variable.dtype.base_dtype == tf.float32:
        variable.load(random_values(variable.name, variable.shape.as_list()), session)


def _frozen(session: Any, outputs: Sequence[Any], folder: Path) -> str:
    names = [tensor.op.name for tensor in outputs]
    frozen = v1.graph_util.convert_variables_to_constants(
        session, session.graph.as_graph_def(), names
    )
    path = folder / "frozen.pb"
    path.write_bytes(frozen.SerializeToString())
    return str(path)


def _saved(session: Any, outputs: Sequence[Any], folder: Path) -> str:
    path = str(folder / "saved")
    named = {f"output_{n}": tensor for n, tensor in enumerate(outputs)}
    v1.saved_model.simple_save(session, path, _fed(outputs), named)
    return path


def _fed(outputs: Sequence[Any]) -> dict[str, Any]:
    """The placeholders that the outputs need."""
    seen, stack = {}, [tensor.op for tensor in outputs]
    while stack:
        op = stack.pop()
        if op.name not in seen:
            seen[op.name] = op
            stack += [tensor.op for tensor in op.inputs]
    fed = [op for op in seen.values() if op.type == "Placeholder"]
    return {op.name: op.outputs[0] for op in fed}


def _write_function(
    net: Architecture, form: str, folder: Path
) -> tuple[str, list[str]]:
    keras.backend.clear_session()
    made = net.build()
    owner, specs = made if isinstance(made, tuple) else (made, _specs(made))

    def call(*given: Any) -> Any:
        if isinstance(owner, tf.Module):
            return owner(*given)
        return owner(list(given) if len(given) > 1 else given[0], training=False)

    call(*map(_any, specs))
    for variable in owner.variables:
        if variable.dtype in (tf.float32, "float32"):
            path = getattr(variable, "path", variable.name)
            variable.assign(random_values(path, tuple(variable.shape)))
    if form == "pb":
        path = folder / "frozen.pb"
        return str(path), [str(t) for t in freeze(call, specs, path)[1]]
    target = str(folder / "saved")
    if not isinstance(owner, tf.Module):
        functional = hasattr(owner, "inputs") and owner.inputs
        given = {} if functional else {"input_signature": specs}
        owner.export(target, verbose=False, **given)
        return target, []
    serve = tf.function(lambda *x: _named(call(*x)), input_signature=specs)
    tf.saved_model.save(owner, target, signatures=serve)
    return target, []


def _any(spec: Any) -> Any:
    """Zeros of a shape that fits: a call makes the variables of what builds itself late."""
    sizes = [size or (16 if axis else 2) for axis, size in enumerate(spec.shape)]
    return tf.zeros(sizes, spec.dtype)


def _specs(model: Any) -> list[Any]:
    return [
        tf.TensorSpec(t.shape, t.dtype, name=f"input_{n}")
        for n, t in enumerate(model.inputs)
    ]


def _named(outputs: Any) -> dict[str, Any]:
    return {f"output_{n}": tensor for n, tensor in enumerate(tf.nest.flatten(outputs))}
