"""Layer graph -> Program: which statements, in which order, with which weights.

A Layer becomes a call of its Keras class, an op that no layer explains an expression in ``keras.ops``, and what
``keras.ops`` cannot say a small layer of its own that runs the op in TensorFlow. What no layer owns but lies in
the file (a variable, a large constant) becomes a ``Weight`` layer, so that it lives in the weights file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ... import opdefs, ops
from ...errors import NotExpressible
from ...graph import Graph, Layer, Node, Shape, Tensor, TensorSpec, WeightUse
from .classes import WEIGHT_CLASS, op_class
from .config import written_arguments
from .literals import literal
from .names import Namespace, class_identifier, layer_name
from .operands import Operands, takes_list
from .program import Input, Program, Step, hole, post_order
from .reader import Reader, Values
from .signatures import signatures
from .texts import (
    LARGE,
    WEIGHT_DTYPES,
    call_text,
    constant_text,
    said_text,
    stored_order,
)

_NOTHING = Tensor("")  # stands for the input of a model that needs none
_FRAMES = frozenset(
    "Switch RefSwitch Merge RefMerge Enter RefEnter Exit RefExit NextIteration LoopCond".split()
)
_PLACEHOLDERS = frozenset({"Placeholder", "PlaceholderV2"})
_FLOATS = frozenset({"float16", "float64", "bfloat16"})


def lower(
    graph: Graph,
    inputs: Iterable[Tensor],
    outputs: Iterable[Tensor],
    name: str,
    specs: Mapping[Tensor, TensorSpec],
    values: Values | None = None,
) -> Program:
    """The program that computes the outputs from the inputs.

    ``graph`` is the layer graph; inputs, outputs and the keys of ``specs`` are tensors of the op graph. Raises
    OutputsUnknown for an output that lies inside a layer, NotExpressible for a loop.
    """
    return Lowering(graph, specs, values).program(tuple(inputs), tuple(outputs), name)


class Lowering(Reader):
    def __init__(
        self,
        graph: Graph,
        specs: Mapping[Tensor, TensorSpec],
        values: Values | None,
    ) -> None:
        super().__init__(graph, specs, values)
        self.steps: dict[str, Step] = {}
        self.classes: dict[str, str] = {}
        self.remarks: list[str] = []
        self.names = Namespace()
        self.owners: dict[Any, Step] = {}
        self.wanted: tuple[Tensor, ...] = ()

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
        return Program(
            layer_name(name),
            tuple(self.inputs.values()),
            tuple(self.steps.values()),
            results,
            self.classes,
            tuple(self.remarks),
        )

    def add_asked(self, tensor: Tensor) -> None:
        """An input that was asked for; one that nothing reads is left out."""
        known = tensor in self.by_output or tensor.node in self.graph
        if known:
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
        name = self.names.unique(layer_name(tensor.node.split("/")[-1]))
        self.inputs[tensor] = Input(name, tensor, self.input_shape(tensor), str(dtype))

    def input_shape(self, tensor: Tensor) -> Shape:
        """The shape of an input; where even its rank is unknown, a vector for each example, or a scalar."""
        spec, payload = self.spec(tensor), self.graph.node(tensor.node)
        said = spec.shape if spec.shape is not None else payload.attrs.get("shape")
        if said is not None:
            return tuple(said)
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
        if isinstance(payload, Layer):
            self.put(self.layer_step(node, payload))
        elif self.weight_of(Tensor(node)) or self.value(Tensor(node)) is not None:
            return
        elif payload.op == "PlaceholderWithDefault":
            return
        else:
            self.put(self.op_step(node, payload))

    def put(self, step: Step) -> None:
        self.steps[step.node] = step

    def result(self, tensor: Tensor) -> Tensor:
        """An output: what a step yields; a step is added for an input or a constant that is an output itself."""
        if tensor.node in self.steps:
            return tensor
        if tensor in self.inputs:
            name = self.names.unique("identity")
            step = Step(name, hole(0), (tensor,), "layers.Identity", "Identity")
        else:
            step = self.weight_step(tensor)
        self.put(replace(step, name=step.name or step.node))
        return Tensor(step.node)

    def layer_step(self, node: str, layer: Layer) -> Step:
        given = self.arguments(node)
        known = [self.operand(tensor) for tensor in given]
        tensors = tuple(tensor for tensor in known if isinstance(tensor, Tensor))
        if known and not tensors:  # Keras cannot follow what no tensor goes into
            known = [self.operand(tensor, literals=False) for tensor in given]
            tensors = tuple(tensor for tensor in known if isinstance(tensor, Tensor))
        shape = self.spec(given[0]).shape if given else None
        rank = None if shape is None else len(shape)
        arguments = written_arguments(layer.op, layer.attrs, rank)
        dtype = self.spec(Tensor(node)).dtype
        if dtype in _FLOATS:
            arguments["dtype"] = dtype
        if tensors and shape is not None:
            tensors = (self.with_width(node, layer, tensors[0], shape), *tensors[1:])
        found = signatures().get(layer.op)
        weights = dict(layer.weights)
        if layer.op == "Normalization" and weights:  # how many examples it has seen
            weights.setdefault("count", WeightUse("", (), (), np.zeros((), "int32")))
        step = Step(
            node,
            call_text(layer, known),
            tensors,
            f"layers.{class_identifier(layer.op)}",
            found.class_name if found else layer.op,
            arguments,
            self.names.unique(layer_name(node)),
            weights=weights,
            stored=stored_order(layer.op, weights),
        )
        return self.shared(step)

    def with_width(
        self, node: str, layer: Layer, tensor: Tensor, shape: tuple[int | None, ...]
    ) -> Tensor:
        """The input of a Dense layer, reshaped where only the kernel says how wide it is: Keras must know to build."""
        kernel = layer.weights.get("kernel")
        if layer.op != "Dense" or kernel is None or shape[-1:] != (None,):
            return tensor
        if sum(size is None for size in shape[:-1]) > 1:
            return tensor
        sizes = [-1 if size is None else size for size in shape[:-1]]
        text = f"ops.reshape({hole(0)}, {literal((*sizes, kernel.shape[0]))})"
        self.put(Step(f"{node}/input", text, (tensor,)))
        return Tensor(f"{node}/input")

    def shared(self, step: Step) -> Step:
        """The step as one more call of an earlier layer object, where it is the same layer with the same weights."""
        if not step.weights:
            return step
        key = (
            step.constructor,
            literal(dict(step.arguments)),
            tuple((k, w.node, w.steps) for k, w in sorted(step.weights.items())),
        )
        first = self.owners.setdefault(key, step)
        if first is step or not all(use.node for use in step.weights.values()):
            return step
        self.steps[first.node] = replace(self.steps[first.node], layer=first.node)
        return replace(step, layer=first.node, name=first.name)

    def operand(self, tensor: Tensor, literals: bool = True) -> Tensor | str:
        """What stands for an input of a step: a tensor, or the literal of a small constant."""
        if tensor in self.inputs or tensor.node in self.steps:
            return tensor
        value = self.value(tensor)
        if value is not None and literals and (text := constant_text(value)):
            return text
        if value is None and not self.weight_of(tensor):
            default = self.graph.inputs(tensor.node)
            if self.graph.op(tensor.node) == "PlaceholderWithDefault" and default:
                self.remarks.append(
                    f"{tensor.node!r} has the value that the graph gives it"
                )
                return self.operand(self.seen_through(default[0]))
            raise NotExpressible(
                f"{tensor} ({self.graph.op(tensor.node)}) is part of a loop or has no value: "
                "name an --output before it, or freeze the graph as it is"
            )
        step = self.weight_step(tensor)
        if step.node not in self.steps:
            self.put(step)
        return Tensor(step.node)

    def weight_step(self, tensor: Tensor) -> Step:
        """A layer that owns a variable or a constant, and yields it."""
        variable = self.weight_of(tensor)
        node = variable or tensor.node
        value = None if variable else self.value(tensor)
        if node in self.steps:
            return self.steps[node]
        if value is not None:
            shape, dtype = value.shape, value.dtype.name
        else:
            spec = self.weight_spec(tensor, variable)
            shape = tuple(size or 0 for size in spec.shape or ())
            dtype = spec.dtype.removesuffix("_ref") or "float32"
        if dtype not in WEIGHT_DTYPES:
            raise NotExpressible(
                f"{tensor} is a constant of dtype {dtype!r}, which no Keras weight can hold"
            )
        self.classes["Weight"] = WEIGHT_CLASS
        arguments: dict[str, Any] = {"shape": shape}
        if dtype != "float32":
            arguments["dtype"] = dtype
        use = WeightUse(
            variable or _const_node(self.graph, tensor), tuple(shape), (), value
        )
        name = self.names.unique(layer_name(node))
        first = next(iter(self.inputs))
        return Step(
            node,
            hole(0),
            (first,),
            "Weight",
            "Weight",
            arguments,
            name,
            weights={"value": use},
            stored=("value",),
        )

    def op_step(self, node: str, payload: Node) -> Step:
        given = self.arguments(node)
        call = ops.Call(
            payload.op,
            payload.attrs,
            tuple(self.spec(tensor) for tensor in given),
            tuple(
                None if t in self.inputs or t.node in self.steps else self.value(t)
                for t in given
            ),
            node,
        )
        used = {data["port"] for _, _, data in self.graph.out_edges(node, data=True)}
        used |= {tensor.port for tensor in self.wanted if tensor.node == node}
        listed = takes_list(payload.op)
        operands = Operands(self, given, listed)
        text = ops.keras_text(call, operands.texts)
        ports = len(opdefs.output_dtypes(payload.op, payload.attrs)) or max(used) + 1
        said = said_text(text, ports, used) if text is not None else None
        if said is None:
            return self.custom_step(node, payload, given, ports)
        step = operands.step(node, *said)
        if not step.inputs:  # Keras cannot follow what no tensor of its own goes into
            again = Operands(self, given, listed, literals=False)
            text = ops.keras_text(call, again.texts) or ""
            said = said_text(text, ports, used)
            step = again.step(node, *said) if said is not None else step
        return step

    def custom_step(
        self, node: str, payload: Node, given: Sequence[Tensor], ports: int
    ) -> Step:
        """A layer of its own that runs the op in TensorFlow; raises NotExpressible for what decides what else runs."""
        if payload.op in _FRAMES:
            raise NotExpressible(
                f"{node!r} ({payload.op}) is part of a loop or a condition, which no layer can be: "
                "name an --output before it, or freeze the graph as it is"
            )
        names = [f"x{number}" for number in range(len(given))]
        operands = [self.custom_operand(tensor) for tensor in given]
        texts = [n if isinstance(o, Tensor) else o for n, o in zip(names, operands)]
        tensors = tuple(o for o in operands if isinstance(o, Tensor))
        used = [n for n, o in zip(names, operands) if isinstance(o, Tensor)]
        body = ops.tensorflow_text(payload.op, payload.attrs, texts)
        if body is not None:
            body = self.finished(body, Tensor(node), tensors, ports)
        if body is None:
            raise NotExpressible(
                f"{node!r} ({payload.op}) calls functions, which Keras source cannot yet say: "
                "name an --output before it, or freeze the graph as it is"
            )
        if not tensors:
            tensors, used = (next(iter(self.inputs)),), ["x0"]
        class_name = op_class(
            self.classes, class_identifier(payload.op), payload.op, used, body
        )
        self.remarks.append(
            f"{node!r} runs {payload.op} in TensorFlow: not portable to other backends"
        )
        return Step(
            node,
            ", ".join(hole(number) for number in range(len(tensors))),
            tensors,
            class_name,
            class_name,
            {},
            self.names.unique(layer_name(node)),
            ports=ports,
            portable=False,
        )

    def finished(
        self, body: str, output: Tensor, given: Sequence[Tensor], ports: int
    ) -> str:
        """Several outputs as one flat list; the shape said where TensorFlow would need to run something to know it."""
        if ports > 1:
            return f"tf.nest.flatten({body})"
        if _yields_list(self.graph.node(output.node).op):
            return f"tf.nest.flatten({body})[0]"
        specs = [self.spec(t) for t in given if t not in self.inputs]
        sized = any(
            s.dtype in ("int32", "int64") and len(s.shape or ()) == 1 for s in specs
        )
        shape = self.spec(output).shape
        if not sized or shape is None or set(shape) <= {None}:
            return body
        return f"tf.ensure_shape({body}, {literal(tuple(shape))})"

    def custom_operand(self, tensor: Tensor) -> Tensor | str:
        known = None
        if tensor not in self.inputs and tensor.node not in self.steps:
            known = self.value(tensor)
        if known is None or known.size > LARGE and known.dtype.kind not in "OSU":
            return self.operand(tensor)
        kind = "string" if known.dtype.kind in "OSU" else known.dtype.name
        return f'tf.constant({literal(known)}, "{kind}")'


def _const_node(graph: Graph, tensor: Tensor) -> str:
    return tensor.node if graph.op(tensor.node) == "Const" else ""


def _yields_list(op: str) -> bool:
    """Whether ``tf.raw_ops`` gives a list or a tuple even where the node has one output (ParseExample, SplitV)."""
    definition = opdefs.find(op)
    outputs = () if definition is None else definition.output_arg
    return len(outputs) > 1 or any(a.number_attr or a.type_list_attr for a in outputs)
