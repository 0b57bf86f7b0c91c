"""A look-up whose table is known -> the call of a small layer that holds the table."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....graph import Node, Tensor
from ..operands.context import Context
from ..program.names import op_name
from ..program.program import Step, hole

_CLASS = '''
@keras.saving.register_keras_serializable(package="recovered")
class LookupTable(layers.Layer):
    """The value of each key, or the default; without values, a key's place in the list: runs on the TensorFlow backend only."""

    def __init__(
        self, keys, default, values=None, key_dtype="string", value_dtype="int64", **kwargs
    ):
        super().__init__(autocast=False, **kwargs)
        self.entries = {
            "keys": keys,
            "default": default,
            "values": values,
            "key_dtype": key_dtype,
            "value_dtype": value_dtype,
        }
        values = range(len(keys)) if values is None else values
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                keys, list(values), key_dtype=key_dtype, value_dtype=value_dtype
            ),
            default,
        )

    def call(self, x):
        return self.table.lookup(x)

    def get_config(self):
        return {**super().get_config(), **self.entries}
'''


def holds_table(payload: Node) -> bool:
    """Whether a look-up knows what its table holds (see simplify.tables)."""
    known = [payload.attrs.get(name) for name in ("keys", "values")]
    return payload.op.startswith("LookupTableFind") and all(
        isinstance(value, np.ndarray) and value.ndim == 1 for value in known
    )


def table_step(lowering: Context, node: str, payload: Node) -> Step | None:
    """The call of the layer; None where the default is computed."""
    operands = lowering.arguments(node)
    otherwise = lowering.value(operands[2]) if len(operands) == 3 else None
    if otherwise is None or otherwise.size != 1:
        return None
    keys, values = payload.attrs["keys"], payload.attrs["values"]
    arguments: dict[str, Any] = {"keys": _list(keys), "default": _list(otherwise)[0]}
    if values.dtype.kind != "i" or not np.array_equal(values, np.arange(len(values))):
        arguments["values"] = _list(values)
    for name, array, usual in (("key", keys, "string"), ("value", values, "int64")):
        dtype = "string" if array.dtype.kind in "OSU" else array.dtype.name
        if dtype != usual:
            arguments[f"{name}_dtype"] = dtype
    lowering.classes["LookupTable"] = _CLASS
    default = lowering.operand(operands[1], literals=False)
    read = default if isinstance(default, Tensor) else next(iter(lowering.inputs))
    return Step(
        node,
        hole(0),
        (read,),
        "LookupTable",
        "LookupTable",
        arguments,
        lowering.names.unique(op_name(node)),
        portable=False,
    )


def _list(array: np.ndarray) -> list[Any]:
    """The elements in Python's types; strings as text, where they are text."""
    elements = array.reshape(-1).tolist()
    try:
        return [e.decode() if isinstance(e, bytes) else e for e in elements]
    except UnicodeDecodeError:
        return elements
