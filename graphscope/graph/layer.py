"""What is recovered: a Layer explains nodes of the graph, a WeightUse says which weight it reads and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .graph import Graph, Node, Tensor
from .model import Function, Model
from .named_values import Arguments, Config
from .tables import pairs_table

WIRING_ASSUMED = (
    "the wiring is assumed"  # how the evidence of a layer that nothing wires begins
)


@dataclass(frozen=True)
class WeightUse:
    """A weight as one layer uses it.

    ``node`` is the graph's variable or constant that holds it (``""`` where the layer's weight is a literal, then
    ``value`` holds it), ``shape`` its shape in Keras's layout, ``steps`` what leads from the stored array to Keras's:
    ``("reshape", shape)``, ``("transpose", axes)``, ``("cast", dtype)``, ``("slice", (axis, begin, end))``,
    ``("deviation", epsilon)``: its square less epsilon; ``("join", (axis, uses))``: those of other uses after these,
    along one axis; ``("sum", uses)``: those added; ``("scale", number)`` and ``("shift", number)``: multiplied by a number, or a number
    added; ``("computed", function)``, before any other: what a function of the model makes of its variables.
    """

    node: str
    shape: tuple[int, ...]
    steps: tuple[tuple[str, Any], ...] = ()
    value: np.ndarray | None = field(default=None, compare=False)

    def nodes(self) -> Iterator[str]:
        """The variables and constants that the weight is made of: its own, and those of what it is joined with or added to."""
        yield self.node
        for step, argument in self.steps:
            if step in ("join", "sum"):
                for other in argument[1] if step == "join" else argument:
                    yield from other.nodes()

    def array(self, model: Model) -> np.ndarray:
        """The values in Keras's layout; raises MissingWeight where the model has none."""
        steps = self.steps
        if steps and steps[0][0] == "computed":
            array, steps = steps[0][1](model), steps[1:]
        else:
            array = self.value if self.value is not None else model.value(self.node)
        for step, argument in steps:
            if step == "join":
                parts = [array, *(each.array(model) for each in argument[1])]
                array = np.concatenate(parts, argument[0])
            elif step == "sum":
                array = sum((each.array(model) for each in argument), array)
            else:
                array = _STEPS[step](array, argument)
        return array


def _slice(array: np.ndarray, argument: tuple[int, int, int]) -> np.ndarray:
    axis, begin, end = argument
    return array[(slice(None),) * (axis % array.ndim) + (slice(begin, end),)]


_STEPS: Arguments = {
    "reshape": np.reshape,
    "transpose": np.transpose,
    "deviation": lambda array, epsilon: np.square(array) - epsilon,
    "cast": lambda array, dtype: array.astype(dtype),
    "slice": _slice,
    "scale": lambda array, number: array * np.asarray(number, array.dtype),
    "shift": lambda array, number: array + np.asarray(number, array.dtype),
}


@dataclass(frozen=True, repr=False)
class Layer(Node):
    """A Node that explains other nodes: one Keras layer found in the graph.

    ``op`` is the Keras class (``"Conv2D"``), ``attrs`` its config in Keras's words. ``inputs`` maps the formula's
    input names to tensors of the op graph, in call order; ``weights`` maps Keras's weight names to their use;
    ``members`` are the op nodes explained; ``output`` is the op tensor that the layer computes; ``pattern`` names the
    formula; ``evidence`` says in words what was seen and what was assumed. ``name`` is the layer's own, as Keras
    would have it: unique within one model.

    >>> layer = analyse("model.pb").layers[0]
    >>> layer.op, layer.config["units"], layer.weights["kernel"].shape
    ('Dense', 8, (4, 8))
    >>> sorted(layer.members)
    ['hidden/BiasAdd', 'hidden/MatMul', 'hidden/bias', 'hidden/weights']
    """

    inputs: Mapping[str, Tensor] = field(default_factory=dict)
    weights: Mapping[str, WeightUse] = field(default_factory=dict)
    members: frozenset[str] = frozenset()
    output: Tensor = Tensor("")
    pattern: str = ""
    evidence: tuple[str, ...] = ()
    name: str = ""

    def __repr__(self) -> str:
        """One line: class, name, config, the shapes of its weights."""
        words = [f"{key}={value!r}" for key, value in self.attrs.items()]
        words += [f"{key} {list(use.shape)}" for key, use in self.weights.items()]
        listed = ", ".join(map(shortened, words))
        return f"<{self.op} {self.name or self.output.node!r}{': ' * bool(listed)}{listed}>"

    @property
    def config(self) -> Config:
        """The attributes, under the name that Keras gives them."""
        return self.attrs

    def _repr_html_(self) -> str:
        """The table that a notebook shows: config, weights, what it reads and computes, evidence."""
        weights = {
            role: f"{u.node} {list(u.shape)}" for role, u in self.weights.items()
        }
        inputs = {name: str(tensor) for name, tensor in self.inputs.items()}
        facts = {**self.attrs, **weights, **inputs, "output": str(self.output)}
        facts |= {"explains": f"{len(self.members)} ops" if self.members else ""}
        facts |= {"evidence": "; ".join(self.evidence)}
        return pairs_table(f"{self.op} {self.name}", facts)


@dataclass(frozen=True, repr=False)
class Loop(Layer):
    """A Layer of no Keras class: a loop of the graph (or a condition), and the arrays that only it sees.

    ``function`` is what it computes, ``arguments`` names for each of its arguments one of ``inputs`` or ``weights``; its
    returns are the layer's outputs. ``library`` holds the functions that it runs; ``facts`` what is known of the tensors of each, by the
    function's name (spec, elements); ``held`` which of their constants are weights, by function and node. ``fixed`` says that every
    tensor in it is known to keep its shape from turn to turn.
    """

    function: Function | None = None
    arguments: tuple[str, ...] = ()
    library: Mapping[str, Function] = field(default_factory=dict)
    facts: Mapping[str, Mapping[Tensor, Any]] = field(default_factory=dict)
    held: Mapping[tuple[str, str], str] = field(default_factory=dict)
    fixed: bool = False


@dataclass(frozen=True, repr=False)
class RNN(Layer):
    """Keras's RNN layer with a cell of its own: what a loop over a sequence does at each step, where no class computes that.

    ``function`` is the step: its arguments are called ``arguments``, which are parts of the input (``parts`` are their widths), the states
    (``sizes``), the tensors ``memory`` among ``inputs`` that are the same in every step, and weights. It returns the outputs,
    side by side one vector, and the states. ``facts`` is what is known of its tensors, ``scope`` the loop's name.
    """

    function: Function | None = None
    arguments: tuple[str, ...] = ()
    parts: tuple[int, ...] = ()
    sizes: tuple[int, ...] = ()
    memory: tuple[str, ...] = ()
    facts: Mapping[Tensor, Any] = field(default_factory=dict)
    scope: str = ""


def shortened(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def above(graph: Graph, tensor: Tensor) -> Tensor | None:
    """The tensor of a layer graph that a tensor of the op graph is; None where it was left out or lies in a layer.

    A layer may bear the name of a node that was left out: ``a``, of ``actor/a/MatMul``, beside a placeholder ``a``.
    """
    raised = graph.raised(tensor)
    payload = graph.node(raised.node) if raised.node in graph else None
    if payload is None or raised is not tensor or not isinstance(payload, Layer):
        return None if payload is None else raised
    is_itself = payload.output.node == tensor.node or tensor.node in payload.members
    return raised if is_itself else None
