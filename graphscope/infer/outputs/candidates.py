"""Model, Training -> the tensors that may be outputs: ends, what feeds the loss, what was decided from scores."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ...graph import Model, Tensor
from ..training.op_kinds import SHAPE_ONLY, SOURCES, VARIABLES, kind_of
from ..training.roles import Training, union_of

DECISIONS = frozenset(
    "ArgMax ArgMin TopK TopKV2 Round Greater GreaterEqual Less Sign".split()
)
"""What turns scores into an answer."""

THROUGH = frozenset(
    "Identity IdentityN Reshape Squeeze ExpandDims Cast Transpose StopGradient CheckNumerics EnsureShape Pack".split()
)
ACTIVATIONS = frozenset(
    "Softmax Sigmoid Tanh LogSoftmax Relu Softplus Elu Selu".split()
)
_CALLS = frozenset(
    "PartitionedCall StatefulPartitionedCall If StatelessIf While StatelessWhile Case StatelessCase IdentityN"
    " TopK TopKV2 NonMaxSuppressionV4 NonMaxSuppressionV5 CombinedNonMaxSuppression Unpack Split SplitV"
    " BatchFunction RemoteCall TRTEngineOp DecodeProtoV2 CTCGreedyDecoder CTCBeamSearchDecoder".split()
)
_SUMS = ("add", "addv2", "biasadd")
_OUTPUT_NAME = re.compile(
    r"(outputs?|pred(iction)?s?|prob(abilitie)?s?|scores?|y_?(hat|pred))$",
    re.IGNORECASE,
)
_MOST_OF_A_NET = 0.4  # of one optimizer's weights; CycleGAN's two generators share one
_LOSSES = ("loss", "metric")
_MOST = 4000  # candidates looked at; a graph with more ends than that is no one's model


@dataclass(frozen=True)
class Head:
    """One tensor that may be an output. ``index`` numbers its node in the Flow; ``readers`` are the roles of the
    nodes that read it; ``end`` says that no node of the model reads it; ``stands_for`` is the unnamed sum with a
    bias that follows a node which somebody named as the output."""

    tensor: Tensor
    index: int
    readers: frozenset[str]
    end: bool
    stands_for: int | None = None


def find_heads(model: Model, study: Training) -> list[Head]:
    """The candidate output tensors of a graph, in no order of merit."""
    found = dict.fromkeys(_ends(study))
    found.update(dict.fromkeys(_before_losses(study)))
    found.update(dict.fromkeys(_before_decisions(study, list(found))))
    found.update(dict.fromkeys(_named(study)))
    found.update(dict.fromkeys(_boundaries(study)))
    found.update(dict.fromkeys(_of_copies(study)))
    heads = []
    for i in list(found)[:_MOST]:
        for port in _ports(model, study, i):
            if _holds_values(study, i, port):
                heads.append(_head(study, i, port))
    return heads + _named_before_bias(study, heads)


def _holds_values(study: Training, i: int, port: int) -> bool:
    """Whether a tensor holds values, not a handle or what a cond keeps for its gradient."""
    from ...wire import opdefs

    dtypes = opdefs.output_dtypes(study.flow.ops[i], study.flow.nodes[i].attrs)
    return port >= len(dtypes) or dtypes[port] not in ("variant", "resource")


def _named_before_bias(study: Training, heads: list[Head]) -> list[Head]:
    """``tf.matmul(x, w, name="output") + b``: what a person called the output, before the sum that nobody named."""
    flow, found = study.flow, []
    for head in heads:
        i = head.index
        if flow.ops[i] not in ("Add", "AddV2", "BiasAdd") or not study.deps.applied[i]:
            continue
        source = flow.inputs[i][0][0]
        last = flow.names[source].rsplit("/", 1)[-1].rstrip("0123456789_")
        unnamed = flow.names[i].rsplit("/", 1)[-1].rstrip("0123456789_").lower()
        if is_alive(study, source) and unnamed in _SUMS and _OUTPUT_NAME.match(last):
            found.append(replace(head, tensor=flow.tensor(source), stands_for=i))
    return found


def _head(study: Training, i: int, port: int) -> Head:
    readers = _readers(study, i)
    roles = frozenset(_role_of(study, n) for n in readers)
    return Head(study.flow.tensor(i, port), i, roles, "" not in roles)


def _role_of(study: Training, i: int) -> str:
    """A node's role; an answer decided only to measure counts as part of the measure."""
    for _ in range(4):
        passes = study.flow.ops[i] in DECISIONS | THROUGH
        if i in study.roles or not passes or len(study.flow.outputs[i]) != 1:
            break
        i = study.flow.outputs[i][0]
    return study.roles.get(i, "")


def _readers(study: Training, i: int) -> list[int]:
    """Who reads the node's values, dead ends that only look at its shape left out."""
    ops, outputs = study.flow.ops, study.flow.outputs
    return [n for n in outputs[i] if ops[n] not in SHAPE_ONLY or _starts_loop(study, n)]


def _starts_loop(study: Training, i: int) -> bool:
    """Whether a node makes the zeros that a loop begins with: Keras runs a masked cell once to see how large they are."""
    flow = study.flow
    if flow.ops[i] != "ZerosLike":
        return False
    return any(flow.ops[n] in _LOOP_STARTS for n in flow.outputs[i])


_LOOP_STARTS = frozenset({"While", "StatelessWhile", "Enter"})


def is_alive(study: Training, i: int) -> bool:
    """Whether a node computes something that the model could be asked for."""
    flow, deps, op = study.flow, study.deps, study.flow.ops[i]
    if i in study.roles or kind_of(op) or op in VARIABLES or op in SHAPE_ONLY:
        return False
    if op in ("Const", "NoOp") or SOURCES.match(op) or _is_pivot(study, i):
        return False
    if deps.sources and any(deps.weights):
        return bool(deps.feeds[i] and deps.weights[i])
    return bool(deps.feeds[i] or not deps.sources) and bool(flow.inputs[i])


def _is_pivot(study: Training, i: int) -> bool:
    """``switch_t``, ``switch_f`` and ``pred_id``: what tf.cond leaves to hang control dependencies on."""
    flow = study.flow
    if (
        flow.ops[i] not in ("Identity", "LoopCond", "Switch", "Merge")
        or not flow.inputs[i]
    ):
        return False
    dtype = flow.nodes[i].attrs.get("T")
    return dtype == "bool" and not flow.outputs[i]


def _ends(study: Training) -> list[int]:
    roles, flow = study.roles, study.flow
    found = []
    for i in range(len(flow)):
        if is_alive(study, i) and all(n in roles for n in _readers(study, i)):
            found.append(i)
    if found or any(study.deps.feeds) and any(study.deps.weights):
        return found
    return [
        i
        for i in range(len(flow))
        if not flow.outputs[i]
        and flow.inputs[i]
        and i not in roles
        and not _is_pivot(study, i)
        and flow.ops[i] not in SHAPE_ONLY
        and (study.deps.feeds[i] or study.deps.weights[i] or not study.deps.sources)
    ]


def _before_losses(study: Training) -> list[int]:
    """The model's side of each wire into a loss or a metric."""
    found = []
    for i, role in study.roles.items():
        if role in _LOSSES:
            found += [s for s, _ in study.flow.inputs[i] if is_alive(study, s)]
    return [i for i in found if not study.deps.later[i]]


def _before_decisions(study: Training, ends: list[int]) -> list[int]:
    """The scores that an end was decided from, the logits that scores were made of."""
    found, flow = [], study.flow
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
                found.append(source)
            i = source
    return found


def _named(study: Training) -> list[int]:
    """Identities that serve no purpose but a name: ``tf.identity(action, "action")``."""
    flow, found = study.flow, []
    for i in flow.by_kind(lambda op: op == "Identity"):
        if not is_alive(study, i) or not flow.outputs[i]:
            continue
        source = flow.inputs[i][0][0]
        plain = flow.ops[source] not in ("Switch", "Merge", "Exit", "Enter", "Const")
        if plain and not is_default_name(flow.names[i]):
            found.append(i)
    return found


def is_default_name(name: str) -> bool:
    """Whether TensorFlow or a layer library gave an Identity its name, not a person."""
    last = name.rsplit("/", 1)[-1]
    base = last.rstrip("0123456789").rstrip("_")
    return base in (
        "Identity read control_dependency switch_t switch_f pred_id dropout identity keras_learning_phase"
        " keep_dims cond"
    ).split() or name.rsplit("/", 2)[-2:-1] == ["dropout"]


def _boundaries(study: Training) -> list[int]:
    """Where one optimizer's weights end and another's begin: the generator's image before the discriminator."""
    groups = study.weight_groups
    if len(groups) < 2:
        return []
    flow, deps, found = study.flow, study.deps, []
    for i in range(len(flow)):
        if not is_alive(study, i) or deps.reduced[i]:
            continue
        own = [g for g in groups if deps.weights[i] & g]
        share = (
            (deps.weights[i] & own[0]).bit_count() / own[0].bit_count() if own else 0
        )
        if len(own) != 1 or share < _MOST_OF_A_NET:
            continue
        others = union_of([g for g in groups if g != own[0]])
        if any(deps.applied[n] & others for n in _readers(study, i)):
            found.append(_before_join(study, i))
    return found


def _before_join(study: Training, i: int) -> int:
    """The one part of a concatenation that has weights behind it: the image, not what it is shown beside."""
    if study.flow.ops[i] not in ("ConcatV2", "Concat", "Pack"):
        return i
    parts = {s for s, _ in study.flow.inputs[i] if study.deps.weights[s]}
    return parts.pop() if len(parts) == 1 else i


def _of_copies(study: Training) -> list[int]:
    """The ends of networks whose weights are copied from the trained ones: a target network's values."""
    flow, loose = study.flow, study.loose
    if loose is None or not study.copies:
        return []
    found = []
    for i in range(len(flow)):
        copied = loose.feeds[i] and loose.weights[i] & study.copies
        if not copied or study.deps.weights[i] or i in study.roles:
            continue
        if all(n in study.roles or not loose.feeds[n] for n in _readers(study, i)):
            found.append(i)
    return found


def _ports(model: Model, study: Training, i: int) -> list[int]:
    """The ports of a node that may be outputs: all of a call's, else the ones that are read, else the first."""
    from ...wire import op_registry, opdefs

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
