"""Graphs with loops, made by TensorFlow, frozen, recovered, and proved against TensorFlow: what the loop tests share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

import graphscope
from graphscope.graph import Loop

Builder = Callable[[Any], Any]


class Made(NamedTuple):
    """What became of one graph: the analysis, the report, the proof, the source."""

    analysis: Any
    report: Any
    proof: Any
    source: str
    folder: Path

    @property
    def loops(self) -> list[Loop]:
        graph = self.analysis.layer_graph
        return [graph.node(n) for n in graph if isinstance(graph.node(n), Loop)]

    def model(self) -> Any:
        """The recovered model with its weights."""
        return load(self.folder)


def load(folder: Path) -> Any:
    module = ModuleType("recovered")
    source = (folder / "model.py").read_text()
    exec(compile(source, "model.py", "exec"), module.__dict__)
    model = module.build_model()
    model.load_weights(folder / "model.weights.h5")
    return model


def frozen_v1(build: Builder, path: Path, v2_control_flow: bool = False) -> list[str]:
    """``build(tf.compat.v1)`` in a graph of its own, variables drawn at random, frozen; the names of its outputs."""
    import tensorflow as tf

    v1 = tf.compat.v1
    switch = (
        v1.enable_control_flow_v2 if v2_control_flow else v1.disable_control_flow_v2
    )
    switch()
    v1.disable_resource_variables()
    graph = tf.Graph()
    with graph.as_default(), v1.Session(graph=graph) as session:
        built = build(v1)
        outputs = built if isinstance(built, Sequence) else [built]
        names = [tensor.op.name for tensor in outputs]
        rng = np.random.default_rng(0)
        for variable in v1.global_variables():
            value = rng.normal(0, 0.5, variable.shape.as_list())
            variable.load(value.astype(variable.dtype.as_numpy_dtype), session)
        made = v1.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), names
        )
    path.write_bytes(made.SerializeToString())
    return names


def checkpoint_v1(build: Builder, path: Path, v2_control_flow: bool = False) -> None:
    """The same graph saved as training leaves it: ``path.meta`` and its weights."""
    import tensorflow as tf

    v1 = tf.compat.v1
    (v1.enable_control_flow_v2 if v2_control_flow else v1.disable_control_flow_v2)()
    v1.disable_resource_variables()
    graph = tf.Graph()
    with graph.as_default(), v1.Session(graph=graph) as session:
        v1.set_random_seed(1)
        build(v1)
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(path))


def frozen_v2(function: Any, specs: Sequence[Any], path: Path) -> None:
    """A tf.function (or a Keras model), frozen with its functional loops kept."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    concrete = tf.function(function).get_concrete_function(*specs)
    frozen = convert_variables_to_constants_v2(concrete, lower_control_flow=False)
    path.write_bytes(frozen.graph.as_graph_def().SerializeToString())


def recovered(
    path: Path, folder: Path, outputs: Sequence[str] = (), **options: Any
) -> Made:
    """The whole chain on a file: recover, write, prove."""
    found = graphscope.analyse(path, outputs=outputs, **options)
    report = found.write_keras(folder)
    proof = found.prove(folder)
    return Made(found, report, proof, (folder / "model.py").read_text(), folder)


def recovered_v1(build: Builder, tmp_path: Path, **options: Any) -> Made:
    names = frozen_v1(build, tmp_path / "model.pb", **options)
    return recovered(tmp_path / "model.pb", tmp_path / "keras", names)


def recovered_v2(function: Any, specs: Sequence[Any], tmp_path: Path) -> Made:
    frozen_v2(function, specs, tmp_path / "model.pb")
    return recovered(tmp_path / "model.pb", tmp_path / "keras")
