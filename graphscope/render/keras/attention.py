"""How attention is called: its inputs as a person gives them, and what is said when it is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...graph import Layer, Tensor
from .program import hole

_CLASSES = ("MultiHeadAttention", "GroupQueryAttention")


def is_attention(layer: Layer) -> bool:
    return layer.op in _CLASSES


def constructor_config(layer: Layer) -> dict[str, Any]:
    """The config without what is said when the layer is called, or by default."""
    said = ("additive_mask", "use_causal_mask") if is_attention(layer) else ()
    attrs = {name: value for name, value in layer.attrs.items() if name not in said}
    if is_attention(layer) and attrs.get("value_dim") == attrs.get("key_dim"):
        attrs.pop("value_dim", None)
    return attrs


def attention_call(layer: Layer, operands: Sequence[Tensor | str]) -> str:
    """``query, value``, then what a call needs beyond them, by name."""
    texts: dict[str, str] = {}
    number = 0
    for name, operand in zip(layer.inputs, operands, strict=True):
        texts[name] = hole(number) if isinstance(operand, Tensor) else operand
        number += isinstance(operand, Tensor)
    if _operand(layer, operands, "key") == _operand(layer, operands, "value"):
        texts.pop("key", None)
    given = [texts.pop("query"), texts.pop("value")]
    given += [f"{name}={text}" for name, text in texts.items()]
    if layer.attrs.get("use_causal_mask"):
        given.append("use_causal_mask=True")
    return ", ".join(given)


def _operand(layer: Layer, operands: Sequence[Tensor | str], name: str) -> Any:
    known: Mapping[str, Any] = dict(zip(layer.inputs, operands, strict=True))
    return known.get(name)
