"""One turn of a loop that no class computes -> the function of a cell: an element and the states go in, an output and the states come out.

What a turn sees that is the same in all of them is a weight, a small constant, or *memory*: a tensor that the cell is given beside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .... import ops
from ....graph import Function, Graph, Node, Tensor, TensorSpec, WeightUse
from ....match import View, WeightRef
from ....ops.values.facts import Fact
from ....wire import opdefs
from ...layers.loops import Identifiers, weight_names
from ..opening.splice import NoRecurrence
from ..opening.turn import Turn
from ..turn.cells import use_of
from ..turn.linear import LinearReader
from ..turn.loops import Reading, first_alike
from ..turn.parts import weight_behind

MOST_OPS = 400  # in a step: of more nobody would read the source
_FEW = 16  # elements of a constant that is written out
_FLOATS = ("float32", "float64", "float16", "bfloat16")


@dataclass(frozen=True)
class Step:
    """The function of a cell. Its arguments are ``names``: parts of the input, states, memory, weights.

    ``inputs`` are what is read of each sequence, ``states`` the loop variables carried, with their ``sizes``; ``memory`` and ``weights`` are by
    name. It returns the outputs, side by side as wide as ``widths``, and then the states.
    """

    function: Function
    names: tuple[str, ...]
    inputs: tuple[Tensor, ...]
    parts: tuple[int, ...]
    states: tuple[int, ...]
    sizes: tuple[int, ...]
    widths: tuple[int, ...]
    memory: Mapping[str, Tensor] = field(default_factory=dict)
    weights: Mapping[str, WeightUse] = field(default_factory=dict)
    facts: Mapping[Tensor, Fact] = field(default_factory=dict)


def _is_written_out(number: np.ndarray) -> bool:
    """Whether a constant that may be a weight stands in the cell as it is: few elements, of floats two values at most."""
    is_trained = number.dtype.kind in "fV" and np.unique(number).size > 2
    return number.size <= _FEW and not is_trained


class StepBuilder:
    """Cuts the step out of one turn; ``uses`` tells what the nodes that hold weights are in the file."""

    def __init__(self, view: View, turn: Turn, uses: Mapping[str, WeightUse]) -> None:
        self.view, self.turn, self.uses = view, turn, uses
        self.graph = Graph()
        self.facts: dict[Tensor, Fact] = {}
        self.places: dict[Tensor, Tensor] = {}
        self.arguments: list[str] = []
        self.memory: dict[str, Tensor] = {}
        self.weights: dict[str, WeightRef] = {}
        self.free = Identifiers(("inputs", "states", "training", "h", "c"))

    def step(
        self,
        readings: Mapping[Tensor, Reading],
        outputs: Sequence[Tensor],
        states: Mapping[int, Tensor],
    ) -> Step:
        """The step that yields these outputs, and the states after it. Raises NoRecurrence."""
        first = {each: first_alike(readings, each) for each in readings}
        inputs = list(dict.fromkeys(first.values()))
        parts = [self._width_read(each) for each in inputs]
        widths = [self._width(each, "puts out") for each in outputs]
        sizes = [self._width(self.turn.state[port], "carries") for port in states]
        for number, each in enumerate(inputs):
            self._argument(f"inputs_{number}", each, parts[number])
        self.places |= {each: self.places[one] for each, one in first.items()}
        for port in states:
            self._argument(f"states_{port}", self.turn.state[port])
        returns = [self._of(each) for each in (*outputs, *states.values())]
        if len(self.graph) > MOST_OPS:
            raise NoRecurrence(f"a step of it is {len(self.graph)} ops")
        names = dict(zip(self.weights, self._weight_names()))
        self.arguments += [*self.memory, *self.weights]
        function = Function("step", self.graph, tuple(self.arguments), tuple(returns))
        own = [names.get(each, each) for each in self.arguments]
        return Step(
            function,
            tuple(own),
            tuple(inputs),
            tuple(parts),
            tuple(states),
            tuple(sizes),
            tuple(widths),
            self.memory,
            {names[n]: use_of(ref, self.uses) for n, ref in self.weights.items()},
            self.facts,
        )

    def _weight_names(self) -> list[str]:
        uses = [use_of(ref, self.uses) for ref in self.weights.values()]
        return weight_names([(use.node or "weight", len(use.shape)) for use in uses])

    def _width_read(self, tensor: Tensor) -> int:
        """How wide an element of a sequence is; where nothing says so, how many rows of a kernel it is multiplied by."""
        if self._spec(tensor).shape is None:
            reader = LinearReader(self.view, self.turn.nodes)
            products = (n for n in self.turn.nodes if self.view.ops[n] == "MatMul")
            for name in sorted(products):
                for term in reader.read(Tensor(name)).terms:
                    if self.view.producer(term.vector)[0] == tensor:
                        return term.kernel.shape[0]
        return self._width(tensor, "reads")

    def _width(self, tensor: Tensor, what: str) -> int:
        """The size of the second of two axes of floats."""
        spec = self._spec(tensor)
        shape, dtype = spec.shape, spec.dtype or "float32"
        if shape is None or len(shape) != 2 or shape[1] is None:
            raise NoRecurrence(f"it {what} something of shape {shape}, no vectors")
        if dtype not in _FLOATS:
            raise NoRecurrence(f"it {what} something of dtype {dtype}")
        return shape[1]

    def _spec(self, tensor: Tensor) -> TensorSpec:
        spec = self.view.specs.get(tensor, TensorSpec())
        shape = self.view.shape(tensor)
        return spec if spec.shape is not None else TensorSpec(spec.dtype, shape)

    def _argument(self, name: str, tensor: Tensor, width: int | None = None) -> None:
        self.arguments.append(name)
        self._leaf(name, tensor, width)

    def _leaf(self, name: str, tensor: Tensor, width: int | None = None) -> Tensor:
        spec = self._spec(tensor)
        if width is not None and spec.shape is None:
            spec = TensorSpec(spec.dtype, (None, width))
        self.graph.add(name, Node("_Arg", {"T": spec.dtype or "float32"}, (spec,)))
        self.places[tensor] = Tensor(name)
        self.facts[Tensor(name)] = Fact(spec)
        return Tensor(name)

    def _of(self, tensor: Tensor) -> Tensor:
        """The tensor of the step that is this tensor of the turn."""
        stack = [tensor]
        while stack:
            each = self.view.producer(stack[-1])[0]
            waiting = [] if self._is_known(each) else self._needs(each)
            if waiting:
                stack += waiting
            else:
                stack.pop()
                self._put(each)
        return self._place(tensor)

    def _is_known(self, tensor: Tensor) -> bool:
        return tensor in self.places or tensor.node in self.graph

    def _place(self, tensor: Tensor) -> Tensor:
        source = self.view.producer(tensor)[0]
        return self.places.get(source, source)

    def _needs(self, tensor: Tensor) -> list[Tensor]:
        """The inputs of a node of the turn that are not there yet."""
        if self._is_outer(tensor):
            return []
        producers = (self.view.producer(t)[0] for t in self.view.inputs[tensor.node])
        return [each for each in producers if not self._is_known(each)]

    def _is_outer(self, tensor: Tensor) -> bool:
        if tensor in self.turn.port or self._weight(tensor) is not None:
            return True
        if self.view.number(tensor) is not None:
            return True
        return tensor.node not in self.turn.nodes and not self._is_of_weights(tensor)

    def _is_of_weights(self, tensor: Tensor) -> bool:
        """Whether a tensor is computed from nothing but weights and constants: ``1 - a``."""
        view = self.view
        inputs = view.inputs[tensor.node]
        return tensor.node not in view.varying and bool(inputs)

    def _weight(self, tensor: Tensor) -> WeightRef | None:
        return weight_behind(self.view, tensor)

    def _put(self, tensor: Tensor) -> None:
        if self._is_known(tensor):
            return
        if self._is_outer(tensor):
            self._put_outer(tensor)
        else:
            self._put_op(tensor.node)

    def _put_outer(self, tensor: Tensor) -> None:
        number, weight = self.view.number(tensor), self._weight(tensor)
        if number is not None and (weight is None or _is_written_out(number)):
            self._constant(tensor, number)
        elif weight is not None:
            name = f"weight_{len(self.weights)}"
            use = use_of(weight, self.uses)
            weights = self.weights.items()
            same = [n for n, w in weights if use.node and use_of(w, self.uses) == use]
            if same:
                self.places[tensor] = Tensor(same[0])
                return
            self.weights[name] = weight
            self._leaf(name, tensor)
        elif tensor in self.turn.port or not self.view.is_dynamic(tensor):
            raise NoRecurrence(
                f"a step of it reads {tensor.node}, which counts or measures"
            )
        else:
            spec = self._spec(tensor)
            if spec.dtype not in (*_FLOATS, "bool") or not spec.shape:
                raise NoRecurrence(
                    f"a step of it reads {tensor.node} of dtype {spec.dtype}"
                )
            name = self.free.unique(tensor.node.rpartition("/")[2])
            self.memory[name] = tensor
            self._leaf(name, tensor)

    def _constant(self, tensor: Tensor, number: np.ndarray) -> None:
        spec = TensorSpec(number.dtype.name, number.shape)
        name = f"constant_{len(self.graph)}"
        attrs = {"dtype": spec.dtype, "value": number}
        self.graph.add(name, Node("Const", attrs, (spec,)))
        self.places[tensor] = Tensor(name)
        self.facts[Tensor(name)] = Fact(spec, number)

    def _put_op(self, name: str) -> None:
        node, view = self.view.graph.node(name), self.view
        inputs = view.graph.inputs(name)
        call = ops.Call(
            node.op,
            node.attrs,
            tuple(map(self._spec, inputs)),
            tuple(map(view.number, inputs)),
            name,
            inside=True,
        )
        if ops.keras_text(call, ["x"] * len(inputs)) is None:
            raise NoRecurrence(f"a step of it runs {name} ({node.op})")
        self.graph.add(name, node, map(self._place, inputs))
        for port in range(len(opdefs.output_dtypes(node.op, node.attrs)) or 1):
            tensor = Tensor(name, port)
            self.facts[tensor] = Fact(self._spec(tensor), view.number(tensor))
