"""The layer graph as the lowering reads it: tensors across the altitudes, what is constant, what is a weight."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np

from .... import ops
from ....errors import GraphError, OutputsUnknown
from ....graph import Graph, Layer, Node, Tensor, TensorSpec, WeightUse, above
from ....wire import opdefs
from ..program.program import Input

Values = Callable[[Tensor], "np.ndarray | None"]


STATELESS = {
    "StatelessRandomNormal": "RandomStandardNormal",
    "StatelessRandomUniform": "RandomUniform",
    "StatelessTruncatedNormal": "TruncatedNormal",
}


class Reader:
    """A layer graph, with what is known of its tensors; ``inputs`` are those that the model declares."""

    wanted: tuple[Tensor, ...] = ()
    """The outputs, in the layer graph."""

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

    def raised(self, tensor: Tensor) -> Tensor:
        """The tensor of the layer graph that is this tensor of the op graph."""
        if tensor in self.by_output:
            return self.by_output[tensor]
        if raised := above(self.graph, tensor):
            return raised
        for name in self.graph:
            payload = self.graph.node(name)
            if isinstance(payload, Layer) and tensor.node in payload.members:
                raise OutputsUnknown(
                    f"{tensor} lies inside the layer {name!r}, whose output is {payload.output}: ask for that"
                )
        raise GraphError(f"no node {tensor.node!r} in the layer graph")

    def is_sparse(self, tensor: Tensor) -> bool:
        """Whether a model is given a sparse tensor here, or passes one on."""
        while tensor not in self.inputs:
            payload = self.graph.node(tensor.node)
            if not isinstance(payload, Layer) or payload.op != "Dropout":
                return False
            tensor = self.graph.inputs(tensor.node)[0]
        return self.inputs[tensor].sparse

    def lowered(self, tensor: Tensor) -> Tensor:
        """The tensor of the op graph that is this tensor of the layer graph."""
        return self.below.get(tensor, tensor)

    def spec(self, tensor: Tensor) -> TensorSpec:
        """What is known of a tensor; what a layer says of its own outputs comes first."""
        node = self.graph.node(tensor.node)
        declared = node.outputs[tensor.port : tensor.port + 1]
        if declared and isinstance(node, Layer):
            return declared[0]
        inferred = self.specs.get(self.lowered(tensor))
        return inferred or (declared[0] if declared else TensorSpec())

    def spec_or_none(self, tensor: Tensor) -> TensorSpec:
        """``spec``, of steps that are no nodes too: nothing is known of them."""
        return self.spec(tensor) if tensor.node in self.graph else TensorSpec()

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
            inputs = self.graph.inputs(tensor.node)
            if tensor.port >= len(inputs):
                break
            tensor = inputs[tensor.port]
        return tensor

    def passes(self, node: str) -> bool:
        """Whether each output is the input of its number: Identity, IdentityN and their like."""
        payload = self.graph.node(node)
        if isinstance(payload, Layer) or "pass-through" not in ops.traits(payload.op):
            return False
        count = len(self.graph.inputs(node))
        ports = opdefs.output_dtypes(payload.op, payload.attrs)
        return count == max(1, len(ports))

    def arguments(self, node: str) -> list[Tensor]:
        """What a node reads; of an op that gets a new seed each time, only the shape that it is to draw."""
        operands = [self.seen_through(tensor) for tensor in self.graph.inputs(node)]
        payload = self.graph.node(node)
        return operands[:1] if is_reseeded(self, payload, operands) else operands

    def sources(self, node: str) -> Sequence[str]:
        """What must run before a node: nothing before an input, a constant or a weight."""
        if any(tensor.node == node for tensor in self.inputs):
            return ()
        if not isinstance(self.graph.node(node), Layer):
            if self.weight_of(Tensor(node)) or self.has_values(node):
                return ()
        return [tensor.node for tensor in self.arguments(node)]

    def has_values(self, node: str) -> bool:
        """Whether all that is read of a node is known: of an Unpack of sizes one port may be, and another not."""
        asked = {tensor.port for tensor in self.wanted if tensor.node == node}
        read = set(self.graph.ports(node)) | asked
        return all(self.value(Tensor(node, port)) is not None for port in read or {0})

    @cached_property
    def read_through(self) -> frozenset[str]:
        """The nodes that something reads through an Identity: of constants, what were variables before freezing."""
        tensors = self.graph.graph.get("tensors", {})
        return frozenset(
            up.node for down, up in tensors.items() if down.node != up.node
        )

    @cached_property
    def has_variables(self) -> bool:
        """Whether the graph holds variables, those that are weights of layers too: it is not frozen."""
        if any("variable" in ops.traits(self.graph.op(name)) for name in self.graph):
            return True
        uses = (use for layer in self.by_output.values() for use in self._uses(layer))
        specs = (self.specs.get(Tensor(n)) for use in uses for n in use.nodes())
        return any(spec is not None and _is_variable(spec.dtype) for spec in specs)

    def _uses(self, tensor: Tensor) -> Iterable[WeightUse]:
        payload = self.graph.node(tensor.node)
        return payload.weights.values() if isinstance(payload, Layer) else ()

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
            inputs = self.graph.inputs(tensor.node)
            if not inputs or tensor in self.inputs:
                return ""
            tensor = inputs[0]
        return ""

    def weight_spec(self, tensor: Tensor, variable: str) -> TensorSpec:
        """What a variable holds: as its own node says, where the tensor is only a handle to it."""
        spec = self.spec(tensor)
        if spec.dtype not in ("resource", "") or not variable:
            return spec
        attrs = self.graph.attrs(variable)
        return TensorSpec(str(attrs.get("dtype") or "float32"), attrs.get("shape"))


def is_reseeded(reader: Reader, payload: Node, operands: list[Tensor]) -> bool:
    """Whether a stateless op is operands a new seed each time, by a generator in a variable, so that the seed is no matter."""
    known_op = payload.op.removesuffix("V2") in STATELESS
    return known_op and len(operands) > 1 and reader.value(operands[1]) is None


def _is_variable(dtype: str) -> bool:
    """Whether a node of that dtype is a variable, by reference or by handle."""
    return dtype == "resource" or dtype.endswith("_ref")
