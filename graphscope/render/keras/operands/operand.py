"""What stands for the inputs of a step: tensors of other steps, literals, and layers that hold what the file holds.

What no layer owns but lies in the file (a variable, a large constant) becomes a ``Weight`` layer, so that it lives in
the weights file.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ....errors import NotExpressible
from ....graph import Graph, Tensor, TensorSpec, WeightUse
from ..classes.own_layers import weight_class
from ..program.names import op_name
from ..program.program import Step, hole
from .bias_and_scale import is_fixed
from .call_texts import LARGE, WEIGHT_DTYPES, constant_text
from .context import Context
from .dynamic_ops import yielding
from .index_grids import formed_step
from .tied_weights import yielded


class OperandContext(Context):
    """A Context that gives the operands of the steps that it collects."""

    def operand(self, tensor: Tensor, literals: bool = True) -> Tensor | str:
        """What stands for an input of a step: a tensor, or the literal of a small constant."""
        if tensor in self.inputs or self.is_yielded(tensor):
            return tensor
        if tensor in self.sizes:
            self.put(step := yielding(self, tensor))
            return Tensor(step.node)
        value = self.value(tensor)
        if value is not None and literals and (text := constant_text(value)):
            return text
        if index_step := self._formed(tensor, value):
            self.put(index_step)
            return Tensor(index_step.node)
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

    def is_yielded(self, tensor: Tensor) -> bool:
        """Whether a step gives this tensor: of sizes that are written out each port is a step of its own."""
        step = self.steps.get(tensor.node)
        return step is not None and (
            tensor not in self.sizes or tensor.port < step.ports
        )

    def _formed(self, tensor: Tensor, value: np.ndarray | None) -> Step | None:
        """A layer that makes what neither the file holds nor an input reaches."""
        is_stored = value is not None and (
            value.size <= LARGE or self.weight_of(tensor)
        )
        if is_stored or value is None and tensor.node not in self.formed:
            return None
        return formed_step(self, tensor)

    def weight_step(self, tensor: Tensor) -> Step:
        """A layer that owns a variable or a constant, and yields it."""
        variable = self.weight_of(tensor)
        is_const = self.graph.op(tensor.node) == "Const"
        node = variable or (tensor.node if is_const else str(tensor))
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
        use = WeightUse(
            variable or _const_node(self.graph, tensor), tuple(shape), (), value
        )
        loan = self.ties.borrowed({"value": use}).get("value") if use.node else None
        if loan is not None and not loan.use.steps:
            return self.steps[yielded(self, loan).node]
        step = self._holding(node, use, dtype, op_name(node.removesuffix(":0")))
        fixed = self.has_variables or is_fixed(use, self.read_through)
        if value is not None and "float" in dtype and fixed:
            step = replace(step, arguments={**step.arguments, "trainable": False})
        self.ties.register(step)
        return step

    def hold(self, node: str, use: WeightUse, name: str) -> Tensor:
        """What yields a weight of a layer that is not written as one."""
        spec = self.specs.get(Tensor(use.node), TensorSpec())
        dtype = spec.dtype.removesuffix("_ref") if use.value is None else ""
        if use.value is not None:
            dtype = use.value.dtype.name
        self.put(self._holding(node, use, dtype, name))
        return Tensor(node)

    def _holding(self, node: str, use: WeightUse, dtype: str, name: str) -> Step:
        arguments: dict[str, Any] = {"shape": tuple(use.shape)}
        dtype = "float32" if dtype in ("resource", "") else dtype
        if dtype != "float32":
            arguments["dtype"] = dtype
        self.classes["Weight"] = weight_class(dtype, self.classes.get("Weight"))
        return Step(
            node,
            hole(0),
            (next(iter(self.inputs)),),
            "Weight",
            "Weight",
            arguments,
            self.names.unique(name),
            weights={"value": use},
            stored=("value",),
        )


def _const_node(graph: Graph, tensor: Tensor) -> str:
    return tensor.node if graph.op(tensor.node) == "Const" else ""
