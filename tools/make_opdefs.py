"""Write graphscope/wire/opdefs.pb.gz: the OpDefs that the installed TensorFlow registers, less their prose.

    .venv/bin/python tools/make_opdefs.py

Run it when a new TensorFlow comes out; ``tests/ops/test_registry.py`` fails where the file is behind.
"""

from __future__ import annotations

import gzip
from pathlib import Path

from tensorflow.core.framework import op_def_pb2
from tensorflow.python.client import pywrap_tf_session
from tensorflow.python.framework import c_api_util


def registered() -> op_def_pb2.OpList:
    """Every op that TensorFlow knows without loading a library, sorted by name, without descriptions."""
    with c_api_util.tf_buffer() as buffer:
        buffer = pywrap_tf_session.TF_GetAllOpList()
        data = pywrap_tf_session.TF_GetBuffer(buffer)
    ops = op_def_pb2.OpList.FromString(data)
    kept = op_def_pb2.OpList()
    for op in sorted(ops.op, key=lambda op: op.name):
        op.ClearField("summary")
        op.ClearField("description")
        for described in (*op.input_arg, *op.output_arg, *op.attr):
            described.ClearField("description")
        for argument in (*op.input_arg, *op.output_arg):
            argument.ClearField("experimental_full_type")
        kept.op.add().CopyFrom(op)
    return kept


if __name__ == "__main__":
    path = Path(__file__).parent.parent / "graphscope" / "wire" / "opdefs.pb.gz"
    path.write_bytes(
        gzip.compress(registered().SerializeToString(deterministic=True), 9, mtime=0)
    )
    print(f"{path}: {len(registered().op)} ops, {path.stat().st_size:,} bytes")
