"""Graph -> Graph with less to compute: constants folded, batch normalisation and scales folded into the kernels before them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from ...graph import Graph, Node, Tensor
from ...graph.edit import duplicate, fresh, put
from ...ops.constants import Constants
from ...read.weights.lazy_const import Stored
from ...simplify.prune import FRAME_OPS
from ...wire import opdefs
from ...wire.write import Edited
from ..inference.batch_norm import FUSED
from ..report import Change
from .channels import KERNEL_SLOT, along, is_channels_first, output_axes

SLACK = 1024  # bytes that a folded constant may have more than what it was made from


def fold_constants(
    graph: Graph, outputs: Iterable[Tensor]
) -> tuple[Graph, list[Change]]:
    """The graph with every small result that depends on no input computed beforehand.

    What folding would make larger (a Fill, a Tile) stays.
    """
    copy, constants = duplicate(graph), Constants(graph)
    ends = {tensor.node for tensor in outputs}
    folded = []
    for name in graph:
        node = graph.node(name)
        dtypes = opdefs.output_dtypes(node.op, node.attrs)
        if (
            node.op == "Const"
            or node.op in FRAME_OPS  # a loop begins or ends there
            or len(dtypes) != 1
            or not graph._pred[name]
            or name in ends
        ):
            continue
        value = constants.value(Tensor(name))
        if value is None or value.nbytes > _bytes_above(graph, constants, name) + SLACK:
            continue
        attrs = {"dtype": dtypes[0], "value": value}
        put(copy, name, Node("Const", attrs, (), node.controls, node.device), ())
        folded.append(name)
    changes = [Change(f"{len(folded)} results computed beforehand", tuple(folded))]
    return copy, changes if folded else []


def _bytes_above(graph: Graph, constants: Constants, name: str) -> int:
    values = (constants.value(tensor) for tensor in graph.inputs(name))
    return sum(value.nbytes for value in values if value is not None)


def fold_batch_norm(
    graph: Graph, outputs: Iterable[Tensor]
) -> tuple[Graph, list[Change]]:
    """The graph with batch normalisations, and products with one number a channel, folded into the kernels before them."""
    copy, ends = duplicate(graph), {tensor.node for tensor in outputs}
    folded = []
    for name in [*copy.by_op(*FUSED, "Mul", "RealDiv")]:
        step = _Step(copy, name, ends)
        if step.applies():
            step.apply()
            folded.append(name)
    changes = [Change(f"{len(folded)} batch normalisations folded", tuple(folded))]
    return copy, changes if folded else []


class _Step:
    """One scale (and shift) right behind a convolution or a product with a constant kernel."""

    def __init__(self, graph: Graph, name: str, ends: set[str]) -> None:
        self.graph, self.name, self.kept = graph, name, ends
        self.constants = Constants(graph)
        self.fused = graph.op(name) in FUSED
        self.bias = ""
        self.source = ""
        self.scale: np.ndarray | None = None
        self.shift: np.ndarray | None = None

    def applies(self) -> bool:
        """Whether it can be folded: constant, alone behind the op, and one value a channel."""
        if self.fused and (
            self.graph.attrs(self.name).get("is_training", True) or self._extra_ports()
        ):
            return False
        inputs = self.graph.inputs(self.name)
        sides = (
            inputs[:1]
            if self.fused or self.graph.op(self.name) == "RealDiv"
            else inputs
        )
        for tensor in sides:
            if self._find_source(tensor):
                others = [t for t in inputs if t != tensor]
                return self._measure(others)
        return False

    def _extra_ports(self) -> bool:
        return any(self.graph.consumers(self.name, port) for port in range(1, 6))

    def _find_source(self, tensor: Tensor) -> bool:
        """The op with the kernel that this tensor comes from, through a BiasAdd perhaps."""
        name = tensor.node
        if self.graph.op(name) == "BiasAdd" and self._alone(name):
            self.bias, name = name, self.graph.inputs(name)[0].node
        op = self.graph.op(name)
        if op not in KERNEL_SLOT or not self._alone(name):
            return False
        kernel = self.graph.inputs(name)[KERNEL_SLOT[op]].node
        self.source, self.kernel = name, kernel
        return self.graph.op(kernel) == "Const"

    def _alone(self, name: str) -> bool:
        return len(self.graph.consumers(name)) == 1 and name not in self.kept

    def _measure(self, others: list[Tensor]) -> bool:
        values = [self.constants.value(t) for t in others]
        if any(value is None for value in values):
            return False
        arrays = [np.asarray(v, np.float64) for v in values if v is not None]
        if self.fused:
            if len(arrays) != 4:
                return False
            gamma, beta, mean, variance = arrays
            epsilon = float(self.graph.attrs(self.name).get("epsilon") or 1e-4)
            self.scale = gamma / np.sqrt(variance + epsilon)
            self.shift = beta - mean * self.scale
        else:
            divides = self.graph.op(self.name) == "RealDiv"
            self.scale = 1 / arrays[0] if divides else arrays[0]
            if not self._fits(self.scale):
                return False
            self.scale = self.scale.reshape(-1)
        shape = _shape(self.graph, self.kernel)
        self.axes = output_axes(self.graph, self.source, len(shape)) or ()
        channels = int(np.prod([shape[axis] for axis in self.axes]))
        if self.scale.size == 1:
            self.scale = np.full(channels, self.scale.item())
        return bool(self.axes) and self.scale.size == channels

    def _fits(self, factor: np.ndarray) -> bool:
        """Whether a factor runs along the channels and along nothing else."""
        if factor.size == 1:
            return True
        first = is_channels_first(self.graph, self.source)
        if not first:
            return factor.shape[-1] == factor.size
        rank = len(_shape(self.graph, self.kernel))
        padded = (1,) * (rank - factor.ndim) + factor.shape
        return rank > 2 and factor.ndim <= rank and padded[1] == factor.size

    def apply(self) -> None:
        """Scale the kernel and the bias; what is left of the step is a bias under its name, or nothing."""
        graph, scale = self.graph, self.scale
        if scale is None:
            return
        dtype = str(graph.attrs(self.kernel)["dtype"])
        self._put_kernel(scale, dtype)
        shift = self.shift
        if self.bias:
            value = self.constants.value(graph.inputs(self.bias)[1])
            if value is None:
                value = np.zeros(scale.size)
            shift = value * scale + (0 if shift is None else shift)
        node = graph.node(self.name)
        if shift is None:
            put(graph, self.name, _identity(node, dtype), [Tensor(self.source)])
            return
        bias = fresh(graph, f"{self.name}/bias")
        vector = shift.astype(dtype)
        put(
            graph,
            bias,
            Node("Const", {"dtype": dtype, "value": vector}, (), node.controls),
        )
        attrs = {
            "T": dtype,
            "data_format": "NCHW" if is_channels_first(graph, self.source) else "NHWC",
        }
        put(
            graph,
            self.name,
            replace(_identity(node, dtype), op="BiasAdd", attrs=attrs),
            [Tensor(self.source), Tensor(bias)],
        )

    def _put_kernel(self, scale: np.ndarray, dtype: str) -> None:
        old = self.graph.node(self.kernel)
        shape = _shape(self.graph, self.kernel)
        wide = along(scale, shape, self.axes)
        attrs = Stored(dtype, shape, lambda: (old.attrs["value"] * wide).astype(dtype))
        name = fresh(self.graph, f"{self.kernel}/folded")
        put(self.graph, name, Node("Const", attrs, (), old.controls, old.device), ())
        inputs = list(self.graph.inputs(self.source))
        inputs[KERNEL_SLOT[self.graph.op(self.source)]] = Tensor(name)
        put(self.graph, self.source, self.graph.node(self.source), inputs)


def _identity(node: Node, dtype: str) -> Node:
    return Node("Identity", {"T": dtype}, node.outputs[:1], node.controls, node.device)


def _shape(graph: Graph, constant: str) -> tuple[int, ...]:
    attrs = graph.attrs(constant)
    if isinstance(attrs, Stored):
        return attrs.shape
    return tuple(attrs["value"].shape)


def strip_defaults(graph: Graph) -> Graph:
    """The graph without attributes that say what is the default anyway, which an older TensorFlow may not know."""
    copy = duplicate(graph)
    for name in copy:
        node, defaults = copy.node(name), opdefs.defaults(copy.op(name))
        same = {
            k: None
            for k in defaults
            if k in node.attrs and _equal(node.attrs[k], defaults[k])
        }
        if same:
            put(copy, name, replace(node, attrs=Edited(node.attrs, same)))
    return copy


def _equal(a: Any, b: Any) -> bool:
    same = np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b
    return type(a) is type(b) and bool(same)
