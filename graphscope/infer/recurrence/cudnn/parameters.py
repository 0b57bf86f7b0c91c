"""The one buffer of parameters of a CudnnRNN -> the matrices and biases of its layers, in Keras's layout.

All matrices come first, layer by layer, then all biases: for each direction of a layer those of the input, then those of the state, a gate
after the other, each with a row for each unit (cuDNN's ``cudnnGetRNNLinLayerMatrixParams``; ``canonical_to_params`` of Keras).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ....graph import Tensor
from ....match import View, WeightRef
from ..turn.loops import is_zero
from ..turn.parts import weight_behind

_CANONICAL = frozenset({"CudnnRNNCanonicalToParams", "CudnnRNNCanonicalToParamsV2"})
DEEPEST = 12  # nodes from the buffer to a variable


@dataclass(frozen=True)
class Kind:
    """What a mode of cuDNN is in Keras: the class, cuDNN's gates in Keras's order, and the activation."""

    op: str
    gates: tuple[int, ...]
    activation: str = "tanh"


KINDS = {
    "lstm": Kind("LSTM", (0, 1, 2, 3)),
    "gru": Kind("GRU", (1, 0, 2)),  # cuDNN has the reset gate first
    "rnn_tanh": Kind("SimpleRNN", (0,)),
    "rnn_relu": Kind("SimpleRNN", (0,), "relu"),
}


@dataclass(frozen=True)
class Stack:
    """The sizes of a CudnnRNN: layers upon each other, in one direction or two."""

    kind: Kind
    layers: int
    directions: int
    features: int
    units: int

    def shapes(self) -> Iterator[tuple[int, ...]]:
        """The shapes of the parts of the buffer, in their order."""
        gates, directions = len(self.kind.gates), self.directions
        for layer in range(self.layers):
            width = self.units * directions if layer else self.features
            for _ in range(directions):
                yield from [(self.units, width)] * gates
                yield from [(self.units, self.units)] * gates
        yield from [(self.units,)] * (2 * gates * self.layers * directions)


def read_parameters(
    view: View, tensor: Tensor, stack: Stack
) -> list[dict[str, WeightRef]] | None:
    """The weights of each direction of each layer; None where the buffer holds something else than such a stack has."""
    parts = _parts(view, tensor, [*stack.shapes()])
    if parts is None:
        return None
    count, gates = stack.layers * stack.directions, len(stack.kind.gates)
    matrices, biases = parts[: 2 * gates * count], parts[2 * gates * count :]
    weights = []
    for number in range(count):
        span = slice(2 * gates * number, 2 * gates * (number + 1))
        weights.append(_weights(stack.kind, matrices[span], biases[span]))
    return weights


def _weights(
    kind: Kind, matrices: Sequence[WeightRef], biases: Sequence[WeightRef]
) -> dict[str, WeightRef]:
    count = len(kind.gates)
    transposes = [each.transposed(1, 0) for each in matrices]
    inputs, states = (
        [part[gate] for gate in kind.gates]
        for part in (transposes[:count], transposes[count:])
    )
    rows = [
        [part[gate] for gate in kind.gates] for part in (biases[:count], biases[count:])
    ]
    return {
        "cell/kernel": inputs[0].joined(1, inputs[1:]),
        "cell/recurrent_kernel": states[0].joined(1, states[1:]),
        "cell/bias": _bias(kind, *(row[0].joined(0, row[1:]) for row in rows)),
    }


def _bias(kind: Kind, one: WeightRef, other: WeightRef) -> WeightRef:
    """Both biases, as one row each in a GRU, whose state is multiplied before it is reset; else their sum."""
    if kind.op == "GRU":
        one, other = (each.reshaped(1, *each.shape) for each in (one, other))
        return one.joined(0, [other])
    if one.value is not None and not np.any(one.value):
        return other
    return one.then("sum", (other,), one.shape)


def _parts(
    view: View, tensor: Tensor, shapes: Sequence[tuple[int, ...]]
) -> list[WeightRef] | None:
    """The parts of the buffer, of these shapes: what was joined to it, where that is cut alike; else slices of the whole."""
    joined = _pieces(view, tensor)
    sizes = [int(np.prod(shape)) for shape in shapes]
    if joined is None or sum(each.shape[0] for each in joined) != sum(sizes):
        return None
    if [each.shape[0] for each in joined] != sizes:
        whole, ends = joined[0].joined(0, joined[1:]), np.cumsum([0, *sizes]).tolist()
        joined = [whole.sliced(0, *ends) for ends in zip(ends, ends[1:])]
    return [part.reshaped(*shape) for part, shape in zip(joined, shapes)]


def _pieces(view: View, tensor: Tensor) -> list[WeightRef] | None:
    """What the buffer was joined of, each a vector."""
    source, _ = view.producer(tensor)
    inputs = view.inputs[source.node]
    if view.kinds[source.node] in _CANONICAL:
        inputs = inputs[3:]
    elif view.kinds[source.node] == "ConcatV2" and weight_behind(view, source) is None:
        inputs = inputs[:-1]
    else:
        inputs = (source,)
    parts = [_weight(view, each) for each in inputs]
    return None if None in parts else [each.flat() for each in parts if each]


def _weight(view: View, tensor: Tensor, depth: int = 0) -> WeightRef | None:
    """The weight that a tensor is, or is a part, another shape or the axes in another order of."""
    weight = weight_behind(view, tensor)
    if weight is not None or depth > DEEPEST:
        return weight
    source, _ = view.producer(tensor)
    op, inputs = view.ops[source.node], view.inputs[source.node]
    shape = view.shape(source)
    if shape is not None and None not in shape and is_zero(view, source):
        sizes = tuple(size or 0 for size in shape)
        return WeightRef("", sizes, value=np.zeros(sizes, np.float32))
    if op in _READERS:
        reader, operand = _READERS[op]
        inner = _weight(view, inputs[operand], depth + 1)
        lower = None if inner is None else reader(view, source, inner, depth)
        if lower is not None:
            return lower
    value = view.constant(source)
    return None if value is None else WeightRef("", value.shape, value=value)


def _reshaped(view: View, tensor: Tensor, inner: WeightRef, _: int) -> WeightRef | None:
    return inner.flat() if len(view.shape(tensor) or ()) == 1 else None


def _transposed(
    view: View, tensor: Tensor, inner: WeightRef, _: int
) -> WeightRef | None:
    axes = view.number(view.inputs[tensor.node][1])
    if axes is None:
        return inner.transposed(*reversed(range(len(inner.shape))))
    return inner.transposed(*(int(axis) for axis in axes))


def _split(view: View, tensor: Tensor, inner: WeightRef, _: int) -> WeightRef | None:
    number = view.number(view.inputs[tensor.node][0])
    if number is None:
        return None
    axis = int(number.reshape(())) % len(inner.shape)
    size = inner.shape[axis] // int(view.attrs[tensor.node].get("num_split", 1))
    return inner.sliced(axis, tensor.port * size, (tensor.port + 1) * size)


def _concatenated(
    view: View, tensor: Tensor, inner: WeightRef, depth: int
) -> WeightRef | None:
    _, *others, place = view.inputs[tensor.node]
    axis = view.number(place)
    parts = [_weight(view, each, depth + 1) for each in others]
    if axis is None or None in parts:
        return None
    arrays = [each for each in parts if each is not None]
    return inner.joined(int(axis.reshape(())) % len(inner.shape), arrays)


_READERS = {
    "Reshape": (_reshaped, 0),
    "Transpose": (_transposed, 0),
    "Split": (_split, 1),
    "Concat": (_concatenated, 0),
}
