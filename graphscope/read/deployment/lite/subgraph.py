"""One subgraph of a TensorFlow Lite file -> a graph of TensorFlow ops: tensors by number, each with the node that makes it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ....errors import FormatError
from ....graph import Function, Node, Tensor, TensorSpec
from ....graph.named_values import Attributes
from .constants import Layout, constant
from .emit import Emitter, node_name
from .file import LiteFile, LiteTensor, Subgraph
from .state import fills_alone

_MOST_STATE = 1 << 24  # numbers
_NUMBERS = (
    "float16",
    "float32",
    "float64",
    "int8",
    "uint8",
    "int16",
    "int32",
    "int64",
    "bool",
)
_PARTS = {
    "DepthwiseConv2dNative": "depthwise",
    "Conv2DBackpropInput": "conv2d_transpose",
}


Places = dict[tuple[object, ...], Tensor]


class Pending(NamedTuple):
    """A node that has no name yet."""

    op: str
    inputs: tuple[Tensor, ...]
    attrs: Attributes


class Apart(NamedTuple):
    """A result of one operator where each is run by itself: what stands for it before its readers, and what computes it."""

    number: int
    fed: str
    computed: str


class Lowered:
    """The graph of one subgraph as it grows, its own or the one that grows ``beside`` it.

    With ``is_apart`` every operator reads placeholders, listed in ``apart``.
    """

    def __init__(
        self,
        subgraph: Subgraph,
        file: LiteFile,
        functions: Sequence[str],
        bodies: dict[str, Function],
        is_apart: bool = False,
        beside: Lowered | None = None,
    ) -> None:
        self.subgraph, self.file, self.functions = subgraph, file, functions
        self.bodies = bodies  # what loops of operators became, for the library
        self.is_apart = is_apart
        self.apart: list[Apart] = []
        self.emitter: Emitter = beside.emitter if beside else Emitter()
        self._read_beside: Places = beside.every_constant() if beside else {}
        self._constants: Places = {}
        self.makers: dict[int, Tensor] = {}
        self.behind: dict[int, int] = {}
        self.variables: dict[str, Tensor] = {}  # what each holds so far
        self._laid_out: dict[tuple[int, object, int], Tensor] = {}

    def every_constant(self) -> Places:
        """Those of this graph so far, by where they lie in the file and how they are laid out."""
        return {**self._constants, **self._read_beside}

    def is_filler(self, number: int) -> bool:
        """Whether a subgraph by number only fills tables and variables."""
        subgraphs = self.file.subgraphs
        return 0 <= number < len(subgraphs) and fills_alone(subgraphs[number])

    def name_of(self, label: str) -> str:
        return self.emitter.fresh(node_name(label))

    def dtype_of(self, tensor: LiteTensor) -> str:
        """What a tensor is of in TensorFlow's graph: what is quantised is real there."""
        return "float32" if tensor.is_quantised else tensor.spec.dtype

    def constant_behind(self, number: int) -> LiteTensor:
        """A tensor, or the constant that it is the dequantised form of."""
        return self.subgraph.tensor(self.behind.get(number, number))

    def read(
        self, number: int, layout: Layout | None = None, owner: int = -1
    ) -> Tensor:
        """The tensor of this number; a constant as ``layout`` turns it, one for each ``owner``.

        Raises FormatError where nothing makes it.
        """
        number = self.behind.get(number, number)
        if number in self.makers and layout is None:
            return self.makers[number]
        tensor = self.subgraph.tensor(number)
        key = (number, getattr(layout, "__name__", None), owner)
        if key in self._laid_out:
            return self._laid_out[key]
        name = self.name_of(tensor.name)
        if tensor.length or 0 in tensor.static:
            self._laid_out[key] = self._constant(tensor, name, layout)
        else:
            self._laid_out[key] = self.emitter.put(name, self._without_values(tensor))
        return self._laid_out[key]

    def _constant(self, tensor: LiteTensor, name: str, layout: Layout | None) -> Tensor:
        """The node of a constant; what another subgraph of the same graph reads from the same place is one with it."""
        place = (tensor.start, tensor.static, getattr(layout, "__name__", None))
        if tensor.length and place in self._read_beside:
            return self._read_beside[place]
        node = Node("Const", constant(self.file, tensor, layout))
        self._constants[place] = self.emitter.put(name, node)
        return self._constants[place]

    def _without_values(self, tensor: LiteTensor) -> Node:
        """A tensor that nothing makes: the state of a recurrent operator begins at zero, all else is unknown."""
        dtype = self.dtype_of(tensor)
        if tensor.is_variable and math.prod(tensor.static) <= _MOST_STATE:
            zeros = np.broadcast_to(np.zeros((), dtype), tensor.static)
            return Node("Const", {"dtype": dtype, "value": zeros})
        raise FormatError(
            f"{self.file.source.name}: nothing makes tensor {tensor.name!r}: the file is damaged"
        )

    def foresee(self, tensor: Tensor, node: Pending) -> None:
        """Know the dtypes of a node that is to come."""
        from ....wire import opdefs
        from .emit import _inferred

        dtypes = [self.emitter.dtypes.get(each, "") for each in node.inputs]
        attrs = {**_inferred(node.op, dtypes), **node.attrs}
        for port, dtype in enumerate(opdefs.output_dtypes(node.op, attrs)):
            self.emitter.dtypes[Tensor(tensor.node, port)] = dtype

    def settle(
        self,
        pending: Sequence[Pending],
        outputs: Sequence[Tensor],
        parts: Sequence[str],
        numbers: Sequence[int],
    ) -> None:
        """Name the nodes of one operator and put them into the graph; ``numbers`` are the tensors that it makes."""
        last = [f"\0{n}" for n in range(len(pending))]
        results = {tensor.node for tensor in outputs}
        names: dict[str, str] = {}
        for key, node in zip(last, pending):
            label = _label(node.op, parts, key in results)
            names[key] = self.emitter.fresh(node_name(label))
            ports = [
                self.subgraph.tensor(number).spec.shape
                for number, tensor in zip(numbers, outputs)
                if tensor.node == key
            ]
            specs = [TensorSpec("", shape) for shape in ports]
            inputs = [Tensor(names.get(t.node, t.node), t.port) for t in node.inputs]
            self.emitter.add(names[key], node.op, inputs, node.attrs, specs)
        for number, tensor in zip(numbers, outputs):
            renamed = Tensor(names.get(tensor.node, tensor.node), tensor.port)
            self.makers[number] = self._cut_off(renamed, number)

    def _cut_off(self, x: Tensor, number: int) -> Tensor:
        """What the readers of an operator's result read: the result, or a placeholder where operators are run apart."""
        dtype = self.dtype_of(self.subgraph.tensor(number))
        if not self.is_apart or dtype not in _NUMBERS:
            return x
        name = self.emitter.fresh(f"{x.node}/apart")
        node = Node(
            "Placeholder", {"dtype": dtype, "shape": None}, (TensorSpec("", None),)
        )
        self.apart.append(Apart(number, f"{name}:0", str(x)))
        return self.emitter.put(name, node)


def _label(op: str, parts: Sequence[str], is_output: bool) -> str:
    """What a node is called: the part of the operator's name that speaks of its op, else the first."""
    ending = _PARTS.get(op, op).lower()
    for part in parts:
        if part.lower().rstrip("0123456789_").endswith(f"/{ending}"):
            return part
    return parts[0] if is_output else f"{node_name(parts[0])}/{op}"
