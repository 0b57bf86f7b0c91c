"""Keras model -> frozen ``.pb`` -> recovered layers -> Keras source -> a model that runs: what the zoo tests compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from graphscope.graph import Graph, Layer, Model, Tensor, TensorSpec
from graphscope.infer.blocks.find import find_blocks
from graphscope.infer.layers.find import find_layers
from graphscope.infer.shapes.forward import infer_shapes
from graphscope.match import collapse
from graphscope.ops.constants import Constants
from graphscope.read import load
from graphscope.render.keras import KerasReport, write_keras
from graphscope.render.keras.classes.config import written_arguments
from graphscope.render.keras.classes.signatures import signatures
from graphscope.simplify.inline import inline
from graphscope.simplify.prune import prune


@dataclass(frozen=True)
class Recovered:
    """What became of one frozen graph."""

    graph: Graph
    specs: dict[Tensor, TensorSpec]
    layers: tuple[Layer, ...]
    layer_graph: Graph
    report: KerasReport
    folder: Path

    @property
    def owners(self) -> list[Layer]:
        return [layer for layer in self.layers if layer.weights]


def randomised(build: Any, **kwargs: Any) -> Any:
    """A model of keras.applications with weights that show every mistake in wiring, epsilon and statistics."""
    import keras

    keras.backend.clear_session()
    model = build(weights=None, **kwargs)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        for variable in layer.weights:
            variable.assign(random_weight(variable.path, variable.shape, rng))
    return model


def random_weight(path: str, shape: Sequence[int], rng: np.random.Generator) -> Any:
    if path.endswith("variance"):
        return rng.uniform(0.5, 1.5, shape)
    if path.endswith(("gamma", "scale")):
        return rng.normal(1, 0.1, shape)
    if len(shape) < 2:
        return rng.normal(0, 0.1, shape)
    fan_in = max(
        1, int(np.prod(shape[:-1])) // (shape[2] if "depthwise" in path else 1)
    )
    return rng.normal(0, fan_in**-0.5, shape)


def freeze(
    function: Any, specs: Sequence[Any], path: Path
) -> tuple[list[Tensor], list[Tensor]]:
    """Freeze a function with TensorFlow; returns the graph's inputs and outputs."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    concrete = tf.function(function).get_concrete_function(*specs)
    frozen = convert_variables_to_constants_v2(concrete)
    path.write_bytes(frozen.graph.as_graph_def().SerializeToString())
    parse = lambda many: [Tensor.parse(t.name) for t in many]  # noqa: E731
    return parse(frozen.inputs), parse(frozen.outputs)


def freeze_model(model: Any, path: Path) -> tuple[list[Tensor], list[Tensor]]:
    """Freeze a Keras model in inference mode."""
    import tensorflow as tf

    specs = [
        tf.TensorSpec(t.shape, t.dtype, name=f"input_{i}")
        for i, t in enumerate(model.inputs)
    ]
    return freeze(
        lambda *x: model(list(x) if len(x) > 1 else x[0], training=False), specs, path
    )


def recover(
    path: Path | Model,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    folder: Path,
    blocks: bool = True,
) -> Recovered:
    """The whole chain, without TensorFlow."""
    model = inline(path if isinstance(path, Model) else load(str(path)))
    graph = prune(model.graph, outputs)
    specs = infer_shapes(graph)
    layers = find_layers(graph, model, specs, keep=outputs)
    above = collapse(graph, layers, keep=[t.node for t in outputs])
    report = write_keras(
        model,
        above,
        folder,
        inputs=inputs,
        outputs=outputs,
        specs=specs,
        values=Constants(graph, model).value,
        blocks=find_blocks(above).parts if blocks else (),
    )
    return Recovered(graph, dict(specs), layers, above, report, folder)


def built(folder: Path) -> Any:
    """The Keras model that a folder holds, with its weights."""
    module = ModuleType("recovered")
    source = (folder / "model.py").read_text()
    exec(compile(source, str(folder / "model.py"), "exec"), module.__dict__)
    model = module.build_model()
    model.load_weights(folder / "model.weights.h5")
    return model


def sample(model: Any, batch: int = 2) -> list[np.ndarray]:
    """Random inputs for a model; unknown sizes are ``batch``."""
    rng = np.random.default_rng(1)
    shapes = [
        [batch if size is None else size for size in t.shape] for t in model.inputs
    ]
    return [rng.normal(size=shape).astype("float32") for shape in shapes]


def difference(model: Any, other: Any, inputs: Sequence[np.ndarray]) -> float:
    """The worst difference of the outputs, relative to their scale."""
    import tensorflow as tf

    given = list(inputs) if len(inputs) > 1 else inputs[0]
    want = tf.nest.flatten(model(given, training=False))
    got = tf.nest.flatten(other(given, training=False))
    assert len(want) == len(got)
    return max(scaled(np.array(a), np.array(b)) for a, b in zip(want, got))


def scaled(want: np.ndarray, got: np.ndarray) -> float:
    """The greatest absolute difference, in units of the greatest value wanted."""
    assert want.shape == got.shape
    gap = np.abs(want.astype("float64") - got.astype("float64")).max(initial=0)
    return float(gap / max(np.abs(want).max(initial=0), 1e-30))


def arguments(class_name: str, config: Any, rank: int | None = None) -> dict[str, Any]:
    """The config that changes the computation, defaults left out: equal for two layers that compute the same."""
    known = signatures()[class_name].arguments
    said = {k: v for k, v in config.items() if k in known and "regularizer" not in k}
    return written_arguments(class_name, said, rank)
