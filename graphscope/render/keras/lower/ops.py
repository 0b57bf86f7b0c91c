"""An op that no layer explains -> an expression in ``keras.ops``, else a small layer that runs the op in TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .... import ops
from ....errors import NotExpressible
from ....graph import Node, Tensor, TensorSpec
from ....ops import spellings
from ....ops.reasons import reason
from ....wire import op_registry, opdefs
from ..classes.own_layers import op_class
from ..operands.bias_and_scale import trained_step
from ..operands.call_texts import LARGE, said_text
from ..operands.context import Context
from ..operands.dynamic_ops import sized_step
from ..operands.random_ops import draw_step
from ..program.literals import literal
from ..program.names import class_identifier, is_default_name, op_name
from ..program.program import Step, hole
from ..program.rescaling import seems_sparse
from .derivatives import GRADIENT, derivative_step
from .lookup_tables import holds_table, table_step
from .operands import Operands, argument_names, takes_list
from .written_ops import output_specs, written_step

_UNTRACED = frozenset({*spellings.CONVOLUTIONS, "ExtractImagePatches"})
"""Whose sizes Keras's own functions ask for while they are traced."""
_FRAMES = frozenset(
    {
        *spellings.SWITCHES,
        *spellings.MERGES,
        *spellings.ENTERS,
        *spellings.EXITS,
        "NextIteration",
        "LoopCond",
    }
)


def op_step(lowering: Context, node: str, payload: Node) -> Step:
    if payload.op == GRADIENT:
        return derivative_step(lowering, node)
    return (
        draw_step(lowering, node, payload)
        or trained_step(lowering, node, payload)
        or _said(lowering, node, payload)
    )


def _said(lowering: Context, node: str, payload: Node) -> Step:
    inputs = lowering.arguments(node)
    call = ops.Call(
        payload.op,
        payload.attrs,
        tuple(lowering.spec(tensor) for tensor in inputs),
        tuple(
            (
                None
                if t in lowering.inputs or t.node in lowering.steps
                else lowering.value(t)
            )
            for t in inputs
        ),
        node,
    )
    used = lowering.graph.ports(node)
    used |= {tensor.port for tensor in lowering.wanted if tensor.node == node}
    ports = len(opdefs.output_dtypes(payload.op, payload.attrs)) or max(used) + 1
    listed = takes_list(payload.op)
    known = [call.value(slot) for slot in range(len(inputs))]
    if any(value is not None and value.dtype.kind in "OSU" for value in known):
        return custom_step(lowering, node, payload, inputs, ports)  # compared to a text
    operands = Operands(lowering, inputs, listed)
    text = ops.keras_text(call, operands.texts)
    if ports == 1 and (
        any(tensor in lowering.sizes for tensor in inputs)
        or text is None
        and ops.keras_text(replace(call, inside=True), operands.texts)
    ):
        untraced = text is None and payload.op in _UNTRACED
        sized = sized_step(lowering, node, payload, inputs, untraced)
        if sized is not None:
            return sized
    expression = said_text(text, ports, used) if text is not None else None
    if expression is None:
        return written_step(
            lowering, node, payload, inputs, ports, used
        ) or custom_step(lowering, node, payload, inputs, ports)
    step = operands.step(node, *expression)
    if not step.inputs:  # Keras cannot follow what no tensor of its own goes into
        again = Operands(lowering, inputs, listed, literals=False)
        text = ops.keras_text(call, again.texts) or ""
        expression = said_text(text, ports, used)
        step = again.step(node, *expression) if expression is not None else step
    return step


def custom_step(
    lowering: Context, node: str, payload: Node, inputs: Sequence[Tensor], ports: int
) -> Step:
    """A layer of its own that runs the op in TensorFlow; raises NotExpressible for what decides what else runs."""
    if holds_table(payload) and (step := table_step(lowering, node, payload)):
        return step
    if payload.op in _FRAMES:
        raise NotExpressible(
            f"{node!r} ({payload.op}) is part of a loop or a condition, which no layer can be: "
            "name an --output before it, or freeze the graph as it is"
        )
    if "own-name" in ops.traits(payload.op):
        raise NotExpressible(
            f"{node!r} ({payload.op}) yields the name of its own node, which a layer has not: "
            "name an --output before it, or freeze the graph as it is"
        )
    names = argument_names(payload.op, len(inputs))
    operands = [custom_operand(lowering, tensor) for tensor in inputs]
    texts = [n if isinstance(o, Tensor) else o for n, o in zip(names, operands)]
    texts = [_as_quantised(lowering, *each) for each in zip(inputs, operands, texts)]
    tensors = tuple(o for o in operands if isinstance(o, Tensor))
    used = [n for n, o in zip(names, operands) if isinstance(o, Tensor)]
    body = ops.tensorflow_text(payload.op, payload.attrs, texts)
    if body is not None:
        body = finished(lowering, body, Tensor(node), tensors, ports)
    if body is None:
        raise NotExpressible(
            f"{node!r} ({payload.op}) calls functions, which Keras source cannot yet say: "
            "name an --output before it, or freeze the graph as it is"
        )
    if not tensors:
        tensors, used = (next(iter(lowering.inputs)),), ["x"]
    class_name = op_class(
        lowering.classes,
        class_identifier(payload.op),
        payload.op,
        used,
        body,
        reason(payload.op, payload.attrs),
        untold_specs(lowering, node, payload, inputs, operands, ports),
    )
    return Step(
        node,
        ", ".join(hole(number) for number in range(len(tensors))),
        tensors,
        class_name,
        class_name,
        {},
        lowering.names.unique(op_name(node)),
        ports=ports,
        portable=False,
        is_named=not is_default_name(op_name(node), node),
    )


def untold_specs(
    lowering: Context,
    node: str,
    payload: Node,
    inputs: Sequence[Tensor],
    operands: Sequence[Tensor | str],
    ports: int,
) -> tuple[TensorSpec, ...]:
    """The specs of the outputs, where tracing the op does not tell a rank because elements that are fed decide it; else ()."""
    specs = [lowering.spec(tensor) for tensor in inputs]
    values = [
        None if isinstance(operand, Tensor) else lowering.value(tensor)
        for tensor, operand in zip(inputs, operands)
    ]
    call = ops.Call(payload.op, payload.attrs, specs, values)
    has_rule = getattr(ops.meaning(payload.op), "shape", None) is not None
    is_open = None in ops.shapes(call, ports) or _is_told(payload.op, specs, values)
    is_open |= "untraced" in ops.traits(payload.op)
    tensors = [each for each in operands if isinstance(each, Tensor)]
    if any(seems_sparse(lowering.steps, tensor) for tensor in tensors):
        is_open = True  # on a sparse tensor TensorFlow would not trace it
    if not has_rule or not is_open:
        return ()
    outputs = output_specs(lowering, node, payload, ports)
    if ports == 1 and outputs and outputs[0].shape is None:
        outputs = (TensorSpec(outputs[0].dtype, ops.likely_shape(call)),)
    return outputs


def _is_told(op: str, specs: Sequence[TensorSpec], values: Sequence[object]) -> bool:
    """Whether an input behind the first says which axes are meant, and only a run computes it."""
    names = argument_names(op, len(specs))
    rows = list(zip(names, specs, values))[1:]
    return any(
        value is None
        and spec.dtype in ("int32", "int64")
        and len(spec.shape or ()) < 2
        and (name in _TELLING or name[:1] == "x")
        for name, spec, value in rows
    )


_TELLING = frozenset(
    "axis dim dimension reduction_indices concat_dim split_dim k num_rows num_cols strides".split()
)
"""What OpDefs call the inputs without whose elements TensorFlow knows no rank."""


def finished(
    lowering: Context, body: str, output: Tensor, operands: Sequence[Tensor], ports: int
) -> str:
    """Several outputs as one flat list; the shape said where TensorFlow would need to run something to know it."""
    if ports > 1:
        return f"tf.nest.flatten({body})"
    if _yields_list(lowering.graph.node(output.node).op):
        return f"tf.nest.flatten({body})[0]"
    specs = [lowering.spec(t) for t in operands if t not in lowering.inputs]
    sized = any(
        s.dtype in ("int32", "int64") and len(s.shape or ()) == 1 for s in specs
    )
    shape = lowering.spec(output).shape
    if not sized or shape is None or set(shape) <= {None}:
        return body
    return f"tf.ensure_shape({body}, {literal(tuple(shape))})"


def custom_operand(lowering: Context, tensor: Tensor) -> Tensor | str:
    known = None
    if tensor not in lowering.inputs and tensor.node not in lowering.steps:
        known = lowering.value(tensor)
    if known is None or known.size > LARGE and known.dtype.kind not in "OSU":
        return lowering.operand(tensor)
    kind = "string" if known.dtype.kind in "OSU" else known.dtype.name
    if not known.size and known.ndim != 1:  # a list without elements tells no shape
        return f'tf.zeros({literal(known.shape)}, "{kind}")'
    return f'tf.constant({literal(known)}, "{kind}")'


def _as_quantised(
    lowering: Context, tensor: Tensor, operand: Tensor | str, text: str
) -> str:
    """A constant of a quantised type, which numpy and Keras hold as plain integers, as the op takes it."""
    dtype = lowering.spec(tensor).dtype
    step = lowering.steps.get(operand.node) if isinstance(operand, Tensor) else None
    is_stored = step is None or step.class_name == "Weight"
    if dtype not in _QUANTISED or not is_stored or operand in lowering.inputs:
        return text
    return f"tf.bitcast({text}, tf.{dtype})"


_QUANTISED = frozenset("qint8 qint16 qint32 quint8 quint16".split())


def _yields_list(op: str) -> bool:
    """Whether ``tf.raw_ops`` gives a list or a tuple even where the node has one output (ParseExample, SplitV)."""
    definition = op_registry.find(op)
    outputs = () if definition is None else definition.output_arg
    return len(outputs) > 1 or any(a.number_attr or a.type_list_attr for a in outputs)
