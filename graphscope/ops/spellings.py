"""The spellings that TensorFlow has of one thing: as ref and as value, stateful and stateless, old version and new.

What takes an op in any of its spellings asks here; what is more than a spelling is a trait (``traits.py``) or a rule of
the op's ``define``.
"""

from __future__ import annotations

# what a caller feeds; the last has a value of its own where nobody feeds it
FEEDS = ("Placeholder", "PlaceholderV2")
PLACEHOLDERS = (*FEEDS, "PlaceholderWithDefault")

# what hands a value on as it is
COPIES = ("Identity", "StopGradient", "Snapshot")

# a variable is a tensor by reference (TensorFlow 1), or a resource behind a handle
REFERENCES = ("VariableV2", "Variable")
HANDLE = "VarHandleOp"
VARIABLES = (HANDLE, *REFERENCES)

# the frames and branches of TensorFlow 1
SWITCHES = ("Switch", "RefSwitch")
SWITCHES_OF_MANY = (*SWITCHES, "_SwitchN")
MERGES = ("Merge", "RefMerge")
ENTERS = ("Enter", "RefEnter")
EXITS = ("Exit", "RefExit")
NEXT_ITERATIONS = ("NextIteration", "RefNextIteration")
LOOP_CONDITION = "LoopCond"
OF_VALUES = {  # op on a reference -> the same on a value
    "RefSwitch": "Switch",
    "RefMerge": "Merge",
    "RefEnter": "Enter",
    "RefExit": "Exit",
    "RefNextIteration": "NextIteration",
    "RefIdentity": "Identity",
}
FRAME_OPS = frozenset(
    (*SWITCHES_OF_MANY, *MERGES, *ENTERS, *EXITS, *NEXT_ITERATIONS, LOOP_CONDITION)
)

# the same as functions; what begins with _ is what TensorFlow lowers from
WHILES = ("While", "StatelessWhile")
IFS = ("If", "StatelessIf")
CASES = ("Case", "StatelessCase")
LOWERED_WHILES = (*WHILES, "_While")
LOWERED_IFS = (*IFS, "_If")

# arithmetic
SUMS = ("Add", "AddV2")
PRODUCTS_OF_STACKS = ("BatchMatMul", "BatchMatMulV2", "BatchMatMulV3")
QUOTIENTS = ("RealDiv", "Div")
RECIPROCALS = ("Reciprocal", "Inv")
SELECTS = ("Select", "SelectV2")
LESS = ("Less", "LessEqual")
GREATER = ("Greater", "GreaterEqual")
COMPARISONS = (*GREATER, *LESS)
FUSED_BATCH_NORMS = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
UNIFORM_DRAWS = ("RandomUniform", "StatelessRandomUniform", "StatelessRandomUniformV2")

CONVOLUTIONS = ("Conv2D", "Conv3D", "DepthwiseConv2dNative")

# parts of a tensor
GATHERS = ("Gather", "GatherV2")
CONCATS = ("Concat", "ConcatV2")
SPLITS = ("Split", "SplitV")
SHAPES = ("Shape", "ShapeN")
ARRAYS = ("TensorArray", "TensorArrayV2", "TensorArrayV3")
BLOCK_LSTMS = ("BlockLSTM", "BlockLSTMV2")
CUDNN_RNNS = ("CudnnRNN", "CudnnRNNV2", "CudnnRNNV3")

# what changes a variable, and with which sign the second input goes into it
ASSIGNS = ("Assign", "AssignVariableOp")
ASSIGN_ADDS = ("AssignAdd", "AssignAddVariableOp")
ASSIGN_SUBS = ("AssignSub", "AssignSubVariableOp")
SIGNS_OF_ASSIGNMENTS = {
    **dict.fromkeys(ASSIGNS, 0),
    **dict.fromkeys(ASSIGN_ADDS, 1),
    **dict.fromkeys(ASSIGN_SUBS, -1),
}
