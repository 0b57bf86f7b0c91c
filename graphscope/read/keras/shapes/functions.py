"""Functions that a model calls between its layers (``keras.ops``, Keras 2's ``tf.math.add``) -> what they yield."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....graph import TensorSpec
from ....graph.keras import KerasCall, KerasLayer, LayerOutput
from ....graph.keras.operations import snake_case
from .reshaping import broadcast

Sizes = tuple[int | None, ...]
_TRUTHS = frozenset(
    """equal not_equal greater greater_equal less less_equal logical_and logical_or logical_not logical_xor isnan isinf
    isfinite is_nan is_inf is_finite any all reduce_any reduce_all""".split()
)
_REDUCTIONS = frozenset(
    "mean sum max min prod any all std var logsumexp variance".split()
)
_INDICES = frozenset("argmax argmin".split())
_SHAPED = frozenset(
    "reshape expand_dims squeeze transpose tile concat concatenate stack split unstack getitem get_item matmul cast".split()
)
_UNKNOWN = frozenset(
    """einsum dot tensordot take gather one_hot pad repeat image.resize resize conv depthwise_conv shape size top_k where
    broadcast_to slice""".split()
)


def function_specs(
    layer: KerasLayer, call: KerasCall, inputs: Sequence[TensorSpec]
) -> tuple[TensorSpec, ...]:
    """What one call yields; () where nobody knows."""
    name = _name(layer)
    known = [spec.shape for spec in inputs if spec.shape is not None]
    if not known or len(known) < len(inputs) or name in _UNKNOWN:
        return ()
    told = {**layer.config, **call.kwargs}
    plain = [a for a in call.args if not _is_tensor(a)]
    try:
        found = _shapes(name, known, told, plain)
    except (
        TypeError,
        ValueError,
        IndexError,
        KeyError,
        AttributeError,
        ZeroDivisionError,
    ):
        return ()
    dtype = _dtype(name, inputs[0].dtype, told, plain)
    return tuple(TensorSpec(dtype, shape) for shape in found)


def _name(layer: KerasLayer) -> str:
    if layer.kind == "function":
        return str(layer.config.get("function", "")).rpartition(".")[2].strip("_")
    return snake_case(layer.class_name)


def _is_tensor(value: Any) -> bool:
    if isinstance(value, LayerOutput):
        return True
    return isinstance(value, list | tuple) and any(map(_is_tensor, value))


def _dtype(name: str, given: str, told: Mapping[str, Any], plain: Sequence[Any]) -> str:
    if name in _TRUTHS:
        return "bool"
    if name == "cast":
        return str(told.get("dtype") or (plain[0] if plain else given))
    return "int64" if name in _INDICES else given


def _shapes(
    name: str, shapes: list[Sizes], told: Mapping[str, Any], plain: Sequence[Any]
) -> list[Sizes]:
    first = shapes[0]
    if (
        name in _REDUCTIONS
        or name.removeprefix("reduce_") in _REDUCTIONS
        or name in _INDICES
    ):
        return [_reduced(first, told, plain)]
    if name in ("getitem", "get_item"):
        index = told.get("slice_spec", plain[0] if plain else None)
        return [_item(first, index if isinstance(index, list | tuple) else (index,))]
    if name in _SHAPED:
        return _formed(name, shapes, told, plain)
    return [broadcast(shapes)]


def _axis(told: Mapping[str, Any], plain: Sequence[Any], default: Any = None) -> Any:
    return told.get("axis", plain[0] if plain else default)


def _reduced(shape: Sizes, told: Mapping[str, Any], plain: Sequence[Any]) -> Sizes:
    axis = _axis(told, plain)
    axes = (
        range(len(shape))
        if axis is None
        else axis if isinstance(axis, list | tuple) else (axis,)
    )
    places = {place % len(shape) for place in axes}
    keeps = bool(told.get("keepdims") or told.get("keep_dims"))
    if keeps:
        return tuple(1 if n in places else size for n, size in enumerate(shape))
    return tuple(size for n, size in enumerate(shape) if n not in places)


def _formed(
    name: str, shapes: list[Sizes], told: Mapping[str, Any], plain: Sequence[Any]
) -> list[Sizes]:
    first = shapes[0]
    rank = len(first)
    if name == "cast":
        return [first]
    if name == "reshape":
        target = told.get("shape", told.get("newshape", plain[0] if plain else None))
        return [tuple(None if size == -1 else size for size in target)]
    if name in ("concat", "concatenate"):
        axis = _axis(told, plain, -1) % rank
        total = [shape[axis] for shape in shapes]
        whole = None if None in total else sum(size or 0 for size in total)
        return [(*first[:axis], whole, *first[axis + 1 :])]
    if name == "expand_dims":
        axis = _axis(told, plain) % (rank + 1)
        return [(*first[:axis], 1, *first[axis:])]
    if name == "squeeze":
        axis = _axis(told, plain)
        gone = {
            place % rank
            for place in (axis if isinstance(axis, list | tuple) else (axis,))
        }
        return [tuple(size for n, size in enumerate(first) if n not in gone)]
    if name == "transpose":
        axes = told.get("perm", told.get("axes", plain[0] if plain else None))
        return [tuple(first[place] for place in axes or reversed(range(rank)))]
    if name == "tile":
        times = told.get("multiples", told.get("repeats", plain[0] if plain else None))
        return [
            tuple(
                None if s is None else s * t for s, t in zip(first, times, strict=True)
            )
        ]
    if name == "stack":
        axis = (told.get("axis") or 0) % (rank + 1)
        return [(*first[:axis], len(shapes), *first[axis:])]
    if name == "matmul":
        return [(*first[:-1], shapes[1][-1])]
    return _parts(name, first, told, plain)


def _parts(
    name: str, shape: Sizes, told: Mapping[str, Any], plain: Sequence[Any]
) -> list[Sizes]:
    axis = (told.get("axis") or 0) % len(shape)
    size = shape[axis]
    if name == "unstack":
        return [(*shape[:axis], *shape[axis + 1 :])] * (size or 0)
    many = told.get(
        "num_or_size_splits", told.get("indices_or_sections", plain[0] if plain else 1)
    )
    if isinstance(many, int):
        part = None if size is None else size // many
        return [(*shape[:axis], part, *shape[axis + 1 :])] * many
    return [(*shape[:axis], each, *shape[axis + 1 :]) for each in many]


def _item(shape: Sizes, index: Sequence[Any]) -> Sizes:
    """The sizes of what an index takes, as Python does."""
    if any(each is ... or each == "Ellipsis" for each in index):
        place = next(n for n, e in enumerate(index) if e is ... or e == "Ellipsis")
        count = len(shape) - sum(e is not None for e in index) + 1
        index = [*index[:place], *[slice(None)] * count, *index[place + 1 :]]
    made: list[int | None] = []
    rest = list(shape)
    for each in index:
        if each is None:
            made.append(1)
            continue
        size = rest.pop(0)
        if isinstance(each, Mapping):
            each = slice(*(each.get(key) for key in ("start", "stop", "step")))
        if isinstance(each, slice):
            made.append(_sliced(size, each))
    return (*made, *rest)


def _sliced(size: int | None, part: slice) -> int | None:
    if size is not None:
        return len(range(*part.indices(size)))
    return None
