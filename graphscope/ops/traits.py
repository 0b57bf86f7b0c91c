"""What kind of op it is: traits that follow from TensorFlow's registry and its families of names.

The blocks of ``ops`` name the traits that only they know (elementwise, commutative, activation, pass-through ...);
these here need no list that grows with TensorFlow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

TRAITS: Mapping[str, str] = {
    "untraced": "TensorFlow registers no shape function: tracing it tells no rank",
    "pass-through": "yields its first input unchanged in an inference graph",
    "elementwise": "each output element depends on the input elements at its place (broadcast)",
    "commutative": "the order of the inputs does not matter",
    "activation": "an elementwise function that Keras takes as activation=",
    "reduction": "reduces axes of the first input, named by the second",
    "shape-only": "reads the shapes of its inputs, not their elements",
    "movement": "moves, repeats or drops elements, computes none",
    "own-buffer": "its kernel never writes its result over what it reads",
    "own-name": "writes the name of its own node into what it yields",
    "random": "draws random numbers",
    "stateful": "depends on or changes state outside its inputs (from the OpDef)",
    "variable": "owns a variable",
    "variable-read": "reads a variable through its handle",
    "variable-write": "changes a variable",
    "feed": "stands for what the caller feeds",
    "queue": "makes or uses a queue, a stage, a barrier or a reader",
    "iterator": "makes or reads an input iterator",
    "dataset": "makes or transforms a tf.data dataset",
    "control-flow": "decides what else runs: Switch, Merge, Enter, If, While ...",
    "function-call": "runs functions of the library",
    "quantisation": "quantised arithmetic or simulation of it",
    "lookup-table": "makes or uses a lookup table",
    "gradient-op": "computes part of a gradient",
    "optimizer": "an update rule of an optimizer",
    "summary": "writes or makes a summary",
    "save": "writes checkpoints",
    "restore": "reads checkpoints",
    "assertion": "stops the program when something does not hold",
    "string": "works on strings",
    "decode": "decodes files, images, audio or records",
    "collective": "talks to other devices or replicas",
    "prints": "writes to the terminal or a log",
}

_BY_NAME: Mapping[str, str] = {
    "random": r"Random(?!DatasetV?|SeedG|IndexShuffle|ShuffleQ)|^Multinomial$|StatelessMultinomial|TruncatedNormal"
    r"|^Stateful(Uniform|StandardNormal)|StatelessShuffle|NonDeterministicInts|CandidateSampler|SampleDistorted",
    "variable": r"^(Variable|VariableV2|VarHandleOp|TemporaryVariable|_VarHandlesOp|_XlaAotOnlyVarHandleOp)$",
    "variable-read": r"^(ReadVariableOp|_ReadVariablesOp|ResourceGather|ResourceGatherNd|ReadVariableXlaSplitND)$",
    "variable-write": r"^Assign(?!ertC)|^Resource(Sparse)?Apply|^(Sparse)?Apply(?!Transform)|^ResourceScatter|^Scatter(?!Nd$|NdNon)"
    r"|^ResourceStridedSliceAssign|^StridedSliceAssign|CountUpTo$",
    "queue": r"Queue|^(Ordered)?Map(Stage|Unstage|Peek|Size|Clear|Incomplete)|^(Un)?[Ss]tage|^Barrier|Reader(?!Op)|^RecordInput|(In|Out)feed",
    "iterator": r"Iterator|^Optional|DatasetToSingleElement|ReduceDataset",
    "dataset": r"Dataset",
    "control-flow": r"^(Ref)?(Switch|Merge|Enter|Exit|NextIteration)$|^LoopCond$|^ControlTrigger$|^_?SwitchN$"
    r"|^_?(Stateless)?(If|While|Case)$|^Xla(If|While|Merge)$",
    "function-call": r"^_?(Stateless)?(If|While|Case|For)$|PartitionedCall$|^SymbolicGradient$|^RemoteCall$|^MapDefun$"
    r"|^XlaLaunch|^BatchFunction$",
    "quantisation": r"[Qq]uantize|FakeQuant",
    "lookup-table": r"Table(V2|OfTensors|OfTensorsV2|FromTextFile|FromTextFileV2|FromDataset)?$|^LookupTable",
    "gradient-op": r"Grad(V\d|WithShape|Ex)?$|(?<!Prevent)Gradients?$|GradGrad|BackpropFilter|BackpropInput|Backprop(V\d)?$|GradientArgs$|Accumulator",
    "optimizer": r"^(Resource)?(Sparse)?Apply(?=[A-Z])|Sdca|^TPUEmbedding.*Grad",
    "summary": r"Summary|^ImportEvent$",
    "save": r"^(Save|SaveV2|SaveSlices|MergeV2Checkpoints|ShardedFilename|ShardedFilespec|DistributedSave)$",
    "restore": r"Restore(?!State)|^LoadAndRemapMatrix$|^CheckpointExists$|^GenerateVocabRemapping$",
    "assertion": r"^(Assert|CheckNumerics(V2)?|Abort|EnsureShape|_Assert)$",
    "string": r"String|Regex|Substr|Unicode|^ReduceJoin$|^AsString$|Base64|UnsortedSegmentJoin|Hash(Bucket|Fast)",
    "decode": r"^(Decode|Encode|Extract(Jpeg|Glimpse$)|Parse|Mfcc$|AudioSpectrogram$)|SerializeTensor$|^DeserializeSparse",
    "collective": r"Collective|^_?Nccl|^_?(Host)?(Send|Recv)$|AllReduce|AllToAll|CrossReplica|^TPU|^Xla(Send|Recv)",
    "prints": r"^Print(V2)?$",
}
_PATTERNS = {trait: re.compile(pattern) for trait, pattern in _BY_NAME.items()}


def derived(op: str, definition: Any | None) -> frozenset[str]:
    """The traits that follow from the op's name and its OpDef (None for a custom op)."""
    traits = {trait for trait, pattern in _PATTERNS.items() if pattern.search(op)}
    if "dataset" in traits:
        traits -= {"queue", "random"}
    if definition is None:
        return frozenset(traits)
    if definition.is_stateful:
        traits.add("stateful")
    if definition.is_commutative:
        traits.add("commutative")
    return frozenset(traits)
