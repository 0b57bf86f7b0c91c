"""Write graphscope/freeze/older/op_history.txt: since which GraphDef version TensorFlow knows each op, and each attribute that came later.

    .venv/bin/pip download --no-deps --only-binary=:all: --python-version 36 --abi cp36m ... tensorflow==1.4.0
    .venv/bin/python tools/make_op_history.py tensorflow-1.4.0-*.whl tensorflow-1.8.0-*.whl ...

The truth is each release's own registry: its library is loaded (no Python of it is run) and asked for all ops. Releases that have no such call
(1.0) say it in the text of their generated modules. The newest release is the registry beside the table (``opdefs.pb.gz``).
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from google.protobuf import text_format

sys.path.insert(0, str(Path(__file__).parent.parent))

from graphscope.wire import messages as proto  # noqa: E402
from graphscope.wire.op_registry import registry  # noqa: E402

NEWEST = 2474  # TF_GRAPH_DEF_VERSION of the TensorFlow that opdefs.pb.gz is of
TABLE = (
    Path(__file__).parent.parent / "graphscope" / "freeze" / "older" / "op_history.txt"
)
_LIBRARY = re.compile(
    r"(/python/_pywrap_tensorflow(_internal)?\.so|libtensorflow_(framework|cc)\.so[.\d]*)$"
)
_ASK = """
import ctypes, os, sys
lazy = os.RTLD_LAZY | os.RTLD_GLOBAL
*before, last = sys.argv[2:]
for path in before:
    ctypes.CDLL(path, mode=lazy)
class Buffer(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("length", ctypes.c_size_t), ("free", ctypes.c_void_p)]
ask = ctypes.CDLL(last, mode=lazy).TF_GetAllOpList
ask.restype = ctypes.POINTER(Buffer)
answer = ask().contents
open(sys.argv[1], "wb").write(ctypes.string_at(answer.data, answer.length))
os._exit(0)
"""
Ops = Mapping[str, Any]


def ops_of(wheel: Path) -> tuple[int, str, Ops]:
    """GraphDef version, release and OpDefs of one release."""
    with zipfile.ZipFile(wheel) as file, tempfile.TemporaryDirectory() as folder:
        names = file.namelist()
        (header,) = (n for n in names if n.endswith("tensorflow/core/public/version.h"))
        text = file.read(header).decode()
        (version,) = re.findall(r"define TF_GRAPH_DEF_VERSION (\d+)", text)
        libraries = [
            file.extract(n, folder)
            for n in names
            if _LIBRARY.search(n) and "lite" not in n
        ]
        release = wheel.name.split("-")[1]
        return int(version), release, _asked(libraries, folder) or _written(file)


def _asked(libraries: list[str], folder: str) -> Ops:
    """What the libraries say; nothing where they have no such call."""
    stub, answer = f"{folder}/stub.so", Path(folder, "ops")
    source = b"int _Py_CheckRecursionLimit = 1000;"  # gone from Python 3.9 on
    compiler = ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", stub]
    subprocess.run(compiler, input=source, check=True)
    ordered = sorted(libraries, key=lambda p: ("pywrap" in p, "cc" in p))
    subprocess.run(
        [sys.executable, "-c", _ASK, str(answer), stub, *ordered],
        stderr=subprocess.DEVNULL,
    )
    data = answer.read_bytes() if answer.exists() else b""
    return {op.name: op for op in proto.OpList.FromString(data).op}


def _written(file: zipfile.ZipFile) -> Ops:
    """What the generated modules of TensorFlow 1.0 hold as text."""
    ops = proto.OpList()
    for name in file.namelist():
        if re.search(r"(?<!contrib)/gen_\w+_ops\.py$", name) and "contrib" not in name:
            for text in re.findall(
                r'op_list_ascii = """(.*?)"""', file.read(name).decode(), re.S
            ):
                text_format.Merge(text, ops, allow_unknown_field=True)
    return {op.name: op for op in ops.op}


def ports(op: Any) -> tuple[int, int]:
    """How many arguments an op has: some changed theirs and kept their name."""
    return len(op.input_arg), len(op.output_arg)


def lines(releases: list[tuple[int, Ops]]) -> Iterator[str]:
    """One line an op: its name, since when it is as it last was, ``-`` and when it was gone, the attributes that came later."""
    every = sorted({name for _, ops in releases for name in ops})
    for name in every:
        there = [(version, ops.get(name)) for version, ops in releases]
        end = max(i for i, (_, op) in enumerate(there) if op is not None)
        last = there[end][1]
        first = end
        while first and (before := there[first - 1][1]) is not None:
            if ports(before) != ports(last):
                break
            first -= 1
        gone = f"-{there[end + 1][0]}" if end + 1 < len(there) else ""
        words = [name, f"{there[first][0]}{gone}"]
        for attr in (each.name for each in last.attr):
            known = [
                version
                for version, op in there[first : end + 1]
                if any(each.name == attr for each in op.attr)
            ]
            if known[0] != there[first][0]:
                words.append(f"{attr}:{known[0]}")
        yield " ".join(words)


def main() -> None:
    """Of two releases with one GraphDef version the ops that both know count."""
    known: dict[int, tuple[str, Ops]] = {}
    for version, release, ops in map(ops_of, map(Path, sys.argv[1:])):
        print(release, version, len(ops))
        if version in known:
            others = known[version][1]
            release = f"{known[version][0]},{release}"
            ops = {
                name: min((op, others[name]), key=lambda o: len(o.attr))
                for name, op in ops.items()
                if name in others
            }
        known[version] = release, ops
    known[NEWEST] = "2.21", registry()
    order = sorted(known.items())
    head = " ".join(f"{version}={release}" for version, (release, _) in order)
    body = list(lines([(version, ops) for version, (_, ops) in order]))
    TABLE.write_text("\n".join([f"# {head}", *body]) + "\n")
    print(f"{TABLE}: {len(body)} ops, {TABLE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
