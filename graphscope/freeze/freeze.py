"""The freeze itself: Model and outputs -> file and report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import GraphError, GraphscopeError
from ..graph import Function, Graph, Model, Tensor, TensorSpec
from ..graph.edit import bypass_calls, duplicate, put
from ..graph.named_values import Attributes
from ..infer.lookup_tables import initialisers
from ..ops import spellings
from ..simplify.inline import inline
from ..simplify.prune import existing, prune
from ..wire.nodes import check_missing
from ..wire.write import Edited, referenced
from .inference.rewrite import (
    bodies_without_dropout,
    drop_copies,
    find_modes,
    for_inference,
    renamed,
)
from .inputs import cut_inputs, cut_pipelines
from .older.producer import for_producer
from .report import Change, FreezeReport
from .shrink.fold import fold_batch_norm, fold_constants
from .shrink.quantize import halve, quantize
from .signed import input_names, name_outputs
from .stream import write_graph
from .tables import FILLED_AGAIN, fill_when_read
from .validity import check_nodes, drop_unknown
from .variables.choice import check_choice, choice_text
from .variables.moving_averages import Averages, averages_of, find_averages
from .variables.states import STATES, feed_states, find_states, return_states
from .variables.temporary import sum_temporaries
from .variables.to_constants import HANDLES, REFERENCES, check_values, freeze_variables

PLACEHOLDERS = spellings.PLACEHOLDERS


@dataclass(frozen=True)
class Options:
    """What ``freeze_model`` was asked for."""

    inputs: Sequence[Tensor | str] = ()
    as_is: bool = False
    rename: Mapping[str, str] = field(default_factory=dict)
    weights: str = "auto"
    modes: Attributes | None = None
    fold_batch_norm: bool = False
    fold_constants: bool = False
    half: bool = False
    quantize: str | None = None
    keep_devices: bool = False
    producer: int | None = None
    text: bool = False
    signature_names: bool = True
    roles: Mapping[str, str] | None = None
    states: str = "constant"


def freeze_model(
    model: Model, outputs: Iterable[Tensor | str], path: str | Path, **options: object
) -> FreezeReport:
    """Write what the outputs need as a GraphDef in which variables are constants.

    ``inputs``: tensors to cut at; a queue or an iterator is cut without being told. ``as_is``: leave the graph in the mode that it
    is in; otherwise mode placeholders are set, batch normalisation uses its moving statistics, dropout goes. ``modes``: node -> value, in
    place of those found. ``weights``: ``"auto"`` takes exponential moving averages where the graph keeps them, ``"raw"`` never, ``"ema"``
    insists. ``rename``: old node name -> new. ``fold_batch_norm``, ``fold_constants``, ``half``, ``quantize="int8"`` make the graph smaller.
    ``producer``: the GraphDef version that the reader of the file understands. ``text``: write protobuf's text form.
    ``states``: ``"inputs"`` makes the variables that a run itself writes inputs, with their stored values as defaults, and
    returns what they become as ``NAME/next``; ``"constant"`` lets each run begin with what is stored.
    ``signature_names``: what a SavedModel's signature names is called so. ``roles``: node -> why it is there only to train, for the report.

    Raises GraphError where an output does not exist, MissingWeight where a variable that is needed has no value, NotExpressible
    where an op needs a variable, GraphscopeError where the file would be larger than 2 GB or cannot be written.
    """
    freeze = prepare_freeze(model, outputs, **options)
    graph = freeze.with_filled_tables(freeze.build())
    size = write_graph(graph, path, freeze.functions, freeze.versions, freeze.wish.text)
    return freeze.report(graph, str(path), size)


def prepare_freeze(
    model: Model, outputs: Iterable[Tensor | str], **options: Any
) -> Freeze:
    """A freeze that writes nothing: its ``build`` gives the frozen graph, for whoever writes another format. As ``freeze_model``."""
    wish = Options(**options)
    check_choice(wish.weights)
    if wish.states not in STATES:
        raise GraphscopeError(f"states are {' or '.join(STATES)}, not {wish.states!r}")
    if wish.quantize not in (None, "int8") or wish.quantize and wish.half:
        raise GraphscopeError("weights are quantized to int8, or halved, not both")
    if getattr(model, "layered", False) or model.inferred:
        raise GraphError(
            f"{model.source} holds layers or variables, not ops: there is no graph to freeze; give the .meta beside the "
            "checkpoint, a SavedModel, or run `graphscope export` on it"
        )
    flat = inline(model)
    flat = replace(flat, graph=sum_temporaries(flat.graph))
    return Freeze(flat, [_meant(flat, output) for output in outputs], wish)


def _meant(model: Model, output: Tensor | str) -> Tensor:
    """The tensor meant: one of the graph, or of a signature by its name there."""
    if isinstance(output, str) and Tensor.parse(output).node not in model.graph:
        for signature in model.signatures.values():
            if output in signature.outputs:
                return signature.outputs[output]
    return existing(model.graph, output)


class Freeze:
    """One freeze under way: the model, what is wanted of it, and what was done so far."""

    def __init__(self, model: Model, outputs: list[Tensor], wish: Options) -> None:
        if not outputs:
            raise GraphError("nothing to freeze: no output is named")
        graph, self.outputs = duplicate(model.graph), outputs
        self.signed: dict[str, str] = {}
        if wish.signature_names:
            self.signed = input_names(graph, outputs, model.signatures)
            graph, self.outputs = name_outputs(graph, outputs, model.signatures)
        bypass_calls(graph)
        self.states = find_states(graph, self.outputs)
        if wish.states == "inputs":
            self.outputs = [*self.outputs, *return_states(graph, self.states)]
        self.model, self.wish = replace(model, graph=graph), wish
        self.changes: list[Change] = []
        self.remarks: list[str] = []
        self.functions = dict(model.functions)
        self.initialisers: tuple[str, ...] = ()
        self.copies: frozenset[str] = frozenset()
        self.weights = "raw"

    def build(self) -> Graph:
        """The frozen graph."""
        graph = self._in_use()
        self.changes += cut_inputs(graph, self.wish.inputs, self._specs(graph))
        graph = prune(graph, self.outputs)
        self.changes += cut_pipelines(graph)
        graph = prune(graph, self.outputs)
        graph = self._with_tables(graph)
        instead = self._averages(graph)
        graph, functions = freeze_variables(graph, self.model, instead)
        self.functions |= functions
        self._hand_over(graph)
        graph = prune(graph, self._kept())
        check_values(graph, self.model)
        fed = {Tensor.parse(str(each)).node for each in self.wish.inputs}
        check_missing(graph, fed, self.model.source)
        graph = self._as_signed(duplicate(graph))
        if unknown := drop_unknown(graph):
            text = "left out attributes that TensorFlow does not know"
            self.changes.append(Change(text, unknown, "unknown attributes"))
        if not self.wish.as_is:
            self.copies = frozenset(drop_copies(graph, self.outputs))
            graph = prune(graph, self._kept())
        graph = self._reduced(graph)
        return self._named(_bare(graph, self.wish.keep_devices))

    @property
    def versions(self) -> dict[str, int]:
        """The GraphDef versions of the result."""
        producer = self.wish.producer
        return {**self.model.versions, **({"producer": producer} if producer else {})}

    def _specs(self, graph: Graph) -> Mapping[Tensor, TensorSpec]:
        """Dtypes and shapes, where a cut needs them."""
        if not self.wish.inputs:
            return {}
        from ..infer.shapes.forward import infer_shapes

        return infer_shapes(graph, functions=self.model.functions)

    def _kept(self) -> list[Tensor]:
        return [*self.outputs, *map(Tensor, self.initialisers)]

    def _in_use(self) -> Graph:
        """The graph that the outputs need, in the mode that was asked for."""
        graph = prune(self.model.graph, self.outputs)
        check_nodes(graph, self._called(graph).values())
        self.averages = Averages()
        if self._has_variables(graph):
            self.averages = find_averages(self.model.graph)
        if self.wish.as_is:
            modes = dict(self.wish.modes or {})
            self.remarks.append(
                "the graph is left in the mode that it was saved in (--as-is)"
            )
        else:
            variables = (
                find_modes(self.model, graph)
                if self.wish.modes is None
                else self.wish.modes
            )
            modes = {
                existing(self.model.graph, n).node: v for n, v in variables.items()
            }
        if self.wish.as_is and not modes:
            return graph
        graph, changes = for_inference(self.model, self.outputs, modes, self.averages)
        self.changes += changes
        bodies = {} if self.wish.as_is else bodies_without_dropout(self._called(graph))
        if bodies:
            self.changes.append(
                Change(
                    "dropout removed from the bodies of loops",
                    tuple(bodies),
                    "no dropout",
                )
            )
            self.functions |= bodies
            self.model = replace(self.model, functions=self.functions)
        return graph

    def _called(self, graph: Graph) -> dict[str, Function]:
        return {f.name: f for f in referenced(graph, self.model.functions)}

    def _has_variables(self, graph: Graph) -> bool:
        return next(graph.by_op(*REFERENCES, *HANDLES), None) is not None

    def _with_tables(self, graph: Graph) -> Graph:
        """Lookup tables are filled by ops that nothing reads: they are kept, and named in the report."""
        graph, self.initialisers = initialisers(graph, self.model)
        return graph

    def _hand_over(self, graph: Graph) -> None:
        """Make inputs of the states of a frozen graph, in place, or say that they stay as they are stored."""
        if self.wish.states == "inputs":
            self.changes += feed_states(graph, self.states)
        elif self.states:
            names = ", ".join(state.variable for state in self.states[:3])
            more = f" and {len(self.states) - 3} more" if len(self.states) > 3 else ""
            self.remarks.append(
                f"the states {names}{more} begin each run as they are stored: --states inputs makes them inputs and outputs"
            )

    def with_filled_tables(self, graph: Graph) -> Graph:
        """What was built, with tables that fill themselves where TensorFlow takes that."""
        if not self.initialisers:
            return graph
        producer = self.wish.producer
        if producer is not None and producer < FILLED_AGAIN:
            names = ", ".join(self.initialisers)
            text = f"run {names} once before the first use: it fills the lookup tables"
            self.remarks.append(text)
            return graph
        self.remarks.append("the lookup tables fill themselves: nothing is to be run")
        graph, self.initialisers = fill_when_read(graph, self.initialisers), ()
        return graph

    def _averages(self, graph: Graph) -> dict[str, str]:
        """Variable -> the key of the average that stands in for it."""
        variables = list(graph.by_op(*REFERENCES, *HANDLES))
        averages = averages_of(self.model, variables, self.averages)
        if averages and self.wish.weights == "raw":
            self.remarks.append(choice_text(len(averages), "raw"))
            return {}
        check_choice(self.wish.weights, averages, self.model.source)
        if averages:
            self.weights = "ema"
            text, kind = (
                choice_text(len(averages), "ema"),
                "the moving averages of weights",
            )
            self.changes.append(Change(text, tuple(averages), kind))
        return averages

    def _as_signed(self, graph: Graph) -> Graph:
        """Inputs under the names that the file's own signature gives them, where those are free."""
        names = {
            old: new
            for old, new in self.signed.items()
            if old in graph and new not in graph
        }
        return renamed(graph, names) if names else graph

    def _reduced(self, graph: Graph) -> Graph:
        """The graph made smaller in the ways that were asked for."""
        wish, outputs = self.wish, self.outputs
        if wish.fold_constants or wish.fold_batch_norm:
            graph, changes = fold_constants(graph, outputs)
            graph = prune(graph, self._kept())
            self.changes += changes
        if wish.fold_batch_norm:
            graph, changes = fold_batch_norm(graph, outputs)
            graph = prune(graph, self._kept())
            self.changes += changes
        for is_wish, reduce in ((wish.half, halve), (wish.quantize, quantize)):
            if is_wish:
                graph, changes = reduce(graph)
                self.changes += changes
        if wish.producer is not None:
            bodies = {f.name: f for f in referenced(graph, self.functions)}
            graph, bodies = for_producer(graph, bodies, wish.producer)
            self.functions |= bodies
        return graph

    def _named(self, graph: Graph) -> Graph:
        names = {
            existing(graph, old).node: new for old, new in self.wish.rename.items()
        }
        for old, new in names.items():
            if new in graph and new not in names:
                raise GraphError(
                    f"{old!r} cannot be renamed {new!r}: a node has that name"
                )
        if len(set(names.values())) < len(names):
            raise GraphError("two nodes cannot be given one name")
        self.outputs = [Tensor(names.get(t.node, t.node), t.port) for t in self.outputs]
        return renamed(graph, names) if names else graph

    def report(self, graph: Graph, path: str, size: int) -> FreezeReport:
        """What was done."""
        return FreezeReport(
            path=path,
            inputs=tuple(str(Tensor(name)) for name in graph.by_op(*PLACEHOLDERS)),
            outputs=tuple(map(str, self.outputs)),
            nodes=len(graph),
            constants=sum(1 for _ in graph.by_op("Const")),
            bytes=size,
            dropped=self._dropped(graph),
            changes=tuple(self.changes),
            weights=self.weights,
            initialisers=self.initialisers,
            remarks=tuple(self.remarks),
        )

    def _dropped(self, graph: Graph) -> dict[str, int]:
        """Why the nodes of the original that are not in the frozen graph are not in it."""
        names = {v: k for k, v in self.wish.rename.items()}
        names_left = {names.get(name, name) for name in graph}
        roles = self.wish.roles or {}
        reasons = Counter(
            roles.get(name) or ("copy" if name in self.copies else "not needed")
            for name in self.model.graph
            if name not in names_left
        )
        return dict(reasons.most_common())


def _bare(graph: Graph, keep_devices: bool) -> Graph:
    """The graph without what ties it to where it was trained: devices, colocation, shapes that were declared."""
    copy = duplicate(graph)
    for name in copy:
        node = copy.node(name)
        changes = {k: None for k in ("_class", "_output_shapes") if k in node.attrs}
        if changes:
            node = replace(node, attrs=Edited(node.attrs, changes))
        if node.device and not keep_devices:
            node = replace(node, device="")
        if node is not copy.node(name):
            put(copy, name, node)
    return copy
