"""Frozen graph -> the MetaGraphDef of a SavedModel: large constants as variables that a saver restores, signatures, initialisers.

What TensorFlow 1's ``SavedModelBuilder`` writes, so all loaders read it: TensorFlow 2, v1 sessions, TensorFlow Serving, the C API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import GraphscopeError
from ...graph import Graph, Node, Signature, Tensor
from ...graph.edit import duplicate, fresh, put
from ...graph.named_values import Message
from ...read.weights.lazy_const import Stored
from ...wire import messages as proto
from ...wire.attrs import numpy_dtype
from ...wire.write import put_shape, to_graph_def
from ..frozen import Frozen
from ..frozen.body import bytes_of, stored_value

SMALLEST = 1 << 10  # bytes below which a constant stays in the graph
MOST_BYTES = (1 << 31) - 1  # protobuf's own limit for one message
_INIT = "__saved_model_init_op"


@dataclass
class Variables:
    """What became of the large constants: their values by variable, and the handle and the read of each."""

    values: dict[str, Stored] = field(default_factory=dict)
    handles: dict[str, str] = field(default_factory=dict)


def to_variables(graph: Graph) -> tuple[Graph, Variables]:
    """``Const(value) -> ReadVariableOp(VarHandleOp)`` for each large constant; and the values that a bundle must hold.

    A constant with a control input stays: in a branch or a loop it must not run outside.
    """
    copy, variables = duplicate(graph), Variables()
    for name in list(graph.by_op("Const")):
        value = stored_value(graph.node(name))
        if value is None or value.nbytes < SMALLEST or graph.node(name).controls:
            continue
        if numpy_dtype(value.dtype) is None or value.dtype.startswith("q"):
            continue
        handle = fresh(copy, f"{name}/handle")
        attrs = {"dtype": value.dtype, "shape": value.shape, "shared_name": name}
        put(copy, handle, Node("VarHandleOp", attrs), ())
        put(
            copy, name, Node("ReadVariableOp", {"dtype": value.dtype}), [Tensor(handle)]
        )
        variables.values[name], variables.handles[name] = value, handle
    return copy, variables


def to_meta_graph(frozen: Frozen, constants: bool = False) -> tuple[Any, Variables]:
    """The MetaGraphDef, and the values of its variables (none with ``constants``).

    Raises GraphscopeError where the graph with its constants is larger than a message may be.
    """
    graph, variables = frozen.graph, Variables()
    if constants:
        _check_size(graph)
    else:
        graph, variables = to_variables(graph)
    meta = proto.MetaGraphDef()
    meta.meta_info_def.tags.append("serve")
    if variables.values:
        graph = _with_saver(graph, variables, meta)
    graph = _with_initialiser(graph, frozen.initialisers, meta)
    meta.graph_def.CopyFrom(to_graph_def(graph, frozen.functions, frozen.versions))
    for name, signature in frozen.signatures.items():
        _put_signature(meta.signature_def[name], signature)
    return meta, variables


def _check_size(graph: Graph) -> None:
    total = bytes_of(graph)
    if total > MOST_BYTES:
        raise GraphscopeError(
            f"the constants have {total:,} bytes, and a saved_model.pb holds at most {MOST_BYTES:,}: leave out --constants"
        )


def _with_saver(graph: Graph, variables: Variables, meta: Message) -> Graph:
    """The graph with what saves and restores the variables, as ``tf.train.Saver`` lays it out."""
    copy, names = duplicate(graph), list(variables.values)
    dtypes = tuple(variables.values[name].dtype for name in names)
    scope = fresh(copy, "save")
    _text(copy, f"{scope}/filename/input", [b"model"], scalar=True)
    default = Node("PlaceholderWithDefault", {"dtype": "string", "shape": ()})
    put(copy, f"{scope}/filename", default, [Tensor(f"{scope}/filename/input")])
    _text(copy, f"{scope}/tensor_names", [name.encode() for name in names])
    _text(copy, f"{scope}/slices", [b""] * len(names))
    keys = [
        Tensor(f"{scope}/{part}") for part in ("filename", "tensor_names", "slices")
    ]
    reads = list(map(Tensor, names))
    put(copy, f"{scope}/SaveV2", Node("SaveV2", {"dtypes": dtypes}), [*keys, *reads])
    saved = Node("Identity", {"T": "string"}, (), (f"{scope}/SaveV2",))
    put(copy, f"{scope}/control_dependency", saved, keys[:1])
    put(copy, f"{scope}/RestoreV2", Node("RestoreV2", {"dtypes": dtypes}), keys)
    assigns = []
    for port, name in enumerate(names):
        assign = fresh(copy, f"{scope}/Assign_{port}")
        inputs = [Tensor(variables.handles[name]), Tensor(f"{scope}/RestoreV2", port)]
        put(copy, assign, Node("AssignVariableOp", {"dtype": dtypes[port]}), inputs)
        assigns.append(assign)
        _declare(meta, name, variables.handles[name], assign)
    put(copy, f"{scope}/restore_all", Node("NoOp", {}, (), tuple(assigns)), ())
    meta.saver_def.filename_tensor_name = f"{scope}/filename:0"
    meta.saver_def.save_tensor_name = f"{scope}/control_dependency:0"
    meta.saver_def.restore_op_name = f"{scope}/restore_all"
    meta.saver_def.version, meta.saver_def.max_to_keep = 2, 1
    return copy


def _text(
    graph: Graph, name: str, texts: Sequence[bytes], scalar: bool = False
) -> None:
    import numpy as np

    value = np.array(texts, object).reshape(() if scalar else (len(texts),))
    put(graph, name, Node("Const", {"dtype": "string", "value": value}), ())


def _declare(meta: Message, name: str, handle: str, assign: str) -> None:
    """A variable as the collections name it: TensorFlow 2 makes one of its own for each, so two models never share any."""
    variable = proto.VariableDef(
        variable_name=f"{handle}:0",
        initializer_name=assign,
        snapshot_name=f"{name}:0",
        is_resource=True,
        trainable=True,
    )
    coded = variable.SerializeToString(deterministic=True)
    for collection in ("variables", "trainable_variables"):
        meta.collection_def[collection].bytes_list.value.append(coded)


def _with_initialiser(graph: Graph, names: Sequence[str], meta: Message) -> Graph:
    """The graph with one op that fills all lookup tables, and that op where each kind of loader looks for it."""
    if not names:
        return graph
    copy = duplicate(graph)
    name = fresh(copy, "init_all_tables")
    put(copy, name, Node("NoOp", {}, (), tuple(names)), ())
    meta.collection_def["saved_model_main_op"].node_list.value.append(name)
    meta.collection_def["table_initializer"].node_list.value.extend(names)
    meta.signature_def[_INIT].outputs[_INIT].name = name
    return copy


def _put_signature(message: Any, signature: Signature) -> None:
    message.method_name = signature.method
    sides: tuple[tuple[Any, Mapping[str, Tensor]], ...] = (
        (message.inputs, signature.inputs),
        (message.outputs, signature.outputs),
    )
    for target, tensors in sides:
        for key, tensor in tensors.items():
            spec = signature.specs[tensor]
            target[key].name = str(tensor)
            target[key].dtype = proto.DATA_TYPE_NUMBERS.get(spec.dtype, 0)
            put_shape(target[key].tensor_shape, spec.shape)
