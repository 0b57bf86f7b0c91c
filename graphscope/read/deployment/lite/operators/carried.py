"""Operators that carry an op of TensorFlow: they are that op."""

from __future__ import annotations

from collections.abc import Sequence

from .....errors import FormatError
from .....graph import Tensor
from .....wire import opdefs
from ..call import Call, lowers
from ..custom import FLEX, carried_op


@lowers(FLEX)
def _carried(call: Call) -> Sequence[Tensor] | None:
    carried = carried_op(call.operator)
    if carried is None:
        return None
    op, attrs = carried
    asked, count = len(opdefs.input_dtypes(op, attrs)), len(call.all)
    if asked != count:
        raise FormatError(
            f"{call.lowered.file.source.name}: a {op} of {count} inputs, it takes {asked}: the file is damaged"
        )
    x = call.op(op, *call.all, **attrs)
    return [Tensor(x.node, port) for port in range(len(call.operator.outputs))]
