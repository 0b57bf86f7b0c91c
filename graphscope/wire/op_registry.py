"""TensorFlow's op registry: OpDef messages by op name, from the table beside this file.

``opdefs.pb.gz`` holds the registry of TensorFlow 2.21, written by ``tools/make_opdefs.py``, and is read when first asked
for. An op that is not in it is custom, or older or newer than that.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from . import messages as proto


@cache
def registry() -> Mapping[str, Any]:
    """OpDef messages by op name."""
    data = gzip.decompress((Path(__file__).parent / "opdefs.pb.gz").read_bytes())
    return {op.name: op for op in proto.OpList.FromString(data).op}


def find(op: str) -> Any | None:
    """The OpDef of this op, or None where stock TensorFlow does not register it."""
    return registry().get(op)


@cache
def attr_types(op: str) -> Mapping[str, str]:
    """The declared type of every attribute: ``"int"``, ``"type"``, ``"list(shape)"``; empty for an unknown op."""
    definition = find(op)
    return {a.name: a.type for a in definition.attr} if definition is not None else {}
