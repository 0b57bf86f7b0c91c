"""Weights of more than two gigabytes, which one protobuf message cannot hold: written where the target can, else one line that says where to."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from graphscope.export.bundle.table import write_table
from graphscope.wire import messages as proto

v1 = tf.compat.v1
ROWS, COLUMNS = 1100, 500_000
BYTES = 4 * ROWS * COLUMNS
COMMAND = """
import atexit, re, sys
from graphscope.cli import main
sys.argv[0] = "graphscope"  # ru_maxrss would be the parent's: it outlives the exec
atexit.register(lambda: print(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]))
main()
"""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A checkpoint of 2.2 GB of zeros, which lie in a file that takes no room."""
    folder = tmp_path_factory.mktemp("large")
    prefix = folder / "model.ckpt"
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, ROWS], name="x")
        kernel = v1.get_variable("kernel", [ROWS, COLUMNS], use_resource=False)
        tf.tanh(x @ kernel, name="y")
        v1.train.Saver()
        v1.train.export_meta_graph(f"{prefix}.meta", graph=graph)
    header = proto.BundleHeaderProto(num_shards=1)
    header.version.producer = 1
    entry = proto.BundleEntryProto(dtype=1, size=BYTES)
    for size in (ROWS, COLUMNS):
        entry.shape.dim.add(size=size)
    rows = {b"": header, b"kernel": entry}
    with open(f"{prefix}.index", "wb") as file:
        write_table(file, [(k, v.SerializeToString()) for k, v in rows.items()])
    with open(f"{prefix}.data-00000-of-00001", "wb") as file:
        file.truncate(BYTES)
    return str(prefix)


def export(checkpoint: str, target: str, place: Path) -> tuple[int, str, int]:
    """Exit status, stderr, and the most bytes of memory, of the command line."""
    line = [sys.executable, "-c", COMMAND, "export", checkpoint, "--to", target]
    done = subprocess.run(
        [*line, "-o", str(place), "--output", "y", "--no-verify"],
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stderr, 1024 * int(done.stdout.split()[-1])


@pytest.mark.slow
@pytest.mark.parametrize(
    "target, place",
    [
        ("tflite", "net.tflite"),
        ("onnx", "net.onnx"),
        ("savedmodel", "saved"),
        ("tfjs", "web"),
    ],
)
def test_two_gigabytes(
    checkpoint: str, tmp_path: Path, target: str, place: str
) -> None:
    status, said, peak = export(checkpoint, target, tmp_path / place)
    if target in ("tflite", "onnx"):
        assert status == 1 and said.count("\n") == 1, said
        assert re.search("at most 2 GB.* --to savedmodel", said)
        assert not list(tmp_path.iterdir())
        return
    assert status == 0, said
    assert peak < 200_000_000
    written = sum(each.stat().st_size for each in tmp_path.rglob("*") if each.is_file())
    assert BYTES < written < BYTES + 1_000_000
    if target == "savedmodel":
        prefix = str(tmp_path / "saved/variables/variables")
        assert tf.train.list_variables(prefix) == [("kernel", [ROWS, COLUMNS])]
