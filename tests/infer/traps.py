"""What the tests of findings share: a graph built with TensorFlow, with weights by hand, as a Model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import tensorflow.compat.v1 as tf

from graphscope.graph import Model, Variable, Weights
from graphscope.infer.finding import Finding
from graphscope.infer.findings import diagnose
from graphscope.read.variables.roles import roles_by_name
from graphscope.wire import messages as proto
from graphscope.wire.nodes import function_from_def, graph_from_nodes


class WeightRef(Weights):
    """Arrays by name, held in memory."""

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self.arrays = dict(arrays)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)


def model_of(
    build: Callable[[], object],
    weights: Mapping[str, np.ndarray] | None = None,
    **options: object,
) -> Model:
    """The graph that ``build`` makes; ``weights`` is its checkpoint, if it has one."""
    with tf.Graph().as_default() as made:
        tf.disable_resource_variables()
        build()
        message = proto.GraphDef.FromString(
            made.as_graph_def(**options).SerializeToString()
        )
    functions = {
        f.signature.name: function_from_def(f) for f in message.library.function
    }
    arrays = weights or {}
    return Model(
        graph_from_nodes(message.node),
        source="model.ckpt",
        functions=functions,
        weights=WeightRef(arrays),
        variables=variables_of(arrays),
    )


def variables_of(arrays: Mapping[str, np.ndarray]) -> tuple[Variable, ...]:
    named = roles_by_name({n: (str(a.dtype), a.shape) for n, a in arrays.items()})
    return tuple(
        Variable(n, str(a.dtype), a.shape, a.nbytes, named[n].role, named[n].of)
        for n, a in arrays.items()
    )


def found(model: Model, id: str, *outputs: str) -> list[Finding]:
    """The findings of one id."""
    return [f for f in diagnose(model, outputs=outputs) if f.id == id]


def filled(build: Callable[[], object], **changed: np.ndarray) -> dict[str, np.ndarray]:
    """Random values for every variable that ``build`` makes; names may be given with ``__`` for ``/``."""
    random = np.random.default_rng(0)
    with tf.Graph().as_default():
        tf.disable_resource_variables()
        build()
        arrays = {
            v.op.name: random.normal(size=v.shape.as_list()).astype(
                v.dtype.base_dtype.as_numpy_dtype
            )
            for v in tf.global_variables()
        }
    arrays.update({name.replace("__", "/"): value for name, value in changed.items()})
    return arrays


def network() -> None:
    """Two dense layers, one output called ``prob``."""
    x = tf.placeholder(tf.float32, [None, 6], name="x")
    for index, units in enumerate((5, 3)):
        with tf.variable_scope(f"layer{index}"):
            w = tf.get_variable("w", [int(x.shape[-1]), units])
            b = tf.get_variable("b", [units])
            x = tf.nn.relu(tf.matmul(x, w) + b)
    tf.nn.softmax(x, name="prob")
