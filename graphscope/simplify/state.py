"""What every rewrite takes and gives: a State, the model on its way from the file to its layers; and a Pass over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from ..graph import Function, Graph, Layer, Loop, Model, Shape, Tensor, TensorSpec
from ..ops import Value
from ..ops.constants import Constants
from ..ops.values.facts import Fact, Implied
from .control_flow.lifted import Lifted

Facts = Mapping[Tensor, Fact]


@dataclass(frozen=True, eq=False)
class State:
    """A model and what has become of its graph so far. A pass gives a new one; the same one where nothing changes.

    ``is_asked`` says whether it is known yet what is wanted. ``model`` is what the file holds (its calls inlined by the first pass), ``graph`` what stands now: ops, or layers over
    ``below``. ``outputs`` are the tensors wanted, by their names in the op graph: every pass keeps them (``kept`` names
    their nodes in the graph as it stands). Where none is known all loose ends count. ``modes`` are the feeds that
    inference gives a value, ``switches`` all feeds that switch a mode or a rate, ``roles`` the nodes that only
    train, and why. ``shapes`` are shapes of feeds that replace what the file says.

    ``facts`` is what is known of the tensors of the op graph, ``probes`` the same under several choices of the sizes left
    open, ``implied`` what the feeds' readers imply of their shapes; they were inferred on the graph ``inferred``, and stay true
    of every tensor that keeps its name. ``lifted`` tells what became of loops.
    ``written`` is the graph of ops while ``graph`` is its canonical form.
    ``layers`` and ``loops`` are those made of ops, ``ends`` the tensors that nothing read when they became a graph.
    """

    model: Model
    graph: Graph
    is_asked: bool = False
    outputs: tuple[Tensor, ...] = ()
    modes: Mapping[str, bool | int] = field(default_factory=dict)
    switches: frozenset[str] = frozenset()
    roles: Mapping[str, str] = field(default_factory=dict)
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)
    probes: tuple[Facts, ...] = ()
    implied: Mapping[str, Implied] = field(default_factory=dict)
    inferred: Graph | None = None
    lifted: Lifted = field(default_factory=lambda: Lifted(Graph()))
    written: Graph | None = None
    layers: tuple[Layer, ...] = ()
    loops: tuple[Loop, ...] = ()
    below: Graph | None = None
    ends: frozenset[Tensor] = frozenset()
    known: Constants | None = field(default=None, repr=False)
    views: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def become(self, graph: Graph) -> State:
        """The same with another graph; this one where it is the same graph.

        What a layer graph says of tensors that are no longer in it is dropped.
        """
        if graph is self.graph:
            return self
        tensors = graph.graph.get("tensors", {})
        gone = [below for below, tensor in tensors.items() if tensor.node not in graph]
        for below in gone:
            del tensors[below]
        state = replace(self, graph=graph)
        view = self.views.get("layers", self.views.get("before"))
        if view is not None:
            state.views["before"] = view
        return state

    @cached_property
    def kept(self) -> frozenset[str]:
        """The nodes of the graph as it stands that yield the outputs."""
        return frozenset(self.graph.raised(tensor).node for tensor in self.outputs)

    @property
    def op_graph(self) -> Graph:
        """The graph of ops: the one below where layers stand."""
        return self.graph if self.below is None else self.below

    @property
    def functions(self) -> Mapping[str, Function]:
        """The library of the file, and the functions that lifting made."""
        return {**self.model.functions, **self.lifted.functions}

    @cached_property
    def specs(self) -> Mapping[Tensor, TensorSpec]:
        """Dtype and shape of the tensors of the op graph."""
        return {tensor: fact.spec for tensor, fact in self.facts.items()}

    @cached_property
    def values(self) -> Mapping[Tensor, Value]:
        """What is known of the elements of the tensors of the op graph."""
        return {tensor: fact.value for tensor, fact in self.facts.items()}

    @property
    def constants(self) -> Constants:
        """The tensors of the op graph whose value is known without running anything."""
        if self.known is not None:
            return self.known
        return Constants(self.op_graph, self.model, specs=self.specs)


@dataclass(frozen=True)
class Pass:
    """One rewrite. Its name is that of the function; its docstring shows what it does, before -> after.

    ``drops`` says why a weight that led to an output before need not do so after; most passes lose none. ``is_asked``: it needs
    to know what is wanted (outputs, modes, shapes); ``of_layers``: it runs on a file of layers too.
    """

    run: Callable[[State], State]
    drops: str = ""
    is_asked: bool = False
    of_layers: bool = False

    @property
    def name(self) -> str:
        return self.run.__name__

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return (self.run.__doc__ or "").partition("\n")[0]

    def __call__(self, state: State) -> State:
        return self.run(state)
