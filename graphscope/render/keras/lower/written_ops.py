"""An op that takes more than an expression -> a small layer whose call says it in ``keras.ops``, on every backend."""

from __future__ import annotations

from collections.abc import Sequence

from .... import ops
from ....graph import Node, Tensor, TensorSpec
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
    lowering: Context, node: str, payload: Node, inputs: Sequence[Tensor], ports: int
) -> Step | None:
    """The call of such a layer; None where the op has no body, or nobody knows of which rank its outputs are."""
    meaning = ops.meaning(payload.op)
    if meaning is None or meaning.body is None:
        return None
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
    lines = ops.keras_body(call, texts) if tensors else None
    outputs = output_specs(lowering, node, payload, ports)
    if lines is None or any(spec.shape is None for spec in outputs):
        return None
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
    is_open = any("ops.nonzero(" in line for line in lines)
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
