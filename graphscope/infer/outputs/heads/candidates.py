"""Model, Training -> the tensors that may be outputs: ends, what feeds the loss, what was decided from scores."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ....graph import Model, Tensor
from ....ops import spellings
from ...training.arrays import Flow
from ...training.gradients.derivatives import differentiated_input
from ...training.op_kinds import SHAPE_ONLY, kind_of
from ...training.roles import Training
from .alive import is_alive, read_by_model, readers_of
from .boundaries import boundaries_of, ends_of_copies
from .branches import branches, is_pivot, read_by_branch
from .embeddings import codes_before_classes
from .judged import judged

DECISIONS = frozenset(
    {*spellings.GREATER, *"ArgMax ArgMin TopK TopKV2 Round Less Sign".split()}
)
"""What turns scores into an answer."""

THROUGH = frozenset(
    "Identity IdentityN Reshape Squeeze ExpandDims Cast Transpose StopGradient CheckNumerics EnsureShape Pack".split()
)
ACTIVATIONS = frozenset(
    "Softmax Sigmoid Tanh LogSoftmax Relu Softplus Elu Selu".split()
)
_CALLS = frozenset(
    {
        *spellings.WHILES,
        *spellings.IFS,
        *spellings.CASES,
        *spellings.SPLITS,
        *"PartitionedCall StatefulPartitionedCall IdentityN TopK TopKV2 NonMaxSuppressionV4 NonMaxSuppressionV5 CombinedNonMaxSuppression Unpack BatchFunction RemoteCall TRTEngineOp DecodeProtoV2 CTCGreedyDecoder CTCBeamSearchDecoder".split(),
    }
)
_SUMS = ("add", "addv2", "biasadd")
_OUTPUT_NAME = re.compile(
    r"(outputs?|pred(iction)?s?|prob(abilitie)?s?|scores?|y_?(hat|pred))$",
    re.IGNORECASE,
)
_LOSSES = ("loss", "metric")
_MOST = 4000  # candidates looked at; a graph with more ends than that is no one's model


@dataclass(frozen=True)
class Head:
    """One tensor that may be an output. ``index`` numbers its node in the Flow; ``readers`` are the roles of the
    nodes that read it; ``end`` says that no node of the model reads it; ``stands_for`` is the unnamed sum with a
    bias that follows a node which somebody named as the output. ``derivative`` says of what it is the derivative,
    ``reason`` why it is looked at though nothing speaks for it."""

    tensor: Tensor
    index: int
    readers: frozenset[str]
    end: bool
    stands_for: int | None = None
    derivative: str = ""
    reason: str = ""


def find_heads(model: Model, study: Training) -> list[Head]:
    """The candidate output tensors of a graph, in no order of merit."""
    ends = dict.fromkeys(_ends(study))
    ends.update(dict.fromkeys(_before_losses(study)))
    ends.update(dict.fromkeys(_before_decisions(study, list(ends))))
    ends.update(dict.fromkeys(_named(study)))
    ends.update(dict.fromkeys(boundaries_of(study)))
    ends.update(dict.fromkeys(judged(study)))
    ends.update(dict.fromkeys(_pushed(study)))
    ends.update(dict.fromkeys(ends_of_copies(study)))
    ends.update(dict.fromkeys(codes_before_classes(study)))
    nodes = _outside_branches(study, _without_loop_exits(study, list(ends)))
    heads = _heads_of(model, study, nodes)
    if any(not _is_copied(study, head.index) for head in heads):
        return heads + _named_before_bias(study, heads)
    for reason, nodes in last_resorts(study):
        rest = [replace(h, reason=reason) for h in _heads_of(model, study, nodes)]
        if rest:
            return heads + rest
    return heads


def _heads_of(model: Model, study: Training, nodes: Sequence[int]) -> list[Head]:
    return [
        _head(study, i, port)
        for i in nodes[:_MOST]
        for port in _ports(model, study, i)
        if _holds_values(study, i, port) and not _is_passed_on(study, i, port)
    ]


def _is_passed_on(study: Training, i: int, port: int) -> bool:
    """Whether a part of a split is read by the model alone, where other parts are its answers."""
    readers = [n for n in readers_of(study, i) if (i, port) in study.flow.inputs[n]]
    split = study.flow.ops[i] in spellings.SPLITS
    return split and bool(readers) and not any(_role_of(study, n) for n in readers)


def _outside_branches(study: Training, nodes: list[int]) -> list[int]:
    """In place of what one branch of a ``tf.cond`` computes, which is nothing where the other is taken: what the branch reads."""
    branch = branches(study.flow)
    outside: dict[int, None] = {}
    for node in nodes:
        read = read_by_branch(study.flow, node, branch) if node in branch else [node]
        outside.update(
            dict.fromkeys(i for i in read if i == node or is_alive(study, i))
        )
    return list(outside) or nodes


def _is_copied(study: Training, i: int) -> bool:
    loose = study.loose
    return bool(loose and loose.weights[i] & study.copies and not study.deps.weights[i])


def _without_loop_exits(study: Training, nodes: list[int]) -> list[int]:
    """Without what a loop carried and nobody reads, where there is anything else."""
    flow = study.flow
    rest = [i for i in nodes if flow.outputs[i] or not _leaves_loop(flow, i)]
    return rest or nodes


def _leaves_loop(flow: Flow, i: int) -> bool:
    """Whether a node passes on one of a loop's variables, unnamed: ``tf.while_loop`` makes one for each."""
    if flow.ops[i] != "Identity" or not flow.inputs[i]:
        return flow.ops[i] in spellings.EXITS
    unnamed = re.search(r"(^|/)Identity(_\d+)?$", flow.names[i]) is not None
    return unnamed and flow.ops[flow.inputs[i][0][0]] in spellings.WHILES


def _holds_values(study: Training, i: int, port: int) -> bool:
    """Whether a tensor holds values, not a handle or what a cond keeps for its gradient."""
    from ....wire import opdefs

    dtypes = opdefs.output_dtypes(study.flow.ops[i], study.flow.nodes[i].attrs)
    return port >= len(dtypes) or dtypes[port] not in ("variant", "resource")


def _named_before_bias(study: Training, heads: list[Head]) -> list[Head]:
    """``tf.matmul(x, w, name="output") + b``: what a person called the output, before the sum that nobody named."""
    flow, named = study.flow, []
    for head in heads:
        i = head.index
        if flow.ops[i] not in (*spellings.SUMS, "BiasAdd") or not study.deps.applied[i]:
            continue
        source = flow.inputs[i][0][0]
        last = flow.names[source].rsplit("/", 1)[-1].rstrip("0123456789_")
        unnamed = flow.names[i].rsplit("/", 1)[-1].rstrip("0123456789_").lower()
        if is_alive(study, source) and unnamed in _SUMS and _OUTPUT_NAME.match(last):
            named.append(replace(head, tensor=flow.tensor(source), stands_for=i))
    return named


def _head(study: Training, i: int, port: int) -> Head:
    every = readers_of(study, i)
    readers = [n for n in every if (i, port) in study.flow.inputs[n]] or every
    roles = frozenset(_role_of(study, n) for n in readers)
    derivative = _derivative_text(study, i)
    return Head(study.flow.tensor(i, port), i, roles, "" not in roles, None, derivative)


def _derivative_text(study: Training, i: int) -> str:
    """Of what a head is the derivative: by its own node, or by the gradient that it reads."""
    own, flow = study.derivatives, study.flow
    if own is None or 1 not in own.free:
        return ""
    ends = {*own.read, *own.by_input}
    for _ in range(6):
        if i in ends:
            break
        if flow.ops[i] not in THROUGH | {"Neg"} or not flow.inputs[i]:
            return ""
        i = flow.inputs[i][0][0]
    by = differentiated_input(flow, i)
    return f"a derivative by {flow.names[by]!r}" if by is not None else ""


def _role_of(study: Training, i: int) -> str:
    """A node's role; an answer decided only to measure counts as part of the measure."""
    for _ in range(4):
        passes = study.flow.ops[i] in DECISIONS | THROUGH
        if i in study.roles or not passes or len(study.flow.outputs[i]) != 1:
            break
        i = study.flow.outputs[i][0]
    return study.roles.get(i, "")


def _ends(study: Training) -> list[int]:
    read = read_by_model(study)
    return [
        i
        for i in range(len(study.flow))
        if not read[i] and (is_alive(study, i) or _is_plain_result(study, i))
    ]


def _is_plain_result(study: Training, i: int) -> bool:
    """A named Identity of a shape or a count, in a graph without weights: a test of ops, and its result."""
    flow = study.flow
    if flow.ops[i] != "Identity" or study.roles or study.deps.has_weights:
        return False
    if flow.outputs[i] or is_default_name(flow.names[i]) or is_pivot(study.flow, i):
        return False
    source = flow.inputs[i][0][0] if flow.inputs[i] else i
    return flow.ops[source] in SHAPE_ONLY and bool(study.deps.sources)


def last_resorts(study: Training) -> Iterator[tuple[str, list[int]]]:
    """Where nothing is an output by what it computes: ``(why, nodes)``, the better ones first."""
    flow, deps, roles = study.flow, study.deps, study.roles
    looked = [
        s
        for i in flow.by_kind(lambda op: kind_of(op) == "summary")
        for s, _ in flow.inputs[i]
        if deps.feeds[s] and deps.weights[s] and not deps.reduced[s]
    ]
    yield "only a summary reads it", list(dict.fromkeys(looked))
    sinks = [
        i
        for i in range(len(flow))
        if not [n for n in readers_of(study, i) if n not in roles]
        and flow.inputs[i]
        and i not in roles
        and not is_pivot(study.flow, i)
        and flow.ops[i] not in ("NoOp", "Assert", "Const")
        and not kind_of(flow.ops[i])
        and flow.variable_of(i) is None
    ]
    weighted = [i for i in sinks if deps.weights[i]]
    yield "it is computed from weights alone: no input leads to it", weighted
    yield "no input leads to it by its value", sinks


def _before_losses(study: Training) -> list[int]:
    """The model's side of each wire into a loss or a metric."""
    before: list[int] = []
    for i, role in study.roles.items():
        if role in _LOSSES:
            before += [s for s, _ in study.flow.inputs[i] if is_alive(study, s)]
    before = [i for i in before if not study.deps.later[i]]
    return before + [i for i in study.losses.necks if is_alive(study, i)]


def _pushed(study: Training) -> list[int]:
    """What is trained by a gradient that a person passed on: the action that a critic pushes."""
    own = study.derivatives
    return [i for i in (own.pushed if own is not None else ()) if is_alive(study, i)]


def _before_decisions(study: Training, ends: list[int]) -> list[int]:
    """The scores that an end was decided from, the logits that scores were made of."""
    before, flow = [], study.flow
    for end in ends:
        i = end
        for _ in range(8):
            passes = flow.ops[i] in DECISIONS | THROUGH | ACTIVATIONS
            if not passes or not flow.inputs[i] or study.deps.applied[i]:
                break
            source = flow.inputs[i][0][0]
            if not is_alive(study, source):
                break
            if flow.ops[i] not in THROUGH and not study.deps.later[end]:
                before.append(source)
            i = source
    return before


def _named(study: Training) -> list[int]:
    """Identities that serve no purpose but a name: ``tf.identity(action, "action")``."""
    flow, named = study.flow, []
    for i in flow.by_kind(lambda op: op == "Identity"):
        if not is_alive(study, i) or not flow.outputs[i]:
            continue
        source = flow.inputs[i][0][0]
        plain = flow.ops[source] not in ("Switch", "Merge", "Exit", "Enter", "Const")
        if plain and not is_default_name(flow.names[i]):
            named.append(i)
    views = flow.by_kind(lambda op: op in THROUGH and op != "Identity")
    return named + [
        i
        for i in views
        if _OUTPUT_NAME.match(flow.names[i].rsplit("/", 1)[-1])
        and flow.outputs[i]
        and is_alive(study, i)
    ]


def base_of(study: Training, i: int) -> int:
    """The last layer behind a head: what softmax, argmax and identity of one prediction have in common."""
    flow, deps = study.flow, study.deps
    for _ in range(16):
        passes = flow.ops[i] in THROUGH | ACTIVATIONS | DECISIONS
        if not passes or deps.applied[i] or not flow.inputs[i]:
            return i
        i = flow.inputs[i][0][0]
    return i


def is_default_name(name: str, op: str = "Identity") -> bool:
    """Whether TensorFlow or a layer library gave a node its name, not a person."""
    last = name.rsplit("/", 1)[-1]
    base = last.rstrip("0123456789").rstrip("_")
    if op != "Identity":
        return base.lower() in (op.lower(), "concat", "stack", "transpose")
    return base in (
        "Identity read control_dependency switch_t switch_f pred_id dropout identity keras_learning_phase"
        " keep_dims cond"
    ).split() or name.rsplit("/", 2)[-2:-1] == ["dropout"]


def _ports(model: Model, study: Training, i: int) -> list[int]:
    """The ports of a node that may be outputs: all of a call's, else the ones that are read, else the first."""
    from ....wire import op_registry, opdefs

    op, node = study.flow.ops[i], study.flow.nodes[i]
    if op in _CALLS or op in model.functions:
        count = len(opdefs.output_dtypes(op, node.attrs)) or len(node.outputs)
        if op in model.functions:
            count = len(model.functions[op].returns)
        return list(range(max(count, 1)))[:64]
    if op_registry.find(op) is None:
        read = {
            p for n in study.flow.outputs[i] for s, p in study.flow.inputs[n] if s == i
        }
        return sorted(read | {0})[:64]
    return [0]
