"""Calls of lifted loops -> Loop layers: their inputs, their weights, and what is known of the tensors inside."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from ...errors import NotExpressible
from ...graph import (
    Function,
    Graph,
    Layer,
    Loop,
    Model,
    Shape,
    Tensor,
    TensorSpec,
    WeightUse,
)
from ...graph.names import Names
from ...graph.order import descendants, first_readers, is_acyclic, sources_first
from ...ops.values.facts import UNKNOWN, Fact, join_facts
from ...simplify.control_flow.conds_to_selects import conds_to_selects
from ...simplify.control_flow.empty_guards import give_rows
from ...simplify.control_flow.lift import lift_loops
from ...simplify.control_flow.lifted import ENTERS, Lifted, Region
from ...simplify.control_flow.outline import (
    bodies,
    first_values,
    is_literal,
    weight_behind,
)
from ...simplify.control_flow.selects_to_conds import mark_choice, outline_choices
from ...simplify.control_flow.while_frames import MERGES
from ...simplify.prune import FRAME_OPS, prune
from ...wire.write import function_names
from ..shapes.forward import Inference, infer_facts
from ..shapes.functions import Library

Facts = Mapping[Tensor, Fact]
_CALL = re.compile(r"^(Stateful)?PartitionedCall(_\d+)?$")


def lift(
    graph: Graph,
    model: Model,
    outputs: Sequence[Tensor],
    shapes: Mapping[str, Shape],
) -> Lifted:
    """The graph with each loop as one call and each other cond as a selection, pruned to the outputs.

    Where the sides of a cond differ in shape it stays a condition, in a call as loops do. ``model`` is the file's, its
    calls inlined; ``given`` are shapes of feeds that replace what it says.
    """
    lifted = lift_loops(graph, model.functions, outputs)
    if not outputs:
        return lifted
    whole = prune(lifted.graph, outputs)
    if next(whole.by_op(*FRAME_OPS), None) is None:
        return replace(lifted, graph=whole)
    selected = conds_to_selects(whole)
    chosen = [name for name in selected.by_op("SelectV2") if whole.op(name) in MERGES]
    functions = {**model.functions, **lifted.functions}
    if chosen:
        producer = model.versions.get("producer")
        facts = infer_facts(
            selected, functions=functions, given=shapes, producer=producer
        )
        chosen = [name for name in chosen if not _is_alike(selected, name, facts)]
        for name in selected.by_op("SelectV2"):
            if name not in chosen and whole.op(name) in MERGES:
                mark_choice(selected, name)
    selected, new, regions = outline_choices(selected, chosen, functions)
    functions |= new

    def specs() -> Callable[[Tensor], TensorSpec]:
        inferred = infer_facts(selected, functions=functions, given=shapes)
        return lambda tensor: inferred.get(tensor, UNKNOWN).spec

    selected = give_rows(selected, whole, specs)
    return replace(
        lifted,
        graph=prune(selected, outputs),
        functions={**lifted.functions, **new},
        regions=(*lifted.regions, *regions),
    )


def _is_alike(graph: Graph, name: str, facts: Facts) -> bool:
    """Whether the two sides of a selection have one shape, as far as can be told."""
    yes, no = (facts.get(t, UNKNOWN).spec.shape for t in graph.inputs(name)[1:])
    return yes is not None and yes == no


def loop_layers(
    graph: Graph,
    lifted: Lifted,
    facts: Facts,
    functions: Mapping[str, Function],
) -> tuple[Loop, ...]:
    """A Loop for each region that is still in the graph."""
    return tuple(
        _layer(graph, region, facts, functions)
        for region in lifted.regions
        if region.node in graph and graph.op(region.node) != "Identity"
    )


def with_loops(
    layers: tuple[Layer, ...], loops: Iterable[Loop], graph: Graph
) -> tuple[Layer, ...]:
    """The layers and the loops, in an order in which each comes before what reads it."""
    waiting: dict[int, list[Loop]] = {}  # before which layer -> loops
    last: dict[int, int] = {}
    first = first_readers(graph, [layer.output.node for layer in layers])
    place = {name: at for at, name in enumerate(sources_first(graph) or graph)}
    for loop in loops:
        node = loop.output.node
        before = first.get(node, len(layers))
        beside = waiting.setdefault(before, [])
        at = len(beside)
        if place[node] < last.get(before, 0):  # one of them may read this loop
            after = descendants(graph, node)
            at = next((i for i, o in enumerate(beside) if o.output.node in after), at)
        beside.insert(at, loop)
        last[before] = max(place[node], last.get(before, 0))
    ordered: list[Layer] = []
    for number in range(len(layers) + 1):
        ordered += waiting.get(number, ())
        ordered += layers[number : number + 1]
    return tuple(ordered)


def check_loops(layer_graph: Graph, broken: Mapping[str, str]) -> None:
    """Raise NotExpressible where a frame is left, or something else goes round in a circle: no layer can run that."""
    left = broken and next(layer_graph.by_op(*ENTERS), None) is not None
    why = next(iter(broken.values()), "")
    if not left and is_acyclic(layer_graph):
        return
    if not why:
        import networkx as nx

        circle = sorted({edge[0] for edge in nx.find_cycle(layer_graph)})
        why = f"{circle[0]!r} needs what it yields, and no loop leads there"
    raise NotExpressible(
        f"{why}: name an --output before it, or freeze the graph as it is"
    )


def shown(name: str) -> str:
    """The name of a loop as its author knows it: less the calls that inlining left in it.

    >>> shown("StatefulPartitionedCall/model/lstm/PartitionedCall/while")
    'model/lstm/while'
    """
    parts = [part for part in name.split("/") if not _CALL.match(part)]
    return "/".join(parts) or name


def _layer(
    graph: Graph,
    region: Region,
    facts: Facts,
    functions: Mapping[str, Function],
) -> Loop:
    whole = functions[region.function]
    operands = graph.inputs(region.node)
    holders = [weight_behind(graph, tensor.node) for tensor in operands]
    inner = bodies(whole.graph, functions)
    constants = _constants(whole, inner)
    uses = {holder: _use(graph, holder, facts) for holder in holders if holder}
    constants_read = {
        (f, n): _constant_use(inner.get(f) or whole, n) for f, n in constants
    }
    named = [*uses.items(), *((node, use) for (_, node), use in constants_read.items())]
    names = weight_names([(title, len(use.shape)) for title, use in named])
    by_holder = dict(zip(uses, names))
    constant_names = dict(zip(constants_read, names[len(uses) :]))
    weights = dict(zip(names, (use for _, use in named)))
    inputs, arguments = {}, []
    free = Identifiers(names)
    single = sum(holder is None for holder in holders) == 1
    for tensor, holder in zip(operands, holders):
        name = by_holder.get(holder or "")
        if name is None:
            name = free.unique("inputs" if single else _last(shown(tensor.node)))
            inputs[name] = tensor
        arguments.append(name)
    title = shown((region.loops or (region.node,))[0])
    entry_facts = [facts.get(t, UNKNOWN) for t in operands]
    entry_facts = [  # a weight may be trained: what it holds is no constant
        fact if holder is None else fact._replace(value=None)
        for fact, holder in zip(entry_facts, holders)
    ]
    body_facts = facts_inside(whole, entry_facts, functions)
    return Loop(
        op=_word(region, whole),
        attrs={"scope": title, "ops": region.ops},
        outputs=tuple(
            body_facts[whole.name].get(t, UNKNOWN).spec for t in whole.returns
        ),
        inputs=inputs,
        weights=weights,
        members=region.members,
        output=Tensor(region.node),
        pattern="loop",
        name=title,
        function=whole,
        arguments=tuple(arguments),
        library=inner,
        facts=body_facts,
        held=constant_names,
    )


def _word(region: Region, whole: Function) -> str:
    """What the layer is: a loop, a condition, or a part that no Keras tensor can leave."""
    if region.loops:
        return "Loop"
    nodes = (whole.graph.node(name) for name in whole.graph)
    ran = any(function_names(node) - {node.op} for node in nodes)
    return "Condition" if ran else "Part"


def _constants(whole: Function, inner: Mapping[str, Function]) -> list[tuple[str, str]]:
    """The constants inside that are weights: function and node."""
    constants = []
    for function in (whole, *inner.values()):
        firsts = first_values(function.graph, inner)
        for name in function.graph.by_op("Const"):
            if not is_literal(function.graph.node(name), name in firsts):
                constants.append((function.name, name))
    return constants


def _use(graph: Graph, holder: str, facts: Facts) -> WeightUse:
    """The weight as it lies in the file."""
    fact = facts.get(Tensor(holder), UNKNOWN)
    specs = fact.held.specs if fact.held is not None else None
    shape = specs[0].shape if specs else fact.spec.shape
    if shape is None:
        shape = graph.attrs(holder).get("shape")
    return WeightUse(holder, tuple(size or 0 for size in shape or ()))


def _constant_use(function: Function, node: str) -> WeightUse:
    value = function.graph.attrs(node)["value"]
    return WeightUse("", tuple(value.shape), (), value)


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def weight_names(titles: Sequence[tuple[str, int]]) -> list[str]:
    """For each weight, given by its name in the graph and its rank, a short name: as much as tells it from the others.

    >>> weight_names([("rnn/cell_0/gru/kernel", 2), ("rnn/cell_1/gru/kernel", 2)])
    ['cell_0_kernel', 'cell_1_kernel']
    """
    paths = [_weight_path(title, rank) for title, rank in titles]
    same = set.intersection(*map(set, paths)) if len(paths) > 1 else set()
    paths_ = [[p for p in path[:-1] if p not in same] + path[-1:] for path in paths]
    free, names = Identifiers(), []
    for number, path in enumerate(paths_):
        others = [other for n, other in enumerate(paths_) if n != number]
        size = next(
            (
                n
                for n in range(1, len(path))
                if not any(o[-n:] == path[-n:] for o in others)
            ),
            len(path),
        )
        names.append(free.unique("_".join(path[-size:])))
    return names


def _weight_path(title: str, rank: int) -> list[str]:
    """The scopes and the name of a weight; one that only bears the name of the op that reads it is called by its rank."""
    parts = [part for part in shown(title).split("/") if part not in _READS]
    if not parts or _OP_NAME.match(parts[-1]):
        parts[-1:] = ["kernel" if rank > 1 else "bias"]
    return parts


_READS = frozenset({"read", "Read", "ReadVariableOp", "resource"})
_OP_NAME = re.compile(
    r"^(MatMul|BiasAdd|Conv\dD|Cast|Const|add|mul|sub|split|strided_slice|concat|Enter)(_\d+)?$"
)


class Identifiers(Names):
    """Identifiers, each given once."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        super().__init__(names, first=2)

    def unique(self, text: str) -> str:
        """The text as a lower-case identifier that was not given yet."""
        name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_").lower() or "x"
        name = f"x_{name}" if name[0].isdigit() else name
        name = f"{name}_" if keyword.iskeyword(name) or name in _TAKEN else name
        return super().unique(name)


# what a Keras layer has already, and what the source of one speaks of
_TAKEN = frozenset(
    "self tf name dtype path inputs_ input output build call variables weights losses metrics trainable built "
    "supports_jit autocast quantization_mode variable_dtype compute_dtype input_spec".split()
)


def facts_inside(
    whole: Function, facts: Sequence[Fact], functions: Mapping[str, Function]
) -> dict[str, dict[Tensor, Fact]]:
    """What is known of the tensors of a function and of all that it runs, in any turn of a loop."""
    inside: dict[str, dict[Tensor, Fact]] = {}

    def infer(
        function: Function, arguments: Sequence[Fact], library: Library
    ) -> list[Fact]:
        run = Inference(function.graph, library, {})
        run.arguments = dict(zip(function.arguments, arguments, strict=False))
        run.run()
        own = inside.setdefault(function.name, {})
        for name, ports in run.facts.items():
            for port, fact in enumerate(ports):
                tensor = Tensor(name, port)
                own[tensor] = join_facts(own.get(tensor, fact), fact)
        return [run.at(tensor) for tensor in function.returns]

    infer(whole, facts, Library(functions, infer))
    return inside
