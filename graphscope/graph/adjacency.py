"""The dictionaries of a networkx MultiDiGraph, without networkx: importing that costs more than numpy does.

Whatever networkx offers beyond what is written here is taken from it when it is first asked for, so that its functions and
methods take such a graph as they take their own (https://networkx.org/documentation/stable/reference/classes/multidigraph.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import networkx as nx

Edges = dict[str, dict[int, dict[str, Any]]]


class Adjacency:
    """Nodes with attributes, and edges with a key and attributes; the names of the methods are networkx's.

    ``_succ[a][b]`` and ``_pred[b][a]`` are one dictionary: key -> attributes of an edge from ``a`` to ``b``.
    """

    def __init__(self, graph: Adjacency | None = None, **attributes: Any) -> None:
        self._node: dict[str, dict[str, Any]] = {}
        self._succ: dict[str, Edges] = {}
        self._pred: dict[str, Edges] = {}
        self.graph: dict[str, Any] = attributes
        if graph is not None:
            self._take(graph)

    def _take(self, other: Any) -> None:
        """Copy nodes and edges of another graph, or of a networkx view of one; attributes are copied too."""
        self.graph.update(other.graph)
        for name, data in other._node.items():
            self._node[name] = dict(data)
            self._succ[name], self._pred[name] = {}, {}
        for name in other._node:
            for target, edges in other._succ[name].items():
                self._succ[name][target] = self._pred[target][name] = {
                    key: dict(data) for key, data in edges.items()
                }

    def copy(self, as_view: bool = False) -> Any:
        """The same nodes and edges in new dictionaries; a view is networkx's."""
        if as_view:
            return self.__getattr__("copy")(True)
        return type(self)(self)

    def __getattr__(self, name: str) -> Any:
        """What only networkx has: a method, a property or a view, as if this were one of its graphs."""
        if name.startswith("_"):
            raise AttributeError(name)
        import networkx as nx

        attribute = getattr(nx.MultiDiGraph, name)
        bind = getattr(type(attribute), "__get__", None)
        return attribute if bind is None else bind(attribute, self, type(self))

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

    def add_node(self, name: str, **attributes: Any) -> None:
        """Add a node, or set attributes of one."""
        if name not in self._node:
            self._node[name] = attributes
            self._succ[name], self._pred[name] = {}, {}
        else:
            self._node[name].update(attributes)

    def add_edge(
        self, source: str, target: str, key: int | None = None, **attributes: Any
    ) -> int:
        """Add an edge, and its nodes where they are not there; its key."""
        for name in (source, target):
            if name not in self._node:
                self.add_node(name)
        edges = self._succ[source].get(target)
        if edges is None:
            edges = self._succ[source][target] = self._pred[target][source] = {}
        if key is None:
            key = next(number for number in count(len(edges)) if number not in edges)
        if key in edges:
            edges[key] = {**edges[key], **attributes}
        else:
            edges[key] = attributes
        return key

    def remove_node(self, name: str) -> None:
        """Remove a node and its edges; raises KeyError where there is none."""
        del self._node[name]
        for target in self._succ.pop(name):
            del self._pred[target][name]
        for source in self._pred.pop(name):
            if source != name:
                del self._succ[source][name]

    def remove_nodes_from(self, names: Iterable[str]) -> None:
        """Remove those of the nodes that are there."""
        for name in list(names):
            if name in self._node:
                self.remove_node(name)

    def remove_edge(self, source: str, target: str, key: int) -> None:
        """Remove one edge; raises KeyError where there is none."""
        edges = self._succ[source][target]
        del edges[key]
        if not edges:
            del self._succ[source][target]
            del self._pred[target][source]

    def unlink(self, name: str) -> None:
        """Remove all edges that lead to a node."""
        for source in self._pred[name]:
            del self._succ[source][name]
        self._pred[name] = {}
