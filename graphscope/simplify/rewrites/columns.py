"""Products of examples that lie in columns -> the same products of rows, as Keras has them.

``w @ x + b`` as textbooks write it: each column of ``x`` is an example, ``b`` a column that is added to all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...graph import Graph, Node, Tensor
from ...graph.edit import duplicate, fresh, put, put_constant, put_new
from ...graph.named_values import Attributes
from ...ops import spellings
from ..prune import prune
from ..state import State
from .layouts import stored_shape

_SUMS = frozenset(spellings.SUMS)
_BINARY = _SUMS | frozenset("Sub Mul Maximum Minimum SquaredDifference".split())
_UNARY = frozenset(
    "Relu Relu6 Elu Selu LeakyRelu Sigmoid Tanh Softplus Softsign Identity Neg Square Sqrt Exp".split()
)
_SWAP = [1, 0]


def turn_columns(state: State) -> State:
    """A product with the weights first, of an example in each column -> a product of rows, between transposes.

    ``MatMul(w, Relu(MatMul(v, x) + c)) -> Transpose(MatMul(Relu(MatMul(Transpose(x), v, transpose_b) + c), w, transpose_b))``.
    """
    starts = [n for n in state.graph.by_op("MatMul") if _is_of_columns(state, n)]
    if not starts or not state.outputs:
        return state
    turn = _Turn(state)
    turn.run(starts)
    return state.become(prune(turn.finished(), state.outputs))


def _is_of_columns(state: State, name: str) -> bool:
    """Whether a product takes its examples in columns: how many there are is open and the features known, or its bias is a column."""
    graph, kernel = state.graph, _kernel(state.graph, name)
    if kernel is None:
        return False
    spec = state.specs.get(graph.inputs(name)[1])
    shape = spec.shape if spec is not None else None
    if shape is not None and shape[0] is not None and shape[1] is None:
        return True
    units = kernel[1] if graph.attrs(name).get("transpose_a") else kernel[0]
    columns = [_column(graph, *reader) for reader in graph.consumers(name)]
    return units > 1 and units in columns


def _kernel(graph: Graph, name: str) -> tuple[int, ...] | None:
    """The shape of the stored matrix that a product has first; None where it has something else first."""
    node, inputs = graph.node(name), graph.inputs(name)
    if node.op != "MatMul" or len(inputs) != 2 or node.attrs.get("transpose_b"):
        return None
    kernel = stored_shape(graph, inputs[0])
    is_plain = kernel is not None and len(kernel) == 2
    return kernel if is_plain and stored_shape(graph, inputs[1]) is None else None


def _column(graph: Graph, name: str, slot: int) -> int | None:
    """How long the column is that a sum adds to one of its inputs; None where it adds something else."""
    inputs = graph.inputs(name)
    if graph.op(name) not in _SUMS or len(inputs) != 2:
        return None
    shape = stored_shape(graph, inputs[1 - slot])
    return shape[0] if shape is not None and len(shape) == 2 and shape[1] == 1 else None


class _Turn:
    """The graph as it is turned; ``rows`` has what yields the transpose of a tensor."""

    def __init__(self, state: State) -> None:
        self.before, self.graph = state.graph, duplicate(state.graph)
        self.value = state.constants.value
        self.rows: dict[Tensor, Tensor] = {}
        self.names: list[str] = []

    def run(self, starts: Sequence[str]) -> None:
        """Turn the products and whatever computes the same on their rows."""
        stack = list(starts[::-1])
        while stack:
            name = stack.pop()
            if Tensor(name) not in self.rows and self._turned(name, name in starts):
                stack += [reader for reader, _ in self.before.consumers(name)]

    def finished(self) -> Graph:
        """The graph in which who reads a turned tensor as it was reads the transpose of its rows."""
        for tensor, rows in self.rows.items():
            readers = [name for name, _ in self.before.consumers(*tensor)]
            for name in filter(self._swaps, readers):
                attrs = {"T": self.before.attrs(name).get("T")}
                put(self.graph, name, Node("Identity", attrs), [rows])
        for name in self.names:
            self._transpose(name, self.rows[Tensor(name)])
        return self.graph

    def _turned(self, name: str, is_start: bool) -> bool:
        """Whether the transpose of what a node yields is computed now."""
        inputs, node = self.before.inputs(name), self.before.node(name)
        own = [each in self.rows for each in inputs]
        if _kernel(self.before, name) is not None and (is_start or own[1]):
            turned = {"transpose_b": not node.attrs.get("transpose_a")}
            attrs = {**node.attrs, "transpose_a": False, **turned}
            self._add(name, "MatMul", attrs, self._rows_of(inputs[1]), inputs[0])
        elif node.op in _UNARY and own == [True]:
            self._add(name, node.op, node.attrs, self.rows[inputs[0]])
        elif node.op in _BINARY and own == [True, True]:
            self._add(name, node.op, node.attrs, *(self.rows[t] for t in inputs))
        elif node.op in _SUMS and own.count(True) == 1:
            return self._with_bias(name, own.index(True))
        else:
            return False
        return True

    def _with_bias(self, name: str, slot: int) -> bool:
        size, inputs = _column(self.before, name, slot), self.before.inputs(name)
        if size is None:
            return False
        attrs = self.before.attrs(name)
        shape = put_constant(self.graph, f"{name}/units", [size])
        flat = {"T": attrs.get("T"), "Tshape": "int32"}
        bias = self._put(f"{name}/bias", "Reshape", flat, inputs[1 - slot], shape)
        self._add(name, "AddV2", attrs, self.rows[inputs[slot]], bias)
        return True

    def _rows_of(self, tensor: Tensor) -> Tensor:
        """The transpose of a tensor that is not turned itself, but may be a transpose."""
        if tensor not in self.rows:
            if self._swaps(tensor.node):
                return self.before.inputs(tensor.node)[0]
            self.rows[tensor] = self._transpose(
                fresh(self.graph, f"{tensor.node}/rows"), tensor
            )
        return self.rows[tensor]

    def _swaps(self, name: str) -> bool:
        """Whether a node swaps the two axes of a matrix."""
        if self.before.op(name) != "Transpose":
            return False
        order = self.value(self.before.inputs(name)[1])
        return order is not None and order.tolist() == _SWAP

    def _add(self, name: str, op: str, attrs: Attributes, *inputs: Tensor) -> None:
        self.rows[Tensor(name)] = self._put(f"{name}/rows", op, attrs, *inputs)
        self.names.append(name)

    def _transpose(self, name: str, tensor: Tensor) -> Tensor:
        attrs = {"T": self._dtype(tensor), "Tperm": "int32"}
        order = put_constant(self.graph, f"{name}/perm", _SWAP)
        put(self.graph, name, Node("Transpose", attrs), [tensor, order])
        return Tensor(name)

    def _dtype(self, tensor: Tensor) -> str:
        attrs = self.graph.attrs(tensor.node)
        return str(attrs.get("T") or attrs.get("dtype") or "float32")

    def _put(self, name: str, op: str, attrs: Attributes, *inputs: Tensor) -> Tensor:
        return put_new(self.graph, name, op, attrs, *inputs)
