"""One op with random legal arguments, and a reader of what it gives -> a GraphDef, feeds, and what TensorFlow computes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.python.framework import op_def_library, op_def_registry

from .arguments import BY_NAME, BY_OP, Draw, base_shape, data
from .net import Net
from .recipes import RECIPES
from .styles import STYLES

v1 = tf.compat.v1
DTYPES = "float32 float32 float32 int32 int32 int64 float64 bool uint8 float16".split()
KNOWN = {*DTYPES, "int8", "int16", "uint16", "complex64", "string", "bfloat16"}
INDEX_LIKE = frozenset(
    "axis dim shape dims size sizes multiples paddings crops begin end strides perm k depth num_segments block_shape "
    "split_dim concat_dim reduction_indices dimension size_splits input_sizes num crop_size output_shape shift".split()
)


@dataclass(frozen=True)
class Case:
    """A graph, what is fed (by node), and what TensorFlow gives (by tensor)."""

    name: str
    graph: bytes
    feeds: dict[str, np.ndarray]
    results: dict[str, np.ndarray]


class Illegal(Exception):
    """What was drawn is no call of the op."""


def seeded(op: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(op.encode())])


def drawn(op: str, rng: np.random.Generator) -> Draw:
    """The op's attributes and inputs."""
    draw = Draw(rng, op, base_shape(rng, op))
    definition = op_def_registry.get(op)
    if definition is None:
        raise Illegal(op)
    if op in RECIPES:
        _take(draw, RECIPES[op](draw), definition)
    types = {a.name: _dtype(draw, a) for a in definition.attr if a.type == "type"}
    counts: dict[str, int] = {}
    for arg in definition.input_arg:
        if arg.name in draw.inputs or op in RECIPES:
            continue
        draw.inputs[arg.name] = _input(draw, arg, types, counts)
    for attr in definition.attr:
        _attribute(draw, attr, types)
    return draw


def _take(draw: Draw, said: dict[str, Any], definition: Any) -> None:
    names = {arg.name for arg in definition.input_arg}
    for name, value in said.items():
        (draw.inputs if name in names else draw.attrs)[name] = value


def _dtype(draw: Draw, attr: Any) -> str:
    allowed = [
        tf.dtypes.as_dtype(t).name
        for t in attr.allowed_values.list.type or attr.default_value.list.type
    ]
    if attr.HasField("default_value") and draw.chance(0.7):
        return str(tf.dtypes.as_dtype(attr.default_value.type).name)
    choices = [d for d in DTYPES if d in allowed or not allowed] or allowed
    if draw.chance(0.5) and "float32" in choices:
        return "float32"
    choice = draw.pick(choices)
    if choice not in KNOWN:
        raise Illegal(choice)
    return str(choice)


def _input(draw: Draw, arg: Any, types: dict[str, str], counts: dict[str, int]) -> Any:
    if arg.type_list_attr:
        return [
            data(draw, draw.pick(["float32", "int32"])) for _ in range(draw.whole(1, 3))
        ]
    dtype = types[arg.type_attr] if arg.type_attr else ""
    dtype = dtype or types_pb2.DataType.Name(arg.type).removeprefix("DT_").lower()
    dtype = {"float": "float32", "double": "float64", "half": "float16"}.get(
        dtype, dtype
    )
    if dtype not in KNOWN or arg.is_ref:
        raise Illegal(dtype)
    if arg.number_attr:
        count = counts.setdefault(arg.number_attr, draw.whole(1, 3))
        return [data(draw, dtype) for _ in range(count)]
    rule = BY_OP.get((draw.op, arg.name)) or BY_NAME.get(arg.name)
    if rule is not None and not (
        arg.name in ("min", "max", "n", "k", "num") and arg.type_attr == ""
    ):
        return rule(draw, dtype)
    if rule is not None:
        return rule(draw, dtype)
    return _operand(draw, dtype)


def _operand(draw: Draw, dtype: str) -> np.ndarray:
    """Of the base shape; now and then of one that is broadcast against it."""
    if draw.inputs and draw.chance(0.3):
        shape = draw.shape[draw.whole(0, len(draw.shape)) :]
        return data(draw, dtype, [1 if draw.chance(0.2) else n for n in shape])
    return data(draw, dtype)


def _attribute(draw: Draw, attr: Any, types: dict[str, str]) -> None:
    inferred = {
        name
        for arg in op_def_registry.get(draw.op).input_arg
        for name in (arg.type_attr, arg.number_attr, arg.type_list_attr)
    }
    if attr.name in draw.attrs or attr.name in inferred:
        return
    if attr.type == "func":
        raise Illegal("a function")
    if attr.type == "type":
        draw.attrs[attr.name] = tf.dtypes.as_dtype(types[attr.name])
        return
    has_default = attr.HasField("default_value")
    value = None
    if not has_default or draw.chance(0.4) and draw.op not in RECIPES:
        value = _value(draw, attr, has_default)
    if value is None and has_default:
        value = _default(attr.default_value)
    if value is not None:
        draw.attrs[attr.name] = value


def _default(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "list":
        lists = (list(getattr(value.list, k)) for k in ("i", "f", "s", "type", "b"))
        return next((many for many in lists if many), [])
    if kind == "shape":
        return tf.TensorShape(value.shape)
    return getattr(value, kind)


def _value(draw: Draw, attr: Any, has_default: bool) -> Any:
    allowed = [s.decode() for s in attr.allowed_values.list.s]
    if attr.type == "string":
        known = allowed or ([] if has_default else ["a"])
        known = [s for s in known if not s.startswith("NC")] or known
        return draw.pick(known) if known else None
    if attr.type == "bool":
        return draw.chance()
    if attr.type == "int":
        rank = len(draw.shape)
        if attr.name in ("axis", "batch_dim", "seq_dim", "dim"):
            return draw.whole(0, max(0, rank - 1))
        if has_default and attr.name not in ("num_bits", "block_size"):
            return None
        return draw.whole(max(1, attr.minimum), max(3, attr.minimum + 1))
    if attr.type == "float":
        if has_default and not attr.default_value.f:
            return None
        return float(draw.rng.uniform(0.1, 1.0))
    if attr.type == "shape" and not has_default:
        return list(draw.shape)
    if attr.type == "list(int)" and not has_default:
        return [1] * draw.whole(1, 4)
    return None


def case(op: str, seed: int, tries: int = 25) -> Case | None:
    """A graph of the op that TensorFlow runs; None where none of the draws does."""
    rng = seeded(op, seed)
    for _ in range(tries):
        try:
            return _built(f"{op}_{seed}", drawn(op, rng), rng)
        except (
            Illegal,
            ValueError,
            TypeError,
            IndexError,
            KeyError,
            ZeroDivisionError,
        ):
            continue
        except (tf.errors.OpError, AttributeError, OverflowError, NotImplementedError):
            continue
    return None


def _built(name: str, draw: Draw, rng: np.random.Generator) -> Case:
    feeds: dict[str, np.ndarray] = {}
    with tf.Graph().as_default() as graph:
        tensors = {}
        for key, value in draw.inputs.items():
            many = value if isinstance(value, list) else [value]
            placed = [
                _source(draw, key, f"{key}_{n}" if len(many) > 1 else key, v, feeds)
                for n, v in enumerate(many)
            ]
            tensors[key] = placed if isinstance(value, list) else placed[0]
        if not feeds and tensors:
            raise Illegal("nothing is fed")
        outputs = op_def_library.apply_op(draw.op, name="op", **tensors, **draw.attrs)
        given = [t for t in tf.nest.flatten(outputs) if isinstance(t, tf.Tensor)]
        given = [t for t in given if t.dtype.name in KNOWN]
        if draw.op == "Svd" and not draw.attrs["compute_uv"]:
            given = given[:1]  # the others are memory that nobody has set
        if not given:
            raise Illegal("no output")
        read = _read(draw, given)
    return finished(name, graph, read, feeds)


def finished(
    name: str, graph: Any, read: list[Any], feeds: dict[str, np.ndarray]
) -> Case:
    """The case, run twice: what differs from run to run is none."""
    config = v1.ConfigProto(
        intra_op_parallelism_threads=1, inter_op_parallelism_threads=1
    )
    with v1.Session(graph=graph, config=config) as session:
        fed = {f"{key}:0": value for key, value in feeds.items()}
        got, again = (session.run([t.name for t in read], fed) for _ in range(2))
    for a, b in zip(got, again):
        if not np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind in "fc"):
            raise Illegal("random")
    results = {t.name: _whole(value) for t, value in zip(read, got)}
    return Case(name, graph.as_graph_def().SerializeToString(), feeds, results)


def _whole(value: Any) -> np.ndarray:
    """An array; of a text all bytes, of which numpy's own type drops the last ones that are 0."""
    return np.asarray(value, object if isinstance(value, bytes) else None)


def _source(
    draw: Draw, key: str, name: str, value: Any, feeds: dict[str, np.ndarray]
) -> Any:
    """A placeholder, or a constant: most of what says where, how large or how far is one."""
    array = np.asarray(value)
    if key in INDEX_LIKE and not draw.chance(0.15) or feeds and draw.chance(0.15):
        return tf.constant(array, name=name)
    feeds[name] = array
    kind = draw.rng.random()
    shape: list[int | None] = list(array.shape)
    if kind < 0.25 and array.ndim:
        shape[0] = None
    elif kind < 0.32:
        shape = [None] * array.ndim
    return v1.placeholder(array.dtype, shape, name)


def _read(draw: Draw, given: list[Any]) -> list[Any]:
    """What reads the outputs: nothing, an Identity, or an op of its own."""
    kind = draw.whole(0, 3)
    if kind == 0:
        return given
    if kind == 1 or given[0].dtype.name not in ("float32", "int32"):
        return [tf.identity(t, "out") for t in given]
    first = given[0]
    if kind == 2:
        reader = draw.pick([tf.nn.relu, tf.abs, tf.negative, tf.square])
        return [reader(first, name="out"), *given[1:]]
    return [tf.add(first, tf.cast(3, first.dtype), name="out"), *given[1:]]


def styled(name: str, seed: int) -> Case | None:
    """A graph of one of the styles; None where TensorFlow does not run it."""
    net = Net(seeded(name, seed))
    try:
        with tf.Graph().as_default() as graph:
            given = [t for t in tf.nest.flatten(STYLES[name](net)) if tf.is_tensor(t)]
            out = [tf.identity(t, "output") if net.chance() else t for t in given]
        return finished(f"{name}_{seed}", graph, out, net.feeds)
    except (Illegal, ValueError, TypeError, tf.errors.OpError, AttributeError) as error:
        print(f"{name}: {error}"[:300])
        return None
