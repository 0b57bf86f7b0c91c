"""A Graph as the solver sees it: what each tensor is made from, and what it is before anything is run.

Nodes are *dynamic* (they depend on values that are fed or drawn at random), or *shape-only* or *static*
(constants, variables, and what is computed from those and from shapes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import opdefs
from ..graph import Graph, Shape, Tensor, TensorSpec
from .sizes import Size, Sizes
from .versions import canonical

PASS_THROUGH = frozenset(
    {"Identity", "ReadVariableOp", "StopGradient", "CheckNumerics", "PreventGradient"}
    | {"Snapshot", "Enter", "RefEnter", "EnsureShape", "IdentityN", "RefIdentity"}
    | {"_ReadVariablesOp", "CheckNumericsV2", "Print"}
)
RESHAPING = frozenset({"Reshape", "Cast", "ExpandDims", "Squeeze", "Transpose"})
VARIABLES = frozenset(
    {
        "VarHandleOp",
        "VariableV2",
        "Variable",
        "AutoReloadVariable",
        "VarIsInitializedOp",
    }
)
SHAPE_OPS = frozenset({"Shape", "ShapeN", "Size", "Rank"})
FLOATS = frozenset({"float32", "float64", "float16", "bfloat16"})
LARGEST = 1 << 24  # elements of a weight that must be computed
MOST_FOLDED = 64  # nodes that such a computation may take
SMALL = 4096  # elements: a larger constant is a weight, never a setting
_FOLDED: Mapping[str, Callable[..., Any]] = {
    "Sqrt": np.sqrt,
    "Rsqrt": lambda x: 1 / np.sqrt(x),
    "Neg": np.negative,
    "Mul": np.multiply,
    "RealDiv": np.divide,
    "Add": np.add,
    "Sub": np.subtract,
    "Reciprocal": lambda x: 1 / x,
    "Cast": lambda x: x,
    "Pow": np.power,
    "Square": np.square,
    "Pack": lambda *xs: np.stack(xs),
    "Range": lambda a, b, c: np.arange(a, b, c),
}


@dataclass(frozen=True)
class Held:
    """A weight at the place of its use: the node that holds it, and the steps from there to this tensor.

    ``direct`` tells a constant that the formula's op reads itself from one that was once read as a variable. Where
    no one node holds it, ``node`` is empty and ``source`` the tensor that constants alone determine.
    """

    node: str
    shape: tuple[int, ...]
    steps: tuple[tuple[str, Any], ...] = ()
    direct: bool = False
    value: Any = None
    source: Tensor | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def key(self) -> tuple[Any, ...]:
        """What makes two uses the same use."""
        return self.node, self.shape, self.steps, self.source

    def then(self, step: str, argument: Any, shape: tuple[int, ...]) -> Held:
        """The same weight one step further."""
        steps = self.steps
        if step == "reshape" and steps and steps[-1][0] == "reshape":
            steps = steps[:-1]
        return replace(self, shape=shape, steps=(*steps, (step, argument)))

    def reshaped(self, *shape: int) -> Held:
        """The same weight in another shape; itself where it has that already."""
        return self if shape == self.shape else self.then("reshape", shape, shape)

    def transposed(self, *axes: int) -> Held:
        """The same weight with its axes in another order."""
        if axes == tuple(range(len(axes))):
            return self
        return self.then("transpose", axes, tuple(self.shape[a] for a in axes))

    def flat(self) -> Held:
        """The same weight as a vector."""
        return self.reshaped(int(np.prod(self.shape)))


class View:
    """An index over a graph: built once, read by every pattern.

    ``specs`` may be partial. ``value(tensor)`` may fold constants; without it a small table does. ``whole`` is the
    graph with what only trains still in it: there the effects of a layer are found.
    """

    def __init__(
        self,
        graph: Graph,
        specs: Mapping[Tensor, TensorSpec] | None = None,
        value: Callable[[Tensor], np.ndarray | None] | None = None,
        whole: Graph | None = None,
    ) -> None:
        self.graph, self.specs, self._value = graph, specs or {}, value
        self.whole = whole if whole is not None else graph
        self.attrs = {name: data["node"].attrs for name, data in graph.nodes(data=True)}
        self.kinds = {name: data["node"].op for name, data in graph.nodes(data=True)}
        self.ops = {name: canonical(op) for name, op in self.kinds.items()}
        self.inputs = {name: graph.inputs(name) for name in graph}
        self.dynamic = self._find_dynamic()
        self._numbers: dict[Tensor, np.ndarray | None] = {}
        self._sizes: dict[Tensor, Sizes | None] = {}
        self._held: dict[Tensor, Held | None] = {}

    # -- what depends on what -------------------------------------------------------------
    def _find_dynamic(self) -> set[str]:
        sources = [name for name in self.graph if self._is_source(name)]
        if not sources:  # nothing is fed: what computes anything stands in for it
            sources = [name for name in self.graph if self.inputs[name]]
        seen: set[str] = set()
        stack = sources
        while stack:
            name = stack.pop()
            if name in seen:
                continue
            seen.add(name)
            stack += [n for n in self.graph._succ[name] if self.ops[n] not in SHAPE_OPS]
        return seen

    def _is_source(self, name: str) -> bool:
        kind, attrs = self.kinds[name], self.attrs[name]
        if kind in ("Placeholder", "PlaceholderV2", "_Arg", "PlaceholderWithDefault"):
            dtype = attrs.get("dtype") or attrs.get("T")
            return dtype not in ("resource", "variant")
        if kind in VARIABLES or kind in PASS_THROUGH or kind in ("Const", "NoOp"):
            return False
        definition = opdefs.find(kind)
        if definition is None:
            return not self.inputs[name]
        if not definition.is_stateful or kind in ("ResourceGather", "Assert"):
            return False
        produced = opdefs.output_dtypes(kind, attrs)
        return any(d not in ("resource", "variant") for d in produced)

    def is_dynamic(self, tensor: Tensor) -> bool:
        """Whether the tensor depends on what is fed."""
        return tensor.node in self.dynamic

    # -- looking through ------------------------------------------------------------------
    def producer(self, tensor: Tensor) -> tuple[Tensor, tuple[str, ...]]:
        """The tensor that this one repeats, and the nodes that passed it on."""
        passed: list[str] = []
        while self.kinds[tensor.node] in PASS_THROUGH and self.inputs[tensor.node]:
            if len(passed) > len(self.kinds):
                break  # a cycle of nothing but Identity
            passed.append(tensor.node)
            before = self.inputs[tensor.node]
            if tensor.port >= len(before) and tensor.port:
                break
            tensor = before[tensor.port]
        return tensor, tuple(passed)

    def readers(self, name: str) -> Iterator[tuple[str, int]]:
        """``(node, port read)`` of everything that reads the node, less what nobody reads in turn.

        The second port of the IdentityN that a custom gradient leaves behind (Keras's silu) has no reader.
        """
        for reader, edges in self.graph._succ[name].items():
            for slot, data in edges.items():
                passes_on = slot < 0 or self.kinds[reader] == "IdentityN"
                if not passes_on or any(
                    read["port"] == slot
                    for after in self.graph._succ[reader].values()
                    for read in after.values()
                ):
                    yield reader, data["port"]

    def shape(self, tensor: Tensor) -> Shape:
        """The shape as far as it is known."""
        spec = self.specs.get(tensor)
        if spec is not None and spec.shape is not None:
            return spec.shape
        payload = self.graph.node(tensor.node)
        if tensor.port < len(payload.outputs):
            return payload.outputs[tensor.port].shape
        if payload.op in VARIABLES or payload.op.startswith("Placeholder"):
            return payload.attrs.get("shape")
        if payload.op == "Const":
            return tuple(payload.attrs["value"].shape)
        before = self.producer(tensor)[0]
        return self.shape(before) if before != tensor else None

    # -- constants ------------------------------------------------------------------------
    def number(self, tensor: Tensor) -> np.ndarray | None:
        """The small constant that this tensor always holds, or None."""
        if tensor not in self._numbers:
            self._numbers[tensor] = self._fold(tensor)
        return self._numbers[tensor]

    def scalar(self, tensor: Tensor) -> np.ndarray | None:
        """The constant number that this tensor always holds; arrays are not even computed."""
        shape = self.shape(tensor)
        if shape is not None and any(d != 1 for d in shape):
            return None
        found = self.number(tensor)
        return found if found is not None and found.size == 1 else None

    def _fold(self, tensor: Tensor, depth: int = 0) -> np.ndarray | None:
        tensor, _ = self.producer(tensor)
        name, kind = tensor.node, self.kinds[tensor.node]
        if name in self.dynamic or depth > 20:
            return None
        if kind == "Const":
            return self._constant(name)
        if kind in VARIABLES:
            return None
        if self._value is not None:
            shape = self.shape(tensor)
            small = shape is None or np.prod([d or 0 for d in shape]) <= SMALL
            found = self._value(tensor) if small else None
            return found if found is not None and found.size <= SMALL else None
        if self.ops[name] not in _FOLDED:
            return None
        args = [self._fold(each, depth + 1) for each in self.inputs[name]]
        if any(arg is None for arg in args):
            return None
        with np.errstate(all="ignore"):
            return np.asarray(_FOLDED[self.ops[name]](*args))

    def _constant(self, name: str) -> np.ndarray | None:
        shape = self.shape(Tensor(name))
        if shape is not None and np.prod([d or 0 for d in shape]) > SMALL:
            return None
        value = self.attrs[name].get("value")
        return value if isinstance(value, np.ndarray) else None

    # -- weights --------------------------------------------------------------------------
    def held(self, tensor: Tensor) -> Held | None:
        """The weight that this tensor is, seen through what only reads or rearranges it."""
        if tensor not in self._held:
            self._held[tensor] = self._find_held(tensor)
        return self._held[tensor]

    def _find_held(self, tensor: Tensor) -> Held | None:
        chain: list[str] = []
        first = self.kinds[tensor.node] == "Const"
        use = tensor
        for _ in range(64):
            tensor = self._stored_at(tensor)
            if tensor.node in self.dynamic:
                return None
            if self.kinds[tensor.node] not in RESHAPING:
                break
            chain.append(tensor.node)
            tensor = self.inputs[tensor.node][0]
        shape = self._stored(tensor.node)
        if shape is None:
            return self._computed(use)
        found: Held | None = Held(tensor.node, shape, direct=first)
        for name in reversed(chain):
            found = self._step(found, name) if found is not None else None
        return found or self._computed(use)

    def _stored_at(self, tensor: Tensor) -> Tensor:
        """What holds a weight, seen through what passes it on; a Switch does so into either branch of a cond."""
        tensor, _ = self.producer(tensor)
        while self.kinds[tensor.node] in ("Switch", "RefSwitch"):
            tensor, _ = self.producer(self.inputs[tensor.node][0])
        return tensor

    def _computed(self, tensor: Tensor) -> Held | None:
        """An array that constants alone determine: a literal, computed when somebody asks for it."""
        spec, source = self.specs.get(tensor), self.producer(tensor)[0]
        if spec is None or spec.dtype not in FLOATS or not spec.shape:
            return None
        if None in spec.shape or self._value is None or not self._is_constant(source):
            return None
        shape = tuple(d or 0 for d in spec.shape)
        return Held("", shape, source=tensor) if 1 < np.prod(shape) <= LARGEST else None

    def _is_constant(self, tensor: Tensor) -> bool:
        """Whether nothing but constants is upstream, and no other op than those that arrays go through unchanged."""
        if tensor.node in self.dynamic:
            return False
        seen: set[str] = set()
        stack = [tensor.node]
        while stack and len(seen) < MOST_FOLDED:
            name = stack.pop()
            if name in seen:
                continue
            seen.add(name)
            if not self.inputs[name] and self.kinds[name] != "Const":
                return False
            stack += [t.node for t in self.inputs[name]]
        return not stack

    def array(self, held: Held) -> np.ndarray | None:
        """The value of a literal weight at the place of its use; None where it cannot be computed."""
        if held.value is not None or held.source is None or self._value is None:
            return held.value
        return self._value(held.source)

    def _stored(self, name: str) -> tuple[int, ...] | None:
        kind, attrs = self.kinds[name], self.attrs[name]
        if kind == "Const" and attrs.get("dtype") in FLOATS:
            shape = self.shape(Tensor(name))
            return tuple(d or 0 for d in shape) if shape else None  # no scalars
        resource = kind in ("Placeholder", "_Arg") and "resource" in (
            attrs.get("dtype"),
            attrs.get("T"),
        )
        if kind not in VARIABLES and not resource:
            return None
        shape = attrs.get("shape")
        if kind in VARIABLES and attrs.get("dtype") not in FLOATS:
            return None
        if not shape:
            shape = self.shape(Tensor(name))
        return tuple(d or 0 for d in shape) if shape else None

    def _step(self, held: Held, name: str) -> Held | None:
        kind, args = self.kinds[name], self.inputs[name]
        if kind == "Cast":
            return held.then("cast", self.attrs[name].get("DstT"), held.shape)
        if kind == "Squeeze":
            axes = [
                a % len(held.shape) for a in self.attrs[name].get("squeeze_dims", ())
            ]
            keep = [
                d
                for i, d in enumerate(held.shape)
                if (i not in axes if axes else d != 1)
            ]
            return held.reshaped(*keep)
        argument = self.number(args[1])
        if argument is None:
            return None
        if kind == "ExpandDims":
            axis = int(argument.reshape(())) % (len(held.shape) + 1)
            return held.reshaped(*held.shape[:axis], 1, *held.shape[axis:])
        wanted = [int(v) for v in argument.reshape(-1)]
        if kind == "Transpose":
            return held.transposed(*wanted)
        size = int(np.prod(held.shape))
        known = int(np.prod([d for d in wanted if d >= 0]))
        return held.reshaped(*(d if d >= 0 else size // max(known, 1) for d in wanted))

    def variable(self, name: str) -> Held | None:
        """A variable of the whole graph, as a weight."""
        attrs = self.whole.attrs(name)
        shape = attrs.get("shape")
        if not shape or None in shape:
            return None
        return Held(name, tuple(d or 0 for d in shape))

    # -- sizes ----------------------------------------------------------------------------
    def sizes(self, tensor: Tensor) -> Sizes | None:
        """What is known of the numbers that this tensor holds, when they come from shapes and constants."""
        if tensor not in self._sizes:
            from .measure import sizes_of  # needs View for its annotations

            self._sizes[tensor] = sizes_of(self, tensor)
        return self._sizes[tensor]

    def axis_size(self, tensor: Tensor, axis: int) -> Size:
        """The size of one axis: a constant where it is known."""
        source, _ = self.producer(tensor)
        shape = self.shape(source) or self.shape(tensor)
        if shape is not None and -len(shape) <= axis < len(shape):
            axis %= len(shape)
            if shape[axis] is not None:
                return Size(shape[axis])  # type: ignore[arg-type]
        return Size(1, ((source, axis),))
