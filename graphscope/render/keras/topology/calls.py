"""One call of a layer, or of a function, -> its text with holes for the tensors, and the tensors."""

from __future__ import annotations

from collections.abc import Mapping
from keyword import iskeyword
from typing import Any

from ....graph import Shape
from ....graph.keras import KerasCall, KerasLayer, LayerOutput
from ....graph.keras.operations import function_of
from ..program.literals import literal
from ..program.program import hole
from .tensorflow_functions import function_text

Text = tuple[str, tuple[LayerOutput, ...]]
_OPERATORS = {
    "Add": "{} + {}",
    "Divide": "{} / {}",
    "FloorDivide": "{} // {}",
    "Matmul": "{} @ {}",
    "Mod": "{} % {}",
    "Multiply": "{} * {}",
    "Negative": "-{}",
    "Power": "{} ** {}",
    "Subtract": "{} - {}",
    "TrueDivide": "{} / {}",
}
_RECURRENT = frozenset(
    "Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D GRU LSTM RNN SimpleRNN".split()
)
_TWO_STATES = 2


class Holes:
    """Writes values, with a hole for each tensor."""

    def __init__(self) -> None:
        self.tensors: list[LayerOutput] = []

    def text(self, value: object) -> str:
        if isinstance(value, LayerOutput):
            if value not in self.tensors:
                self.tensors.append(value)
            return hole(self.tensors.index(value))
        if isinstance(value, list | tuple):
            inside = ", ".join(map(self.text, value))
            if any(_has_tensor(each) for each in value):
                return f"[{inside}]"
            return literal(value)
        if isinstance(value, Mapping):
            pairs = (f"{literal(str(k))}: {self.text(v)}" for k, v in value.items())
            return f"{{{', '.join(pairs)}}}"
        if isinstance(value, slice):
            return f"slice({literal(value.start)}, {literal(value.stop)}, {literal(value.step)})"
        return "..." if value is ... else literal(value)

    def list(self, call: KerasCall) -> str:
        texts = [self.text(value) for value in call.args]
        texts += [
            f"{key}={self.text(value)}"
            for key, value in call.kwargs.items()
            if is_keyword(key)
        ]
        return ", ".join(texts)


def _is_list(value: object) -> bool:
    return isinstance(value, tuple | list) and not isinstance(value, LayerOutput)


def is_keyword(name: str) -> bool:
    """Whether a call can be given an argument of the name: no text of a file's goes into the source otherwise."""
    return name.isascii() and name.isidentifier() and not iskeyword(name)


def _has_tensor(value: Any) -> bool:
    if isinstance(value, LayerOutput):
        return True
    inner = value.values() if isinstance(value, Mapping) else value
    return isinstance(value, list | tuple | Mapping) and any(map(_has_tensor, inner))


def call_of(layer: KerasLayer, call: KerasCall) -> Text:
    """The arguments of a layer's call."""
    holes = Holes()
    return holes.list(_with_states(layer, call)), tuple(holes.tensors)


def _with_states(layer: KerasLayer, call: KerasCall) -> KerasCall:
    """Keras 2 gives a recurrent layer its initial states in one list with its input; Keras 3 by name."""
    first: Any = call.args[0] if call.args else None
    if layer.class_name not in _RECURRENT or not _is_list(first):
        return call
    if len(first) < _TWO_STATES:
        return KerasCall(first, call.kwargs)
    states = list(first[1:])
    given = {"initial_state": states if len(states) > 1 else states[0]}
    if layer.class_name == "Bidirectional" or len(states) > 1:
        given = {"initial_state": states}
    return KerasCall((first[0],), {**given, **call.kwargs})


def expression_of(
    layer: KerasLayer, call: KerasCall
) -> tuple[str | None, tuple[LayerOutput, ...]]:
    """The expression over ``ops`` that an operation or a function of TensorFlow's means; None where nobody knows it."""
    holes = Holes()
    try:
        if layer.kind == "function":
            text = function_text(layer, call, holes.text)
        elif layer.class_name == "GetItem":
            text = item_text(holes.text(call.args[0]), call.args[1])
        else:
            text = _operation_text(layer, call, holes)
    except LookupError:  # a call that lacks its operands: no file of Keras's
        return None, ()
    return text, tuple(holes.tensors)


def count_of(layer: KerasLayer, call: KerasCall, shape: Shape) -> int:
    """How many tensors a function yields that yields a list; 1 for all others. ``shape`` is that of the first tensor it is given."""
    called = str(layer.config.get("function", "")) or function_of(layer.class_name)
    name = str(called).rpartition(".")[2]
    values = {**layer.config, **call.kwargs}
    if name in ("top_k", "moments"):
        return 2
    if name == "split":
        names = ("num_or_size_splits", "indices_or_sections")
        known = next((values[n] for n in names if n in values), None)
        parts = call.args[1] if len(call.args) > 1 else known
        if isinstance(parts, tuple | list):
            return len(parts) + (layer.kind == "operation")  # places, not sizes
        return parts if isinstance(parts, int) else 1
    if name == "unstack":
        axis = values.get("axis") or 0
        size = shape[axis] if shape and isinstance(axis, int) else None
        return values.get("num") or size or 1
    return 1


def item_text(of: str, index: object) -> str:
    """``x[:, -1, 1:]``."""
    places = index if isinstance(index, tuple | list) else (index,)
    return f"{of}[{', '.join(map(_place, places or (...,)))}]"


def _place(value: object) -> str:
    if isinstance(value, slice):
        start, stop = (
            "" if e is None else literal(e) for e in (value.start, value.stop)
        )
        return f"{start}:{stop}" + (
            "" if value.step is None else f":{literal(value.step)}"
        )
    return "..." if value is ... else literal(value)


def _operation_text(layer: KerasLayer, call: KerasCall, holes: Holes) -> str | None:
    name = layer.class_name
    if name in _OPERATORS and not call.kwargs and isinstance(call.args[0], LayerOutput):
        return _OPERATORS[name].format(*(_operand(holes, v) for v in call.args))
    function = function_of(name)
    if function is None:
        return None
    shown = {
        key: value
        for key, value in layer.config.items()
        if key not in ("name", "dtype") or key == "dtype" and value is not None
    }
    if name == "Einsum":
        subscripts = literal(str(shown.pop("subscripts", "")))
        return f"ops.einsum({', '.join([subscripts, holes.list(call)])})"
    texts = [holes.list(call)]
    texts += [
        f"{k}={holes.text(v)}"
        for k, v in shown.items()
        if _is_said(name, k, v) and is_keyword(k)
    ]
    return f"ops.{function}({', '.join(t for t in texts if t)})"


def _is_said(name: str, key: str, value: object) -> bool:
    return value is not None or key == "axis" and name in ("Softmax", "LogSoftmax")


def _operand(holes: Holes, value: object) -> str:
    text = holes.text(value)
    return f"({text})" if text.startswith("-") else text
