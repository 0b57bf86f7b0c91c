"""Graph -> a GraphDef file, the weights copied from file to file in pieces.

A GraphDef is a run of length-prefixed NodeDefs, so it can be written one node at a time; and in the NodeDef of a Const the value's bytes
can stand last, so that they are copied from the checkpoint's shard without ever being an array. All sizes are known before
the first byte is written: a graph above protobuf's 2 GB, and one that the disk has no room for, are refused then.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import FormatError, GraphscopeError
from ..graph import Extent, Function, Graph, Node
from ..read.weights.lazy_const import Stored
from ..wire import messages as proto
from ..wire.attrs import Attrs
from ..wire.beside import beside
from ..wire.messages import field, varint
from ..wire.write import (
    put_shape,
    put_versions,
    referenced,
    references,
    to_function_def,
    to_graph_def,
    to_node_def,
)

MOST_BYTES = (1 << 31) - 1  # protobuf's own limit for one message
CHUNK = 1 << 20
NODE, LIBRARY, VERSIONS = 1, 2, 4  # fields of GraphDef


class Part(NamedTuple):
    """Bytes to be written: a head, then ``length`` bytes that lie in ``extents`` or in the arrays that ``pieces`` gives."""

    head: bytes
    length: int = 0
    extents: tuple[Extent, ...] | None = None
    pieces: Callable[[], Iterable[np.ndarray]] | None = None

    @property
    def size(self) -> int:
        return len(self.head) + self.length


def write_graph(
    graph: Graph,
    path: str | Path,
    functions: Mapping[str, Function] = {},
    versions: Mapping[str, int] = {},
    text: bool = False,
) -> int:
    """Write the graph as a GraphDef (in protobuf's text form with ``text``); the number of bytes written.

    The file appears whole or not at all. Raises GraphscopeError where it would be larger than 2 GB or than the space that is free,
    FormatError where a shard holds fewer bytes than its index says.
    """
    if text:
        return _write_text(graph, Path(path), functions, versions)
    parts = list(_parts(graph, functions, versions))
    total = sum(part.size for part in parts)
    if total > MOST_BYTES:
        raise GraphscopeError(_too_large(parts, total))
    _check_space(Path(path), total)
    return _write_beside(Path(path), lambda file: _write_parts(file, parts))


def _parts(
    graph: Graph, functions: Mapping[str, Function], versions: Mapping[str, int]
) -> Iterator[Part]:
    for name in graph:
        yield _node_part(name, graph.node(name), references(graph, name))
    library = proto.FunctionDefLibrary()
    for function in referenced(graph, functions):
        library.function.append(to_function_def(function, functions))
    if library.function:
        yield Part(field(LIBRARY, library.SerializeToString(deterministic=True)))
    written = proto.VersionDef()
    put_versions(written, versions)
    yield Part(field(VERSIONS, written.SerializeToString()))


def _node_part(name: str, node: Node, inputs: Iterable[str]) -> Part:
    body = stored_value(node)
    if body is None:
        message = to_node_def(name, node, inputs)
        return Part(field(NODE, message.SerializeToString(deterministic=True)))
    bare = Node(node.op, {"dtype": body.dtype}, (), node.controls, node.device)
    message = to_node_def(name, bare, inputs).SerializeToString(deterministic=True)
    tensor = proto.TensorProto(dtype=proto.DATA_TYPE_NUMBERS[body.dtype])
    put_shape(tensor.tensor_shape, body.shape)
    inner = tensor.SerializeToString() + _key(4) + varint(body.nbytes)
    # outwards: TensorProto.tensor_content, AttrValue.tensor, the map entry's value, NodeDef.attr
    for number, before in ((8, b""), (2, field(1, b"value")), (5, message)):
        inner = before + _key(number) + varint(len(inner) + body.nbytes) + inner
    head = _key(NODE) + varint(len(inner) + body.nbytes) + inner
    return Part(head, body.nbytes, body.extents, body.pieces)


def stored_value(node: Node) -> Stored | None:
    """The value of a Const that is better copied than encoded; None where there is none."""
    if node.op != "Const":
        return None
    if isinstance(node.attrs, Stored):
        return node.attrs if node.attrs.nbytes else None
    if isinstance(node.attrs, Attrs):
        extent = node.attrs.extent("value")
        if extent is not None:
            spec, attrs = node.attrs.spec("value"), node.attrs
            shape = tuple(size or 0 for size in spec.shape or ())
            return Stored(spec.dtype, shape, lambda: attrs["value"], (extent,))
    return None


def _key(number: int) -> bytes:
    return varint(number << 3 | 2)


def _too_large(parts: list[Part], total: int) -> str:
    weights = sum(part.length for part in parts)
    return (
        f"the frozen graph would have {total:,} bytes, {weights:,} of them weights; a GraphDef holds at most "
        f"{MOST_BYTES:,}: halve the weights (--half), quantize them (--quantize int8) or export a SavedModel"
    )


def _check_space(path: Path, total: int) -> None:
    folder = path.parent if path.parent.is_dir() else None
    if folder is None:
        raise GraphscopeError(f"there is no folder {str(path.parent)!r} to write to")
    free = shutil.disk_usage(folder).free
    if free < total:
        raise GraphscopeError(
            f"{path}: {total:,} bytes are needed and {free:,} are free on that disk"
        )


def _write_beside(path: Path, write: Callable[[Any], None]) -> int:
    """Write to a file beside ``path`` that takes its name when it is whole, and is removed otherwise."""
    with beside(path) as unfinished, open(unfinished, "wb") as file:
        write(file)
        return int(file.tell())


def _write_parts(file: Any, parts: Iterable[Part]) -> None:
    with ExitStack() as stack:
        opened: dict[str, Any] = {}

        def shard(path: str) -> Any:
            if path not in opened:
                opened[path] = stack.enter_context(open(path, "rb", buffering=0))
            return opened[path]

        for part in parts:
            file.write(part.head)
            if part.extents is not None:
                for extent in part.extents:
                    _copy(shard(extent.path), extent, file)
            elif part.pieces is not None:
                _write_arrays(file, part.pieces(), part.length)


def _copy(source: Any, extent: Extent, file: Any) -> None:
    source.seek(extent.offset)
    left = extent.length
    while left:
        piece = source.read(min(left, CHUNK))
        if not piece:
            raise FormatError(
                f"{extent.path}: ends before byte {extent.offset + extent.length}: it is truncated, copy it again"
            )
        file.write(piece)
        left -= len(piece)


def _write_arrays(file: Any, pieces: Iterable[np.ndarray], length: int) -> None:
    """Raises FormatError where the arrays together have not so many bytes."""
    size = 0
    for array in pieces:
        if array.dtype.byteorder == ">":
            array = array.astype(array.dtype.newbyteorder("<"))
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        size += data.nbytes
        file.write(data.data)
    if size != length:
        raise FormatError(f"a weight has {size} bytes where its index says {length}")


def _write_text(
    graph: Graph,
    path: Path,
    functions: Mapping[str, Function],
    versions: Mapping[str, int],
) -> int:
    from google.protobuf import text_format

    message = to_graph_def(graph, functions, versions)
    data = text_format.MessageToString(message).encode()
    _check_space(path, len(data))
    return _write_beside(path, lambda file: file.write(data))
