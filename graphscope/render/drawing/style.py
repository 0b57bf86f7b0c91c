"""The family of an op or a layer, and the colours that it is drawn in."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple
from zlib import crc32

from ...graph import Layer, Node


class Style(NamedTuple):
    fill: str
    line: str


STYLES = {
    "input": Style("#37474f", "#263238"),
    "convolution": Style("#cfe2f7", "#5b8fc7"),
    "dense": Style("#c7d9ee", "#4a78ad"),
    "normalization": Style("#e8e4f3", "#9c8fc4"),
    "activation": Style("#fbe3c8", "#d79a55"),
    "pooling": Style("#cfeade", "#5ba98a"),
    "merge": Style("#f8efc0", "#c2aa45"),
    "reshape": Style("#ece9e4", "#a39a8c"),
    "regularization": Style("#f7d9de", "#cf8593"),
    "recurrent": Style("#e3d3ee", "#9a6dbb"),
    "embedding": Style("#cde9ec", "#54a1ab"),
    "attention": Style("#e3d3ee", "#9a6dbb"),
    "variable": Style("#f3f3f3", "#9e9e9e"),
    "control": Style("#ffffff", "#9e9e9e"),
    "other": Style("#f5f5f5", "#9e9e9e"),
    "unexplained": Style("#f5f5f5", "#9e9e9e"),
    "fold": Style("#eef1f4", "#7b8794"),
}

_BLOCKS = (
    Style("#dbe7f3", "#6f93b8"),
    Style("#dff0e3", "#74a886"),
    Style("#f6ead7", "#bf9a63"),
    Style("#ebe3f2", "#957bb0"),
    Style("#f6e0e4", "#bb7f8b"),
    Style("#dcecee", "#6b9da4"),
)


def blocks() -> dict[str, Style]:
    """The colours of blocks, by name."""
    return {f"block{number}": style for number, style in enumerate(_BLOCKS, 1)}


# Keras's class names and TensorFlow's op names; the first that is found in the name wins.
_FAMILIES = (
    ("input", r"^(InputLayer|Placeholder\w*|_Arg|IteratorGetNext)$"),
    ("recurrent", r"LSTM|GRU|RNN|Bidirectional|BlockLSTM"),
    ("attention", r"Attention|Transformer"),
    ("regularization", r"Dropout|Regulari[sz]ation|GaussianNoise"),
    ("embedding", r"Embedding|^Gather(V2|Nd)?$|^ResourceGather"),
    ("pooling", r"Pool|UpSampling|^Resize|Interpolat"),
    ("convolution", r"Conv|Depthwise|SpaceToBatch|BatchToSpace|Dilation2D"),
    ("normalization", r"Norm|^LRN$|^Rescaling$|^Discretization$"),
    ("dense", r"^Dense$|MatMul|^Einsum|EinsumDense|Dot$"),
    (
        "activation",
        r"relu|softmax|sigmoid|tanh|^elu$|selu|gelu|swish|silu|softplus|softsign|activation|^mish$",
    ),
    (
        "merge",
        r"^(Add|AddV2|AddN|Sub|Subtract|Mul|Multiply|RealDiv|Average|Maximum|Minimum|Concat\w*|BiasAdd)$",
    ),
    (
        "reshape",
        r"Reshape|Flatten|Permute|Transpose|Pad|Crop|Repeat|Squeeze|ExpandDims|Slice|Split|Pack|Unpack|"
        r"Stack|Tile|Cast|Shape|DepthToSpace|SpaceToDepth|Masking|Lambda|Identity",
    ),
    (
        "control",
        r"^(Ref)?(Switch|Merge|Enter|Exit|NextIteration|LoopCond)$|^(Stateless)?(If|While|Case)$|Call$",
    ),
    ("variable", r"^(Variable\w*|VarHandleOp|Const|ReadVariableOp|Assign\w*)$"),
)


@cache
def family(kind: str) -> str:
    """The family of a Keras class or an op, ``other`` where none is known.

    >>> family("DepthwiseConv2D"), family("Relu6"), family("Frobnicate")
    ('convolution', 'activation', 'other')
    """
    for name, pattern in _FAMILIES:
        flags = re.IGNORECASE if name == "activation" else 0
        if re.search(pattern, kind, flags):
            return name
    return "other"


def style_of(node: Node, layered: bool = False) -> Style:
    """The colours of a node. Among layers (``layered``) an op that no layer explains is grey; blocks of one kind share
    a colour.
    """
    if isinstance(node, Layer) and node.pattern == "block":
        return _BLOCKS[crc32(node.op.encode("utf-8", "replace")) % len(_BLOCKS)]
    kind = family(node.op)
    if layered and not isinstance(node, Layer) and kind != "input":
        kind = "unexplained"
    return STYLES[kind]
