"""Why ``keras.ops`` cannot say an op, by what the op takes, gives and does."""

from __future__ import annotations

from ..graph.named_values import Attributes
from ..wire import opdefs
from .effects import RANDOM, effect_of

UNKNOWN = "has no word for it"
_BY_DTYPE = {
    "string": "has no strings",
    "variant": "has no lists of tensors",
    "resource": "has no tables and other handles",
    "qint": "has no quantised numbers",
    "quint": "has no quantised numbers",
}


def reason(op: str, attrs: Attributes) -> str:
    """What ``keras.ops`` lacks; ``UNKNOWN`` where nobody has written the op in its words, or not for these arguments.

    >>> reason("StringLower", {})
    'has no strings'
    """
    dtypes = opdefs.input_dtypes(op, attrs) + opdefs.output_dtypes(op, attrs)
    for start, text in _BY_DTYPE.items():
        if any(dtype.startswith(start) for dtype in dtypes):
            return text
    return "draws other random numbers" if effect_of(op) == RANDOM else UNKNOWN
