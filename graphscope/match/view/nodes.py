"""A Graph as the solver sees it: what each tensor is made from, and what it is before anything is run.

Nodes are *dynamic* (they depend on values that are fed or drawn at random), or *shape-only* or *static*
(constants, variables, and what is computed from those and from shapes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np

from ...graph import Graph, Layer, Node, Shape, Tensor, TensorSpec
from ...ops import spellings
from ...wire import op_registry, opdefs
from ..formula.op_aliases import canonical
from ..formula.terms import LAYERS

PASS_THROUGH = frozenset(
    {"Identity", "ReadVariableOp", "StopGradient", "CheckNumerics", "PreventGradient"}
    | {*spellings.ENTERS, "Snapshot", "EnsureShape", "IdentityN", "RefIdentity"}
    | {"_ReadVariablesOp", "CheckNumericsV2", "Print"}
)
VARIABLES = frozenset(
    {*spellings.VARIABLES, "AutoReloadVariable", "VarIsInitializedOp"}
)
# What arithmetic on values from a hostile file can raise. Rules and patterns are tested on graphs that are right; a
# value of another form (a permutation that is one number, say) only means that nothing is known.
MALFORMED = (TypeError, ValueError, LookupError, ArithmeticError)
SHAPE_OPS = frozenset({*spellings.SHAPES, "Size", "Rank"})
FLOATS = frozenset({"float32", "float64", "float16", "bfloat16"})
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


def _kind(node: Node) -> str:
    """The op of a node; a layer's class bears a prefix, for some classes are called what ops are."""
    return f"{LAYERS}{node.op}" if isinstance(node, Layer) else node.op


@cache
def _arity(kind: str) -> int | None:
    """How many inputs an op takes; None where that depends on the node, or is not known."""
    definition = op_registry.find(kind)
    if definition is None:
        return None
    if any(arg.number_attr or arg.type_list_attr for arg in definition.input_arg):
        return None
    return len(definition.input_arg)


class Origin(NamedTuple):
    """What a node of a graph in canonical form stands for.

    ``members`` are nodes of the file, ``computing`` how many of them depend on what is fed, ``forms`` the names of the
    forms that made it, ``evidence`` what was assumed. An op between two new ones stands for no node.
    """

    members: frozenset[str]
    computing: int
    forms: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


class Nodes:
    """An index over a graph: built once, read by every pattern.

    ``specs`` may be partial. ``value(tensor)`` may fold constants; without it a small table does. ``whole`` is the
    graph with what only trains still in it: there the effects of a layer are found. Of a graph in canonical form
    ``origin`` tells what its new nodes stand for; a node without an entry is one of the file.
    """

    origin: Mapping[str, Origin] = {}

    def __init__(
        self,
        graph: Graph,
        specs: Mapping[Tensor, TensorSpec] | None = None,
        value: Callable[[Tensor], np.ndarray | None] | None = None,
        whole: Graph | None = None,
    ) -> None:
        self.graph, self.specs, self._value = graph, specs or {}, value
        self.whole = whole if whole is not None else graph
        self.attrs = {name: data["node"].attrs for name, data in graph._node.items()}
        self.kinds = {n: _kind(data["node"]) for n, data in graph._node.items()}
        self.ops = {name: canonical(op) for name, op in self.kinds.items()}
        self.inputs = {name: graph.inputs(name) for name in graph}
        for name in [n for n in graph if not self._is_whole(n)]:
            self.kinds[name] = self.ops[name] = f"malformed {self.kinds[name]}"
        sources = [name for name in graph if self._is_source(name)]
        if not sources:  # nothing is fed: what computes anything stands in for it
            sources = [name for name in graph if self.inputs[name]]
        self.dynamic = self._reach(sources, SHAPE_OPS)
        self.varying = self._reach(sources, frozenset())
        self._numbers: dict[Tensor, np.ndarray | None] = {}
        self.moves: dict[Tensor, Any] = {}  # statistic -> what it moves

    @cached_property
    def is_above(self) -> bool:
        """Whether the graph is one of layers."""
        return any(kind.startswith(LAYERS) for kind in self.kinds.values())

    # -- what depends on what -------------------------------------------------------------
    def _reach(self, sources: list[str], beyond: frozenset[str]) -> set[str]:
        """What depends on the sources, less what does so only through the ops named."""
        visited: set[str] = set()
        stack = list(sources)
        while stack:
            name = stack.pop()
            if name in visited:
                continue
            visited.add(name)
            stack += [n for n in self.graph._succ[name] if self.ops[n] not in beyond]
        return visited

    def _is_whole(self, name: str) -> bool:
        """Whether a node has as many inputs as its op takes: the solver counts on it."""
        arity = _arity(self.kinds[name])
        return arity is None or len(self.inputs[name]) == arity

    def _is_source(self, name: str) -> bool:
        kind, attrs = self.kinds[name], self.attrs[name]
        if kind in (*spellings.PLACEHOLDERS, "_Arg"):
            dtype = attrs.get("dtype") or attrs.get("T")
            return dtype not in ("resource", "variant")
        if kind in VARIABLES or kind in PASS_THROUGH or kind in ("Const", "NoOp"):
            return False
        definition = op_registry.find(kind)
        if definition is None:
            return not self.inputs[name]
        if not definition.is_stateful or kind in ("ResourceGather", "Assert"):
            return False
        produced = opdefs.output_dtypes(kind, attrs)
        return any(d not in ("resource", "variant") for d in produced)

    def of_file(self, names: Iterable[str]) -> frozenset[str]:
        """The nodes of the file that some nodes stand for."""
        if not self.origin:
            return frozenset(names)
        own = (self._origin(name).members for name in names)
        return frozenset().union(*own)

    def explained(self, names: Iterable[str]) -> int:
        """How many computing nodes of the file some computing nodes stand for."""
        return sum(self._origin(name).computing for name in names)

    def origins(self, names: frozenset[str]) -> list[Origin]:
        """What those of some nodes stand for that a canonical form made."""
        return [self.origin[name] for name in sorted(names & self.origin.keys())]

    def _origin(self, name: str) -> Origin:
        return self.origin.get(name) or Origin(frozenset({name}), 1)

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
            declared = payload.attrs.get("shape")
            return declared if isinstance(declared, tuple) else None
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
        array = self.number(tensor)
        return array if array is not None and array.size == 1 else None

    def constant(self, tensor: Tensor) -> np.ndarray | None:
        """The constant that this tensor always holds, however large; None where it is none or was not to be folded."""
        if tensor.node in self.dynamic:
            return None
        array = self.number(tensor)
        return (
            array if array is not None or self._value is None else self._value(tensor)
        )

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
            value = self._value(tensor) if small else None
            return value if value is not None and value.size <= SMALL else None
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
