"""Shape and array manipulation: what reshapes, transposes, repeats and reverses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...graph import Shape
from ...wire.attrs import numpy_dtype
from ..registry import Call, Unsaid, define
from ..text import literal
from ..values.dims import Dim, axis_of, elements, product, same, shape_from, unknown

_FIRST = slice(0, 1)


def _reshape_shape(call: Call) -> tuple[Shape]:
    target = call.dims(1)
    if target is None:
        return (None,)
    total = elements(call.shape(0))
    dims: list[Dim] = [None if d is None or d < 0 else d for d in target]
    if dims.count(None) == 1 and total is not None:
        rest = product(d for d in dims if d is not None)
        if rest and total % rest:
            raise Unsaid(f"{total} elements make no rows of {rest}")
        if rest:
            dims[dims.index(None)] = total // rest
    return (tuple(dims),)


def _reshape_text(call: Call, x: str, _: str) -> str | None:
    dims = call.dims(1)
    if dims is None:
        return None
    target = [-1 if d is None else d for d in dims]
    if target.count(-1) > 1:
        return _keep_batch(call, x, target)
    return f"ops.reshape({x}, {literal(tuple(target))})"


def _keep_batch(call: Call, x: str, target: list[int]) -> str | None:
    """Two unknown sizes: sayable when the known shape of the input or of the output tells all but one."""
    batch = _reshape_shape(call)[0]
    if batch is not None and list(batch).count(None) <= 1:
        return (
            f"ops.reshape({x}, {literal(tuple(-1 if d is None else d for d in batch))})"
        )
    return None


define(
    "Reshape",
    shape=_reshape_shape,
    keras=_reshape_text,
    fold=lambda x, shape: np.reshape(x, tuple(int(d) for d in shape)),
    traits="movement",
    moves=_FIRST,
)


def _squeeze_shape(call: Call) -> tuple[Shape]:
    shape, axes = call.shape(0), call.get("squeeze_dims") or ()
    if shape is None:
        return (None,)
    if axes:
        gone = {axis_of(axis, len(shape)) for axis in axes}
        return (tuple(size for i, size in enumerate(shape) if i not in gone),)
    if None in shape:
        return (None,)
    return (tuple(size for size in shape if size != 1),)


def _likely_squeeze_shape(call: Call) -> tuple[Shape]:
    """Without axes all sizes of one go: a size that is not known (of a batch) is most likely another."""
    shape = call.shape(0)
    return (None if shape is None else tuple(size for size in shape if size != 1),)


def _squeeze_text(call: Call, x: str) -> str | None:
    axes, shape = call.get("squeeze_dims") or (), call.shape(0)
    if not axes:
        if shape is None or None in shape:
            return None
        axes = tuple(i for i, size in enumerate(shape) if size == 1)
    if not axes:
        return x
    return (
        f"ops.squeeze({x}, axis={literal(axes[0] if len(axes) == 1 else tuple(axes))})"
    )


define(
    "Squeeze",
    shape=_squeeze_shape,
    likely=_likely_squeeze_shape,
    keras=_squeeze_text,
    body=lambda call, x: f"return ops.squeeze({x})",
    fold=lambda x, *, squeeze_dims: np.squeeze(x, tuple(squeeze_dims) or None),
    traits="movement",
    moves=_FIRST,
)


def _expand_shape(call: Call) -> tuple[Shape]:
    shape, axis = call.shape(0), call.integer(1)
    if shape is None:
        return (None,)
    if axis is None:
        return (unknown(len(shape) + 1),)
    at = axis_of(axis, len(shape) + 1)
    return ((*shape[:at], 1, *shape[at:]),)


define(
    "ExpandDims",
    shape=_expand_shape,
    keras=lambda call, x, _: (
        None
        if call.integer(1) is None
        else f"ops.expand_dims({x}, axis={call.integer(1)})"
    ),
    fold=lambda x, axis: np.expand_dims(x, int(axis.reshape(()))),
    traits="movement",
    moves=_FIRST,
)


def _transpose_shape(call: Call) -> tuple[Shape]:
    shape, axes = call.shape(0), call.dims(1)
    if axes is None:
        if shape is None or len(shape) < 2:
            return (shape,)
        return (unknown(len(shape)),)
    if shape is None:
        return (unknown(len(axes)),)
    if len(shape) != len(axes):
        raise Unsaid("perm is not as long as the rank")
    return (tuple(None if a is None else shape[axis_of(a, len(shape))] for a in axes),)


def _transpose_text(call: Call, x: str, _: str) -> str | None:
    axes = call.integers(1)
    if axes is None or call.dtype(0).startswith("complex"):
        return None
    if axes == tuple(range(len(axes))):
        return x
    return f"ops.transpose({x}, {literal(axes)})"


define(
    "Transpose",
    shape=_transpose_shape,
    keras=_transpose_text,
    fold=lambda x, axes: np.transpose(x, tuple(int(a) for a in axes)),
    traits="movement",
    moves=_FIRST,
)
define(
    "ConjugateTranspose",
    shape=_transpose_shape,
    keras=_transpose_text,
    fold=lambda x, axes: np.conj(np.transpose(x, tuple(int(a) for a in axes))),
)


def _tile_shape(call: Call) -> tuple[Shape]:
    shape, times = call.shape(0), call.dims(1)
    if shape is None or times is None:
        rank = call.rank(0) if times is None else len(times)
        return (None if rank is None else unknown(rank),)
    if len(shape) != len(times):
        raise Unsaid("multiples are not as many as dimensions")
    return (tuple(product(pair) for pair in zip(shape, times, strict=True)),)


def _tile_text(call: Call, x: str) -> str | None:
    """Axes of one that are repeated are broadcast: unlike ``tile``, that keeps what is known of the other sizes."""
    times, shape = call.integers(1), call.shape(0)
    if times is None:
        return None
    if shape is not None and len(shape) == len(times):
        pairs = list(zip(shape, times, strict=True))
        if all(size == 1 or n == 1 and size is not None for size, n in pairs):
            sizes = tuple(n if size == 1 else size for size, n in pairs)
            return f"ops.broadcast_to({x}, {literal(sizes)})"
    return f"ops.tile({x}, {literal(times)})"


define(
    "Tile",
    shape=_tile_shape,
    keras=lambda call, x, _: _tile_text(call, x),
    fold=lambda x, times: np.tile(x, tuple(int(t) for t in times)),
    traits="movement",
    moves=_FIRST,
)


define(
    "InvertPermutation",
    shape=same,
    keras="ops.argsort({0})",
    fold=lambda x: np.argsort(x).astype(x.dtype),
)


def _flips(call: Call, x: str, axes: Sequence[int] | None) -> str | None:
    if axes is None:
        return None
    if not axes:
        return x
    return f"ops.flip({x}, axis={literal(axes[0] if len(axes) == 1 else tuple(axes))})"


def _fed_flips(call: Call, x: str, axes: str) -> str | None:
    """Along each axis of the tensor that is among the fed ones, or whose flag is set."""
    rank = call.rank(0)
    if not rank or not axes.isidentifier():
        return None
    is_fed = f"{axes}[place]"
    if call.op == "ReverseV2":
        is_fed = f"ops.any({axes} % {rank} == place)"
    return f"""
for place in range({rank}):
    {x} = ops.where({is_fed}, ops.flip({x}, axis=place), {x})
return {x}
"""


define(
    "ReverseV2",
    shape=same,
    keras=lambda call, x, _: _flips(call, x, call.integers(1)),
    body=_fed_flips,
    fold=lambda x, axes: np.flip(x, tuple(int(a) for a in axes)),
    traits="movement",
    moves=_FIRST,
)


def _reversed_axes(call: Call) -> list[int] | None:
    flags = call.integers(1)
    return None if flags is None else [i for i, flag in enumerate(flags) if flag]


define(
    "Reverse",
    shape=same,
    keras=lambda call, x, _: _flips(call, x, _reversed_axes(call)),
    body=_fed_flips,
    fold=lambda x, flags: np.flip(x, tuple(np.flatnonzero(flags))),
    traits="movement",
    moves=_FIRST,
)


def _reversed_beginnings(call: Call, x: str, lengths: str) -> str | None:
    """Each example by the places of its own: the first ones backwards, the rest as they are."""
    shape, over, by = call.shape(0), call["seq_dim"], call.get("batch_dim", 0)
    if shape is None or not 0 <= over < len(shape) or shape[over] is None:
        return None
    steps = f'ops.arange({shape[over]}, dtype="int32")'
    long = f'ops.expand_dims(ops.cast({lengths}, "int32"), 1)'
    at = f"ops.where({long} > {steps}, {long} - 1 - {steps}, {steps})"
    at = f"ops.transpose({at})" if over < by else at
    sizes = [1] * len(shape)
    sizes[by], sizes[over] = shape[by] or -1, shape[over] or 0
    at = f"ops.reshape({at}, {literal(tuple(sizes))})"
    return f"ops.take_along_axis({x}, {at}, axis={over})"


define("ReverseSequence", shape=same, keras=_reversed_beginnings)


def _roll_text(call: Call, x: str, shift: str, axis: str) -> str | None:
    shifts, axes = call.integers(1), call.integers(2)
    if not shifts or not axes:
        return None
    if len(shifts) == 1:
        return f"ops.roll({x}, {shifts[0]}, axis={axes[0]})"
    return f"ops.roll({x}, {literal(tuple(shifts))}, axis={literal(tuple(axes))})"


define(
    "Roll",
    shape=same,
    keras=_roll_text,
    fold=lambda x, shift, axis: np.roll(
        x, tuple(np.ravel(shift).tolist()), tuple(np.ravel(axis).tolist())
    ),
    traits="movement",
    moves=_FIRST,
)


def _broadcast_args_shape(call: Call) -> tuple[Shape]:
    lengths = [None if i.shape is None else i.shape[0] for i in call.inputs]
    if None in lengths:
        return ((None,),)
    return ((max(lengths, default=0),),)  # type: ignore[type-var]


define(
    "BroadcastArgs",
    shape=_broadcast_args_shape,
    fold=lambda a, b: np.array(
        np.broadcast_shapes(tuple(a.tolist()), tuple(b.tolist())), a.dtype
    ),
)


def _gradient_axes(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Over which axes the gradient of each operand is summed: those along which it was repeated."""
    rank = max(len(a), len(b))
    left, right = ([1] * (rank - len(s)) + s.tolist() for s in (a, b))
    pairs = list(enumerate(zip(left, right, strict=True)))
    if left == right:
        return a[:0], b[:0]
    return (
        np.array([i for i, (x, _) in pairs if x == 1], a.dtype),
        np.array([i for i, (_, y) in pairs if y == 1], b.dtype),
    )


def _gradient_axes_shape(call: Call) -> tuple[Shape, Shape]:
    left, right = call.value(0), call.value(1)
    if left is None or right is None:
        return (None,), (None,)
    first, second = _gradient_axes(left, right)
    return first.shape, second.shape


define("BroadcastGradientArgs", shape=_gradient_axes_shape, fold=_gradient_axes)


_VIEWED = frozenset("float16 float32 int16 int32 int64 uint16 uint32".split())


def _bitcast_shape(call: Call) -> tuple[Shape]:
    shape = call.shape(0)
    source, target = numpy_dtype(call["T"]), numpy_dtype(call["type"])
    if shape is None or source is None or target is None:
        return (None,)
    if source.itemsize == target.itemsize:
        return (shape,)
    if source.itemsize < target.itemsize:
        return (shape[:-1],)
    return ((*shape, source.itemsize // target.itemsize),)


def _bitcast_text(call: Call, x: str) -> str | None:
    """Numbers as wide as before: Keras has words for no others, nor for types that it does not know."""
    source, target = call.dtype(0), str(call["type"])
    is_plain = {source, target} <= _VIEWED and source[-2:] == target[-2:]
    return f"ops.view({x}, {literal(target)})" if is_plain else None


def _bitcast(x: np.ndarray, *, type: str) -> np.ndarray | None:
    """The same bytes as numbers of another type; None where numpy has no such type."""
    target = numpy_dtype(type)
    if target is None or target == object or x.dtype == object:
        return None
    if x.dtype.itemsize == target.itemsize:
        return x.view(target)
    if x.dtype.itemsize < target.itemsize:
        return np.ascontiguousarray(x).view(target)[..., 0]
    return np.ascontiguousarray(x[..., None]).view(target)


define("Bitcast", shape=_bitcast_shape, keras=_bitcast_text, fold=_bitcast)
define("Empty", shape=lambda call: (shape_from(call, 0),))
define(
    "ParallelConcat",
    shape=lambda call: (call["shape"],),
    keras=lambda call, *texts: f"ops.concatenate([{', '.join(texts)}], axis=0)",
)
define(
    "Copy",
    "CopyHost",
    shape=same,
    keras="{0}",
    fold=lambda x: x,
    traits="pass-through",
    moves=_FIRST,
)


define("_ParallelConcatUpdate", shape=same)
define("DeepCopy", shape=same, keras="ops.copy({0})")  # Keras's mask ends there
