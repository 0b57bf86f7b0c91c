"""The dictionaries of a networkx MultiDiGraph, without networkx: importing that costs more than numpy does.

Whatever networkx offers beyond what is written here is taken from it when it is first asked for, so that its functions and
methods take such a graph as they take their own (https://networkx.org/documentation/stable/reference/classes/multidigraph.html).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain, count, islice
from typing import TYPE_CHECKING, Any, Self

from .wiring import Wiring, wiring_of

if TYPE_CHECKING:
    import networkx as nx

Slots = dict[int, dict[str, Any]]
Edges = dict[str, Slots]
_ONE: dict[tuple[int, int], Slots] = {}


def one_edge(key: int, port: int) -> Slots:
    """``{key: {"port": port}}``, one dictionary for all edges that are so: what an edge says is replaced, never written to."""
    slots = _ONE.get((key, port))
    if slots is None:
        slots = {key: {"port": port}}
        if 0 <= key < _MOST and 0 <= port < _MOST:
            _ONE[key, port] = slots
    return slots


class Ops:
    """The nodes of a graph by their ops, for whoever asks more than once while no node changes."""

    def __init__(self, nodes: Mapping[str, Mapping[str, Any]]) -> None:
        self.names = list(nodes)
        self.places: dict[str, list[int]] = {}
        for place, data in enumerate(nodes.values()):
            self.places.setdefault(data["node"].op, []).append(place)

    def of(self, kinds: Collection[str]) -> list[str]:
        """The nodes of some ops, in the order of the nodes."""
        lists = [self.places[op] for op in kinds if op in self.places]
        places = lists[0] if len(lists) == 1 else sorted(chain.from_iterable(lists))
        return [self.names[place] for place in places]


_MOST = 64  # slots and ports; those beyond are rare, and a hostile file has many


class Adjacency:
    """Nodes with attributes, and edges with a key and attributes; the names of the methods are networkx's.

    ``_succ[a][b]`` and ``_pred[b][a]`` are one dictionary: key -> attributes of an edge from ``a`` to ``b``. That one, and the
    attributes of a node, may stand in many places and graphs: they are replaced, never written to. ``_succ[a]`` and ``_pred[a]``
    are shared with copies until one of the two graphs changes them: who writes asks ``_own`` for them.
    A graph that was just read has a Wiring instead of both, until somebody asks for them.
    """

    # of the graph as it stands; None: not known, or it changed
    _wiring: Wiring | None = None

    def __init__(self, graph: Adjacency | None = None, **attributes: object) -> None:
        self._node: dict[str, dict[str, Any]] = {}
        self._succ: dict[str, Edges] = {}
        self._pred: dict[str, Edges] = {}
        self.graph: dict[str, Any] = attributes
        # The nodes whose readers (sources) no copy shares; None: all.
        self._own_succ: set[str] | None = None
        self._own_pred: set[str] | None = None
        # Nodes whose readers do not stand in the order of the nodes.
        self._unsorted: set[str] = set()
        self._newest = ""
        self._ops: Ops | None = None  # where each op stands; None: nodes changed
        self._inputs: dict[str, Any] = {}  # of nodes whose sources did not change
        if graph is not None:
            self._take(graph)

    def _take(self, other: Any) -> None:
        """Share nodes and edges of another graph, or copy those of a networkx view of one."""
        self.graph.update(other.graph)
        if type(other._node) is dict and isinstance(other, Adjacency):
            self._share(other)
            return
        for name, data in other._node.items():
            self._node[name] = dict(data)
            self._succ[name], self._pred[name] = {}, {}
        for name in other._node:
            for target, edges in other._succ[name].items():
                self._succ[name][target] = self._pred[target][name] = {
                    key: dict(data) for key, data in edges.items()
                }
        self._unsorted = set(self._node)

    def _share(self, other: Adjacency) -> None:
        """Hold the nodes and edges of another graph; from now on either copies what it changes."""
        self._node = other._node.copy()
        self._succ, self._pred = other._succ.copy(), other._pred.copy()
        self._unsorted, self._newest = other._unsorted.copy(), other._newest
        self._wiring = other._wiring
        self._ops, self._inputs = other._ops, other._inputs.copy()
        self._own_succ, self._own_pred = set(), set()
        other._own_succ, other._own_pred = set(), set()

    def _own(self, name: str, before: bool) -> Edges:
        """The sources (``before``) or the readers of a node, to be changed."""
        self._wiring = None
        if before:
            self._inputs.pop(name, None)
        table, owned = (
            (self._pred, self._own_pred) if before else (self._succ, self._own_succ)
        )
        if owned is not None and name not in owned:
            owned.add(name)
            table[name] = table[name].copy()
        return table[name]

    def sort_readers(self) -> None:
        """Let the readers of every node stand in the order of the nodes, as they do in a graph that was just read."""
        if not self._unsorted:
            return
        place = {name: at for at, name in enumerate(self._node)}
        for name in self._unsorted & self._node.keys():
            readers = self._succ[name]
            if len(readers) > 1:
                order = sorted(readers, key=place.__getitem__)
                self._succ[name] = {reader: readers[reader] for reader in order}
                if self._own_succ is not None:
                    self._own_succ.add(name)
        self._unsorted = set()

    def copy(self, as_view: bool = False) -> Any:
        """The same nodes and edges; what is changed in one of the two graphs is not changed in the other. A view is networkx's."""
        if as_view:
            return self.__getattr__("copy")(True)
        return type(self)(self)

    def __getattr__(self, name: str) -> Any:
        """What only networkx has: a method, a property or a view, as if this were one of its graphs."""
        if name in ("_pred", "_succ") and self._wiring is not None:
            self._pred, self._succ = self._dictionaries(self._wiring)
            return self.__dict__[name]
        if name.startswith("_"):
            raise AttributeError(name)
        import networkx as nx

        attribute = getattr(nx.MultiDiGraph, name)
        bind = getattr(type(attribute), "__get__", None)
        return attribute if bind is None else bind(attribute, self, type(self))

    @classmethod
    def wired(cls, nodes: dict[str, dict[str, Any]], wiring: Wiring) -> Self:
        """A graph of these nodes, which stand in the order of their numbers."""
        graph = cls()
        del graph._pred, graph._succ
        graph._node, graph._wiring = nodes, wiring
        graph._newest = next(reversed(nodes), "")
        return graph

    @property
    def is_wired(self) -> bool:
        """Whether nobody has asked for the dictionaries of edges yet."""
        return self._wiring is not None and "_pred" not in self.__dict__

    def wiring(self) -> Wiring:
        """The data edges by number; nodes are numbered in their order."""
        if self._wiring is None:
            wiring = wiring_of(self._node, self._pred)
            if type(self._pred) is not dict:
                return wiring  # a view of networkx, which is never told of changes
            self._wiring = wiring
        return self._wiring

    def _dictionaries(
        self, wiring: Wiring
    ) -> tuple[dict[str, Edges], dict[str, Edges]]:
        """``_pred`` and ``_succ`` of a wiring."""
        names = list(self._node)
        pred: dict[str, Edges] = {name: {} for name in names}
        succ: dict[str, Edges] = {name: {} for name in names}
        wires = iter(zip(wiring.sources, wiring.ports))
        for name, size in zip(names, wiring.counts()):
            before = pred[name]
            for slot, (source, port) in enumerate(islice(wires, size)):
                origin = names[source]
                edges = before.get(origin)
                if edges is None:
                    edges = one_edge(slot, port)
                else:
                    edges = edges | one_edge(slot, port)
                before[origin] = succ[origin][name] = edges
        return pred, succ

    def to_networkx(self) -> nx.MultiDiGraph:
        """A networkx graph of the same nodes and edges."""
        import networkx as nx

        return nx.MultiDiGraph(self)

    @property
    def _adj(self) -> dict[str, Edges]:
        return self._succ

    @_adj.setter
    def _adj(self, value: dict[str, Edges]) -> None:
        self._succ = value

    def __contains__(self, name: object) -> bool:
        try:
            return name in self._node
        except TypeError:  # networkx asks so whether a list of nodes is a node
            return False

    def __iter__(self) -> Iterator[str]:
        return iter(self._node)

    def __len__(self) -> int:
        return len(self._node)

    def __getitem__(self, name: str) -> Edges:
        return self._succ[name]

    def number_of_nodes(self) -> int:
        return len(self._node)

    def __str__(self) -> str:
        edges = sum(len(e) for out in self._succ.values() for e in out.values())
        return f"{type(self).__name__} with {len(self)} nodes and {edges} edges"

    def is_directed(self) -> bool:
        return True

    def is_multigraph(self) -> bool:
        return True

    def add_node(self, name: str, **attributes: object) -> None:
        """Add a node, or set attributes of one."""
        self._ops = None
        if name not in self._node:
            self._succ[name], self._pred[name] = {}, {}
            self._node[name], self._wiring = attributes, None
            self._newest = name
            for owned in (self._own_succ, self._own_pred):
                if owned is not None:
                    owned.add(name)
        else:
            self._node[name] = {**self._node[name], **attributes}

    def add_edge(
        self, source: str, target: str, key: int | None = None, **attributes: Any
    ) -> int:
        """Add an edge, and its nodes where they are not there; its key."""
        for name in (source, target):
            if name not in self._node:
                self.add_node(name)
        edges = self._succ[source].get(target)
        if edges is None:
            if self._newest != target:
                self._unsorted.add(source)
            edges = {}
        if key is None:
            key = next(number for number in count(len(edges)) if number not in edges)
        if not edges and attributes.keys() == _PORT:
            edges = one_edge(key, attributes["port"])
        else:
            edges = {**edges, key: {**edges.get(key, {}), **attributes}}
        self._own(source, False)[target] = self._own(target, True)[source] = edges
        return key

    def remove_node(self, name: str) -> None:
        """Remove a node and its edges; raises KeyError where there is none."""
        self._ops = None
        self._inputs.pop(name, None)
        readers = self._succ.pop(name)
        del self._node[name]
        self._wiring = None
        for target in readers:
            del self._own(target, True)[name]
        for source in self._pred.pop(name):
            if source != name:
                del self._own(source, False)[name]

    def remove_nodes_from(self, names: Iterable[str]) -> None:
        """Remove those of the nodes that are there."""
        for name in list(names):
            if name in self._node:
                self.remove_node(name)

    def remove_edge(self, source: str, target: str, key: int) -> None:
        """Remove one edge; raises KeyError where there is none."""
        edges = self._succ[source][target].copy()
        del edges[key]
        readers, sources = self._own(source, False), self._own(target, True)
        if edges:
            readers[target] = sources[source] = edges
        else:
            del readers[target], sources[source]

    def restrict(self, names: Collection[str]) -> None:
        """Remove all other nodes, and put the readers of each node in the order of the nodes."""
        if 2 * len(names) > len(self._node):
            self.remove_nodes_from([n for n in self._node if n not in names])
            self.sort_readers()
            return
        self._ops = None
        before = self._pred
        self._node = {n: data for n, data in self._node.items() if n in names}
        self._wiring = None
        succ: dict[str, Edges] = {name: {} for name in self._node}
        self._succ = succ
        self._pred, self._unsorted = {}, set()
        inputs, self._inputs = self._inputs, {}
        for name in self._node:
            sources = before[name]
            if not sources.keys() <= succ.keys():
                sources = {s: e for s, e in sources.items() if s in succ}
            elif name in inputs:
                self._inputs[name] = inputs[name]
            self._pred[name] = sources
            for source, edges in sources.items():
                succ[source][name] = edges
        self._own_succ, self._own_pred = None, set()

    def unlink(self, name: str) -> None:
        """Remove all edges that lead to a node."""
        self._wiring = None
        for source in self._pred[name]:
            del self._own(source, False)[name]
        self._own(name, True)
        self._pred[name] = {}


_PORT = {"port"}
