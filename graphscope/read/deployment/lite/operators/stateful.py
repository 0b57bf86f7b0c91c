"""Lookup tables and variables: what they hold when a model is opened is in the subgraphs that run once, before all others.

A variable is followed through the operators in the order in which they run: a run begins with what it held at first,
as TensorFlow Lite's first run does.
"""

from __future__ import annotations

from .....errors import FormatError
from .....graph import Node, Tensor
from ..call import Call, lowers
from ..constants import constant
from ..file import TYPES
from ..state import contents, handle_name, name_of


@lowers("HASHTABLE")
def _table(call: Call) -> Tensor:
    """*before* ``HASHTABLE``, an import in another subgraph *after* ``LookupTableImportV2(HashTableV2, keys, values)``."""
    name, emitter = name_of(call.operator), call.lowered.emitter
    kinds = [call.option(f"{side}_dtype") for side in ("key", "value")]
    if not all(0 <= kind < len(TYPES) for kind in kinds):
        raise FormatError(
            f"{call.lowered.file.source.name}: a table of the types {kinds}"
        )
    dtypes = {"key_dtype": TYPES[kinds[0]], "value_dtype": TYPES[kinds[1]]}
    table = call.op("HashTableV2", shared_name=name, **dtypes)
    filled = contents(call.lowered.file, name)
    if len(filled) == 2:
        sides = [
            emitter.put(
                emitter.fresh(f"{call.stem}/{hint}"),
                Node("Const", constant(call.lowered.file, tensor)),
            )
            for hint, tensor in zip(("keys", "values"), filled)
        ]
        attrs = {"Tin": dtypes["key_dtype"], "Tout": dtypes["value_dtype"]}
        call.op("LookupTableImportV2", table, *sides, **attrs)
    return table


@lowers("HASHTABLE_FIND")
def _find(call: Call) -> Tensor:
    """Inputs: table, keys, default."""
    dtypes = {"Tin": call.tensor(1).spec.dtype, "Tout": call.dtype()}
    return call.op("LookupTableFindV2", call[0], call[1], call[2], **dtypes)


@lowers("HASHTABLE_IMPORT")
def _import(call: Call) -> tuple[Tensor, ...]:
    dtypes = {"Tin": call.tensor(1).spec.dtype, "Tout": call.tensor(2).spec.dtype}
    call.op("LookupTableImportV2", call[0], call[1], call[2], **dtypes)
    return ()


@lowers("HASHTABLE_SIZE")
def _size(call: Call) -> Tensor:
    return call.op("LookupTableSizeV2", call[0])


@lowers("CALL_ONCE")
def _once(call: Call) -> tuple[Tensor, ...] | None:
    """What it fills is read with what is filled."""
    number = call.option("init_subgraph_index")
    return () if call.lowered.is_filler(number) else None


@lowers("VAR_HANDLE")
def _handle(call: Call) -> Tensor:
    """Nothing reads it: ``READ_VARIABLE`` and ``ASSIGN_VARIABLE`` follow what the variable holds."""
    return call.const(0, "handle")


def _name(call: Call) -> str:
    number = call.operator.inputs[0]
    return handle_name(call.lowered.subgraph, number, call.lowered.file)


@lowers("READ_VARIABLE")
def _read(call: Call) -> Tensor | None:
    name, values = _name(call), call.lowered.variables
    if name not in values:
        filled = contents(call.lowered.file, name)
        if len(filled) != 1:
            return None
        node = Node("Const", constant(call.lowered.file, filled[0]))
        values[name] = call.lowered.emitter.put(call.lowered.name_of(name), node)
    return call.op("Identity", values[name])


@lowers("ASSIGN_VARIABLE")
def _assign(call: Call) -> tuple[Tensor, ...]:
    call.lowered.variables[_name(call)] = call[1]
    return ()
