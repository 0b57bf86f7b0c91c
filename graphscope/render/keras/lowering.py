"""Layer graph -> Program: which statements, in which order, with which weights.

A Layer becomes a call of its Keras class, an op that no layer explains an expression in ``keras.ops``, and what
``keras.ops`` cannot say a small layer of its own that runs the op in TensorFlow. What no layer owns but lies in
the file (a variable, a large constant) becomes a ``Weight`` layer, so that it lives in the weights file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ... import ops
from ...graph import RNN, Graph, Layer, Loop, Shape, Tensor, TensorSpec, above
from ...graph.order import post_order
from ...ops import spellings
from .loops.cell import rnn_step
from .loops.layer import loop_step
from .lower.layers import layer_step
from .lower.ops import op_step
from .lower.reshapes import joined
from .lower.scoped_names import scoped
from .operands.index_grids import is_formed
from .operands.operand import OperandContext
from .operands.reader import Values
from .operands.shape_expressions import measure
from .program.anchors import anchored, anchored_apart
from .program.bias_of_sums import with_bias_of_sums, without_unused
from .program.cse import merged
from .program.einsums import agreed
from .program.half_precision import autocast
from .program.names import layer_name
from .program.program import Input, Program, Step, hole
from .program.rescaling import rescaled
from .program.submodels import nest
from .source.settings import with_settings

_NOTHING = Tensor("")  # stands for the input of a model that needs none
_PLACEHOLDERS = frozenset(spellings.FEEDS)


def lower(
    graph: Graph,
    inputs: Iterable[Tensor],
    outputs: Iterable[Tensor],
    name: str,
    specs: Mapping[Tensor, TensorSpec],
    values: Values | None = None,
    names: Mapping[Tensor, str] = {},
    several: bool = False,
) -> Program:
    """The program that computes the outputs from the inputs.

    ``graph`` is the layer graph; inputs, outputs and the keys of ``specs`` and ``names`` are tensors of the op graph.
    With ``several`` the outputs are of several models, none of which may need the inputs of another.
    Raises OutputsUnknown for an output that lies inside a layer, NotExpressible for a loop.
    """
    lowering = Lowering(graph, specs, values)
    lowering.called = names
    program = lowering.program(tuple(inputs), tuple(outputs), name)
    program = anchored_apart(program) if several else program
    nested = nest(program, lowering.spec_or_none)
    return with_settings(nested, lowering.dtype_of)


class Lowering(OperandContext):
    called: Mapping[Tensor, str] = {}

    def program(
        self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...], name: str
    ) -> Program:
        for tensor in inputs:
            self.add_asked(tensor)
        roots = [self.seen_through(self.raised(tensor)) for tensor in outputs]
        self.wanted = tuple(roots)
        order = list(post_order([t.node for t in roots], self.sources))
        for node in order:
            self.add_needed(node)
        if not self.inputs:
            self.inputs[_NOTHING] = Input("nothing", _NOTHING, (None,), "float32")
            self.remarks.append(
                "the graph has no input: the model's only one is ignored"
            )
        for node in order:
            self.add(node)
        results = tuple(self.result(tensor) for tensor in roots)
        steps, results = merged(self.steps.values(), results)
        steps, results = autocast(steps, results, self.dtype_of)
        steps = with_bias_of_sums(joined(steps, results), results)
        return Program(
            layer_name(name),
            tuple(self.inputs.values()),
            scoped(self.rescaled(agreed(anchored(steps, results))), self.graph),
            results,
            tuple(t.node if t.port == 0 else str(t) for t in outputs),
            without_unused(self.classes, steps),
            tuple(self.remarks),
        )

    def rescaled(self, steps: Sequence[Step]) -> tuple[Step, ...]:
        """The steps, no product of which makes a layer of our own be tried on a sparse tensor."""
        tried = {n for n, text in self.classes.items() if "compute_output_" not in text}
        return rescaled(
            steps,
            tried,
            self.names,
            lambda tensor: self.spec_or_none(tensor).dtype in ("float32", ""),
        )

    def dtype_of(self, tensor: Tensor) -> str:
        """What a tensor holds; ``""`` where nothing says so."""
        stored = self.specs.get(tensor, TensorSpec())  # a weight is no node here
        return self.spec_or_none(tensor).dtype or stored.dtype or ""

    def add_asked(self, tensor: Tensor) -> None:
        """An input that was asked for; one that nothing reads is left out."""
        if tensor in self.by_output or above(self.graph, tensor):
            self.add_input(self.raised(tensor))
        else:
            self.remarks.append(
                f"input {tensor.node!r} changes nothing and is left out"
            )

    def add_needed(self, node: str) -> None:
        """A placeholder that was not asked for but that the outputs need."""
        payload = self.graph.node(node)
        known = any(tensor.node == node for tensor in self.inputs)
        if payload.op in _PLACEHOLDERS and not known:
            self.remarks.append(f"{node!r} was not asked for as an input but is needed")
            self.add_input(Tensor(node))

    def add_input(self, tensor: Tensor) -> None:
        spec = self.spec(tensor)
        payload = self.graph.node(tensor.node)
        dtype = spec.dtype or payload.attrs.get("dtype") or "float32"
        name = self.names.unique(self.input_name(tensor))
        shape, sparse = self.input_shape(tensor), bool(payload.attrs.get("sparse"))
        self.inputs[tensor] = Input(name, tensor, shape, str(dtype), sparse)

    def input_name(self, tensor: Tensor) -> str:
        """The last part of the feed's own name, told apart from a layer that is called the same."""
        lowered = self.lowered(tensor)
        *scope, last = self.called.get(lowered, lowered.node).split("/")
        if scope and last == "values" and self.graph.attrs(tensor.node).get("sparse"):
            last = scope[-1]  # tf.sparse_placeholder(name=...)
        name = layer_name(last)
        payload = self.graph.node(name) if name in self.graph else None
        return f"{name}_input" if isinstance(payload, Layer) else name

    def input_shape(self, tensor: Tensor) -> Shape:
        """The shape of an input; where even its rank is unknown, a vector for each example, or a scalar."""
        spec, payload = self.spec(tensor), self.graph.node(tensor.node)
        shape = spec.shape if spec.shape is not None else payload.attrs.get("shape")
        if shape is not None:
            return tuple(shape)
        readers = [self.graph.node(name) for name, _ in self.graph.consumers(*tensor)]
        scalar = all("elementwise" in ops.traits(each.op) for each in readers)
        guess: Shape = () if scalar else (None, None)
        self.remarks.append(
            f"nothing says what shape {tensor.node!r} has: {guess} is a guess"
        )
        return guess

    def add(self, node: str) -> None:
        """The step of one node, unless it is an input or has a value."""
        payload = self.graph.node(node)
        if any(tensor.node == node for tensor in self.inputs):
            return
        if isinstance(payload, Loop):
            self.put(loop_step(self, node, payload))
        elif isinstance(payload, RNN):
            self.put(rnn_step(self, node, payload))
        elif isinstance(payload, Layer):
            self.put(layer_step(self, node, payload))
        elif self.weight_of(Tensor(node)) or self.has_values(node):
            return
        elif payload.op == "PlaceholderWithDefault" or measure(self, node, payload):
            return
        elif is_formed(self, node, payload):
            return
        else:
            self.put(op_step(self, node, payload))

    def result(self, tensor: Tensor) -> Tensor:
        """An output: what a step yields; a step is added for an input or a constant that is an output itself."""
        if self.is_yielded(tensor):
            return tensor
        if tensor in self.sizes or tensor.node in self.formed:
            operand = self.operand(tensor, literals=False)
            return operand if isinstance(operand, Tensor) else tensor
        if tensor in self.inputs:
            name = self.names.unique("identity")
            step = Step(name, hole(0), (tensor,), "layers.Identity", "Identity")
        else:
            step = self.weight_step(tensor)
        self.put(replace(step, name=step.name or step.node))
        return Tensor(step.node)
