"""Variables of both kinds, what reads and changes them, queues, tables, tensor arrays and lists.

What a handle leads to (the variable's shape, the elements of a tensor array) is followed by ``infer.shapes``, which
sees whole graphs; the rules here say what one node says.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...graph import Shape
from ..registry import Call, define
from ..values.dims import merge, same, scalar

define(
    "Variable",
    "VariableV2",
    "TemporaryVariable",
    shape=lambda call: (call.get("shape"),),
    traits="variable",
)
define("VarHandleOp", shape=scalar, traits="variable")
define("VarIsInitializedOp", "IsVariableInitialized", shape=scalar)
define("DestroyTemporaryVariable", shape=same)
define(
    "ReadVariableOp",
    keras="{0}",
    fold=lambda handle: handle,  # where a variable's value is known, its handle has it
    traits="variable-read pass-through",
)
define("DisableCopyOnRead", "DestroyResourceOp", shape=lambda call: ())
define("VariableShape", traits="shape-only")
define(
    "Assign",
    shape=lambda call: (merge(call.shape(1), call.shape(0)),),
    traits="variable-write",
)
define("AssignAdd", "AssignSub", shape=same, traits="variable-write")
define(
    "AssignVariableOp",
    "AssignAddVariableOp",
    "AssignSubVariableOp",
    shape=lambda call: (),
    traits="variable-write",
)
define(
    "ScatterAdd",
    "ScatterSub",
    "ScatterMul",
    "ScatterDiv",
    "ScatterMin",
    "ScatterMax",
    "ScatterUpdate",
    "ScatterNdAdd",
    "ScatterNdSub",
    "ScatterNdUpdate",
    "CountUpTo",
    shape=same,
    traits="variable-write",
)
define(
    "HashTable",
    "MutableHashTable",
    "MutableHashTableOfTensors",
    "MutableDenseHashTable",
    shape=lambda call: ((2,),),
)
define(
    "HashTableV2",
    "MutableHashTableV2",
    "MutableHashTableOfTensorsV2",
    "MutableDenseHashTableV2",
    "AnonymousHashTable",
    "LookupTableSize",
    "LookupTableSizeV2",
    shape=scalar,
)
define(
    "LookupTableFind",
    "LookupTableFindV2",
    shape=lambda call: (call.shape(1) if call.shape(2) == () else None,),
)
define("LookupTableExport", "LookupTableExportV2", shape=lambda call: ((None,), None))
define(
    "FIFOQueue",
    "PaddingFIFOQueue",
    "RandomShuffleQueue",
    "PriorityQueue",
    "WholeFileReader",
    "TextLineReader",
    "TFRecordReader",
    "FixedLengthRecordReader",
    "IdentityReader",
    shape=lambda call: ((2,),),
)
define(
    "FIFOQueueV2",
    "PaddingFIFOQueueV2",
    "RandomShuffleQueueV2",
    "PriorityQueueV2",
    "WholeFileReaderV2",
    "TextLineReaderV2",
    "TFRecordReaderV2",
    "FixedLengthRecordReaderV2",
    "IdentityReaderV2",
    "QueueSize",
    "QueueSizeV2",
    "QueueIsClosed",
    "QueueIsClosedV2",
    shape=scalar,
)
define("ReaderRead", "ReaderReadV2", shape=lambda call: ((), ()))
define("ReaderReadUpTo", "ReaderReadUpToV2", shape=lambda call: ((None,), (None,)))


def _element_shapes(call: Call) -> Sequence[Shape]:
    return call.get("output_shapes") or ()


define(
    "IteratorGetNext",
    "IteratorGetNextSync",
    "OptionalGetValue",
    "DatasetToSingleElement",
    "ReduceDataset",
    shape=_element_shapes,
)
define(
    "Iterator",
    "IteratorV2",
    "OneShotIterator",
    "AnonymousIterator",
    "IteratorToStringHandle",
    "IteratorFromStringHandle",
    "IteratorFromStringHandleV2",
    "IteratorGetNextAsOptional",
    "OptionalFromValue",
    "OptionalNone",
    "OptionalHasValue",
    shape=scalar,
)
define("TensorArrayV3", shape=lambda call: ((2,), ()))
define("TensorArrayV2", "TensorArray", shape=lambda call: ((2,),))
define("TensorArrayGradV3", "TensorArrayGradWithShape", shape=lambda call: ((2,), ()))
define(
    "TensorArrayWriteV3",
    "TensorArrayScatterV3",
    "TensorArraySplitV3",
    "TensorArraySizeV3",
    "TensorArrayWriteV2",
    "TensorArrayScatterV2",
    "TensorArraySplitV2",
    "TensorArraySizeV2",
    shape=scalar,
)
define("TensorArrayConcatV3", shape=lambda call: (None, (None,)))
define(
    "TensorListReserve",
    "EmptyTensorList",
    "TensorListFromTensor",
    "TensorListSetItem",
    "TensorListPushBack",
    "TensorListScatter",
    "TensorListScatterV2",
    "TensorListScatterIntoExistingList",
    "TensorListSplit",
    "TensorListResize",
    "TensorListConcatLists",
    "TensorListPushBackBatch",
    "TensorListLength",
    shape=scalar,
)
define("StackV2", shape=scalar)
define("StackPushV2", "StackPush", shape=lambda call: (call.shape(1),))
define("Stack", shape=lambda call: ((2,),))
