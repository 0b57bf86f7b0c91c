"""Functions that a model calls between its layers (``keras.ops``, Keras 2's ``tf.math.add``) -> what they yield."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ....graph import TensorSpec
from ....graph.keras import KerasCall, KerasLayer, LayerOutput
from ....graph.keras.operations import snake_case
from ....graph.named_values import Config
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
    ranked = [spec.shape for spec in inputs if spec.shape is not None]
    if not ranked or len(ranked) < len(inputs) or name in _UNKNOWN:
        return ()
    settings = {**layer.config, **call.kwargs}
    plain = [a for a in call.args if not _is_tensor(a)]
    try:
        shapes = _shapes(name, ranked, settings, plain)
    except (
        TypeError,
        ValueError,
        IndexError,
        KeyError,
        AttributeError,
        ZeroDivisionError,
    ):
        return ()
    dtype = _dtype(name, inputs[0].dtype, settings, plain)
    return tuple(TensorSpec(dtype, shape) for shape in shapes)


def _name(layer: KerasLayer) -> str:
    if layer.kind == "function":
        return str(layer.config.get("function", "")).rpartition(".")[2].strip("_")
    return snake_case(layer.class_name)


def _is_tensor(value: object) -> bool:
    if isinstance(value, LayerOutput):
        return True
    return isinstance(value, list | tuple) and any(map(_is_tensor, value))


def _dtype(name: str, dtype: str, settings: Config, plain: Sequence[object]) -> str:
    if name in _TRUTHS:
        return "bool"
    if name == "cast":
        return str(settings.get("dtype") or (plain[0] if plain else dtype))
    return "int64" if name in _INDICES else dtype


def _shapes(
    name: str, shapes: list[Sizes], settings: Config, plain: Sequence[object]
) -> list[Sizes]:
    first = shapes[0]
    if (
        name in _REDUCTIONS
        or name.removeprefix("reduce_") in _REDUCTIONS
        or name in _INDICES
    ):
        return [_reduced(first, settings, plain)]
    if name in ("getitem", "get_item"):
        index = settings.get("slice_spec", plain[0] if plain else None)
        return [_item(first, index if isinstance(index, list | tuple) else (index,))]
    if name in _SHAPED:
        return _formed(name, shapes, settings, plain)
    return [broadcast(shapes)]


def _axis(settings: Config, plain: Sequence[object], default: object = None) -> Any:
    return settings.get("axis", plain[0] if plain else default)


def _reduced(shape: Sizes, settings: Config, plain: Sequence[object]) -> Sizes:
    axis = _axis(settings, plain)
    axes = (
        range(len(shape))
        if axis is None
        else axis if isinstance(axis, list | tuple) else (axis,)
    )
    places = {place % len(shape) for place in axes}
    keeps = bool(settings.get("keepdims") or settings.get("keep_dims"))
    if keeps:
        return tuple(1 if n in places else size for n, size in enumerate(shape))
    return tuple(size for n, size in enumerate(shape) if n not in places)


def _formed(
    name: str, shapes: list[Sizes], settings: Config, plain: Sequence[object]
) -> list[Sizes]:
    first = shapes[0]
    rank = len(first)
    if name == "cast":
        return [first]
    if name == "reshape":
        target = settings.get(
            "shape", settings.get("newshape", plain[0] if plain else None)
        )
        return [tuple(None if size == -1 else size for size in target)]
    if name in ("concat", "concatenate"):
        axis = _axis(settings, plain, -1) % rank
        total = [shape[axis] for shape in shapes]
        whole = None if None in total else sum(size or 0 for size in total)
        return [(*first[:axis], whole, *first[axis + 1 :])]
    if name == "expand_dims":
        axis = _axis(settings, plain) % (rank + 1)
        return [(*first[:axis], 1, *first[axis:])]
    if name == "squeeze":
        axis = _axis(settings, plain)
        gone = {
            place % rank
            for place in (axis if isinstance(axis, list | tuple) else (axis,))
        }
        return [tuple(size for n, size in enumerate(first) if n not in gone)]
    if name == "transpose":
        axes = settings.get("perm", settings.get("axes", plain[0] if plain else None))
        return [tuple(first[place] for place in axes or reversed(range(rank)))]
    if name == "tile":
        times = settings.get(
            "multiples", settings.get("repeats", plain[0] if plain else None)
        )
        return [
            tuple(
                None if s is None else s * t for s, t in zip(first, times, strict=True)
            )
        ]
    if name == "stack":
        axis = (settings.get("axis") or 0) % (rank + 1)
        return [(*first[:axis], len(shapes), *first[axis:])]
    if name == "matmul":
        return [(*first[:-1], shapes[1][-1])]
    return _parts(name, first, settings, plain)


def _parts(
    name: str, shape: Sizes, settings: Config, plain: Sequence[object]
) -> list[Sizes]:
    axis = (settings.get("axis") or 0) % len(shape)
    size = shape[axis]
    if name == "unstack":
        return [(*shape[:axis], *shape[axis + 1 :])] * (size or 0)
    many = settings.get(
        "num_or_size_splits",
        settings.get("indices_or_sections", plain[0] if plain else 1),
    )
    if isinstance(many, int):
        part = None if size is None else size // many
        return [(*shape[:axis], part, *shape[axis + 1 :])] * many
    return [(*shape[:axis], each, *shape[axis + 1 :]) for each in many]


def _item(shape: Sizes, index: Sequence[object]) -> Sizes:
    """The sizes of what an index takes, as Python does."""
    if any(each is ... or each == "Ellipsis" for each in index):
        place = next(n for n, e in enumerate(index) if e is ... or e == "Ellipsis")
        count = len(shape) - sum(e is not None for e in index) + 1
        index = [*index[:place], *[slice(None)] * count, *index[place + 1 :]]
    sizes: list[int | None] = []
    rest = list(shape)
    for each in index:
        if each is None:
            sizes.append(1)
            continue
        size = rest.pop(0)
        if isinstance(each, Mapping):
            each = slice(*(each.get(key) for key in ("start", "stop", "step")))
        if isinstance(each, slice):
            sizes.append(_sliced(size, each))
    return (*sizes, *rest)


def _sliced(size: int | None, part: slice) -> int | None:
    if size is not None:
        return len(range(*part.indices(size)))
    return None
