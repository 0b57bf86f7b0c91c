"""What a custom operator says of itself: the op of TensorFlow that it carries, or options by name."""

from __future__ import annotations

from collections.abc import Mapping

from ....errors import FormatError
from ....wire import messages as proto
from ....wire import op_registry
from ....wire.attrs import Attrs
from ..flexbuffer import decode
from .file import Operator

FLEX = "Flex"  # how the names of operators begin that carry an op of TensorFlow
_PLAIN = (str, int, float, bool)


def carried_op(operator: Operator) -> tuple[str, dict[str, object]] | None:
    """The op of TensorFlow that a Flex operator carries, with its attributes; None where TensorFlow does not know it.

    Its options are a FlexBuffer of two texts, the op's name and a NodeDef
    (tensorflow/compiler/mlir/lite/flatbuffer_export.cc). Raises FormatError where they are not.
    """
    parts = decode(operator.custom)
    if not isinstance(parts, list) or len(parts) < 2 or not isinstance(parts[1], bytes):
        raise FormatError(
            f"the options of {operator.op} carry no NodeDef: it is damaged"
        )
    message = proto.parse("NodeDef", parts[1], operator.op)
    declared = op_registry.attr_types(message.op)
    if op_registry.find(message.op) is None:
        return None
    attrs = Attrs(message.attr, None, {}, message)
    return message.op, {name: attrs[name] for name in attrs if name in declared}


def named_options(operator: Operator) -> Mapping[str, object]:
    """The options of any other custom operator, where they are a map of numbers and texts; nothing where they are not."""
    try:
        options = decode(operator.custom) if operator.custom else {}
    except FormatError:
        return {}
    if not isinstance(options, dict):
        return {}
    texts = {
        k: v.decode("utf-8", "replace") if isinstance(v, bytes) else v
        for k, v in options.items()
    }
    return {key: value for key, value in texts.items() if isinstance(value, _PLAIN)}
