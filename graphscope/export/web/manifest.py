"""Weights -> ``weightsManifest`` and its shards, each copied from its file in pieces; quantized on the way where asked for.

Source: github.com/tensorflow/tfjs, tfjs-core/src/io/types.ts and io_utils.ts (strings: a length of four bytes each; affine: value * scale + min).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...errors import NotExpressible
from ...graph import Node
from ...graph.named_values import Document, Row
from ..frozen.body import pieces, stored_value, value_of

SHARD = 4 << 20  # bytes: what browsers cache well
QUANTIZED = {"uint8": 255, "uint16": 65535}
SMALLEST = 1 << 10  # elements below which a weight stays as it is
JS_TYPES = {
    **dict.fromkeys(("float32", "float64", "float16", "bfloat16"), "float32"),
    **dict.fromkeys(("int64", "int32", "int16", "int8"), "int32"),
    **dict.fromkeys(("uint64", "uint32", "uint16", "uint8"), "int32"),
    **dict.fromkeys(("complex64", "complex128"), "complex64"),
    "bool": "bool",
    "string": "string",
}
_LITTLE = {"float32": "<f4", "int32": "<i4", "bool": "|u1", "complex64": "<c8"}
MOST, LEAST = (1 << 31) - 1, -(1 << 31)


class Entry(NamedTuple):
    """One weight: what the manifest says of it, and its bytes."""

    spec: Row
    data: Callable[[], Iterable[Any]]


def entry_of(name: str, node: Node, quantize: str, clips: bool) -> Entry:
    """The entry of a Const; ``clips`` says that its readers take a number beyond 32 bits for "to the end".

    Raises NotExpressible where a value has no place in the types of JavaScript.
    """
    body = stored_value(node)
    dtype = str(node.attrs["dtype"])
    if dtype not in JS_TYPES:
        raise NotExpressible(f"TensorFlow.js has no {dtype} (constant {name!r})")
    js = JS_TYPES[dtype]
    shape: tuple[int, ...] = () if body is None else body.shape
    if body is None:
        shape = value_of(node).shape
    spec: Row = {"name": name, "shape": list(shape), "dtype": js}
    if js == "float32" and _is_reduced(shape, quantize):
        return _reduced(spec, node, quantize)
    if body is not None and dtype == "float32":
        return Entry(spec, lambda: pieces(body))
    return Entry(spec, lambda: [_coded(name, value_of(node), js, clips)])


def _is_reduced(shape: tuple[int, ...], quantize: str) -> bool:
    return bool(quantize) and int(np.prod(shape)) >= SMALLEST


def _coded(name: str, value: np.ndarray, js: str, clips: bool) -> bytes:
    if js == "string":
        texts = [v if isinstance(v, bytes) else str(v).encode() for v in value.ravel()]
        return b"".join(len(t).to_bytes(4, "little") + t for t in texts)
    if js == "int32":
        value = _narrow(name, value, clips)
    narrow = value.astype(_LITTLE[js])
    if js == "float32" and np.isinf(narrow).sum() != np.isinf(value).sum():
        raise NotExpressible(
            f"constant {name!r} has values beyond float32, which is all that TensorFlow.js has"
        )
    return np.ascontiguousarray(narrow).tobytes()


def _narrow(name: str, value: np.ndarray, clips: bool) -> np.ndarray:
    if not value.size or LEAST <= int(value.min()) and int(value.max()) <= MOST:
        return value
    if clips:
        return np.clip(value, LEAST, MOST)
    far = max(int(value.max()), -int(value.min()))
    raise NotExpressible(
        f"constant {name!r} holds {far}, and integers of TensorFlow.js have 32 bits"
    )


def _reduced(spec: Row, node: Node, quantize: str) -> Entry:
    """A weight as float16, or as ``round((value - min) / scale)``; one with no finite range stays float."""
    if quantize == "float16":
        spec["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
        return Entry(spec, lambda: [_half(value_of(node))])
    value = value_of(node).astype(np.float32)
    low, high = float(value.min()), float(value.max())
    if not np.isfinite([low, high]).all() or low == high:
        return Entry(
            spec, lambda: [np.ascontiguousarray(value_of(node), "<f4").tobytes()]
        )
    low, high = min(low, 0.0), max(high, 0.0)
    most = QUANTIZED[quantize]
    scale = (high - low) / most
    zero = round(-low / scale)  # so that 0 is exact: padding and sparse weights stay
    spec["quantization"] = {"dtype": quantize, "original_dtype": "float32"}
    spec["quantization"] |= {"min": -zero * scale, "scale": scale}

    def data() -> Iterator[bytes]:
        whole = np.round(value_of(node).astype(np.float64) / scale) + zero
        yield np.clip(whole, 0, most).astype(quantize).tobytes()

    return Entry(spec, data)


def _half(value: np.ndarray) -> bytes:
    most = float(np.finfo(np.float16).max)
    return np.clip(value, -most, most).astype("<f2").tobytes()


def write_shards(place: Path, entries: Iterable[Entry]) -> list[Document]:
    """Write the bytes of all entries into files of four MiB below ``place``; the manifest that names them."""
    specs: list[Row] = []
    shards = _Shards(place)
    for spec, data in entries:
        specs.append(spec)
        for piece in data():
            shards.add(memoryview(piece))
    return [{"paths": shards.finish(), "weights": specs}]


class _Shards:
    """Files that are filled one after the other, and named when their number is known."""

    def __init__(self, place: Path) -> None:
        self.place, self.count, self.room = place, 0, 0
        self.file: Any = None

    def add(self, piece: memoryview) -> None:
        while piece.nbytes:
            if not self.room:
                self._open()
            part, piece = piece[: self.room], piece[self.room :]
            self.file.write(part)
            self.room -= part.nbytes

    def _open(self) -> None:
        if self.file is not None:
            self.file.close()
        self.count += 1
        self.file, self.room = open(self.place / f"shard{self.count}", "wb"), SHARD

    def finish(self) -> list[str]:
        if self.file is None:
            self._open()
        self.file.close()
        names = [f"group1-shard{n + 1}of{self.count}.bin" for n in range(self.count)]
        for number, name in enumerate(names):
            (self.place / f"shard{number + 1}").rename(self.place / name)
        return names
