"""Functions that a model calls between its layers (``keras.ops``, Keras 2's ``tf.math.add``) -> what they yield."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
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
        shapes = _shapes(name, _Call(ranked, settings, plain))
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


@dataclass(frozen=True)
class _Call:
    """One call of a function: the shapes of its tensors, its arguments by name, and those by place."""

    shapes: list[Sizes]
    settings: Config
    plain: Sequence[object]

    @property
    def first(self) -> Sizes:
        """The shape of the first tensor."""
        return self.shapes[0]

    @property
    def rank(self) -> int:
        """The number of axes of the first tensor."""
        return len(self.first)

    def argument(self, *names: str, default: object = None) -> Any:
        """An argument by any of its names (Keras 3's, TensorFlow's, numpy's), else the first by place."""
        names = tuple(name for name in names if name in self.settings)
        if names:
            return self.settings[names[0]]
        return self.plain[0] if self.plain else default

    def axes(self) -> Sequence[int]:
        """The argument ``axis`` as a list; all axes where it is None."""
        axis = self.argument("axis")
        if axis is None:
            return range(self.rank)
        return axis if isinstance(axis, list | tuple) else (axis,)


def _shapes(name: str, call: _Call) -> list[Sizes]:
    if (
        name in _REDUCTIONS
        or name.removeprefix("reduce_") in _REDUCTIONS
        or name in _INDICES
    ):
        return [_reduced(call)]
    rule = _RULES.get(name)
    return rule(call) if rule is not None else [broadcast(call.shapes)]


def _reduced(call: _Call) -> Sizes:
    places = {place % call.rank for place in call.axes()}
    sizes = enumerate(call.first)
    if call.settings.get("keepdims") or call.settings.get("keep_dims"):
        return tuple(1 if n in places else size for n, size in sizes)
    return tuple(size for n, size in sizes if n not in places)


def _getitem(call: _Call) -> list[Sizes]:
    index = call.argument("slice_spec")
    return [_item(call.first, index if isinstance(index, list | tuple) else (index,))]


def _cast(call: _Call) -> list[Sizes]:
    return [call.first]


def _reshape(call: _Call) -> list[Sizes]:
    target = call.argument("shape", "newshape")
    return [tuple(None if size == -1 else size for size in target)]


def _concatenate(call: _Call) -> list[Sizes]:
    axis = call.argument("axis", default=-1) % call.rank
    total = [shape[axis] for shape in call.shapes]
    whole = None if None in total else sum(size or 0 for size in total)
    return [(*call.first[:axis], whole, *call.first[axis + 1 :])]


def _expand_dims(call: _Call) -> list[Sizes]:
    axis = call.argument("axis") % (call.rank + 1)
    return [(*call.first[:axis], 1, *call.first[axis:])]


def _squeeze(call: _Call) -> list[Sizes]:
    # with no axis every axis of size 1 goes: which ones they are isn't known where a size is open
    if call.argument("axis") is None:
        return []
    gone = {place % call.rank for place in call.axes()}
    return [tuple(size for n, size in enumerate(call.first) if n not in gone)]


def _transpose(call: _Call) -> list[Sizes]:
    axes = call.argument("perm", "axes") or reversed(range(call.rank))
    return [tuple(call.first[place] for place in axes)]


def _tile(call: _Call) -> list[Sizes]:
    pairs = zip(call.first, call.argument("multiples", "repeats"), strict=True)
    return [tuple(None if size is None else size * times for size, times in pairs)]


def _stack(call: _Call) -> list[Sizes]:
    axis = (call.settings.get("axis") or 0) % (call.rank + 1)
    return [(*call.first[:axis], len(call.shapes), *call.first[axis:])]


def _matmul(call: _Call) -> list[Sizes]:
    return [(*call.first[:-1], call.shapes[1][-1])]


def _unstack(call: _Call) -> list[Sizes]:
    axis = (call.settings.get("axis") or 0) % call.rank
    rest = (*call.first[:axis], *call.first[axis + 1 :])
    return [rest] * (call.first[axis] or 0)


def _split(call: _Call) -> list[Sizes]:
    axis = (call.settings.get("axis") or 0) % call.rank
    before, size, after = call.first[:axis], call.first[axis], call.first[axis + 1 :]
    many = call.argument("num_or_size_splits", "indices_or_sections", default=1)
    if isinstance(many, int):
        part = None if size is None else size // many
        return [(*before, part, *after)] * many
    # tf.split lists the sizes of the parts, keras.ops.split the places between them, as numpy does
    if "indices_or_sections" in call.settings:
        places = [0, *many, size]
        return [(*before, b - a, *after) for a, b in pairwise(places)]
    return [(*before, each, *after) for each in many]


_RULES: dict[str, Callable[[_Call], list[Sizes]]] = {
    "getitem": _getitem,
    "get_item": _getitem,
    "cast": _cast,
    "reshape": _reshape,
    "concat": _concatenate,
    "concatenate": _concatenate,
    "expand_dims": _expand_dims,
    "squeeze": _squeeze,
    "transpose": _transpose,
    "tile": _tile,
    "stack": _stack,
    "matmul": _matmul,
    "unstack": _unstack,
    "split": _split,
}


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
