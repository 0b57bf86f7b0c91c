"""Shapes as Sizes: where the unknown sizes of every tensor come from, in one pass over the graph.

``axis_size`` of a View names an unknown size after the tensor that has it; here it is named after the tensor that it
came from, so that the sizes of a reshaped, added or multiplied tensor can be seen to be those of a feed.
``graph.graph["equal_sizes"]`` may say which ``(tensor, axis)`` are known to have the size of another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from ... import ops
from ...graph import Tensor
from ...graph.order import sources_first
from ...ops import spellings
from ...ops.array.slice_masks import SliceMasks
from ...ops.values.size import Size, Sizes, product
from .nodes import MALFORMED, PASS_THROUGH
from .unchanged import unchanged
from .view import View

_Rule = Callable[["SymbolicView", str, list[Sizes | None]], "Sizes | None"]
_ONE = Size(1)
_Operands = list[Sizes | None]
_FEEDS = frozenset(spellings.PLACEHOLDERS)


class SymbolicView(View):
    """A View whose ``axis_size`` sees through what keeps, moves or joins axes."""

    before: SymbolicView | None = None

    def axis_size(self, tensor: Tensor, axis: int) -> Size:
        """The size of one axis: a constant, or a product of sizes of other tensors."""
        source, _ = self.producer(tensor)
        dims = self.known_dims.get(source)
        if dims is not None and -len(dims) <= axis < len(dims):
            size = dims[axis]
            if size is not None:
                return size
        return super().axis_size(tensor, axis)

    def dims(self, tensor: Tensor) -> tuple[Size, ...] | None:
        """All sizes of a tensor; None where its rank is unknown."""
        shape = self.shape(tensor)
        if shape is None:
            return None
        return tuple(self.axis_size(tensor, axis) for axis in range(len(shape)))

    def after(self, before: SymbolicView) -> SymbolicView:
        """This view, which begins with what was known of a graph that this one was rewritten from."""
        self.before = before if "known_dims" in before.__dict__ else None
        return self

    def first_feed(self) -> str:
        return next((name for name, kind in self.kinds.items() if kind in _FEEDS), "")

    def equal_sizes(self) -> Mapping[tuple[Tensor, int], tuple[Tensor, int]]:
        return self.graph.graph.get("equal_sizes", {})  # type: ignore[no-any-return]

    @cached_property
    def known_dims(self) -> dict[Tensor, Sizes]:
        """Filled in order, so that a rule finds what its inputs have; an axis without a rule keeps its own name."""
        dims: dict[Tensor, Sizes] = {}
        self.__dict__["known_dims"] = dims
        order = sources_first(self.graph)
        if order is None:  # TF1 while frames are cycles
            return dims
        before: Mapping[Tensor, Sizes] = self.before.known_dims if self.before else {}
        same = unchanged(self, self.before, order)
        for name in order:
            tensors = [Tensor(name, port) for port in self.ports(name)]
            if name in same:
                dims.update((t, before[t]) for t in tensors if t in before)
                continue
            ruled = self._ruled(name)
            for tensor in tensors:
                if (sizes := self._named(tensor, ruled)) is not None:
                    dims[tensor] = sizes
        self.before = None  # no more is asked of it
        return dims

    def _ruled(self, name: str) -> Sizes | None:
        """The sizes that a rule gives what a node yields."""
        operands = [self._known(tensor) for tensor in self.inputs[name]]
        rule = _RULES.get(self.ops[name]) or _general(self.kinds[name])
        try:
            return rule(self, name, operands) if rule is not None else None
        except MALFORMED:
            return None

    def _named(self, tensor: Tensor, ruled_sizes: Sizes | None) -> Sizes | None:
        """The sizes of a tensor: constants where they are known, else as a rule has them, else under its own name."""
        shape = self.shape(tensor)
        if shape is None:
            return None
        ruled = (
            ruled_sizes
            if ruled_sizes is not None and len(ruled_sizes) == len(shape)
            else ()
        )
        sizes: list[Size] = []
        for axis, size in enumerate(shape):
            by_rule = ruled[axis] if ruled else None
            own = Size(1, (self._name_of(tensor, axis),))
            sizes.append(Size(size) if size is not None else by_rule or own)
        return tuple(sizes)

    def _name_of(self, tensor: Tensor, axis: int) -> tuple[Tensor, int]:
        """What names an unknown size: its tensor and axis, or those of a size that is known to equal it.

        The inputs of a Keras model share their batch, so the first feed names it.
        """
        if not axis and self.kinds[tensor.node] in _FEEDS:
            tensor = Tensor(self.first_feed())
        return self.equal_sizes().get((tensor, axis), (tensor, axis))

    def ports(self, name: str) -> Sequence[int]:
        """Port 0, and for what splits evenly all others: they have the same sizes."""
        many = self.ops[name] in ("Split", "Unpack")
        count = self.attrs[name].get("num_split", self.attrs[name].get("num", 1))
        return range(count) if many and isinstance(count, int) else (0,)

    def _known(self, tensor: Tensor) -> Sizes | None:
        source, _ = self.producer(tensor)
        return self.known_dims.get(source) or self.dims(source)


def _same(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    return operands[0]


def _batch(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    """A Keras layer keeps the batch; what else it keeps is not known here."""
    shape = view.shape(Tensor(name))
    if not shape or not operands or not operands[0]:
        return None
    return (operands[0][0], *(None for _ in shape[1:]))


def _broadcast(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    if any(each is None for each in operands):
        return None
    ranked = [each or () for each in operands]
    rank = max(map(len, ranked))
    columns = zip(*((_ONE,) * (rank - len(each)) + tuple(each) for each in ranked))
    sizes: list[Size | None] = []
    for column in columns:
        options = {size for size in column if size != _ONE}
        sizes.append(options.pop() if len(options) == 1 else None if options else _ONE)
    return tuple(sizes)


def _last_changed(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    return None if not operands[0] else (*operands[0][:-1], None)


def _looked_up(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    return None if operands[0] is None else (*operands[0], None)


def _gathered(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    axis = view.number(view.inputs[name][2]) if len(operands) > 2 else None
    if view.attrs[name].get("batch_dims") or operands[1] is None or operands[0] is None:
        return None
    return (*operands[1], *operands[0][1:]) if axis is None or not axis.any() else None


def _reshaped(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    target = view.sizes(view.inputs[name][1])
    return None if target is None else filled(operands[0], target)


def _reshaped_layer(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    target = tuple(map(Size, view.attrs[name]["target_shape"]))
    return (
        None
        if not operands[0]
        else (operands[0][0], *(filled(operands[0][1:], target)))
    )


def filled(source: Sizes | None, target: Sizes) -> Sizes:
    """The sizes that a Reshape makes: its -1 is what is left of the tensor's elements."""
    loose = [i for i, size in enumerate(target) if size == Size(-1)]
    if source is None or len(loose) != 1:
        return tuple(None if size == Size(-1) else size for size in target)
    whole = product(source)
    others = product([s for s in target if s != Size(-1)])
    rest = whole.over(others) if whole is not None and others is not None else None
    return tuple(rest if size == Size(-1) else size for size in target)


def _moved(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    perm = view.number(view.inputs[name][1])
    if operands[0] is None or perm is None:
        return None
    return tuple(operands[0][int(axis)] for axis in perm.reshape(-1))


def _moved_layer(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    axes = (0, *view.attrs[name]["dims"])
    return None if operands[0] is None else tuple(operands[0][axis] for axis in axes)


def _multiplied(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    a, b = operands
    if a is None or b is None:
        return None
    attrs = view.attrs[name]
    rows = -1 if attrs.get("adj_x") or attrs.get("transpose_a") else -2
    columns = -2 if attrs.get("adj_y") or attrs.get("transpose_b") else -1
    leading = _broadcast(view, name, [a[:-2], b[:-2]]) or ()
    return (*leading, a[rows], b[columns])


def _expanded(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    axis = view.number(view.inputs[name][1])
    if operands[0] is None or axis is None:
        return None
    sizes = list(operands[0])
    sizes.insert(int(axis.reshape(())) % (len(sizes) + 1), _ONE)
    return tuple(sizes)


def _squeezed(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    axes = view.attrs[name].get("squeeze_dims") or ()
    if operands[0] is None or not axes:
        return None
    gone = {axis % len(operands[0]) for axis in axes}
    return tuple(size for i, size in enumerate(operands[0]) if i not in gone)


def _split(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    axis = view.number(view.inputs[name][0])
    if operands[1] is None or axis is None:
        return None
    at = int(axis.reshape(())) % len(operands[1])
    count = Size(view.attrs[name]["num_split"])
    part = operands[1][at]
    return tuple(
        (part.over(count) if part is not None else None) if i == at else size
        for i, size in enumerate(operands[1])
    )


def _unpacked(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    if not operands[0]:
        return None
    at = view.attrs[name].get("axis", 0) % len(operands[0])
    return tuple(size for i, size in enumerate(operands[0]) if i != at)


def _filled(
    view: SymbolicView, name: str, operands: list[Sizes | None]
) -> Sizes | None:
    return view.sizes(view.inputs[name][0])


def _tiled(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    times = view.sizes(view.inputs[name][1])
    if times is None or operands[0] is None or len(times) != len(operands[0]):
        return None
    return tuple(
        size.times(n) if size is not None and n is not None else None
        for size, n in zip(operands[0], times)
    )


def _counted(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    start, limit, step = (view.sizes(tensor) for tensor in view.inputs[name])
    if start is None or limit is None or step != (_ONE,):
        return None
    first, last = start[0], limit[0]
    return (last.added(first, -1),) if first is not None and last is not None else None


def _sliced(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    """Axes that are kept whole, dropped or sizes; what is cut has a size of its own."""
    attrs, steps = view.attrs[name], view.number(view.inputs[name][3])
    if operands[0] is None or steps is None:
        return None
    left, sizes = list(operands[0]), list[Size | None]()
    masks = SliceMasks.of(attrs)
    new = masks.new_axis.bit_count()
    for at in range(steps.size):
        if masks.ellipsis >> at & 1:
            count = len(left) - (steps.size - at - 1 - new)
            sizes += left[:count]
            left = left[count:]
        elif masks.new_axis >> at & 1:
            sizes.append(_ONE)
            new -= 1
        else:
            size = left.pop(0)
            whole = masks.is_whole(at) and steps.flat[at] == 1
            sizes += [] if masks.shrink_axis >> at & 1 else [size if whole else None]
    return (*sizes, *left)


def _cut(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    lengths = view.sizes(view.inputs[name][2])
    return lengths and tuple(None if n == Size(-1) else n for n in lengths)


def _spread(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    return view.sizes(view.inputs[name][1])


def _one_hot(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    last = view.attrs[name].get("axis", -1) == -1
    return (*operands[0], None) if last and operands[0] is not None else None


def _packed(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    if any(each is None or each != operands[0] for each in operands):
        return None
    dims = operands[0] or ()
    axis = int(view.attrs[name].get("axis") or 0) % (len(dims) + 1)
    return (*dims[:axis], Size(len(operands)), *dims[axis:])


def _einsum(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    left, _, right = view.attrs[name]["equation"].replace(" ", "").partition("->")
    sizes: dict[str, Size | None] = {}
    for labels, dims in zip(left.split(","), operands):
        if dims is None or len(labels) != len(dims):
            return None
        sizes.update(zip(labels, dims))
    return tuple(sizes[label] for label in right)


def _einsum_layer(view: SymbolicView, name: str, operands: _Operands) -> Sizes | None:
    """The sizes that the input's letters have; those of the kernel are known anyway."""
    left, _, right = view.attrs[name]["equation"].replace(" ", "").partition("->")
    labels = left.partition(",")[0]
    if operands[0] is None or len(labels) != len(operands[0]):
        return None
    sizes = dict(zip(labels, operands[0]))
    return tuple(sizes.get(label) for label in right)


def _general(kind: str) -> _Rule | None:
    if kind.startswith("layers."):
        return _batch
    traits = ops.traits(kind)
    return _broadcast if "elementwise" in traits else None


_RULES: Mapping[str, _Rule] = {
    **dict.fromkeys(PASS_THROUGH, _same),
    **dict.fromkeys(
        "Softmax LogSoftmax Cast Reverse ReverseSequence ZerosLike OnesLike layers.Activation layers.ReLU layers.LeakyReLU layers.ELU "
        "layers.Dropout layers.LayerNormalization layers.RMSNormalization layers.BatchNormalization layers.Softmax "
        "layers.Rescaling layers.UnitNormalization layers.PositionEmbedding layers.GaussianNoise layers.PReLU layers.Normalization".split(),
        _same,
    ),
    "AddN": _broadcast,
    "BiasAdd": _same,
    "layers.Dense": _last_changed,
    "layers.MultiHeadAttention": _last_changed,
    "layers.EinsumDense": _einsum_layer,
    "layers.Embedding": _looked_up,
    "layers.Reshape": _reshaped_layer,
    "layers.Permute": _moved_layer,
    "Gather": _gathered,
    "Reshape": _reshaped,
    "Transpose": _moved,
    "MatMul": _multiplied,
    "BatchMatMul": _multiplied,
    "ExpandDims": _expanded,
    "Squeeze": _squeezed,
    "Split": _split,
    "Unpack": _unpacked,
    "Fill": _filled,
    "Range": _counted,
    "Slice": _cut,
    "Tile": _tiled,
    "BroadcastTo": _spread,
    "Cumsum": _same,
    "StridedSlice": _sliced,
    "OneHot": _one_hot,
    "Einsum": _einsum,
    "Pack": _packed,
}
