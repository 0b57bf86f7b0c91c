"""Graph -> the role of each node that exists only to train, save, restore, initialise, summarise, measure or check.

Told by what a node does: by the ops that it leads to (ApplyAdam, SaveV2, MergeSummary, Assert, Assign) and by the
structure of gradients and losses. Names are never looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...graph import Function, Graph
from ...ops import spellings
from .arrays import Flow
from .assignments import classify_writes
from .dependence import Dependence, dependence_on, find_dependence, look_ahead_again
from .gradients.backward import find_backward, find_updates
from .gradients.derivatives import Derivatives, find_derivatives
from .measures.losses import Losses, find_losses
from .op_kinds import INITIALISED, SHAPE_ONLY, SOURCES, VARIABLES, kind_of
from .weight_groups import differentiated_weights, weight_groups

ROLES = (
    *"loss metric label gradient optimizer summary assertion update".split(),
    *"save restore initialiser".split(),
    "input pipeline",
)
"""Every role there is; where a node serves several, the first of these names it."""

_FLOATS = ("float32", "float64", "float16", "bfloat16", "complex64")
_RANK = {role: rank for rank, role in enumerate(ROLES)}
_PASSIVE = frozenset(["save", "restore", "initialiser", "update", "input pipeline"])
"""Roles that make what only feeds them useless to the model, even where it is computed from weights and data.

Summaries are not among them: ``find_passive`` tells a prediction that is only looked at from mere statistics.
"""


@dataclass(frozen=True)
class Training:
    """What the training side of a graph looks like: the roles by node number, and what they were told from."""

    flow: Flow
    deps: Dependence
    backward: bytearray
    losses: Losses
    roles: dict[int, str]
    updates: tuple[int, ...]
    trained: frozenset[int]
    weight_groups: tuple[int, ...] = ()
    """Bits of the weights that one optimizer trains, where several train weights of their own (a GAN)."""
    loose: Dependence | None = None
    """As ``deps``, with every variable counted as a weight."""
    copies: int = 0
    """Bits (of ``loose``) of the variables that are updated from others: target networks, averages."""
    derivatives: Derivatives | None = None
    """What is differentiated for its own sake."""
    functions: Mapping[str, Function] = field(default_factory=dict)
    """The library of the graph."""

    def named_roles(self) -> dict[str, str]:
        """The roles by the nodes' names, in the file's order."""
        return {self.flow.names[i]: role for i, role in sorted(self.roles.items())}


def roles(
    graph: Graph,
    collections: Mapping[str, object] | None = None,
    functions: Mapping[str, Function] | None = None,
) -> dict[str, str]:
    """Node -> why it is there only to train, measure, save or initialise; a node that is absent is part of the model.

    The roles are those of ``ROLES``. ``collections`` are a MetaGraph's; they only add what the graph does not say
    (which variables are trainable where nothing trains them). ``functions`` is the library of the graph: a While
    whose body computes gradients is known by it.
    """
    return study_training(graph, collections, functions).named_roles()


def drop_training(graph: Graph, roles: Mapping[str, str]) -> Graph:
    """The graph without the nodes that have a role, save those that a remaining node reads."""
    kept = graph.upstream(name for name in graph if name not in roles)
    pruned = Graph()
    for name in graph:
        if name in kept:
            pruned.add(name, graph.node(name), graph.inputs(name))
    return pruned


def study_training(
    graph: Graph,
    collections: Mapping[str, object] | None = None,
    functions: Mapping[str, Function] | None = None,
) -> Training:
    """The roles, together with the dataflow facts that they rest on."""
    flow = Flow(graph)
    updates = find_updates(flow)
    derivatives = find_derivatives(flow, updates)
    backward = find_backward(flow, functions, derivatives)
    first = find_dependence(flow, backward)
    writes = classify_writes(flow, first, backward)
    fetched = differentiated_weights(flow, derivatives)
    trained = _find_trained(flow, backward, updates, writes, collections or {}, fetched)
    aside = _find_aside(flow, backward)
    deps = dependence_on(flow, first, aside, trained)
    trains = bool(updates or fetched) or "optimizer" in writes.values()
    losses = find_losses(flow, deps, backward, writes, trains, derivatives.steps())
    deps = look_ahead_again(flow, deps, _without_measures(aside, losses))
    roles = _seed_roles(flow, backward, writes, losses, updates)
    _spread_to_groups(flow, first, roles)
    _spread_upstream(flow, first, roles, trained | losses.tables)
    _spread_downstream(flow, first, roles)
    groups = weight_groups(flow, deps, updates, fetched, backward)
    copies = _find_copies(flow, first, writes)
    return Training(
        flow,
        deps,
        backward,
        losses,
        roles,
        tuple(updates),
        frozenset(trained),
        groups,
        first,
        copies,
        derivatives,
        functions or {},
    )


def _without_measures(aside: bytearray, losses: Losses) -> bytearray:
    """Also without losses: a weight of the loss (a deviation, a margin's classes) makes no later layer."""
    mask = bytearray(aside)
    for i, role in losses.role.items():
        mask[i] |= role in ("loss", "metric")
    return mask


def _find_copies(flow: Flow, deps: Dependence, writes: Mapping[int, str]) -> int:
    bit = {holder: 1 << b for b, holder in enumerate(deps.holders)}
    copies = 0
    for i, role in writes.items():
        target = flow.variable_of(flow.inputs[i][0][0])
        values = [s for s, _ in flow.inputs[i][1:]]
        own = bit.get(-1 if target is None else target, 0)
        if role == "update" and any(deps.weights[s] & ~own for s in values):
            copies |= 0 if any(deps.feeds[s] for s in values) else own
    return copies


def _find_aside(flow: Flow, backward: bytearray) -> bytearray:
    """The backward pass, and what only computes a value to write into a variable: no part of the way forward."""
    aside = bytearray(backward)
    if not any(backward) and not flow.by_kind(lambda op: kind_of(op) == "write"):
        return aside
    for i in reversed(flow.order):
        readers = [n for n in flow.outputs[i] if flow.ops[n] not in SHAPE_ONLY]
        if readers and kind_of(flow.ops[i]) == "":
            aside[i] |= all(
                aside[n] or kind_of(flow.ops[n]) == "write" for n in readers
            )
    return aside


def _find_trained(
    flow: Flow,
    backward: bytearray,
    updates: list[int],
    writes: Mapping[int, str],
    collections: Mapping[str, object],
    fetched: Mapping[str, Collection[int]],
) -> set[int]:
    """The variables that a gradient is applied to, or fetched for; where there is none, those that the file says are
    trainable."""
    written = [i for i in writes if any(backward[s] for s, _ in flow.inputs[i][1:])]
    trained = {
        flow.variable_of(flow.inputs[i][0][0]) for i in updates if flow.inputs[i]
    }
    if not trained:
        trained = {i for variables in fetched.values() for i in variables}
    if not trained:
        trained = {flow.variable_of(flow.inputs[i][0][0]) for i in written}
        trained = {i for i in trained if i is not None and not _counts(flow, i)}
    if not trained:
        trained = {flow.index.get(name) for name in _declared(collections)}
    if not trained:
        apart = ("metric", "optimizer", "update")
        moved: set[int | None] = {
            flow.variable_of(flow.inputs[i][0][0])
            for i, r in writes.items()
            if r in apart
        }
        variables = flow.by_kind(lambda op: op in VARIABLES)
        trained = {i for i in variables if i not in moved and not _counts(flow, i)}
    return {i for i in trained if i is not None and flow.ops[i] in VARIABLES}


def _counts(flow: Flow, i: int) -> bool:
    """Whether a variable holds a number that is counted, not learned."""
    return flow.nodes[i].attrs.get("dtype") not in _FLOATS


def _declared(collections: Mapping[str, Any]) -> list[str]:
    return [
        str(
            item.get("variable_name", "") if isinstance(item, Mapping) else item
        ).removesuffix(":0")
        for item in collections.get("trainable_variables", ())
    ]


def _seed_roles(
    flow: Flow,
    backward: bytearray,
    writes: Mapping[int, str],
    losses: Losses,
    updates: Collection[int],
) -> dict[int, str]:
    roles = {i: "gradient" for i, marked in enumerate(backward) if marked}
    asked = flow.downstream(flow.by_kind(INITIALISED.match))
    roles.update((i, "initialiser") for i, reached in enumerate(asked) if reached)
    roles.update(losses.role)
    by_op = {op: kind_of(op) for op in set(flow.ops)}
    for i, op in enumerate(flow.ops):
        if by_op[op] and by_op[op] != "write":
            roles[i] = by_op[op]
        elif op.startswith("CheckNumerics") and not flow.outputs[i]:
            roles[i] = "assertion"
        elif op in spellings.IFS and _only_guards(flow, i):
            roles[i] = "assertion"
        elif by_op[op] == "" and i in roles and op in VARIABLES:
            roles[i] = "optimizer"
    roles.update(writes)
    roles.update(dict.fromkeys(updates, "optimizer"))
    return roles


def _only_guards(flow: Flow, i: int) -> bool:
    """Whether an If is ``tf.debugging.Assert``'s: it gives booleans that nobody reads."""
    kinds = flow.nodes[i].attrs.get("Tout") or ()
    unread = all(
        flow.ops[n] == "Identity" and not flow.outputs[n] for n in flow.outputs[i]
    )
    return bool(kinds) and set(kinds) == {"bool"} and unread


def _spread_upstream(
    flow: Flow, deps: Dependence, roles: dict[int, str], spared: Collection[int]
) -> None:
    """Give a node whose every reader has a role the first of their roles, where that is safe to say; ``spared`` are what
    is trained, and what is predicted from it alone."""
    if not roles:
        return
    idle = bytearray(len(flow))
    counted = _counted_bits(flow, deps, roles)
    for i in reversed(flow.order):
        if i in roles:
            continue
        readers = [n for n in flow.outputs[i] if not idle[n]]
        if not readers:
            idle[i] = _is_idle(flow, deps, counted, i)
            continue
        if not all(n in roles for n in readers) or i in spared:
            continue
        reader_roles = {roles[n] for n in readers}
        if _may_follow(flow, deps, i, reader_roles):
            roles[i] = min(reader_roles, key=_RANK.__getitem__)
            if roles[i] == "gradient" and not deps.feeds[i]:
                roles[i] = "optimizer"  # a slot, a rate, a decay


def _counted_bits(flow: Flow, deps: Dependence, roles: Mapping[int, str]) -> int:
    """The variables that only a metric adds to."""
    bit = {holder: 1 << b for b, holder in enumerate(deps.holders)}
    counted = 0
    for i, role in roles.items():
        if role == "metric" and kind_of(flow.ops[i]) == "write":
            target = flow.variable_of(flow.inputs[i][0][0])
            counted |= bit.get(-1 if target is None else target, 0)
    return counted


def _is_idle(flow: Flow, deps: Dependence, counted: int, i: int) -> bool:
    """Whether a node that nobody reads holds nothing that the model computed: a shape, a constant, a count."""
    if flow.ops[i] in SHAPE_ONLY or not (deps.feeds[i] or deps.weights[i]):
        return True
    if deps.feeds[i]:
        return False
    return not deps.weights[i] & ~counted or flow.variable_of(i) is not None


def _may_follow(flow: Flow, deps: Dependence, i: int, reader_roles: set[str]) -> bool:
    if flow.ops[i] in VARIABLES:
        return reader_roles != {"update"} and not reader_roles <= {
            "update",
            "save",
            "restore",
            "initialiser",
        }
    if not deps.feeds[i] or not deps.weights[i]:
        return True
    if flow.ops[i] == "Switch" and reader_roles == {"gradient"}:
        return True
    return reader_roles <= _PASSIVE


def _spread_downstream(flow: Flow, deps: Dependence, roles: dict[int, str]) -> None:
    """Give a role to what only follows nodes of a role: the read of an optimizer's slot, the group of all updates."""
    for i in flow.order:
        if i in roles or deps.feeds[i]:
            continue
        before = [s for s, _ in flow.inputs[i]]
        computed = [s for s in before if deps.weights[s]]
        if computed and all(s in roles for s in computed):
            roles[i] = _most_common([roles[s] for s in computed])
    _spread_to_groups(flow, deps, roles)


def _spread_to_groups(flow: Flow, deps: Dependence, roles: dict[int, str]) -> None:
    """Give a role to ends that only wait for nodes of a role: ``group_deps``, ``init``, ``save/control_dependency``."""
    trains = "gradient" in roles.values()
    for i in range(len(flow)):
        if i in roles or flow.outputs[i]:
            continue
        after = [roles.get(n, "") for n in flow.controlled[i]]
        if flow.ops[i] == "Identity" and after and all(after):
            roles[i] = _most_common(after)  # what tf.cond's gradient hangs zeros on
            continue
        if flow.ops[i] in SHAPE_ONLY and trains:
            roles[i] = "gradient"  # a shape that no broadcast turned out to need
            continue
        if deps.weights[i]:
            continue
        source_roles = [roles[s] for s in flow.controls[i] if s in roles]
        if source_roles and not SOURCES.match(flow.ops[i]):
            roles[i] = _most_common(source_roles)


def _most_common(roles: list[str]) -> str:
    counts = Counter(roles)
    return min(counts, key=lambda role: (-counts[role], _RANK[role]))
