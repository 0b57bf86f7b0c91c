"""Layer graph -> Program: which statements, in which order, with which weights.

A Layer becomes a call of its Keras class, an op that no layer explains an expression in ``keras.ops``, and what
``keras.ops`` cannot say a small layer of its own that runs the op in TensorFlow. What no layer owns but lies in
the file (a variable, a large constant) becomes a ``Weight`` layer, so that it lives in the weights file.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ... import opdefs, ops
from ...errors import GraphError, NotExpressible, OutputsUnknown
from ...graph import Graph, Layer, Node, Shape, Tensor, TensorSpec, WeightUse
from .classes import WEIGHT_CLASS, op_class
from .config import written_arguments
from .literals import literal
from .names import Namespace, class_identifier, identifier, layer_name
from .program import Input, Program, Step, filled, hole, post_order
from .signatures import LISTS, signatures

Values = Callable[[Tensor], "np.ndarray | None"]

_LARGE = 16  # a constant of more elements is a weight, not a literal
_PLAIN = frozenset({"float32", "int32", "bool"})
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
    return _Lowering(graph, specs, values).program(tuple(inputs), tuple(outputs), name)


class _Lowering:
    def __init__(
        self,
        graph: Graph,
        specs: Mapping[Tensor, TensorSpec],
        values: Values | None,
    ) -> None:
        self.graph, self.specs, self.values = graph, specs, values
        self.by_output: dict[Tensor, Tensor] = {
            payload.output: Tensor(name)
            for name in graph
            if isinstance(payload := graph.node(name), Layer)
        }
        self.by_output.update(graph.graph.get("tensors", {}))
        self.below = {up: down for down, up in reversed(self.by_output.items())}
        self.inputs: dict[Tensor, Input] = {}
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
            self.add_input(self.raised(tensor))
        roots = [self.seen_through(self.raised(tensor)) for tensor in outputs]
        self.wanted = tuple(roots)
        order = post_order([t.node for t in roots], self.sources)
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

    def raised(self, tensor: Tensor) -> Tensor:
        """The tensor of the layer graph that is this tensor of the op graph."""
        if tensor in self.by_output:
            return self.by_output[tensor]
        if tensor.node in self.graph:
            return tensor
        for name in self.graph:
            payload = self.graph.node(name)
            if isinstance(payload, Layer) and tensor.node in payload.members:
                raise OutputsUnknown(
                    f"{tensor} lies inside the layer {name!r}, whose output is {payload.output}: ask for that"
                )
        raise GraphError(f"no node {tensor.node!r} in the layer graph")

    def lowered(self, tensor: Tensor) -> Tensor:
        """The tensor of the op graph that is this tensor of the layer graph."""
        return self.below.get(tensor, tensor)

    def spec(self, tensor: Tensor) -> TensorSpec:
        found = self.specs.get(self.lowered(tensor))
        if found is not None:
            return found
        said = self.graph.node(tensor.node).outputs
        return said[tensor.port] if tensor.port < len(said) else TensorSpec()

    def value(self, tensor: Tensor) -> np.ndarray | None:
        """The elements of a tensor that no input reaches, where they are known."""
        payload = self.graph.node(tensor.node)
        if isinstance(payload, Layer):
            return None
        if payload.op == "Const":
            return np.asarray(payload.attrs["value"])
        return self.values(self.lowered(tensor)) if self.values is not None else None

    def seen_through(self, tensor: Tensor) -> Tensor:
        """Past every Identity and its like, except where they are a declared input."""
        for _ in range(len(self.graph)):
            if tensor in self.inputs or not self.passes(tensor.node):
                break
            tensor = self.graph.inputs(tensor.node)[0]
        return tensor

    def passes(self, node: str) -> bool:
        payload = self.graph.node(node)
        if isinstance(payload, Layer) or "pass-through" not in ops.traits(payload.op):
            return False
        return len(self.graph.inputs(node)) == 1

    def arguments(self, node: str) -> list[Tensor]:
        return [self.seen_through(tensor) for tensor in self.graph.inputs(node)]

    def sources(self, node: str) -> Sequence[str]:
        """What must run before a node: nothing before an input, a constant or a weight."""
        if any(tensor.node == node for tensor in self.inputs):
            return ()
        if not isinstance(self.graph.node(node), Layer):
            if self.weight_of(Tensor(node)) or self.value(Tensor(node)) is not None:
                return ()
        return [tensor.node for tensor in self.arguments(node)]

    def weight_of(self, tensor: Tensor) -> str:
        """The variable that a tensor is a reading of, or ``""``."""
        for _ in range(len(self.graph)):
            payload = self.graph.node(tensor.node)
            if isinstance(payload, Layer):
                return ""
            traits = ops.traits(payload.op)
            if "variable" in traits:
                return tensor.node
            if payload.op != "ReadVariableOp" and "pass-through" not in traits:
                return ""
            given = self.graph.inputs(tensor.node)
            if not given or tensor in self.inputs:
                return ""
            tensor = given[0]
        return ""

    def add_input(self, tensor: Tensor) -> None:
        spec = self.spec(tensor)
        payload = self.graph.node(tensor.node)
        dtype = spec.dtype or payload.attrs.get("dtype") or "float32"
        name = self.names.unique(layer_name(tensor.node.split("/")[-1]))
        self.inputs[tensor] = Input(name, tensor, self.input_shape(tensor), str(dtype))

    def input_shape(self, tensor: Tensor) -> Shape:
        spec, payload = self.spec(tensor), self.graph.node(tensor.node)
        return spec.shape if spec.shape is not None else payload.attrs.get("shape")

    def add(self, node: str) -> None:
        """The step of one node, unless it is an input or has a value."""
        payload = self.graph.node(node)
        if any(tensor.node == node for tensor in self.inputs):
            return
        if isinstance(payload, Layer):
            self.put(self.layer_step(node, payload))
        elif self.weight_of(Tensor(node)) or self.value(Tensor(node)) is not None:
            return
        elif payload.op == "PlaceholderWithDefault" and self.inputs:
            return
        elif payload.op.startswith("Placeholder"):
            self.remarks.append(f"{node!r} was not asked for as an input but is needed")
            self.add_input(Tensor(node))
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
        shape = self.spec(given[0]).shape if given else None
        rank = None if shape is None else len(shape)
        arguments = written_arguments(layer.op, layer.attrs, rank)
        dtype = self.spec(Tensor(node)).dtype
        if dtype in _FLOATS:
            arguments["dtype"] = dtype
        found = signatures().get(layer.op)
        step = Step(
            node,
            _call_text(layer, known),
            tensors,
            f"layers.{class_identifier(layer.op)}",
            found.class_name if found else layer.op,
            arguments,
            self.names.unique(layer_name(node)),
            weights=layer.weights,
            stored=_stored(layer),
        )
        return self.shared(step)

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

    def operand(self, tensor: Tensor) -> Tensor | str:
        """What stands for an input of a step: a tensor, or the literal of a small constant."""
        if tensor in self.inputs or tensor.node in self.steps:
            return tensor
        value = self.value(tensor)
        if value is not None and (text := _constant_text(value)):
            return text
        if value is None and not self.weight_of(tensor):
            default = self.graph.inputs(tensor.node)
            if self.graph.op(tensor.node) == "PlaceholderWithDefault" and default:
                self.remarks.append(
                    f"{tensor.node!r} has the value that the graph gives it"
                )
                return self.operand(self.seen_through(default[0]))
            raise NotExpressible(
                f"{tensor} ({self.graph.op(tensor.node)}) is part of a loop or has no value"
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
            spec = self.spec(tensor)
            shape = tuple(size or 0 for size in spec.shape or ())
            dtype = spec.dtype.removesuffix("_ref") or "float32"
        if dtype not in _WEIGHT_DTYPES or not self.inputs:
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
        operands = _Operands(self, given)
        text = ops.keras_text(call, operands.texts)
        ports = len(opdefs.output_dtypes(payload.op, payload.attrs)) or max(used) + 1
        said = _said(text, ports, used) if text is not None else None
        if said is None:
            return self.custom_step(node, payload, given, ports)
        return operands.step(node, *said)

    def custom_step(
        self, node: str, payload: Node, given: Sequence[Tensor], ports: int
    ) -> Step:
        """A layer of its own that runs the op in TensorFlow."""
        names = [f"x{number}" for number in range(len(given))]
        operands = [self.custom_operand(tensor) for tensor in given]
        texts = [n if isinstance(o, Tensor) else o for n, o in zip(names, operands)]
        tensors = tuple(o for o in operands if isinstance(o, Tensor))
        used = [n for n, o in zip(names, operands) if isinstance(o, Tensor)]
        body = ops.tensorflow_text(payload.op, payload.attrs, texts)
        if body is None:
            raise NotExpressible(
                f"no Python can call the op {payload.op!r} of node {node!r}"
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

    def custom_operand(self, tensor: Tensor) -> Tensor | str:
        known = None
        if tensor not in self.inputs and tensor.node not in self.steps:
            known = self.value(tensor)
        if known is None or known.size > _LARGE and known.dtype.kind not in "OSU":
            return self.operand(tensor)
        kind = "string" if known.dtype.kind in "OSU" else known.dtype.name
        return f'tf.constant({literal(known)}, "{kind}")'


class _Operands:
    """The inputs of one expression, each a hole or a literal; weights are added only for those that the text uses."""

    def __init__(self, lowering: _Lowering, given: Sequence[Tensor]) -> None:
        self.lowering, self.given = lowering, given
        self.texts = [self._text(number) for number in range(len(given))]

    def _text(self, number: int) -> str:
        tensor = self.given[number]
        lowering = self.lowering
        if tensor in lowering.inputs or tensor.node in lowering.steps:
            return hole(number)
        value = lowering.value(tensor)
        return value is not None and _constant_text(value) or hole(number)

    def step(self, node: str, text: str, ports: int) -> Step:
        """The expression, its holes numbered by the inputs that it really uses."""
        tensors: list[Tensor] = []
        texts = list(self.texts)
        for number in sorted({int(found) for found in re.findall("\0(\\d+)\0", text)}):
            found = self.lowering.operand(self.given[number])
            if isinstance(found, Tensor):
                texts[number] = hole(len(tensors))
                tensors.append(found)
            else:
                texts[number] = found
        return Step(node, filled(text, texts), tuple(tensors), ports=ports)


_WEIGHT_DTYPES = frozenset(
    "float16 bfloat16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 bool".split()
)


def _call_text(layer: Layer, operands: Sequence[Tensor | str]) -> str:
    """The arguments of a layer's call, in the way that its class takes its inputs."""
    texts, number = [], 0
    for operand in operands:
        texts.append(hole(number) if isinstance(operand, Tensor) else operand)
        number += isinstance(operand, Tensor)
    if layer.op in LISTS and len(texts) > 1:
        return f"[{', '.join(texts)}]"
    names = [identifier(name) for name in layer.inputs]
    if len(texts) > 1 and len(names) == len(texts) and layer.op in _BY_NAME:
        first, *others = zip(names, texts)
        return ", ".join([first[1], *(f"{name}={text}" for name, text in others)])
    return ", ".join(texts)


_BY_NAME = frozenset({"MultiHeadAttention", "GroupQueryAttention"})


def _stored(layer: Layer) -> tuple[str, ...]:
    """The layer's weights in the order in which Keras stores them."""
    found = signatures().get(layer.op)
    known = found.weights if found else ()
    return tuple(name for name in known if name in layer.weights) + tuple(
        name for name in layer.weights if name not in known
    )


def _said(text: str, ports: int, used: set[int]) -> tuple[str, int] | None:
    """The text of those outputs that are needed, and their number; None where one of them is left unsaid."""
    parsed = ast.parse(text.replace("\0", "_"), mode="eval").body
    if not isinstance(parsed, ast.Tuple) or ports == 1:
        return text, ports
    count = max(used) + 1
    elements = parsed.elts[:count]
    silent = [isinstance(e, ast.Constant) and e.value is None for e in elements]
    if len(elements) < count or any(silent[port] for port in used):
        return None
    parts = [text[e.col_offset : e.end_col_offset] for e in elements]
    return (f"({', '.join(parts)})" if count > 1 else parts[0]), count


def _constant_text(value: np.ndarray) -> str | None:
    """A small constant as an operand of keras.ops: a bare literal where its dtype is what Keras makes of one."""
    if value.size > _LARGE or value.dtype.kind in "OSUV":
        return None
    if value.ndim == 0 and value.dtype.name in _PLAIN:
        text = literal(value)
        return f"({text})" if text.startswith("-") else text
    return f'ops.array({literal(value)}, "{value.dtype.name}")'


def _const_node(graph: Graph, tensor: Tensor) -> str:
    return tensor.node if graph.op(tensor.node) == "Const" else ""
