"""What kinds of ops there are to a training graph: which hold state, write it, differentiate, save, report.

An op's kind is what the op registry of TensorFlow says that the op does; no node name is looked at.
"""

from __future__ import annotations

import re
from functools import cache

from ...ops import spellings

VARIABLES = frozenset({*spellings.VARIABLES, "AutoReloadVariable", "TemporaryVariable"})
READS = frozenset(
    {
        *spellings.SWITCHES,
        *spellings.ENTERS,
        *"Identity ReadVariableOp RefIdentity Cast".split(),
    }
)
"""What stands between a variable and its use, and changes no value that matters here."""

TABLES = re.compile(r"(Mutable)?(Dense)?HashTable(OfTensors)?(V2)?$|Anonymous.*Table")
TABLE_FILLERS = re.compile(r"InitializeTable|LookupTable(Import|Insert|Remove)")
PIPELINE = re.compile(
    r"QueueEnqueue|QueueClose|QueueSize|QueueIsClosed|(Make|Delete|Serialize|Deserialize)Iterator"
    r"|IteratorToStringHandle|ReaderReset|ReaderRestoreState|ReaderNum|BarrierInsertMany|BarrierClose"
)
SOURCES = re.compile(
    r"Placeholder(V2|WithDefault)?$|IteratorGetNext|QueueDequeue|BarrierTakeMany|_Arg$|_DeviceArg$"
    r"|Reader(Read|ReadUpTo)(V2)?$|ReadFile$|OptionalGetValue$|Unstage$|MultiDeviceIteratorGetNext"
    r"|InfeedDequeue"
)
"""Where values come from that are neither constants nor state."""

RANDOM = re.compile(
    r"Random|Multinomial|TruncatedNormal|CandidateSampler$|SampleDistorted"
)
APPLIES = re.compile(
    r"(Resource)?(Sparse)?Apply[A-Z]|(Resource)?ScatterSub$|ResourceScatterAdd$"
)
"""Updates by a gradient; the scatters are plain gradient descent on the rows of an embedding."""

ACCUMULATES = re.compile(r"(Resource)?(Sparse)?AccumulatorApplyGradient$")
WRITES = re.compile(
    r"Assign(Add|Sub)?(VariableOp)?$|(Resource)?Scatter(Nd)?(Add|Sub|Mul|Div|Min|Max|Update)$"
    r"|(Resource)?StridedSliceAssign$|CountUpTo$|ResourceCountUpTo$"
)
SAVES = re.compile(
    r"(Save(V2|Slices)?|MergeV2Checkpoints|ShardedFile(name|spec)|DTensorSave|DistributedSave)$"
)
RESTORES = re.compile(r"(Restore(V2|Slice)?|DTensorRestoreV2)$")
SUMMARIES = re.compile(
    r"\w*Summary(V2)?$|\w*SummaryWriter$|CreateSummary(File|Db)Writer$"
)
CHECKS = re.compile(r"(Assert|PrintV2|Abort|DebugNumericSummary\w*)$")
INITIALISED = re.compile(
    r"(IsVariableInitialized|VarIsInitializedOp|ReportUninitialized\w*)$"
)

_BACKWARD = re.compile(
    r"_?(Mkl)?(Native)?\w*(Grad(V\d|Grad\w*|WithArgmax|WithShape|A|Boxes|Image|Ex)?|Gradient|Backprop(V\d)?"
    r"|BackpropFilter\w*)$|BroadcastGradientArgs$"
)
_NOT_BACKWARD = frozenset(
    "PreventGradient StopGradient AccumulatorTakeGradient SparseAccumulatorTakeGradient"
    " ResourceAccumulatorTakeGradient".split()
)
_GRADIENT_ARGUMENTS = re.compile(
    r"^(grad|grads|gradients|dy|out_backprop|backprop|backprops|y_backprop|input_grads?|d_h|cs_grad|h_grad"
    r"|grad_values|output\w*_backprop|backprop_val_grad|grad_softmax|flow_in)$"
)
LOSS_OPS = frozenset(
    "SoftmaxCrossEntropyWithLogits SparseSoftmaxCrossEntropyWithLogits CTCLoss CTCLossV2 L2Loss"
    " Square SquaredDifference Log Log1p Abs Xlogy Xlog1py NegTrain".split()
)
COMPARISONS = frozenset(
    "Equal NotEqual InTopK InTopKV2 EditDistance DenseToDenseSetOperation ApproximateEqual".split()
)
CLAMPS = frozenset("Maximum Minimum ClipByValue Relu Relu6 Softplus".split())
"""What bounds values: a last activation, or a guard before a logarithm."""

SHAPE_ONLY = frozenset({*spellings.SHAPES, *"Size Rank ZerosLike OnesLike".split()})
"""Ops whose result depends on the shape of their input, not on its values."""


@cache
def is_backward(op: str) -> bool:
    """Whether only a differentiated graph holds this op (``ReluGrad``; not ``Conv2DBackpropInput``: it is also what
    a transposed convolution is made of)."""
    return bool(
        _BACKWARD.match(op) and op not in _NOT_BACKWARD and not APPLIES.match(op)
    )


@cache
def forward_slots(op: str, count: int) -> tuple[int, ...]:
    """The slots of a backward op that take values of the forward pass, by the OpDef's argument names."""
    from ...wire import opdefs

    if op == "BroadcastGradientArgs" or not is_backward(op):
        return ()
    if "BackpropFilter" in op:
        return ()  # of a transposed convolution it takes the gradient as ``input``
    names = opdefs.input_names(op)
    if len(names) != count or op in ("MirrorPadGrad", "TileGrad"):
        return ()
    return tuple(i for i, n in enumerate(names) if not _GRADIENT_ARGUMENTS.match(n))


@cache
def gradient_slots(op: str, count: int) -> tuple[int, ...]:
    """The slots in which an optimizer's update takes its gradient, by the OpDef's argument names."""
    from ...wire import opdefs

    names = opdefs.input_names(op)
    if len(names) != count:
        return (count - 1,) if count else ()
    wanted = ("grad", "gradient", "delta", "updates")
    return tuple(i for i, n in enumerate(names) if n in wanted)


@cache
def kind_of(op: str) -> str:
    """The role that this op has wherever it stands, ``"write"`` for a write to a variable, ``""`` for any other."""
    for role, pattern in _KINDS:
        if pattern.match(op):
            return role
    return ""


_STACKS = re.compile(r"Stack(Push|Pop|Close)?(V2)?$")
"""What while_loop's gradient keeps the forward values on; nothing else makes these ops."""

_KINDS = (
    ("gradient", _STACKS),
    ("optimizer", APPLIES),
    ("optimizer", ACCUMULATES),
    ("write", WRITES),
    ("save", SAVES),
    ("restore", RESTORES),
    ("summary", SUMMARIES),
    ("assertion", CHECKS),
    ("initialiser", INITIALISED),
    ("initialiser", TABLE_FILLERS),
    ("input pipeline", PIPELINE),
)
