"""Layer graph -> layer graph in which every loop that is a Keras recurrent layer is that layer.

*before* ``Transpose(Loop(Transpose(x)))``; *after* ``LSTM(x)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...graph import Graph, Loop, Tensor, TensorSpec
from ...simplify.state import State
from ..layers.layer_view import Values
from .bidirectional import join_directions
from .cudnn.place import CUDNN_OPS, CudnnPlacing, read_cudnn
from .opening.fused import LOOP_OPS
from .opening.splice import Spliced, is_open_to, splice
from .rnn.place import StepPlacing
from .rnn.read import StepReader
from .sequences import drop_unread, name_weights
from .turn.turns import Recurrence, TurnReader
from .usage import RECURRENT, settle_usage


def settle_recurrence(
    graph: Graph,
    specs: Mapping[Tensor, TensorSpec],
    values: Values,
    keep: Iterable[Tensor] = (),
) -> Graph:
    """A copy of a layer graph with such layers; the graph itself where no loop is one.

    ``specs`` and ``values`` speak of the op graph below it; ``keep`` are tensors of that graph that must stay visible.
    """
    loops = [name for name in graph if _is_candidate(graph, name)]
    fused = list(graph.by_op(*CUDNN_OPS))
    if not loops and not fused:
        return graph
    spliced = splice(graph, loops)
    recurrences = read_recurrences(spliced, specs, values)
    readable = [name for name in loops if recurrences[name] is not None]
    if len(readable) < len(loops):
        spliced = splice(graph, readable)
        recurrences = read_recurrences(spliced, specs, values)
    view, keep = spliced.view(specs, values), tuple(keep)
    stacks = {name: stack for name in fused if (stack := read_cudnn(view, name))}
    if not readable and not stacks:
        return graph
    tensors = spliced.graph.graph["tensors"]
    ends = frozenset(tensors.get(tensor, tensor).node for tensor in keep)
    for name in readable:
        for recurrence in recurrences[name] or []:
            StepPlacing(spliced, view, name, recurrence).place()
        close(spliced, name, ends)
    for name, stack in stacks.items():
        CudnnPlacing(spliced, view, name, stack).place()
        drop_unread(spliced.graph, frozenset({name}), ends)
    name_weights(spliced)
    spliced_values = spliced.valued(values)
    used_graph = settle_usage(spliced.graph, spliced_values, keep)
    join_directions(used_graph, spliced_values)
    return used_graph


def close(spliced: Spliced, name: str, ends: frozenset[str]) -> None:
    """Take a loop out of the graph, and all that only fed it but the ``ends``."""
    graph = spliced.graph
    graph.remove_node(name)
    drop_unread(graph, spliced.inside[name] & graph._node.keys(), ends)


def explain_loop(state: State, layer: str, node: str) -> str:
    """Why a loop of a layer graph is, or is no, recurrent layer of the Keras class ``layer``: at which gate they part.

    ``node`` is the loop or an op in it; "" where it is neither, or where ``layer`` is no such class.
    """
    if layer not in RECURRENT:
        return ""
    for loop in state.loops:
        name = state.graph.raised(loop.output).node
        inside = node in loop.members or node.startswith(f"{loop.name}/")
        if inside or node in (name, loop.name):
            values = state.constants.value
            return _explained(state.graph, state.specs, values, name, layer)
    return ""


def _explained(
    graph: Graph,
    specs: Mapping[Tensor, TensorSpec],
    values: Values,
    name: str,
    layer: str,
) -> str:
    if not _is_candidate(graph, name):
        return f"{layer} does not match at {name!r}\n  its body runs functions"
    spliced = splice(graph, [name])
    recurrences = read_recurrences(spliced, specs, values)[name] or []
    ops = [unit.op for each in recurrences for unit in each.units]
    ops += ["RNN" for each in recurrences if each.step is not None]
    if layer in ops:
        return f"{layer} matches at {name!r}"
    why = spliced.reasons.get(name) or f"it is {', '.join(ops) or 'no layer'}"
    return "\n  ".join([f"{layer} does not match at {name!r}", *why.split("; ")])


def _is_candidate(graph: Graph, name: str) -> bool:
    node = graph.node(name)
    if isinstance(node, Loop):
        return is_open_to(node)
    if node.op not in LOOP_OPS or not is_open_to(node):
        return False
    return graph.ports(name) <= {6}


def read_recurrences(
    spliced: Spliced, specs: Mapping[Tensor, TensorSpec], values: Values
) -> dict[str, list[Recurrence] | None]:
    """What each loop is; None where not all of it is recurrent layers."""
    view = spliced.view(specs, values)
    recurrences: dict[str, list[Recurrence] | None] = {
        name: [] for name in spliced.returns
    }
    for turn in spliced.turns:
        reader = TurnReader(view, turn, spliced.weights)
        recurrence = reader.recurrence()
        if recurrence is None:
            spliced.reasons.setdefault(turn.loop, reader.reason)
            stepwise = StepReader(view, turn, spliced.weights)
            recurrence = stepwise.recurrence()
            reader.reason += f"; no cell of its own either: {stepwise.reason}"
        units = recurrences[turn.loop]
        if recurrence is None or units is None:
            spliced.reasons[turn.loop] = reader.reason
            recurrences[turn.loop] = None
        else:
            units.append(recurrence)
    return recurrences
