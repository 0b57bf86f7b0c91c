"""Which ops the converters of TFLite, ONNX and OpenVINO take, measured on the rows of tests/ops: what graphscope/export/convert/op_lists.py is held against.

``python tools/converter_ops.py OUT.json [tflite onnx openvino]`` writes, for every target, the ops of which a row was converted and those of
which none was. An op counts as taken where one row of it was, whatever its dtypes: what is refused for its arguments the converter says
itself. Takes about ten minutes; run it where TensorFlow, tf2onnx or openvino are newer than those that the list names.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # before other people's "tests"

from graphscope.analysis import analyse  # noqa: E402
from graphscope.errors import GraphscopeError  # noqa: E402
from graphscope.export.frozen import alone, freeze_signatures  # noqa: E402
from graphscope.export.options import Options  # noqa: E402
from graphscope.export.registry import target_of  # noqa: E402

SUFFIXES = {"tflite": ".tflite", "onnx": ".onnx", "openvino": ""}
v1 = tf.compat.v1


def rows() -> Iterator[Any]:
    """Every case of the tables in tests/ops that reads something fed."""
    for path in sorted((ROOT / "tests" / "ops").rglob("test_*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for test in vars(importlib.import_module(name)).values():
            for mark in getattr(test, "pytestmark", ()):
                if mark.name == "parametrize" and mark.args[0] == "row":
                    yield from mark.args[1]


def graph_of(row: Any, path: Path) -> list[str]:
    """Write the row's op as a GraphDef, arrays fed; the names of its outputs, none where nothing is fed."""
    from tests.ops.oracle import Known, _arrays

    def tensor(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [tensor(item) for item in value]
        if isinstance(value, Known):
            return tf.constant(value.array)
        return v1.placeholder(value.dtype, value.shape)

    with tf.Graph().as_default() as graph:
        arguments = {
            key: tensor(value) if _arrays(value) else value
            for key, value in row.arguments.items()
        }
        getattr(tf.raw_ops, row.op)(**arguments)
        node = next(op for op in graph.get_operations() if op.type == row.op)
        ends = [
            tf.identity(output, name=f"y{number}").op.name
            for number, output in enumerate(node.outputs)
            if output.dtype not in (tf.resource, tf.variant)
        ]
        is_fed = any(op.type == "Placeholder" for op in graph.get_operations())
        path.write_bytes(graph.as_graph_def().SerializeToString())
    return ends if is_fed else []


def is_taken(path: Path, ends: list[str], name: str, place: Path) -> bool:
    """Whether the target's converter takes the graph."""
    target = target_of(name)
    try:
        analysis = analyse(path, outputs=ends)
        frozen = freeze_signatures(analysis.flat, analysis.sure_outputs(), True)
        single = alone(frozen) if target.ONE_SIGNATURE else frozen
        target.write(single, place, Options())
    except GraphscopeError:
        return False
    return True


def measure(names: Sequence[str], out: Path) -> None:
    """Write what each target takes, after every row: a long run may be cut short."""
    taken: dict[str, set[str]] = {name: set() for name in names}
    tried: dict[str, set[str]] = {name: set() for name in names}
    with tempfile.TemporaryDirectory() as folder:
        for number, row in enumerate(rows()):
            path = Path(folder) / f"{number}.pb"
            try:
                ends = graph_of(row, path)
            except (ValueError, TypeError, RuntimeError, tf.errors.OpError) as error:
                print(f"{row.op}: not built ({str(error)[:80]})", flush=True)
                continue
            for name in names if ends else ():
                if row.op not in taken[name]:
                    tried[name].add(row.op)
                    place = Path(folder) / f"{number}.{name}{SUFFIXES[name]}"
                    if is_taken(path, ends, name, place):
                        taken[name].add(row.op)
            out.write_text(json.dumps(_answer(taken, tried), indent=1))


def _answer(
    taken: Mapping[str, set[str]], tried: Mapping[str, set[str]]
) -> dict[str, Any]:
    return {
        name: {"taken": sorted(known), "refused": sorted(tried[name] - known)}
        for name, known in taken.items()
    }


def main() -> None:
    """The command line."""
    out, *names = sys.argv[1:]
    warnings.simplefilter("ignore")
    measure(names or list(SUFFIXES), Path(out))


if __name__ == "__main__":
    main()
