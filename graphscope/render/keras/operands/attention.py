"""How attention is called: its inputs as a person gives them, and what is said when it is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ....graph import Layer, Tensor
from ..program.program import hole

_OF_HEADS = ("MultiHeadAttention", "GroupQueryAttention")
_OF_SCORES = ("Attention", "AdditiveAttention")  # called on a list
_SAID = ("additive_mask", "use_causal_mask", "hidden", "unscaled")


def is_attention(layer: Layer) -> bool:
    return layer.op in (*_OF_HEADS, *_OF_SCORES)


def constructor_config(layer: Layer) -> dict[str, Any]:
    """The config without what is excluded when the layer is called, or by default."""
    excluded = _SAID if is_attention(layer) else ()
    attrs = {name: value for name, value in layer.attrs.items() if name not in excluded}
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
    if layer.op in _OF_SCORES:
        return ", ".join(_listed(layer, texts))
    arguments = [texts.pop("query"), texts.pop("value")]
    arguments += [f"{name}={text}" for name, text in texts.items()]
    if layer.attrs.get("use_causal_mask") and "hidden" not in layer.attrs:
        arguments.append("use_causal_mask=True")
    return ", ".join(arguments)


def _listed(layer: Layer, texts: Mapping[str, str]) -> Iterator[str]:
    """``[query, value, key]``, their masks as one list too."""
    arguments = [texts[name] for name in ("query", "value", "key") if name in texts]
    yield f"[{', '.join(arguments)}]"
    masks = [texts.get(f"{name}_mask", "None") for name in ("query", "value")]
    if masks != ["None", "None"]:
        yield f"mask=[{', '.join(masks)}]"
    if layer.attrs.get("use_causal_mask") and "hidden" not in layer.attrs:
        yield "use_causal_mask=True"


def _operand(layer: Layer, operands: Sequence[Tensor | str], name: str) -> Any:
    known: Mapping[str, Any] = dict(zip(layer.inputs, operands, strict=True))
    return known.get(name)
