"""TensorFlow Lite flatbuffers (``.tflite``): operators, constants, signatures; several subgraphs become functions.

Operators keep TensorFlow Lite's own names. A node is named after the first tensor that it makes. Constants stay in
the file. Source: tensorflow/compiler/mlir/lite/schema/schema.fbs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...errors import FormatError
from ...graph import Function, Model, Signature, Tensor, TensorSpec
from ...wire import messages as proto
from ...wire.attrs import numpy_dtype
from ...wire.nodes import graph_from_nodes
from ...wire.protobuf import mark_run
from ...wire.source import Source
from ..deployment.flatbuffer import Table, root
from ..deployment.tflite_schema import (
    ACTIVATIONS,
    OPERATORS,
    OPTIONS,
    PADDING,
    TENSOR_TYPES,
)
from ..options import Options

NAME = "TensorFlow Lite"
_IDENTIFIER = b"TFL3"
_OPERATORS, _TYPES = OPERATORS.split(), [t.lower() for t in TENSOR_TYPES.split()]
_CUSTOM = 32
_SMALLEST = 8
_ROOM = 16  # names together may be this many times as long as the file: shared strings are not copied for nothing
_KEPT = 64  # bytes of a constant that are copied rather than marked


def _options() -> dict[int, list[tuple[str, str, int]]]:
    found: dict[int, list[tuple[str, str, int]]] = {}
    for line in OPTIONS.strip().replace("\n    ", " ").splitlines():
        head, _, body = line.partition(": ")
        fields = [part.split() for part in body.split("; ")]
        found[int(head.split()[0])] = [(n, k, int(p)) for n, k, p in fields]
    return found


_FIELDS = _options()


def recognises(source: Source) -> bool:
    return source.size > _SMALLEST and source.head(_SMALLEST)[4:8] == _IDENTIFIER


def read(source: Source, options: Options) -> Model:
    model = root(source)
    buffers = model.tables(4)
    codes = [_code(each) for each in model.tables(1)]
    room = [_ROOM * source.size]
    subgraphs = [
        _Subgraph(each, codes, buffers, source, room) for each in model.tables(2)
    ]
    if not subgraphs:
        raise FormatError(f"{source.name}: a TensorFlow Lite model without a subgraph")
    first = subgraphs[0]
    others = {
        each.name or f"subgraph_{n}": each for n, each in enumerate(subgraphs) if n
    }
    description = model.data(3).decode("utf-8", "replace")
    return Model(
        graph=graph_from_nodes(first.nodes("Placeholder"), source),
        source=source.name,
        format=NAME,
        producer=description,
        functions={name: each.function(name, source) for name, each in others.items()},
        signatures=_signatures(model, subgraphs),
        versions={"schema": model.scalar(0, "u32")},
    )


def _code(table: Table) -> str:
    number = max(table.scalar(0, "i8"), table.scalar(3, "i32"))
    if number == _CUSTOM:
        return table.data(1).decode("utf-8", "replace") or "CUSTOM"
    return _OPERATORS[number] if 0 <= number < len(_OPERATORS) else f"BUILTIN_{number}"


class _Subgraph:
    """One subgraph: its tensors by number, each with the name of the node and the port that make it."""

    def __init__(
        self,
        table: Table,
        codes: list[str],
        buffers: list[Table],
        source: Source,
        room: list[int],
    ) -> None:
        self.codes, self.buffers, self.source = codes, buffers, source
        self.tensors = table.tables(0)
        self.operators = table.tables(3)
        self.inputs, self.outputs = table.vector(1, "i32"), table.vector(2, "i32")
        self.name = table.data(4).decode("utf-8", "replace")
        self.taken: set[str] = set()
        self.room = room
        self.makers: dict[int, Tensor] = {}
        self.constants: list[int] = []
        self.calls: list[tuple[str, Table]] = []
        self._place()

    def _place(self) -> None:
        """Name the node that makes each tensor: inputs, operators, and constants for the rest."""
        for number in self.inputs:
            self.makers[number] = Tensor(self._fresh(self._label(number)))
        for count, operator in enumerate(self.operators):
            made = operator.vector(2, "i32")
            label = self._label(made[0]) if made else f"operator_{count}"
            name = self._fresh(label)
            self.calls.append((name, operator))
            for port, number in enumerate(made):
                self.makers.setdefault(number, Tensor(name, port))
        for number in range(len(self.tensors)):
            if number not in self.makers:
                self.makers[number] = Tensor(self._fresh(self._label(number)))
                self.constants.append(number)

    def _tensor(self, number: int) -> Table:
        if not 0 <= number < len(self.tensors):
            raise FormatError(
                f"{self.source.name}: names tensor {number}, there are {len(self.tensors)}: the file is damaged"
            )
        return self.tensors[number]

    def _label(self, number: int) -> str:
        text = self._tensor(number).data(3).decode("utf-8", "replace")
        self._spend(len(text))
        return text or f"tensor_{number}"

    def _spend(self, length: int) -> None:
        self.room[0] -= length
        if self.room[0] < 0:
            raise FormatError(
                f"{self.source.name}: its names and texts are many times longer than itself: it is damaged"
            )

    def _fresh(self, label: str) -> str:
        name, count = label, 0
        while name in self.taken:
            count += 1
            name = f"{label}_{count}" if count < 3 else f"{label}_{len(self.taken)}"
        self.taken.add(name)
        return name

    def spec(self, number: int) -> TensorSpec:
        """Dtype and shape of a tensor, the signature's (with unknown sizes) where there is one."""
        table = self._tensor(number)
        kind = table.scalar(1, "i8")
        dtype = _TYPES[kind] if 0 <= kind < len(_TYPES) else f"type {kind}"
        shape = table.vector(7, "i32") or table.vector(0, "i32")
        return TensorSpec(dtype, tuple(None if s < 0 else s for s in shape))

    def tensor(self, number: int) -> Tensor:
        self._tensor(number)
        return self.makers[number]

    def nodes(self, feed: str) -> Iterator[Any]:
        """NodeDefs: the inputs (as ops of kind ``feed``), the constants, the operators."""
        for number in dict.fromkeys(self.inputs):
            node = proto.NodeDef(name=self.makers[number].node, op=feed)
            self._typed(node, number)
            yield node
        for number in self.constants:
            yield self._constant(number)
        for name, operator in self.calls:
            yield self._call(name, operator)

    def _typed(self, node: Any, number: int) -> None:
        spec = self.spec(number)
        node.attr["dtype"].type = proto.DATA_TYPE_NUMBERS.get(spec.dtype, 0)
        for target in (
            node.attr["shape"].shape,
            node.attr["_output_shapes"].list.shape.add(),
        ):
            for size in spec.shape or ():
                target.dim.add(size=-1 if size is None else size)

    def _constant(self, number: int) -> Any:
        table = self.tensors[number]
        node = proto.NodeDef(name=self.makers[number].node, op="Const")
        self._typed(node, number)
        buffer = table.scalar(2, "u32")
        if buffer >= len(self.buffers):
            raise FormatError(
                f"{self.source.name}: tensor {number} has no buffer {buffer}"
            )
        start, length = _bytes_of(self.buffers[buffer])
        if not length and 0 not in table.vector(0, "i32"):
            node.op = "VARIABLE" if table.scalar(5, "bool", False) else "TENSOR"
            return node
        self._fill(node.attr["value"].tensor, number, start, length)
        quantised = table.table(4)
        if quantised is not None:
            node.attr["scale"].list.f.extend(quantised.vector(2, "f32"))
            node.attr["zero_point"].list.i.extend(quantised.vector(3, "i64"))
        return node

    def _fill(self, tensor: Any, number: int, start: int, length: int) -> None:
        dtype = self.spec(number).dtype
        tensor.dtype = proto.DATA_TYPE_NUMBERS.get(dtype, 0)
        for size in self.tensors[number].vector(0, "i32"):
            tensor.tensor_shape.dim.add(size=size)
        self.source.check(start, length, "a constant")
        if dtype in ("string", "int4", "uint4"):  # these are copied
            self._spend(length)
        if dtype == "string":
            tensor.string_val.extend(_strings(self.source, start, length))
        elif dtype in ("int4", "uint4"):
            packed = np.frombuffer(self.source.read(start, length), np.uint8)
            tensor.tensor_content = _unpacked(packed, dtype, tensor).tobytes()
        elif length > _KEPT:
            tensor.tensor_content = mark_run(self.source, start, length)
        else:
            tensor.tensor_content = self.source.read(start, length)

    def _call(self, name: str, operator: Table) -> Any:
        code = operator.scalar(0, "u32")
        if code >= len(self.codes):
            raise FormatError(
                f"{self.source.name}: {name!r} has no operator code {code}"
            )
        node = proto.NodeDef(name=name, op=self.codes[code])
        missing = []
        for slot, number in enumerate(operator.vector(1, "i32")):
            if number < 0:
                missing.append(slot)  # an optional input
            else:
                node.input.append(str(self.tensor(number)))
        if missing:
            node.attr["missing_inputs"].list.i.extend(missing)
        for number in operator.vector(2, "i32"):
            shape = node.attr["_output_shapes"].list.shape.add()
            for size in self.spec(number).shape or ():
                shape.dim.add(size=-1 if size is None else size)
        told = operator.table(4)
        if told is not None:
            _add_options(node, told, _FIELDS.get(operator.scalar(3, "u8"), []))
        return node

    def function(self, name: str, source: Source) -> Function:
        graph = graph_from_nodes(self.nodes("_Arg"), source)
        arguments = tuple(self.tensor(n).node for n in self.inputs)
        returns = tuple(self.tensor(n) for n in self.outputs)
        return Function(name, graph, arguments, returns)


def _bytes_of(buffer: Table) -> tuple[int, int]:
    """Where a buffer's data lie: within the flatbuffer, or after it in files above 2 GiB."""
    start, length = buffer.run(0, 1)
    if length:
        return start, length
    return buffer.scalar(1, "u64"), buffer.scalar(2, "u64")


def _strings(source: Source, start: int, length: int) -> list[bytes]:
    """TensorFlow Lite's string tensor: count, offsets, bytes."""
    data = source.read(start, length)
    numbers = np.frombuffer(data[: len(data) // 4 * 4], "<i4")
    count = int(numbers[0]) if len(numbers) else 0
    if count < 0 or count + 2 > len(numbers):
        raise FormatError(f"{source.name}: a string constant at {start} is damaged")
    places = numbers[1 : count + 2].tolist()
    if places != sorted(places) or places[0] < 0 or places[-1] > length:
        raise FormatError(f"{source.name}: a string constant at {start} is damaged")
    return [data[a:b] for a, b in zip(places, places[1:])]


def _unpacked(packed: np.ndarray, dtype: str, tensor: Any) -> np.ndarray:
    """Two four-bit numbers a byte, the first in the low half -> one a byte."""
    both = np.stack([packed & 15, packed >> 4], -1).reshape(-1)
    count = int(np.prod([dim.size for dim in tensor.tensor_shape.dim], dtype=object))
    found = both[:count].astype(np.int8)
    found = np.where(found > 7, found - 16, found) if dtype == "int4" else found
    kind = numpy_dtype(dtype)
    return found.astype(kind if kind is not None else np.int8)


def _add_options(node: Any, told: Table, fields: list[tuple[str, str, int]]) -> None:
    for name, kind, place in fields:
        if kind.endswith("*"):
            values = told.vector(place, kind[:-1])
            many = node.attr[name].list
            (many.f if kind == "f32*" else many.i).extend(values)
            continue
        value = told.scalar(place, kind, False if kind == "bool" else 0)
        attr = node.attr[name]
        if name == "padding" and 0 <= value < len(PADDING):
            attr.s = PADDING[value].encode()
        elif name == "fused_activation_function" and 0 <= value < len(ACTIVATIONS):
            attr.s = ACTIVATIONS[value].encode()
        elif kind == "bool":
            attr.b = value
        elif kind == "f32":
            attr.f = value
        else:
            attr.i = value


def _signatures(model: Table, subgraphs: list[_Subgraph]) -> dict[str, Signature]:
    """The declared signatures of the first subgraph, else its plain inputs and outputs."""
    first = subgraphs[0]
    found = {}
    for told in model.tables(7):  # signature_defs
        if told.scalar(4, "u32"):
            continue
        sides = [_named(each, first) for each in (told.tables(0), told.tables(1))]
        found[told.data(2).decode("utf-8", "replace")] = _signature(
            sides[0], sides[1], first
        )
    if found:
        return found
    plain = [
        {first.tensor(n).node: n for n in side}
        for side in (first.inputs, first.outputs)
    ]
    return {"main": _signature(plain[0], plain[1], first)}


def _named(maps: list[Table], subgraph: _Subgraph) -> dict[str, int]:
    return {m.data(0).decode("utf-8", "replace"): m.scalar(1, "u32") for m in maps}


def _signature(
    inputs: dict[str, int], outputs: dict[str, int], subgraph: _Subgraph
) -> Signature:
    numbers = [*inputs.values(), *outputs.values()]
    specs = {subgraph.tensor(n): subgraph.spec(n) for n in numbers}
    return Signature(
        {name: subgraph.tensor(n) for name, n in inputs.items()},
        {name: subgraph.tensor(n) for name, n in outputs.items()},
        specs,
    )
