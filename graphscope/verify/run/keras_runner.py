"""A Keras model as a runner: fed and asked by the names of its layers."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from ...errors import GraphError, GraphscopeError
from ...graph import Model, Tensor, did_you_mean
from ..differences import elements
from ..feeds.draw import Port
from ..feeds.noise import Noise, noisy_keras
from ..feeds.sparse import Coordinates
from .limits import scratch_folder
from .runner import first_line


class KerasRunner:
    """A Keras model; its inputs and outputs are known by the names of their layers."""

    def __init__(self, keras_model: Any, source: str) -> None:
        self.keras, self.source = keras_model, source
        self.model: Model | None = None
        self.remarks: list[str] = []
        self.below: dict[str, int] = {}
        self.texts: tuple[bytes, ...] = (b"",)
        self._inputs = {_layer_name(t): t for t in keras_model.inputs}
        self._outputs = tuple(f"output {i}" for i in range(len(keras_model.outputs)))

    def outputs(self) -> tuple[str, ...]:
        return self._outputs

    def resolve(self, name: str) -> str | None:
        plain = _plain(Tensor.parse(name).node)
        names = [candidate for candidate in self._inputs if _plain(candidate) == plain]
        return names[0] if len(names) == 1 else name if name in self._outputs else None

    def needed(
        self, outputs: Sequence[str], fed: Iterable[str] = ()
    ) -> tuple[Port, ...]:
        names = set(fed)
        return tuple(self.port(name) for name in self._inputs if name not in names)

    def port(self, name: str) -> Port:
        tensor = self._inputs[name]
        shape, is_sparse = tuple(tensor.shape), bool(getattr(tensor, "sparse", False))
        dtype, below = getattr(tensor.dtype, "name", tensor.dtype), self.below.get(name)
        return Port(name, str(dtype), shape, below, self.texts, is_sparse=is_sparse)

    def run(
        self,
        feeds: Mapping[str, object],
        outputs: Sequence[str],
        noise: Noise | None = None,
    ) -> list[np.ndarray]:
        arrays = self._called(self.keras, feeds, noise)
        return [arrays[self._outputs.index(name)] for name in outputs]

    def _called(
        self, model: object, feeds: Mapping[str, object], noise: Noise | None = None
    ) -> list[np.ndarray]:
        from ..import_tensorflow import import_tensorflow

        tf = import_tensorflow()
        arrays = _arguments(tf, [feeds[name] for name in self._inputs])
        for layer in getattr(self.keras, "layers", ()):
            if getattr(layer, "stateful", False):
                _begin_again(layer)
        try:
            noisy = nullcontext() if noise is None else noisy_keras(noise)
            with noisy, scratch_folder(self.remarks, self.source):
                answer = _answer(tf, model, arrays)
        except (tf.errors.OpError, ValueError, TypeError, IndexError) as error:
            raise GraphscopeError(
                f"{self.source} cannot be run: {first_line(error)}"
            ) from None
        return [elements(value) for value in tf.nest.flatten(answer)]

    def cut(self, names: Iterable[str]) -> None:
        """Yield tensors inside the model in place of its outputs; ``names`` are those of the graph of its layers.

        Raises GraphError where there is no such layer, or it lies in a model within the model.
        """
        tensors = [self._within(Tensor.parse(name)) for name in names]
        package = sys.modules[type(self.keras).__module__.split(".")[0]]
        self.keras = package.Model(self.keras.inputs, tensors)
        self._outputs = tuple(f"output {i}" for i in range(len(tensors)))

    def _within(self, tensor: Tensor) -> object:
        layers = {layer.name: layer for layer in self.keras.layers}
        name, _, number = tensor.node.rpartition("_call")
        if tensor.node in layers or not number.isdigit():
            name, number = tensor.node, "0"
        if name not in layers or hasattr(layers[name], "layers"):
            hint = did_you_mean(tensor.node, layers)
            raise GraphError(f"no layer {tensor.node!r} in {self.source}{hint}")
        node = layers[name]._inbound_nodes[int(number)]
        is_newer = hasattr(node, "output_tensors")  # Keras 3
        yields = node.output_tensors if is_newer else node.outputs
        return (yields if isinstance(yields, list | tuple) else [yields])[tensor.port]

    def layers(self) -> list[tuple[str, Any]]:
        """Every call of a layer in an order of computation: the layer's name and what the call yields."""
        nodes = self.keras._nodes_by_depth
        order = [node for depth in sorted(nodes, reverse=True) for node in nodes[depth]]
        return [
            (node.operation.name, tensor)
            for node in order
            for tensor in node.output_tensors[:1]
        ]

    def inside(
        self, tensors: Sequence[Any], feeds: Mapping[str, object]
    ) -> list[np.ndarray]:
        """The values of symbolic tensors of the model."""
        import keras

        cut = keras.Model(self.keras.inputs, list(tensors))
        return self._called(cut, feeds, Noise())


def _begin_again(layer: Any) -> None:
    """Forget what a stateful Keras layer remembers of the batch before, by the name that its Keras has for it."""
    reset = getattr(layer, "reset_state", None) or layer.reset_states
    reset()


def _layer_name(tensor: object) -> str:
    return str(getattr(tensor, "name", tensor)).removesuffix(":0")


def _plain(name: str) -> str:
    """A name as Keras can carry it: what stands between its words is one underscore."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _arguments(tf: Any, values: Sequence[object]) -> list[object]:
    """The arrays; tensors where one of them is sparse, for Keras takes no mixture."""
    if not any(isinstance(value, Coordinates) for value in values):
        return [np.asarray(value) for value in values]
    return [
        tf.SparseTensor(*v) if isinstance(v, Coordinates) else tf.constant(v)
        for v in values
    ]


def _packed(tf: object, model: Any, arrays: Sequence[Any]) -> Any:
    """The inputs in the structure that the model was made with: one, a list, or by name."""
    names = ("_inputs_struct", "_nested_inputs")  # Keras 3, Keras 2
    structure = next((getattr(model, n) for n in names if hasattr(model, n)), None)
    if isinstance(structure, Mapping):
        order = {id(tensor): value for tensor, value in zip(model.inputs, arrays)}
        return {key: order.get(id(tensor)) for key, tensor in structure.items()}
    return arrays[0] if len(arrays) == 1 else list(arrays)


def _answer(tf: Any, model: Any, arrays: Sequence[object]) -> Any:
    """What a Keras model gives: eagerly, and where an op refuses that as ``predict`` would run it.

    Keras's eager ``add`` takes what has no rows, as where no box was found, for a bias, and TensorFlow then refuses it.
    """

    def call(*arrays_: object) -> Any:
        return model(_packed(tf, model, arrays_), training=False)

    try:
        return call(*arrays)
    except tf.errors.InvalidArgumentError:
        dense, sparse = tf.TensorSpec, tf.SparseTensorSpec
        specs = [
            (sparse if getattr(each, "sparse", 0) else dense)(each.shape, each.dtype)
            for each in model.inputs
        ]
        return tf.function(call, input_signature=specs)(*arrays)
