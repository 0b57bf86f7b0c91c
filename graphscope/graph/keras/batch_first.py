"""Recurrent layers of Keras 2 that have the steps first -> the same layers with the batch first, between transposes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from .nouns import KerasCall, KerasLayer, KerasModel, LayerOutput

STEPS_FIRST = "time_major"
_SWAP = (1, 0, 2)


def with_batch_first(model: KerasModel) -> KerasModel:
    """The model without layers that have the steps first, as Keras 3 has none; those of the models in it too.

    ``LSTM(time_major=True)(x) -> transpose(LSTM()(transpose(x)))``; what is no sequence is not turned.
    """
    layers = [
        (
            replace(layer, model=with_batch_first(layer.model))
            if layer.model is not None
            else layer
        )
        for layer in model.layers
    ]
    turned = {layer.name for layer in layers if _has_steps_first(layer)}
    whole = {layer.name for layer in layers if _yields_steps(layer)} & turned
    if not turned:
        return replace(model, layers=tuple(layers))

    def read(tensor: LayerOutput) -> LayerOutput:
        is_turned = tensor.layer in whole and not tensor.port
        return tensor._replace(layer=_after(tensor.layer)) if is_turned else tensor

    given = [replace(x, calls=tuple(c.reading(read) for c in x.calls)) for x in layers]
    return replace(
        model,
        class_name="Functional",
        layers=tuple(
            each
            for layer in given
            for each in (_around(layer, whole) if layer.name in turned else [layer])
        ),
        outputs=tuple(map(read, model.outputs)),
    )


def _around(layer: KerasLayer, whole: set[str]) -> Iterator[KerasLayer]:
    """The layer between what turns its input and, where that is a sequence, its output."""
    before, calls = f"{layer.name}_batch_first", []
    for number, call in enumerate(layer.calls):
        first, *rest = call.args
        turned: Any = LayerOutput(before, number)
        if isinstance(first, list | tuple) and not isinstance(first, LayerOutput):
            turned = [turned, *first[1:]]
        calls.append(KerasCall((turned, *rest), call.kwargs))
    yield _transpose(before, [_first(call) for call in layer.calls])
    yield replace(_plain(layer), calls=tuple(calls))
    if layer.name in whole:
        outputs = [LayerOutput(layer.name, number) for number in range(len(calls))]
        yield _transpose(_after(layer.name), outputs)


def _after(name: str) -> str:
    return f"{name}_steps_first"


def _first(call: KerasCall) -> LayerOutput:
    """What a layer is called on, without its states."""
    return call.tensors()[0]


def _transpose(name: str, tensors: list[LayerOutput]) -> KerasLayer:
    calls = tuple(KerasCall((tensor,)) for tensor in tensors)
    return KerasLayer(name, "Transpose", {"axes": _SWAP}, calls, kind="operation")


def _own(layer: KerasLayer) -> KerasLayer:
    """The layer whose steps they are: the wrapped one of a Bidirectional."""
    inner = layer.config.get("layer")
    return inner if isinstance(inner, KerasLayer) else layer


def _has_steps_first(layer: KerasLayer) -> bool:
    is_called = all(call.tensors() for call in layer.calls)
    return bool(_own(layer).config.get(STEPS_FIRST)) and is_called


def _yields_steps(layer: KerasLayer) -> bool:
    return bool(_own(layer).config.get("return_sequences"))


def _plain(layer: KerasLayer) -> KerasLayer:
    """The layer without the argument, and those in its config."""
    config = {
        key: _plain(value) if isinstance(value, KerasLayer) else value
        for key, value in layer.config.items()
        if key != STEPS_FIRST
    }
    return replace(layer, config=config)
