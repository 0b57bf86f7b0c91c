"""What each variable is for: weight, optimizer slot, moving average, batch statistics, step counter, metric ...

Evidence in this order: the trackable objects of a TF2 checkpoint, what the graph does with the variable (``ApplyAdam``
updates its slots, batch norm reads its statistics), then the names that TensorFlow's own optimizers and layers give.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from ...graph import Graph, Tensor, Variable
from ...wire import opdefs
from ...wire.attrs import numpy_dtype
from .restore_ops import VARIABLE_OPS, variable_behind

WEIGHT, SLOT, AVERAGE = "weight", "optimizer slot", "moving average"
STATISTICS, STEP, METRIC = "batch statistics", "step counter", "metric"
TABLE, QUEUE, OTHER = "lookup table", "queue", "other"


class Role(NamedTuple):
    """A role, the variable that a slot or an average belongs to, and the optimizer of a slot."""

    role: str
    of: str = ""
    optimizer: str = ""


_SLOT_NAMES = re.compile(
    r"(Adam|AdamW|AdaMax|AMSGrad|Nadam|LazyAdam|NadamOptimizer|AdamOptimizer|LAMB|LARS|Momentum|MomentumW|RMSProp"
    r"|Adagrad|AdagradDA|Adadelta|Ftrl|Yogi|PowerSign|AddSign|SGD|gradient_accumulator|gradient_squared_accumulator"
    r"|adam_[mv]|lamb_[mv]|lars|momentum|rms|[mv]hat|Rprop|proximal_adagrad)(Optimizer)?(_\d+)?"
)
_MESH_SLOT = re.compile(r"(.+)_slot_(?:vr|vc|v|m)")  # Adafactor's of Mesh TensorFlow
_AVERAGE_NAMES = re.compile(
    r"(ExponentialMovingAverage|EMA|ema|moving_average|average)(_\d+)?"
)
_STATISTICS_NAMES = re.compile(
    r"(moving|running|pop|population|global|ema|renorm)_?(mean|variance|var|stddev|std)(_weight)?(_\d+)?"
)
_POWERS = re.compile(r"(beta\d?_?\d?_power|beta_?[12]|momentum_cache)(_\d+)?")
_STEPS = re.compile(
    r"(global_?step|iter|iterations?|save_counter|step|num_updates|global_step_tensor)(_\d+)?",
    re.I,
)
_METRICS = re.compile(
    r"(true_positives|true_negatives|false_positives|false_negatives|total_confusion_matrix)(_\d+)?"
)
_TABLES = re.compile(r".*(-keys|-values|table-keys|table-values)\Z")
# training/Adam/...: where Keras 2 keeps what an optimizer of its own keeps
_TRAINING = re.compile(
    r"(?:^|/)training(?:_\d+)?/(Adam|AdamW|Adamax|Nadam|RMSprop|SGD|Adagrad|Adadelta|Ftrl)(?:_\d+)?/(.+)/[^/]+\Z"
)
_APPLY = re.compile(r"(Resource)?(Sparse)?Apply|V2\Z")
PARAMETERS = frozenset({WEIGHT, STATISTICS})  # the roles of what makes up a model
_DEBIASED = "/ExponentialMovingAverage/"
_POWER = "power"  # beta1_power: an optimizer's, of no one weight
_COUNTS = frozenset("AssignAdd AssignAddVariableOp CountUpTo ResourceCountUpTo".split())
_MOST_SCOPES = 16
_TABLE_OPS = re.compile(
    r"(Mutable)?(HashTable|DenseHashTable|HashTableOfTensors)(V2)?\Z|AnonymousHashTable"
)
_QUEUE_OPS = re.compile(
    r"(Random|Padding)?(Shuffle)?(FIFO|Priority)?Queue(V2)?\Z|Barrier\Z|Stage\Z"
)


def roles_by_name(shapes: Mapping[str, tuple[Any, Any]]) -> dict[str, Role]:
    """A role for each variable from its name and from those beside it; ``shapes`` gives ``(dtype, shape)``."""
    return {
        name: _by_name(name, dtype, shape, shapes)
        for name, (dtype, shape) in shapes.items()
    }


@lru_cache(1 << 14)
def _role_of_name(last: str) -> str:
    """The role that a variable's last name speaks of, before anything else is looked at; "" where it says nothing."""
    if _TABLES.match(last):
        return TABLE
    for pattern, role in (
        (_STEPS, STEP),
        (_POWERS, _POWER),
        (_AVERAGE_NAMES, AVERAGE),
        (_SLOT_NAMES, SLOT),
        (_STATISTICS_NAMES, STATISTICS),
        (_METRICS, METRIC),
    ):
        if pattern.fullmatch(last):
            return role
    return ""


def _by_name(
    name: str, dtype: str, shape: object, variables: Mapping[str, tuple[object, object]]
) -> Role:
    scope, _, last = name.rpartition("/")
    role = _role_of_name(last)
    if dtype in ("variant", "resource"):
        return Role(OTHER)
    if role == STEP and shape == () and dtype in ("int64", "int32", "float32"):
        return Role(STEP)
    # what follows another variable is told by the whole name: before what the last word alone says
    following = _follower(name, role, variables)
    if following is not None:
        return following
    if role in (TABLE, STATISTICS, METRIC):
        return Role(role)
    if role == _POWER and shape == ():
        return Role(SLOT, "", _optimizer_of(scope))
    return _by_neighbours(name, dtype, shape, variables)


def _follower(
    name: str, role: str, variables: Mapping[str, tuple[object, object]]
) -> Role | None:
    """An optimizer's slot or an average of another variable, by its own name; None where it is neither."""
    scope, _, last = name.rpartition("/")
    if purpose := _TRAINING.search(name):
        return Role(SLOT, _owner(purpose[2], variables), purpose[1])
    if _DEBIASED in name:  # .../biased and .../local_step of a debiased average
        return Role(AVERAGE, _owner(name.split(_DEBIASED)[0], variables))
    if role in (AVERAGE, SLOT) and scope:
        optimizer = _named_in(last) if role == SLOT else ""
        return Role(role, _owner(scope, variables), optimizer)
    return None


def _by_neighbours(
    name: str, dtype: str, shape: object, variables: Mapping[str, tuple[object, object]]
) -> Role:
    """What the variables beside it say: one in the scope of another of its shape, or in an optimizer's own, trains it."""
    scope = name.rpartition("/")[0]
    beside = _MESH_SLOT.fullmatch(name)
    if beside and beside[1] in variables:
        return Role(SLOT, beside[1], "Adafactor")
    if shape == () and _optimizer_of(scope):
        return Role(SLOT, "", _optimizer_of(scope))
    if shape and scope in variables and variables[scope] == (dtype, shape):
        return Role(SLOT, scope)  # whatever it is, it shadows a weight
    return Role(OTHER if dtype == "string" else WEIGHT)


def _optimizer_of(scope: str) -> str:
    """The optimizer whose own scope this is (its hyperparameters are kept there); "" where it is none's."""
    for part in scope.split("/")[-2:]:
        if _named_in(part):
            return _named_in(part)
    return ""


@lru_cache(1 << 12)
def _named_in(part: str) -> str:
    """The optimizer that a name speaks of: ``Adam_1`` of Adam; "" where of none."""
    slot = _SLOT_NAMES.fullmatch(part)
    return slot[1] if slot else ""


def _owner(scope: str, variables: Mapping[str, object]) -> str:
    """The variable that ``scope`` names, with or without outer scopes (the optimizer's own)."""
    for _ in range(_MOST_SCOPES):
        if scope in variables:
            return scope
        _, _, scope = scope.partition("/")
    return ""


def _tells_a_role(op: str) -> bool:
    return "Apply" in op or op in _COUNTS or _normalizes(op)


def _normalizes(op: str) -> bool:
    return op.startswith("FusedBatchNorm") and "Grad" not in op


def roles_by_use(
    graph: Graph, collections: Mapping[str, tuple[object, ...]]
) -> dict[str, Role]:
    """Variable node -> role, as far as what the graph does with it says so."""
    roles: dict[str, Role] = {}
    for name in graph.by_op(*filter(_tells_a_role, graph.kinds())):
        op = graph.op(name)
        if "Apply" in op:
            roles.update(_updated(graph, name, op))
        elif _normalizes(op):
            for tensor in graph.inputs(name)[3:5]:
                node = variable_behind(graph, tensor)
                if node:
                    roles.setdefault(node, Role(STATISTICS))
        else:
            node = variable_behind(graph, graph.inputs(name)[0])
            if node and _is_count(graph, node):
                roles.setdefault(node, Role(STEP))
    for entry in collections.get("global_step", ()):
        roles[_node_of(entry)] = Role(STEP)
    for entry in collections.get("metric_variables", ()):
        roles[_node_of(entry)] = Role(METRIC)
    return roles


def _is_count(graph: Graph, name: str) -> bool:
    """Whether a variable is one whole number."""
    attrs = graph.attrs(name)
    return attrs.get("shape") == () and attrs.get("dtype") in ("int32", "int64")


def _updated(graph: Graph, name: str, op: str) -> Iterator[tuple[str, Role]]:
    """The slots that an optimizer's op updates beside its variable."""
    arguments = opdefs.input_names(op)
    if "var" not in arguments:
        return
    passed = dict(zip(arguments, graph.inputs(name)))
    optimizer = _APPLY.sub("", op)
    weight = variable_behind(graph, passed["var"]) if "var" in passed else None
    if weight is None:
        return
    for argument in (
        "m",
        "v",
        "accum",
        "accum_update",
        "ms",
        "mom",
        "mg",
        "linear",
        "vhat",
        "gradient_accumulator",
        "gradient_squared_accumulator",
    ):
        node = variable_behind(graph, passed[argument]) if argument in passed else None
        if node:
            yield node, Role(SLOT, weight, optimizer)
    for argument in ("beta1_power", "beta2_power"):
        node = variable_behind(graph, passed[argument]) if argument in passed else None
        if node:
            yield node, Role(SLOT, "", optimizer)


def _node_of(entry: object) -> str:
    """The variable node that a collection entry names."""
    if isinstance(entry, Mapping):
        entry = entry.get("variable_name", "")
    return Tensor.parse(str(entry)).node


def trainable_nodes(
    collections: Mapping[str, tuple[object, ...]],
) -> frozenset[str] | None:
    """The variable nodes that the graph says are trained; None where it does not say."""
    if "trainable_variables" not in collections:
        return None
    return frozenset(map(_node_of, collections["trainable_variables"]))


def graph_variables(
    graph: Graph, collections: Mapping[str, tuple[object, ...]] | None = None
) -> tuple[Variable, ...]:
    """The variables, lookup tables and queues of a graph that no checkpoint goes with."""
    collections = collections or {}
    nodes = {
        name: (
            str(graph.attrs(name).get("dtype") or ""),
            graph.attrs(name).get("shape"),
        )
        for name in graph.by_op(*VARIABLE_OPS)
    }
    roles = {**roles_by_name(nodes), **roles_by_use(graph, collections)}
    trained = trainable_nodes(collections)
    variables = [
        Variable(
            name,
            dtype,
            shape,
            size_of(dtype, shape),
            roles[name].role,
            roles[name].of,
            trainable=None if trained is None else name in trained,
            optimizer=roles[name].optimizer,
        )
        for name, (dtype, shape) in nodes.items()
    ]
    return (*variables, *_resources(graph))


def _resources(graph: Graph) -> Iterator[Variable]:
    roles = {
        op: TABLE if _TABLE_OPS.match(op) else QUEUE
        for op in graph.kinds()
        if _TABLE_OPS.match(op) or _QUEUE_OPS.match(op)
    }
    for name in graph.by_op(*roles):
        yield Variable(name, "resource", (), 0, roles[graph.op(name)])


def size_of(dtype: str, shape: Any) -> int:
    """The bytes of a variable; 0 where its shape or dtype has no fixed size."""
    kind = numpy_dtype(dtype)
    if shape is None or None in shape or kind is None or kind.hasobject:
        return 0
    count = kind.itemsize
    for size in shape:
        count *= size
    return count


def joined_variables(
    stored: Iterable[Variable],
    graph: Graph,
    keys: Mapping[str, str],
    collections: Mapping[str, tuple[object, ...]],
) -> tuple[Variable, ...]:
    """A checkpoint's variables with what the graph that they fill says of them."""
    whole = {
        node: key.partition(" ")[0] if " " in key else key for node, key in keys.items()
    }
    used = roles_by_use(graph, collections)
    roles = {whole[node]: role for node, role in used.items() if node in whole}
    trained = trainable_nodes(collections)
    trains = {key for node, key in whole.items() if trained and node in trained}
    named = set(whole.values())
    variables = []
    for variable in stored:
        written_role = Role(variable.role, variable.of, variable.optimizer)
        role = roles.get(variable.name, written_role)
        of = whole.get(role.of, role.of)
        says = trained is not None and variable.name in named
        trainable = variable.name in trains if says else variable.trainable
        variables.append(
            replace(
                variable,
                role=role.role,
                of=of,
                trainable=trainable,
                optimizer=role.optimizer,
            )
        )
    return tuple(variables)
