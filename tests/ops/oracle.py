"""One row a case: an op with inputs and attributes; TensorFlow says what its shapes, values and text must be.

An input array is fed; a ``Known`` one is a constant of the graph. Everything else is an attribute. What holds of a case
is checked four ways: the shape rule against TensorFlow's inference (with all sizes known, without the batch, with the
rank alone, with nothing), the fold, the Keras text and the TensorFlow text against running the op.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from graphscope import ops
from graphscope.graph import TensorSpec
from graphscope.ops.values.dims import agree
from graphscope.wire import messages as proto
from graphscope.wire.attrs import Attrs

rng = np.random.default_rng(7)


def floats(*shape: int, low: float = -2.0, high: float = 2.0) -> np.ndarray:
    """Random float32."""
    return rng.uniform(low, high, shape).astype(np.float32)


def ints(*shape: int, low: int = -9, high: int = 9) -> np.ndarray:
    """Random int32."""
    return rng.integers(low, high, shape).astype(np.int32)


def bools(*shape: int) -> np.ndarray:
    return rng.integers(0, 2, shape).astype(bool)


ELSEWHERE = keras.backend.backend() != "tensorflow"


@dataclass(frozen=True)
class Known:
    """An input that the graph holds as a constant."""

    array: np.ndarray


def known(value: Any, dtype: str = "int32") -> Known:
    return Known(np.array(value, dtype))


@dataclass(frozen=True)
class Case:
    """One op with its raw_ops arguments."""

    op: str
    arguments: dict[str, Any]
    keras: bool = True  # an expression of keras.ops can say it
    body: bool = True  # where none can, the body of a layer
    fold: bool = True  # numpy can fold it
    symbolic: bool = True  # the Keras text takes symbolic tensors
    ports: tuple[int, ...] | None = None  # which outputs the Keras text gives
    elsewhere: tuple[int, ...] | None = None  # which JAX computes alike
    less: bool = False  # TensorFlow's inference may know more
    runs: bool = True  # TensorFlow has a kernel for it on CPU
    tolerance: float = 1e-5
    checks: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        words = [
            str(value)
            for value in self.arguments.values()
            if isinstance(value, str | int | float | list | tuple)
            and not _arrays(value)
        ]
        return "-".join([self.op, *words])[:80].replace("::", "")


OPS: set[str] = set()
"""The ops that have a row in the tests that are imported."""


def case(op: str, /, *, expect: dict[str, Any] | None = None, **arguments: Any) -> Case:
    """``expect`` sets the fields of Case, everything else goes to raw_ops."""
    OPS.add(op)
    return Case(op, arguments, **(expect or {}))


def _arrays(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(map(_arrays, value))
    return isinstance(value, np.ndarray | Known)


@dataclass
class Built:
    """A case as a graph of TensorFlow's and a call of ours."""

    call: ops.Call
    shapes: list[tuple[int | None, ...] | None]
    dtypes: list[str]
    inputs: list[Any]

    @property
    def ports(self) -> int:
        return len(self.shapes)


def build(row: Case, blur: Callable[[tuple[int, ...]], Any]) -> Built:
    """The op in a graph of TensorFlow's, its fed inputs as placeholders of blurred shape."""
    sources: dict[str, Any] = {}

    def tensor(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [tensor(item) for item in value]
        if isinstance(value, Known):
            made = tf.constant(value.array)
        else:
            made = tf.compat.v1.placeholder(value.dtype, blur(value.shape))
        sources[made.op.name] = value
        return made

    with tf.Graph().as_default() as graph:
        given = {
            name: tensor(value) if _arrays(value) else value
            for name, value in row.arguments.items()
        }
        getattr(tf.raw_ops, row.op)(**given)
        node = next(op for op in graph.get_operations() if op.type == row.op)
    inputs = [sources[i.op.name] for i in node.inputs]
    message = proto.NodeDef.FromString(node.node_def.SerializeToString())
    specs = [TensorSpec(i.dtype.base_dtype.name, _shape(i.shape)) for i in node.inputs]
    values = [i.array if isinstance(i, Known) else None for i in inputs]
    call = ops.Call(row.op, Attrs(message.attr), specs, values, "node")
    return Built(
        call,
        [_shape(o.shape) for o in node.outputs],
        [o.dtype.base_dtype.name for o in node.outputs],
        inputs,
    )


def _shape(shape: Any) -> tuple[int | None, ...] | None:
    return None if shape.rank is None else tuple(shape.as_list())


def run(row: Case, built: Built) -> list[np.ndarray]:
    """What TensorFlow computes, through our TensorFlow text."""
    names = [f"x{i}" for i in range(len(built.inputs))]
    text = ops.tensorflow_text(row.op, built.call.attrs, names)
    assert text is not None
    values = {n: tf.constant(_array(v)) for n, v in zip(names, built.inputs)}
    made = eval(text, {"tf": tf, **values})
    outputs = made if isinstance(made, list | tuple) else [made]
    return [_told_array(output.numpy()) for output in outputs]


def _told_array(value: Any) -> np.ndarray:
    """A scalar string comes as bytes."""
    return np.array(value, object) if isinstance(value, bytes) else np.asarray(value)


def _array(value: Any) -> np.ndarray:
    return value.array if isinstance(value, Known) else value


BLURS: dict[str, Callable[[tuple[int, ...]], Any]] = {
    "all known": lambda shape: shape,
    "no batch": lambda shape: (None, *shape[1:]) if shape else shape,
    "rank only": lambda shape: (None,) * len(shape),
    "nothing": lambda shape: None,
}


def check_shapes(row: Case) -> None:
    """The shape rule knows what TensorFlow knows, and contradicts it nowhere."""
    for name, blur in BLURS.items():
        built = build(row, blur)
        ours = ops.shapes(built.call, built.ports)
        for port, (mine, theirs) in enumerate(zip(ours, built.shapes, strict=True)):
            where = f"{row.op}:{port} with {name}: {mine}, TensorFlow says {theirs}"
            assert agree(mine, theirs), where
            if not row.less and name in ("all known", "no batch"):
                assert _knows(mine, theirs), where


def _knows(mine: Any, theirs: Any) -> bool:
    if theirs is None:
        return True
    return mine is not None and all(
        a is not None or b is None for a, b in zip(mine, theirs, strict=True)
    )


def check_outputs(row: Case, built: Built, wanted: Sequence[np.ndarray]) -> None:
    """The shape rule holds of what comes out."""
    ours = ops.shapes(built.call, built.ports)
    for mine, output in zip(ours, wanted, strict=True):
        assert agree(mine, output.shape), (row.op, mine, output.shape)


def check_fold(row: Case, built: Built, wanted: Sequence[np.ndarray]) -> None:
    """With all inputs known, numpy computes what TensorFlow does, dtype included."""
    values = [_array(value) for value in built.inputs]
    call = ops.Call(row.op, built.call.attrs, built.call.inputs, values)
    found = ops.values(call, built.ports)
    assert all(isinstance(value, np.ndarray) for value in found), found
    for ours, theirs in zip(found, wanted, strict=True):
        assert isinstance(ours, np.ndarray)
        assert ours.dtype == theirs.dtype, (row.op, ours.dtype, theirs.dtype)
        compare(ours, theirs, row)


def check_keras(row: Case, built: Built, wanted: Sequence[np.ndarray]) -> None:
    """The Keras text computes what TensorFlow does, eagerly and as a functional model."""
    names = [f"x{i}" for i in range(len(built.inputs))]
    text = ops.keras_text(built.call, names)
    assert text is not None, "keras.ops cannot say it"
    arrays = {n: _array(v) for n, v in zip(names, built.inputs)}
    eager = {n: keras.ops.convert_to_tensor(a) for n, a in arrays.items()}
    _compare_text(text, eager, row, built, wanted, "eagerly")
    if row.symbolic:
        _compare_symbolic(text, arrays, row, built, wanted)


def _evaluate(text: str, names: dict[str, Any]) -> Any:
    return eval(text, {"ops": keras.ops, "keras": keras, "np": np, **names})


def _compare_text(
    text: str,
    names: dict[str, Any],
    row: Case,
    built: Built,
    wanted: Sequence[np.ndarray],
    how: str,
) -> None:
    made = _evaluate(text, names)
    outputs = list(made) if isinstance(made, list | tuple) else [made]
    assert len(outputs) == built.ports, (text, how)
    for port in _told(row, built):
        got = keras.ops.convert_to_numpy(outputs[port])
        assert got.dtype == wanted[port].dtype, (text, got.dtype, wanted[port].dtype)
        compare(got, wanted[port], row, f"{text} {how}")


def _told(row: Case, built: Built) -> Sequence[int]:
    if ELSEWHERE and row.elsewhere is not None:
        return row.elsewhere
    return range(built.ports) if row.ports is None else row.ports


def _compare_symbolic(
    text: str,
    arrays: dict[str, np.ndarray],
    row: Case,
    built: Built,
    wanted: Sequence[np.ndarray],
) -> None:
    names: dict[str, Any] = {}
    feeds: dict[str, np.ndarray] = {}
    for (name, array), value in zip(arrays.items(), built.inputs, strict=True):
        if isinstance(value, Known) or not array.shape:
            names[name] = keras.ops.convert_to_tensor(array)
        else:
            dtype = array.dtype.name
            names[name] = keras.Input(batch_shape=array.shape, dtype=dtype, name=name)
            feeds[name] = array
    if not feeds:
        return
    made = _evaluate(text, names)
    outputs = list(made) if isinstance(made, list | tuple) else [made]
    told = [port for port in _told(row, built)]
    if not all(keras.utils.is_keras_tensor(outputs[port]) for port in told):
        return  # a constant
    model = keras.Model(
        {name: names[name] for name in feeds}, [outputs[port] for port in told]
    )
    found = model(feeds)
    found = found if isinstance(found, list) else [found]
    for port, got in zip(told, found, strict=True):
        array = keras.ops.convert_to_numpy(got)
        compare(array, wanted[port], row, f"{text} as a model")


def compare(got: Any, wanted: Any, row: Case, what: str = "") -> None:
    """Equal within the case's tolerance, in shape exactly."""
    assert got.shape == wanted.shape, (row.op, what, got.shape, wanted.shape)
    if wanted.dtype.kind in "fc" or wanted.dtype.name == "bfloat16":
        tolerance = row.tolerance
        np.testing.assert_allclose(
            got.astype("complex128"),
            wanted.astype("complex128"),
            tolerance,
            tolerance,
            err_msg=what,
        )
    else:
        np.testing.assert_array_equal(got, wanted, err_msg=what)


def check(row: Case) -> None:
    """All that holds of a case; under another backend what the statements of bodies compute there."""
    if ELSEWHERE:
        check_elsewhere(row)
        return
    check_shapes(row)
    if not row.runs:
        return
    built = build(row, BLURS["all known"])
    wanted = run(row, built)
    check_outputs(row, built, wanted)
    found = ops.meaning(row.op)
    assert found is not None
    if found.fold is not None and row.fold:
        check_fold(row, built, wanted)
    is_body = _needs_body(built)
    if found.keras is not None and row.keras and not is_body:
        check_keras(row, built, wanted)
    elif found.keras is not None:
        names = [f"x{i}" for i in range(len(built.inputs))]
        assert ops.keras_text(built.call, names) is None
    if is_body and row.body:
        check_body(row, built, wanted)
    check_open_body(row, built, wanted)


def _needs_body(built: Built) -> bool:
    """Whether the statements of a layer say it, and no expression does."""
    found = ops.meaning(built.call.op)
    names = [f"x{i}" for i in range(len(built.inputs))]
    has_body = found is not None and found.body is not None
    return has_body and ops.keras_text(built.call, names) is None


def check_open_body(row: Case, built: Built, wanted: Sequence[np.ndarray]) -> None:
    """The body of a call whose sizes are all open, where an expression takes them known."""
    free = build(row, BLURS["rank only"])
    names = [f"x{i}" for i in range(len(built.inputs))]
    said = ops.keras_body(replace(free.call, inside=True), names)
    if said and row.body and not _needs_body(built) and _needs_body(free):
        check_body(row, free, wanted)


def check_body(row: Case, built: Built, wanted: Sequence[np.ndarray]) -> None:
    """The statements compute what TensorFlow does, eagerly and traced with open sizes."""
    names = [f"x{i}" for i in range(len(built.inputs))]
    call = replace(built.call, inside=True)
    body = ops.keras_body(call, names)
    assert body is not None, "keras.ops cannot say it"
    lines = [f"def call({', '.join(names)}):", *(f"    {line}" for line in body)]
    space = {"ops": keras.ops, "keras": keras, "np": np}
    exec("\n".join(lines), space)
    arrays = [keras.ops.convert_to_tensor(_array(each)) for each in built.inputs]
    functions = [space["call"]]
    if not ELSEWHERE:
        open_sizes = [tf.TensorSpec([None] * a.ndim, a.dtype) for a in arrays]
        functions.append(
            tf.function(functions[0], input_signature=open_sizes, autograph=False)
        )
    for function in functions:
        made = function(*arrays)
        outputs = list(made) if isinstance(made, list | tuple) else [made]
        for port in _told(row, built):
            got = keras.ops.convert_to_numpy(outputs[port])
            is_narrow = ELSEWHERE and wanted[port].dtype.itemsize == 8  # JAX's int64
            assert is_narrow or got.dtype == wanted[port].dtype, (row.op, got.dtype)
            compare(got, wanted[port], row, "\n".join(body))


def check_elsewhere(row: Case) -> None:
    """What an op's body computes on the backend that KERAS_BACKEND names."""
    found = ops.meaning(row.op)
    if not row.runs or not row.body or found is None or found.body is None:
        return
    built = build(row, BLURS["all known"])
    if not _needs_body(built) and not _needs_body(build(row, BLURS["rank only"])):
        return
    wanted = run(row, built)
    if _needs_body(built):
        check_body(row, built, wanted)
    check_open_body(row, built, wanted)


def table(*rows: Case) -> Any:
    """The decorator of a test that takes one ``row``."""
    return pytest.mark.parametrize("row", rows, ids=str)
