"""A TensorFlow Lite flatbuffer -> its subgraphs, tensors and operators, as the file has them. Values stay in the file.

Source: tensorflow/compiler/mlir/lite/schema/schema.fbs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from ....errors import FormatError
from ....graph import TensorSpec
from ....graph.named_values import Attributes
from ....wire.source import Source
from ..flatbuffer import Table, root
from ..tflite_schema import ACTIVATIONS, OPERATORS, OPTIONS, PADDING, TENSOR_TYPES
from .sparsity import Sparsity, sparsity_of

OPERATOR_NAMES = OPERATORS.split()
TYPES = [name.lower() for name in TENSOR_TYPES.split()]
_CUSTOM = 32
_ROOM = 16  # names together may be this many times as long as the file: shared strings are not copied for nothing
_MOST_SUBGRAPHS = 1 << 12


class Field(NamedTuple):
    """One field of an options table: its kind, its place, and the number that it is where a file leaves it out."""

    name: str
    kind: str
    place: int
    default: int


def _options() -> dict[int, list[Field]]:
    fields: dict[int, list[Field]] = {}
    for line in OPTIONS.strip().replace("\n    ", " ").splitlines():
        head, _, body = line.partition(": ")
        parts = [part.split() for part in body.split("; ")]
        fields[int(head.split()[0])] = [_field(*part) for part in parts]
    return fields


def _field(name: str, kind: str, place: str) -> Field:
    number, _, default = place.partition("=")
    return Field(name, kind, int(number), int(default or 0))


FIELDS = _options()


@dataclass(frozen=True)
class Quantisation:
    """``value = scale * (stored - zero)``, one scale and zero for all or one for each slice along ``axis``."""

    scale: tuple[float, ...]
    zero: tuple[int, ...]
    axis: int


@dataclass(frozen=True)
class LiteTensor:
    """One tensor: what it is called and holds; ``start`` and ``length`` are the bytes of a constant (length 0: none)."""

    name: str
    spec: TensorSpec
    static: tuple[int, ...]
    quantisation: Quantisation | None
    is_variable: bool
    start: int
    length: int
    sparsity: Sparsity | None = None

    @property
    def is_quantised(self) -> bool:
        """Whether it stands for real numbers that it holds as integers."""
        return self.quantisation is not None and self.spec.dtype != "float32"


@dataclass(frozen=True)
class Operator:
    """One operator; an input that is left out is -1. ``options`` hold enumerations by name, ``custom`` what a custom one has."""

    op: str
    is_custom: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    intermediates: tuple[int, ...]
    options: Attributes
    custom: bytes = b""


class Subgraph:
    """One subgraph: tensors by number, operators in the order in which they run."""

    def __init__(self, table: Table, file: LiteFile) -> None:
        self.table, self.file = table, file
        self.inputs, self.outputs = table.vector(1, "i32"), table.vector(2, "i32")
        self.name = table.data(4).decode("utf-8", "replace")

    @cached_property
    def tensors(self) -> list[LiteTensor]:
        return [self.file.tensor(n, t) for n, t in enumerate(self.table.tables(0))]

    @cached_property
    def operators(self) -> list[Operator]:
        return [self.file.operator(each) for each in self.table.tables(3)]

    def tensor(self, number: int) -> LiteTensor:
        """A tensor by number; raises FormatError where there is none."""
        if not 0 <= number < len(self.tensors):
            raise FormatError(
                f"{self.file.source.name}: names tensor {number}, there are {len(self.tensors)}: the file is damaged"
            )
        return self.tensors[number]


class LiteFile:
    """A whole file."""

    def __init__(self, source: Source) -> None:
        self.source, self.model = source, root(source)
        self.buffers = self.model.tables(4)
        self.codes = [self._code(each) for each in self.model.tables(1)]
        self._room = _ROOM * source.size
        self.subgraphs = [Subgraph(each, self) for each in self.model.tables(2)]
        if not 0 < len(self.subgraphs) <= _MOST_SUBGRAPHS:
            raise FormatError(
                f"{source.name}: a TensorFlow Lite model of {len(self.subgraphs)} subgraphs"
            )

    def _code(self, table: Table) -> tuple[str, bool]:
        number = max(table.scalar(0, "i8"), table.scalar(3, "i32"))
        if number == _CUSTOM:
            return table.data(1).decode("utf-8", "replace") or "CUSTOM", True
        if 0 <= number < len(OPERATOR_NAMES):
            return OPERATOR_NAMES[number], False
        return f"BUILTIN_{number}", True

    def spend(self, length: int) -> None:
        """Account for what is copied out of the file; raises FormatError where it is many times the file itself."""
        self._room -= length
        if self._room < 0:
            raise FormatError(
                f"{self.source.name}: its names and texts are many times longer than itself: it is damaged"
            )

    def text(self, table: Table, number: int) -> str:
        text = table.data(number).decode("utf-8", "replace")
        self.spend(len(text))
        return text

    def tensor(self, number: int, table: Table) -> LiteTensor:
        kind = table.scalar(1, "i8")
        dtype = TYPES[kind] if 0 <= kind < len(TYPES) else f"type {kind}"
        static = table.vector(0, "i32")
        shape = table.vector(7, "i32") or static
        start, length = self._bytes(table.scalar(2, "u32"), number)
        return LiteTensor(
            self.text(table, 3) or f"tensor_{number}",
            TensorSpec(dtype, tuple(None if s < 0 else s for s in shape)),
            tuple(max(0, size) for size in static),
            self._quantisation(table.table(4)),
            table.scalar(5, "bool", False),
            start,
            length,
            sparsity_of(table.table(6)),
        )

    def _bytes(self, buffer: int, number: int) -> tuple[int, int]:
        """Where a tensor's data lie: within the flatbuffer, or after it in files above 2 GiB."""
        if buffer >= len(self.buffers):
            raise FormatError(
                f"{self.source.name}: tensor {number} has no buffer {buffer}"
            )
        table = self.buffers[buffer]
        start, length = table.run(0, 1)
        if not length:
            start, length = table.scalar(1, "u64"), table.scalar(2, "u64")
        self.source.check(start, length, "a constant")
        return start, length

    def _quantisation(self, table: Table | None) -> Quantisation | None:
        scale = table.vector(2, "f32") if table is not None else ()
        if table is None or not scale or not any(scale):
            return None
        zero = table.vector(3, "i64") or (0,)
        return Quantisation(scale, zero, table.scalar(6, "i32"))

    def operator(self, table: Table) -> Operator:
        code = table.scalar(0, "u32")
        if code >= len(self.codes):
            raise FormatError(f"{self.source.name}: there is no operator code {code}")
        name, is_custom = self.codes[code]
        options, fields = table.table(4), FIELDS.get(table.scalar(3, "u8"), [])
        settings = {} if options is None else dict(_option(options, f) for f in fields)
        return Operator(
            name,
            is_custom,
            table.vector(1, "i32"),
            table.vector(2, "i32"),
            table.vector(8, "i32"),
            settings,
            self._custom(table) if is_custom else b"",
        )

    def _custom(self, table: Table) -> bytes:
        data = table.data(5)
        self.spend(len(data))
        return data


def _option(table: Table, field: Field) -> tuple[str, Any]:
    name, kind, place, default = field
    if kind.endswith("*"):
        return name, table.vector(place, kind[:-1])
    if kind == "str":
        return name, table.data(place).decode("utf-8", "replace")
    value = table.scalar(place, kind, bool(default) if kind == "bool" else default)
    if name == "padding":
        return name, PADDING[value] if 0 <= value < len(PADDING) else "VALID"
    if name == "fused_activation_function" and 0 <= value < len(ACTIVATIONS):
        return name, ACTIVATIONS[value]
    return name, value
