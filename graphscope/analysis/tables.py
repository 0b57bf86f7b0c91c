"""What is inferred of a model as pandas tables, and as a networkx graph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..graph import Graph
from ..graph.named_values import Document
from .documents import describe_findings, describe_outputs, describe_variables
from .stages import Stages

if TYPE_CHECKING:
    import networkx as nx
    from pandas import DataFrame

VARIABLES = ("name", "dtype", "shape", "bytes", "role", "of", "optimizer", "path")
STATISTICS = ("minimum", "maximum", "mean", "std", "zeros", "nan", "inf", "dead")
CANDIDATES = ("tensor", "dtype", "shape", "kind", "evidence")
FINDINGS = ("id", "severity", "message", "node", "remedy")


class Tables(Stages):
    """The stages of a model as tables: one row a thing, columns with the names that ``--json`` gives them."""

    def at_level(self, level: str) -> Graph:
        """The graph at one altitude: ``op``, ``layer`` or ``block``."""
        if level == "op":
            return self.graph
        if level == "block":
            from ..infer.blocks.find import block_graph

            return block_graph(self.layer_graph)
        return self.layer_graph

    def layer_table(self, level: str = "layer") -> DataFrame:
        """One row a node of that altitude; its parameters sum to the model's.

        >>> analysis = graphscope.analyse("model.pb")
        >>> analysis.layer_table()[["layer", "type", "parameters"]]
                layer         type  parameters
        0      images  Placeholder           0
        1      hidden        Dense          40
        2  activation   Activation           0
        3      logits        Dense          27
        4       probs   Activation           0
        """
        from ..render.table import to_table

        return to_table(self.at_level(level), self.specs)

    def table(self, level: str = "layer") -> str:
        """The layer table as text; its parameters sum to the total below it."""
        from ..render.table import format_table

        return format_table(self.layer_table(level))

    def layer_table_after(self, name: str) -> DataFrame:
        """The table of the graph that stands after one pass; raises UnknownPass with the list where there is none."""
        from ..render.table import to_table

        state = self.state_after(name)
        return to_table(state.graph, state.specs)

    def table_after(self, name: str) -> str:
        """The same as text."""
        from ..render.table import format_table

        return format_table(self.layer_table_after(name))

    def variable_table(self, statistics: bool = False) -> DataFrame:
        """One row a variable of the file (of a frozen graph: a constant of its layers); ``bytes`` as stored.

        With ``statistics`` also the columns of STATISTICS, for which all values are read.

        >>> graphscope.analyse("model.pb").variable_table()[["name", "shape", "bytes"]]
                     name   shape  bytes
        0  hidden/weights  (4, 8)    128
        1     hidden/bias    (8,)     32
        2  logits/weights  (8, 3)     96
        3     logits/bias    (3,)     12
        """
        rows = describe_variables(self, statistics)["variables"]
        return _frame(rows, VARIABLES + (STATISTICS if statistics else ()))

    def input_table(self) -> DataFrame:
        """One row a candidate input, data first; ``evidence`` is a tuple of sentences."""
        return _frame(describe_outputs(self)["inputs"], CANDIDATES)

    def output_table(self) -> DataFrame:
        """One row a candidate output, best first; ``score`` is the probability that it is one.

        >>> graphscope.analyse("model.pb").output_table()[["tensor", "kind"]]
                     tensor        kind
        0           probs:0  prediction
        1  logits/BiasAdd:0      scores
        """
        rows = describe_outputs(self)["outputs"]
        return _frame(rows, (*CANDIDATES[:3], "score", *CANDIDATES[3:], "freeze"))

    def finding_table(self) -> DataFrame:
        """One row a finding of ``doctor``, worst first; ``node`` is a name, or a tuple of names."""
        return _frame(describe_findings(self)["findings"], FINDINGS)

    def to_networkx(self, level: str = "layer") -> nx.MultiDiGraph:
        """The graph of one altitude with plain attributes, as every function and writer of networkx takes it.

        >>> import networkx as nx
        >>> network = graphscope.analyse("model.pb").to_networkx()
        >>> network.nodes["hidden"]["type"], network.nodes["hidden"]["parameters"]
        ('Dense', 40)
        >>> nx.write_graphml(network, "model.graphml")
        >>> sorted(nx.pagerank(network))
        ['activation', 'hidden', 'images', 'logits', 'probs']
        """
        from ..render.network import to_networkx

        return to_networkx(self.at_level(level), self.specs)


def _frame(rows: Iterable[Document], columns: Iterable[str]) -> DataFrame:
    """A table of documents; lists become tuples, so that cells can be compared and grouped."""
    import pandas

    names = list(columns)
    records = [[_cell(row.get(name)) for name in names] for row in rows]
    frame = pandas.DataFrame(records, columns=names, dtype=object)
    return frame.infer_objects()


def _cell(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
