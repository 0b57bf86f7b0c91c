"""A CudnnRNN -> the recurrent layers that it is, one for each layer and direction.

*before* ``CudnnRNNV3(Transpose(x), h, c, params)``; *after* ``LSTM(x)``, or two of them over both directions, side by side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ....graph import Layer, Node, Tensor, TensorSpec
from ....graph.edit import fresh
from ....graph.named_values import Arguments, Config
from ....match import View, WeightRef
from ....ops import spellings
from ..opening.splice import Spliced
from ..sequences import Sequences
from ..turn.cells import use_of
from ..turn.loops import is_zero
from .parameters import KINDS, Stack, read_parameters

CUDNN_OPS = frozenset(spellings.CUDNN_RNNS)
_STATES = {"LSTM": 2}


@dataclass(frozen=True)
class Cudnn:
    """One such op, read: ``weights`` are those of each direction of each layer."""

    stack: Stack
    weights: list[dict[str, WeightRef]]
    time_major: bool
    dropout: float
    lengths: Tensor | None


def read_cudnn(view: View, name: str) -> Cudnn | None:
    """What an op computes; None where no layers of Keras do: a projection, an input that is not multiplied, weights that are none."""
    attrs, inputs = view.attrs[name], view.inputs[name]
    kind = KINDS.get(str(attrs.get("rnn_mode") or "lstm"))
    time_major = bool(attrs.get("time_major", True))
    x, state = view.shape(inputs[0]), view.shape(inputs[1])
    count = state[0 if time_major else 1] if state and len(state) == 3 else None
    if kind is None or attrs.get("num_proj") or not x or x[-1] is None:
        return None
    if state is None or count is None or state[-1] is None:
        return None
    directions = 2 if attrs.get("direction") == "bidirectional" else 1
    mode = attrs.get("input_mode") or "linear_input"
    if mode != "linear_input" and (mode, x[-1] != state[-1]) != ("auto_select", True):
        return None
    stack = Stack(kind, count // directions, directions, x[-1], state[-1])
    weights = read_parameters(view, inputs[3], stack)
    if weights is None:
        return None
    lengths = inputs[4] if len(inputs) > 4 else None
    if lengths is not None and _are_whole(view, lengths, inputs[0], time_major):
        lengths = None
    rate = round(float(attrs.get("dropout") or 0.0), 6)
    return Cudnn(stack, weights, time_major, rate, lengths)


def _are_whole(view: View, lengths: Tensor, x: Tensor, time_major: bool) -> bool:
    """Whether every row is as long as the sequence."""
    source, _ = view.producer(lengths)
    size = view.axis_size(x, 0 if time_major else 1)
    number = view.number(source)
    if number is not None:
        return size.number is not None and bool(np.all(number == size.number))
    if view.ops[source.node] != "Fill":
        return False
    return view.sizes(view.inputs[source.node][1]) == (size,)


class CudnnPlacing(Sequences):
    """One such op on its way into the graph."""

    def __init__(self, spliced: Spliced, view: View, name: str, of: Cudnn) -> None:
        super().__init__(spliced, view, name)
        self.of, self.inputs = of, view.inputs[name]
        self.states: list[list[Tensor]] = [[], []]  # after the last step: h, c

    def place(self) -> None:
        """Put the layers into the graph and have read them whoever read the op."""
        of, stack = self.of, self.of.stack
        x = self.inputs[0]
        x = self._batch_major(x) if of.time_major else self.spliced.now(x)
        mask = self._lengths_mask(x, of.lengths) if of.lengths is not None else None
        for number in range(stack.layers):
            if number and of.dropout:
                x = self._dropped(x)
            first = number * stack.directions
            ways = [self._layer(x, mask, first + n) for n in range(stack.directions)]
            if len(ways) == 2:
                ways[1] = self._reversed(ways[1])
            x = ways[0] if len(ways) == 1 else self._joined(ways)
        out = self._transposed(x) if of.time_major else x
        self.spliced.move(Tensor(self.loop, 0), out)
        for port, states in enumerate(self.states, 1):
            self._states(port, states)

    def _layer(self, x: Tensor, mask: Tensor | None, number: int) -> Tensor:
        """One layer in one direction; the sequence that it yields, in the order of its turns."""
        stack = self.of.stack
        inputs = {"sequence": x, **({"mask": mask} if mask is not None else {})}
        count = _STATES.get(stack.kind.op, 1)
        for at, whole in enumerate(self.inputs[1 : 1 + count]):
            if not is_zero(self.view, whole):
                inputs[f"initial_state_{at}"] = self._state(whole, number)
        title = self._scope() or stack.kind.op.lower()
        if stack.layers * stack.directions > 1:
            title = f"{title}_{number}"
        spec = self._spec(x)
        batch, time = (spec.shape or (None, None))[:2]
        dtype = spec.dtype or "float32"
        state = TensorSpec(dtype, (batch, stack.units))
        uses = self.spliced.weights
        layer = Layer(
            stack.kind.op,
            self._config(number, mask is not None),
            outputs=(TensorSpec(dtype, (batch, time, stack.units)), *[state] * count),
            inputs=inputs,
            weights={k: use_of(w, uses) for k, w in self.of.weights[number].items()},
            members=frozenset({self.loop}),
            output=Tensor(f"{self.loop}:{number}"),
            pattern="cudnn_rnn",
        )
        name = fresh(self.graph, title)
        self.graph.add(name, replace(layer, name=name), inputs.values())
        for port in range(count):
            self.states[port].append(Tensor(name, 1 + port))
        return Tensor(name)

    def _config(self, number: int, masked: bool) -> Config:
        kind = self.of.stack.kind
        config: Arguments = {"units": self.of.stack.units}
        config["activation"] = kind.activation
        if kind.op != "SimpleRNN":
            config["recurrent_activation"] = "sigmoid"
        if kind.op == "GRU":
            config["reset_after"] = True
        if number % self.of.stack.directions:
            config["go_backwards"] = True
        if masked:
            config["zero_output_for_mask"] = True
        return {**config, "return_sequences": True, "return_state": True}

    def _scope(self) -> str:
        scopes = self.loop.split("/")[:-1]
        return scopes[-1] if scopes else ""

    @property
    def _axis(self) -> int:
        """The axis along which the states of all layers lie one after the other."""
        return 0 if self.of.time_major else 1

    def _state(self, whole: Tensor, number: int) -> Tensor:
        """What one of the layers begins with."""
        source, _ = self.view.producer(whole)
        if self.view.ops[source.node] == "ExpandDims" and len(self.of.weights) == 1:
            return self.spliced.now(self.view.inputs[source.node][0])
        if self.view.ops[source.node] == "Pack":
            axis = int(self.view.attrs[source.node].get("axis") or 0)
            if axis == self._axis:
                return self.spliced.now(self.view.inputs[source.node][number])
        return self._entry(self.spliced.now(whole), self._axis, number)

    def _states(self, port: int, states: list[Tensor]) -> None:
        """Whoever reads the last states of all layers reads those of each."""
        old = Tensor(self.loop, port)
        for reader, _ in list(self.graph.consumers(*old)):
            if len(states) == 1 and self._squeezes(reader):
                self.spliced.move(Tensor(reader), states[0])
        if not states or not self.graph.consumers(*old):
            return
        spec = self._spec(states[0])
        shape = spec.shape or (None, None)
        sizes = (*shape[: self._axis], len(states), *shape[self._axis :])
        attrs = {"N": len(states), "T": spec.dtype, "axis": self._axis}
        name = fresh(self.graph, f"{self.loop}/states")
        outputs = (TensorSpec(spec.dtype, sizes),)
        self.graph.add(name, Node("Pack", attrs, outputs), states)
        self.spliced.move(old, Tensor(name))

    def _squeezes(self, name: str) -> bool:
        """Whether a node drops the axis of the layers, of which there is one."""
        node = self.graph.node(name)
        if isinstance(node, Layer) or node.op != "Squeeze":
            return False
        axes = list(node.attrs.get("squeeze_dims") or node.attrs.get("axis") or ())
        return axes in ([self._axis], [self._axis - 3])

    def _dropped(self, x: Tensor) -> Tensor:
        """What cuDNN drops between two layers."""
        name = fresh(self.graph, "dropout")
        layer = Layer(
            "Dropout",
            {"rate": self.of.dropout},
            (self._spec(x),),
            inputs={"x": x},
            pattern="cudnn_rnn",
            output=Tensor(f"{self.loop}:{name}"),
            name=name,
        )
        self.graph.add(name, layer, [x])
        return Tensor(name)
