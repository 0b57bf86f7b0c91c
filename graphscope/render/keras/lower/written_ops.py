"""An op that takes more than an expression -> a small layer whose call says it in ``keras.ops``, on every backend."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .... import ops
from ....graph import Node, Shape, Tensor, TensorSpec
from ....ops.values.size import Size
from ....wire import opdefs
from ..classes.own_layers import spec_method
from ..operands.call_texts import constant_text
from ..operands.context import Context
from ..program.names import class_identifier, is_default_name, op_name
from ..program.program import Step, hole
from .operands import argument_names

_CLASS = '''
@keras.saving.register_keras_serializable(package="recovered")
class {name}(layers.Layer):
    """TensorFlow's {op}, in the words of keras.ops."""

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)
{init}
    def call(self, {inputs}):
{body}
'''
_OPEN = "        self.supports_jit = False  # the numbers tell the shape\n"


def written_step(
    lowering: Context,
    node: str,
    payload: Node,
    inputs: Sequence[Tensor],
    ports: int,
    read: set[int],
) -> Step | None:
    """The call of such a layer; None where nothing says it, or nobody knows of which rank the outputs are that something reads."""
    operands = [_operand(lowering, tensor) for tensor in inputs]
    tensors = tuple(dict.fromkeys(o for o in operands if isinstance(o, Tensor)))
    names = dict(zip(inputs, argument_names(payload.op, len(inputs))))
    used = {o: names[t] for t, o in zip(inputs, operands) if isinstance(o, Tensor)}
    specs = [lowering.spec(tensor) for tensor in inputs]
    values = [
        None if isinstance(operand, Tensor) else lowering.value(tensor)
        for tensor, operand in zip(inputs, operands)
    ]
    call = ops.Call(payload.op, payload.attrs, specs, values, node, inside=True)
    texts = [used[o] if isinstance(o, Tensor) else o for o in operands]
    if not tensors:
        return None
    lines = ops.keras_body(call, texts) or _fed_lines(call, texts)
    outputs = output_specs(lowering, node, payload, ports)
    if ports == 1 and outputs and outputs[0].shape is None:
        outputs = (TensorSpec(outputs[0].dtype, ops.likely_shape(call)),)
    if lines is None or any(outputs[port].shape is None for port in read):
        return None
    outputs = tuple(TensorSpec(each.dtype, each.shape or ()) for each in outputs)
    name = _class(lowering, payload.op, [used[t] for t in tensors], lines, outputs)
    return Step(
        node,
        ", ".join(hole(number) for number in range(len(tensors))),
        tensors,
        name,
        name,
        {},
        lowering.names.unique(op_name(node)),
        ports=ports,
        is_named=not is_default_name(op_name(node), node),
    )


def _fed_lines(call: ops.Call, texts: Sequence[str]) -> list[str] | None:
    """The statements where axes or sizes are fed: whole numbers that TensorFlow takes as tensors and the others as numbers."""
    if call.op not in _FED:
        return None
    values, fed = list(call.values), []
    for slot, (spec, value) in enumerate(zip(call.inputs, call.values)):
        if value is None and slot and spec.dtype in ("int32", "int64"):
            sizes = _sizes(texts[slot], call.shape(slot), call.rank(0))
            values[slot] = sizes
            fed += [texts[slot]] if sizes is not None else []
    text = ops.keras_text(replace(call, values=values), texts) if fed else None
    if text is None:
        return None
    used = {name for name in fed if re.search(rf"\b{name}\b", text)}
    return [
        *(f"if {_ELSEWHERE}:" for _ in sorted(used)[:1]),
        *(
            f"    {name} = ops.convert_to_numpy({name}).tolist()"
            for name in sorted(used)
        ),
        f"return {text}",
    ]


_ELSEWHERE = 'keras.config.backend() != "tensorflow"'
_FED = frozenset(
    "All Any ArgMax ArgMin BroadcastTo Concat ConcatV2 ConjugateTranspose Cumprod Cumsum EuclideanNorm GatherV2 IRFFT LinSpace "
    "Max Mean Min MirrorPad OneHot Pad PadV2 Prod Reshape RFFT Roll Sum Tile TopKV2 Transpose".split()
)
"""Whose text takes tensors on TensorFlow, and means by negative numbers what the op does."""
_BY_AXIS = frozenset("perm multiples".split())
_MOST = 8  # numbers that are fed as axes or sizes


def _sizes(name: str, shape: Shape, rank: int | None) -> np.ndarray | None:
    """The elements of a scalar or a short vector by name; some vectors of open length have one number for each axis."""
    if shape == ():
        sizes = np.empty((), object)
        sizes[()] = Size.named(name)
        return sizes
    count = shape[0] if shape is not None and len(shape) == 1 else 0
    if count is None and name in _BY_AXIS:
        count = rank or 0
    count = 1 if name == "fft_length" else count or 0
    if not 0 < count <= _MOST:
        return None
    return np.array([Size.named(f"{name}[{n}]") for n in range(count)], object)


def _operand(lowering: Context, tensor: Tensor) -> Tensor | str:
    """A small constant as a literal, all else as the tensor that the layer is called on."""
    known = None
    if tensor not in lowering.inputs and tensor.node not in lowering.steps:
        known = lowering.value(tensor)
    text = constant_text(known) if known is not None else None
    return lowering.operand(tensor, literals=False) if text is None else text


def output_specs(
    lowering: Context, node: str, payload: Node, ports: int
) -> tuple[TensorSpec, ...]:
    """What is known of each output, its dtype by the op's definition."""
    dtypes = opdefs.output_dtypes(payload.op, payload.attrs)
    outputs = [lowering.spec(Tensor(node, port)) for port in range(ports)]
    return tuple(
        TensorSpec(each.dtype or dtype, each.shape)
        for each, dtype in zip(outputs, dtypes)
    )


def _class(
    lowering: Context,
    op: str,
    names: Sequence[str],
    lines: Sequence[str],
    outputs: Sequence[TensorSpec],
) -> str:
    """The name of the class with this body, entered where it is new."""
    is_open = any(_ELSEWHERE in line or "ops.nonzero(" in line for line in lines)
    body = "\n".join(f"        {line}" if line else "" for line in lines)
    number, wanted = 1, class_identifier(op)
    while True:
        apart = "_" if wanted[-1].isdigit() else ""
        candidate = wanted if number == 1 else f"{wanted}{apart}{number}"
        source = _CLASS.format(
            name=candidate,
            op=op,
            init=_OPEN if is_open else "",
            inputs=", ".join(names),
            body=body,
        )
        source += spec_method(names, outputs)
        if lowering.classes.setdefault(candidate, source) == source:
            return candidate
        number += 1
