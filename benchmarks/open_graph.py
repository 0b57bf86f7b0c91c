"""Open graphs and list their nodes: graphscope against TensorFlow, then how graphscope grows with the nodes.

``python benchmarks/open_graph.py [--large]``: a 540 MB frozen graph and one of 100,000 nodes, made in a temporary folder
without holding them in memory; ``--large`` adds a million nodes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from side_by_side import compare, run

GRAPHSCOPE = """
import sys
from graphscope.read import load
found = list(load(sys.argv[1]).graph)
print(len(found), "nodes")
"""
TENSORFLOW = """
import sys, tensorflow as tf
with open(sys.argv[1], "rb") as file:
    message = tf.compat.v1.GraphDef.FromString(file.read())
with tf.Graph().as_default() as graph:
    tf.graph_util.import_graph_def(message, name="")
print(len(graph.get_operations()), "nodes")
"""


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def field(number: int, data: bytes) -> bytes:
    """A length-delimited protobuf field."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def node(name: str, op: str, inputs: list[str], **attrs: bytes) -> bytes:
    """One NodeDef as a field of a GraphDef."""
    body = field(1, name.encode()) + field(2, op.encode())
    body += b"".join(field(3, each.encode()) for each in inputs)
    for key, value in attrs.items():
        body += field(5, field(1, key.encode()) + field(2, value))
    return field(1, body)


FLOAT = b"\x30\x01"  # AttrValue.type = DT_FLOAT


def write_heavy(path: Path, weights: int = 135, side: int = 1000) -> None:
    """A frozen chain of MatMuls with constants of 4 MB each."""
    values = b"\x00\x00\x80\x3a" * (side * side)
    size = field(2, b"\x08" + varint(side))
    tensor = field(8, b"\x08\x01" + field(2, size + size) + field(4, values))
    with path.open("wb") as file:
        file.write(node("x", "Placeholder", [], dtype=FLOAT))
        for number in range(weights):
            before = f"y{number - 1}" if number else "x"
            file.write(node(f"w{number}", "Const", [], dtype=FLOAT, value=tensor))
            file.write(node(f"y{number}", "MatMul", [before, f"w{number}"], T=FLOAT))


def write_chain(path: Path, count: int) -> None:
    """A chain of Relus in scopes of a hundred."""
    with path.open("wb") as file:
        file.write(node("scope0/n0", "Placeholder", [], dtype=FLOAT))
        for number in range(1, count):
            before = f"scope{(number - 1) // 100}/n{number - 1}"
            name = f"scope{number // 100}/n{number}"
            file.write(node(name, "Relu", [before], T=FLOAT))


def main(large: bool) -> None:
    programs = {"graphscope": GRAPHSCOPE, "TensorFlow": TENSORFLOW}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "heavy.pb"
        write_heavy(path)
        size = path.stat().st_size / 1e6
        compare(f"open a {size:.0f} MB frozen graph", programs, str(path))
        path.unlink()
        path = Path(folder) / "chain.pb"
        write_chain(path, 100_000)
        compare("open a graph of 100,000 nodes", programs, str(path))
        print("\ngraphscope by number of nodes")
        for count in [1_000, 10_000, 100_000] + [1_000_000] * large:
            write_chain(path, count)
            cost = run(GRAPHSCOPE, str(path))
            print(f"  {count:9,} {cost.seconds:7.2f} s {cost.megabytes:8.0f} MB")


if __name__ == "__main__":
    main("--large" in sys.argv[1:])
