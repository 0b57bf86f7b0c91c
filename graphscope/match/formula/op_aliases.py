"""Op names -> the one name that all same-meaning versions of an op share."""

from __future__ import annotations

import re
from functools import cache

# Versions that take other arguments than the op whose name they extend are ops of their own.
_DISTINCT = frozenset(
    {"Conv2DBackpropInputV2", "Conv2DBackpropFilterV2", "Conv3DBackpropInputV2"}
    | {"AvgPoolV2", "QuantizeV2", "BatchToSpaceND", "MaxPoolV2"}
)
_SAME = {
    "Div": "RealDiv",
    "Inv": "Reciprocal",
    "AddV2": "Add",
    "DepthwiseConv2D": "DepthwiseConv2dNative",
    "ParallelConcat": "ParallelConcat",
    "BatchSelfAdjointEigV2": "SelfAdjointEig",
    # one altitude up, merging layers are the same arithmetic
    "layers.Add": "AddN",
    "layers.Multiply": "Mul",
    "layers.Subtract": "Sub",
}


@cache
def canonical(op: str) -> str:
    """The name that all same-meaning versions of an op share.

    >>> canonical("FusedBatchNormV3"), canonical("AddV2"), canonical("Div")
    ('FusedBatchNorm', 'Add', 'RealDiv')
    """
    if op in _DISTINCT:
        return op
    return _SAME.get(op) or re.sub(r"V\d+$", "", op)
