"""A Keras model as its config describes it: layers, each with the calls that are made of it, and models within models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..graph import TensorSpec
from ..layer import WeightUse
from ..named_values import Config


class LayerOutput(NamedTuple):
    """One tensor of a model: which layer yields it, by which of its calls, as which of its outputs (Keras's history)."""

    layer: str
    call: int = 0
    port: int = 0


class OwnFunction(str):
    """The name of a function that Keras 3 does not have, or has otherwise: what is written defines it."""


@dataclass(frozen=True)
class KerasCall:
    """One call of a layer: plain values, lists and dicts, with a LayerOutput for each tensor.

    ``outputs`` is what is known of what it yields, empty where nothing is.
    """

    args: tuple[Any, ...] = ()
    kwargs: Config = field(default_factory=dict)
    outputs: tuple[TensorSpec, ...] = ()

    def tensors(self) -> tuple[LayerOutput, ...]:
        """The tensors that it is given, in order."""
        return tuple(tensors_in([*self.args, *self.kwargs.values()]))

    def reading(self, other: Callable[[LayerOutput], LayerOutput]) -> KerasCall:
        """The call with another tensor in the place of each."""

        def each(value: object) -> Any:
            if isinstance(value, LayerOutput):
                return other(value)
            if isinstance(value, Mapping):
                return {key: each(inner) for key, inner in value.items()}
            if isinstance(value, list | tuple):
                return type(value)(map(each, value))
            return value

        kwargs = {key: each(value) for key, value in self.kwargs.items()}
        return KerasCall(tuple(map(each, self.args)), kwargs, self.outputs)


@dataclass(frozen=True)
class KerasLayer:
    """One layer object. ``class_name`` is what Keras 3 exports it as; ``kind`` is ``layer``, ``operation`` (of ``keras.ops``),
    ``function`` (of TensorFlow's) or ``custom``.

    ``config`` has Keras 3's arguments (a layer among them is a KerasLayer), ``weights`` the layer's and those of the layers inside of
    it by their path (``forward_layer/cell/kernel``), ``stored`` those paths in the order in which Keras 3 stores them; ``model`` is
    what a nested model consists of. ``origin`` is the class in the file where that is another; ``remarks`` say what no argument of Keras 3 says.
    """

    name: str
    class_name: str
    config: Config = field(default_factory=dict)
    calls: tuple[KerasCall, ...] = ()
    kind: str = "layer"
    model: KerasModel | None = None
    weights: dict[str, WeightUse] = field(default_factory=dict)
    stored: list[str] = field(default_factory=list)
    trainable: bool = True
    origin: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class KerasModel:
    """A model: its layers in the file's order, what goes in and what comes out; ``modules`` are those that its config names,
    ``generation`` the Keras (1, 2 or 3) that wrote it.
    """

    name: str
    class_name: str
    layers: tuple[KerasLayer, ...]
    inputs: tuple[LayerOutput, ...]
    outputs: tuple[LayerOutput, ...]
    trainable: bool = True
    modules: frozenset[str] = frozenset()
    generation: int = 3

    def layer(self, name: str) -> KerasLayer:
        return next(layer for layer in self.layers if layer.name == name)


def tensors_in(value: object) -> Iterator[LayerOutput]:
    """The tensors of an argument, in order; those of a dict in the order of its keys, as Keras flattens it."""
    if isinstance(value, LayerOutput):
        yield value
    elif isinstance(value, Mapping):
        for key in sorted(value, key=str):
            yield from tensors_in(value[key])
    elif isinstance(value, list | tuple):
        for each in value:
            yield from tensors_in(each)


def layers_of(value: object) -> Iterator[KerasLayer]:
    """The layers among the values of a config."""
    if isinstance(value, KerasLayer):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from layers_of(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from layers_of(each)


def calls_in_order(model: KerasModel) -> Iterator[tuple[KerasLayer, int, KerasCall]]:
    """Every call of a layer with its number, none before those that yield what it is given; what waits for itself is left out."""
    waiting = [
        (layer, number, call)
        for layer in model.layers
        for number, call in enumerate(layer.calls)
    ]
    ready = {(each.name, 0) for each in model.layers if not each.calls}
    while waiting:
        late = []
        for layer, number, call in waiting:
            if all((t.layer, t.call) in ready for t in call.tensors()):
                ready.add((layer.name, number))
                yield layer, number, call
            else:
                late.append((layer, number, call))
        if len(late) == len(waiting):
            return
        waiting = late


def every_layer(model: KerasModel) -> Iterator[KerasLayer]:
    """The layers of a model, of the models in it, and those in the configs of others."""
    stack = list(reversed(model.layers))
    while stack:
        layer = stack.pop()
        yield layer
        inner = list(layers_of(layer.config))
        stack.extend(reversed([*(layer.model.layers if layer.model else ()), *inner]))
