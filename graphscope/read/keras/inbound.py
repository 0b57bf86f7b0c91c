"""The calls of a functional model's layers (``inbound_nodes``), in the spelling of any Keras."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...graph import TensorSpec
from ...graph.keras import KerasCall, LayerOutput
from ...graph.named_values import Config, Document
from .values import plain

Numbers = Mapping[str, int]  # the number that the first call of a layer has in the file
Specs = dict[LayerOutput, TensorSpec]
_CONSTANT = "_CONSTANT_VALUE"


def first_numbers(entries: Config, inner: Config) -> Numbers:
    """What the first call of each layer is numbered.

    A model of Keras 2 has a node from the time when it was made, so that its first call is number 1; Keras 3 counts from 0.
    """
    lowest: dict[str, int] = {}
    places = [
        *(entry.get("inbound_nodes") for entry in entries.values()),
        inner.get("output_layers"),
    ]
    for name, call, _ in histories(places):
        lowest[name] = min(call, lowest.get(name, call))
    return {name: call for name, call in lowest.items() if call == 1}


def calls_of(entry: Document, numbers: Numbers, specs: Specs) -> tuple[KerasCall, ...]:
    """The calls of one layer; ``specs`` is told what they say of the tensors that they read."""
    nodes = entry.get("inbound_nodes")
    return tuple(
        _call(node, numbers, specs)
        for node in (nodes if isinstance(nodes, list) else ())
    )


def _call(node: Any, numbers: Numbers, specs: Specs) -> KerasCall:
    if isinstance(node, dict) and "args" in node:
        args = plain(node.get("args"), lambda v: _tensor_3(v, numbers, specs))
        kwargs = plain(node.get("kwargs"), lambda v: _tensor_3(v, numbers, specs))
        args = args if isinstance(args, tuple) else (args,)
        return KerasCall(args, _less_none(kwargs))
    keywords: dict[str, object] = {}
    first = _structure_2(node, numbers, keywords)
    if isinstance(first, tuple) and len(first) == 1 and _is_record(node[0]):
        first = first[0]
    return KerasCall((first,), _less_none(keywords))


def _less_none(kwargs: object) -> dict[str, object]:
    keywords = kwargs if isinstance(kwargs, dict) else {}
    return {key: value for key, value in keywords.items() if not _is_none(value)}


def _is_none(value: object) -> bool:
    """Whether it is None, or a list of nothing else, as the mask of several inputs is."""
    if isinstance(value, tuple) and value and not isinstance(value, LayerOutput):
        return all(map(_is_none, value))
    return value is None


def _tensor_3(value: Mapping[str, object], numbers: Numbers, specs: Specs) -> object:
    """The tensor that a ``__keras_tensor__`` stands for; None where it is none."""
    config = value.get("config")
    if value.get("class_name") != "__keras_tensor__" or not isinstance(config, dict):
        return None
    history = config.get("keras_history")
    if not _is_record(history):
        return None
    tensor = _output(history, numbers)
    shape, dtype = config.get("shape"), config.get("dtype")
    if isinstance(shape, list):
        sizes = tuple(size if isinstance(size, int) else None for size in shape)
        specs[tensor] = TensorSpec(dtype if isinstance(dtype, str) else "", sizes)
    return tensor


def _structure_2(node: Any, numbers: Numbers, kwargs: dict[str, object]) -> object:
    """The first argument of a call in Keras 2's words; ``kwargs`` is told the others, which stand beside each tensor."""
    if _is_record(node):
        if len(node) > 3 and isinstance(node[3], dict):
            kwargs.update(_keywords_2(node[3], numbers))
        return plain(node[2]) if node[0] == _CONSTANT else _output(node, numbers)
    if isinstance(node, list):
        return tuple(_structure_2(each, numbers, kwargs) for each in node)
    if isinstance(node, dict):
        return {key: _structure_2(each, numbers, kwargs) for key, each in node.items()}
    return plain(node)


def _keywords_2(keywords: Mapping[str, object], numbers: Numbers) -> dict[str, object]:
    return {key: _keyword_2(value, numbers) for key, value in keywords.items()}


def _keyword_2(value: Any, numbers: Numbers) -> object:
    if _is_record(value) and len(value) == 3:
        return _output(value, numbers)
    if isinstance(value, list):
        return tuple(_keyword_2(each, numbers) for each in value)
    if isinstance(value, dict) and "class_name" not in value:
        return {key: _keyword_2(each, numbers) for key, each in value.items()}
    return plain(value)


def _output(record: Any, numbers: Numbers) -> LayerOutput:
    name, call, port = record[:3]
    return LayerOutput(name, call - numbers.get(name, 0), port)


def _is_record(value: object) -> bool:
    """Whether this is ``[layer, call, output]``, with or without keyword arguments after it."""
    return (
        isinstance(value, list)
        and 3 <= len(value) <= 4
        and isinstance(value[0], str)
        and isinstance(value[1], int)
        and (isinstance(value[2], int) or value[0] == _CONSTANT)
        and (len(value) == 3 or isinstance(value[3], dict))
    )


def output_list(
    value: object, numbers: Numbers, specs: Specs
) -> tuple[LayerOutput, ...]:
    """The tensors that ``input_layers`` or ``output_layers`` lists: flat, nested or by key."""
    return tuple(
        LayerOutput(name, call - numbers.get(name, 0), port)
        for name, call, port in histories(value)
    )


def histories(value: Any) -> Iterator[tuple[str, int, int]]:
    """Every ``[layer, call, output]`` in any structure, in order."""
    if _is_record(value):
        if value[0] != _CONSTANT:
            yield value[0], value[1], value[2]
        yield from histories(value[3:])
    elif isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        config = value.get("config")
        yield from histories(
            config.get("keras_history") if isinstance(config, dict) else ()
        )
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            yield from histories(value[key])
    elif isinstance(value, list):
        for each in value:
            yield from histories(each)
