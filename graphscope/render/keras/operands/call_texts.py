"""The texts of single calls: how a layer takes its inputs, what an expression says, how a constant is written."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence

import numpy as np

from ....graph import Layer, Tensor
from ..classes.signatures import MERGES, signatures
from ..program.literals import literal
from ..program.program import hole
from .attention import attention_call, is_attention

LARGE = 16  # a constant of more elements is a weight, not a literal
_FEW = 6  # numbers that show by themselves what they are
_DIGITS = 10  # of the exponents at the ends of a progression
_PLAIN = frozenset({"float32", "int32", "bool"})

WEIGHT_DTYPES = frozenset(
    "float16 bfloat16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 bool".split()
)


def call_text(layer: Layer, operands: Sequence[Tensor | str]) -> str:
    """The arguments of a layer's call, in the way that its class takes its inputs."""
    if is_attention(layer):
        return attention_call(layer, operands)
    texts, number = [], 0
    for operand in operands:
        texts.append(hole(number) if isinstance(operand, Tensor) else operand)
        number += isinstance(operand, Tensor)
    if layer.op in MERGES and len(texts) > 1:
        return f"[{', '.join(texts)}]"
    if is_recurrent(layer):
        return _recurrent_call(list(layer.inputs), texts)
    return ", ".join(texts)


def is_recurrent(layer: Layer) -> bool:
    """Whether the layer goes through a sequence, and may be told a mask and its first state."""
    return next(iter(layer.inputs), "") == "sequence" and layer.op != "SequenceMask"


def _recurrent_call(names: Sequence[str], texts: Sequence[str]) -> str:
    """``x, mask=m, initial_state=[h, c]``."""
    said = [texts[0]]
    said += [f"mask={t}" for name, t in zip(names, texts) if name == "mask"]
    states = [t for name, t in zip(names, texts) if name.startswith("initial_state")]
    if states:
        text = states[0] if len(states) == 1 else f"[{', '.join(states)}]"
        said.append(f"initial_state={text}")
    return ", ".join(said)


def stored_order(class_name: str, weights: Collection[str]) -> tuple[str, ...]:
    """A layer's weights in the order in which Keras stores them."""
    signature = signatures().get(class_name)
    known = signature.weights if signature else ()
    return tuple(name for name in known if name in weights) + tuple(
        name for name in weights if name not in known
    )


def said_text(text: str, ports: int, used: set[int]) -> tuple[str, int] | None:
    """The text of those outputs that are needed, and their number; None where one of them is left unsaid."""
    parsed = ast.parse(text.replace("\0", "_"), mode="eval").body
    if ports == 1 and re.match(r"ops\.(split|unstack|meshgrid)\(", text):
        return f"{text}[0]", 1  # a list all the same
    if not isinstance(parsed, ast.Tuple) or ports == 1:
        return text, ports
    count = max(used) + 1
    elements = parsed.elts[:count]
    silent = [isinstance(e, ast.Constant) and e.value is None for e in elements]
    if len(elements) < count or any(silent[port] for port in used):
        return None
    parts = [text[e.col_offset : e.end_col_offset] for e in elements]
    return (f"({', '.join(parts)})" if count > 1 else parts[0]), count


def constant_text(value: np.ndarray, plain: bool = True) -> str | None:
    """A small constant as an operand of keras.ops: a bare literal where its dtype is what Keras makes of one.

    Not ``plain``: always a tensor.
    """
    if value.size > LARGE or value.dtype.kind in "OSUV":
        return None
    if not value.size and value.ndim > 1:
        return f'ops.zeros({literal(value.shape)}, "{value.dtype.name}")'
    if plain and value.ndim == 0 and value.dtype.name in _PLAIN:
        text = literal(value)
        return f"({text})" if text.startswith("-") else text
    return f'ops.array({literal(value)}, "{value.dtype.name}")'


def progression_text(value: np.ndarray) -> str | None:
    """The frequencies of a positional encoding, each the same part of the one before; None for all else.

    Within two units in the last place, as far as one library's powers are from another's.

    >>> progression_text((10000.0 ** (-np.arange(16) / 16)).astype("float32"))
    'ops.logspace(0.0, -3.75, 16)'
    """
    if value.dtype != "float32" or value.ndim != 1 or value.size <= _FEW:
        return None
    if not (np.isfinite(value) & (value > 0)).all() or value[0] == value[-1]:
        return None
    ends = np.log10(value[[0, -1]].astype("float64"))
    for digits in range(1, _DIGITS + 1):
        start, stop = (ends.round(digits) + 0.0).tolist()
        powers = np.logspace(start, stop, value.size)
        if (np.abs(powers - value) <= 2 * np.spacing(value)).all():
            return f"ops.logspace({start!r}, {stop!r}, {value.size})"
    return None
