"""What handles lead to: variables, tensor arrays, tensor lists, queues. Shapes that no single node can tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ... import ops
from ...graph import Node, Shape, TensorSpec
from ...ops.values.dims import Dim, add, join, merge
from ...ops.values.facts import UNKNOWN, Contents, Fact
from ...ops.values.partial import vector

_SCALAR = TensorSpec("", ())


class Arrays:
    """The element shapes of the tensor arrays of one graph: what is written anywhere is what is read everywhere."""

    def __init__(self) -> None:
        self._elements: dict[str, Shape] = {}
        self._readers: dict[str, set[str]] = {}
        self._changed: set[str] = set()

    def write(self, array: str, shape: Shape) -> None:
        """One more element; its readers are due again when it changes what is known."""
        earlier = self._elements.get(array, shape)
        element = join(earlier, shape)
        if array not in self._elements or element != earlier:
            self._elements[array] = element
            self._changed |= self._readers.get(array, set())

    def read(self, array: str, reader: str) -> tuple[bool, Shape]:
        """Whether anything was written yet, and the shape of the elements."""
        self._readers.setdefault(array, set()).add(reader)
        return array in self._elements, self._elements.get(array)

    def take_changed(self) -> set[str]:
        """The readers that are due again."""
        changed, self._changed = self._changed, set()
        return changed


@dataclass(frozen=True)
class Site:
    """One node that makes or reads a handle, with what is known where it stands."""

    arrays: Arrays
    name: str
    node: Node
    operands: list[Fact]
    dtypes: tuple[str, ...]

    def attr(self, name: str) -> object:
        """The attribute, or what its OpDef has by default."""
        return ops.Call(self.node.op, self.node.attrs).get(name)

    @property
    def contents(self) -> Contents | None:
        """What the handle at the first input leads to."""
        return self.operands[0].held if self.operands else None

    def spec(self, slot: int) -> TensorSpec:
        """What is known of one input; nothing where the file has fewer of them."""
        return self.operands[slot].spec if slot < len(self.operands) else TensorSpec()

    def integer(self, slot: int) -> Dim:
        """The one number that a constant input holds."""
        value = self.operands[slot].value if slot < len(self.operands) else None
        if isinstance(value, np.ndarray) and value.size == 1:
            return int(value.reshape(()))
        return None

    def element(self, slot: int) -> Shape:
        """An element of the list: by what was put into it and by the input that declares it."""
        operands = self.operands
        declared = _declared(operands[slot]) if slot < len(operands) else None
        return merge(_spec_of(self.contents).shape, declared)


Rule = Callable[[Site], Sequence[Fact] | None]


def _spec_of(contents: Contents | None) -> TensorSpec:
    return (
        contents.specs[0] if contents is not None and contents.specs else TensorSpec()
    )


def _variable(at: Site) -> Sequence[Fact]:
    spec = TensorSpec(str(at.attr("dtype") or ""), at.node.attrs.get("shape"))
    return [Fact(TensorSpec("resource", ()), None, Contents((spec,)))]


def _read_variable(at: Site) -> Sequence[Fact]:
    return [Fact(TensorSpec(at.dtypes[0], _spec_of(at.contents).shape))]


def _gather(at: Site) -> Sequence[Fact]:
    if len(at.operands) < 2:
        return []
    specs = [_spec_of(at.contents), at.operands[1].spec, TensorSpec("int32", ())]
    values = [None, None, np.array(0, np.int32)]
    op = "GatherNd" if at.node.op == "ResourceGatherNd" else "GatherV2"
    shapes = ops.shapes(ops.Call(op, at.node.attrs, specs, values), 1)
    return [Fact(TensorSpec(at.dtypes[0], shapes[0]))]


def _variable_shape(at: Site) -> Sequence[Fact]:
    shape = _spec_of(at.contents).shape
    size = None if shape is None else len(shape)
    return [Fact(TensorSpec(at.dtypes[0], (size,)), vector(shape, at.dtypes[0]))]


def _array(at: Site) -> Sequence[Fact]:
    if (shape := at.node.attrs.get("element_shape")) is not None and None not in shape:
        at.arrays.write(at.name, shape)
    return [Fact(TensorSpec("", (2,)), None, Contents(array=at.name)), Fact(_SCALAR)]


def _array_gradient(at: Site) -> Sequence[Fact]:
    """The gradient's elements are shaped as the array's."""
    return [Fact(TensorSpec("", (2,)), None, at.contents), Fact(_SCALAR)]


def _written(slot: int, rows: int) -> Rule:
    """Elements come in through one input, of which the first ``rows`` dimensions count them."""

    def rule(at: Site) -> Sequence[Fact]:
        contents = at.contents
        if contents is not None and contents.array and slot < len(at.operands):
            shape = at.operands[slot].spec.shape
            at.arrays.write(contents.array, shape if shape is None else shape[rows:])
        return [Fact(_SCALAR)]

    return rule


def _split(at: Site) -> Sequence[Fact]:
    contents = at.contents
    if contents is not None and contents.array and len(at.operands) > 1:
        shape = at.operands[1].spec.shape
        at.arrays.write(contents.array, (None, *shape[1:]) if shape else None)
    return [Fact(_SCALAR)]


def _read(at: Site) -> Sequence[Fact] | None:
    """One element, several, or all joined along the first axis."""
    contents = at.contents
    if contents is None or not contents.array:
        return [Fact(TensorSpec("", at.node.attrs.get("element_shape")))]
    written, shape = at.arrays.read(contents.array, at.name)
    if not written:
        return None
    declared = at.node.attrs.get("element_shape")
    shape = merge(shape, declared)
    if "Gather" in at.node.op:
        count = at.spec(1).shape
        rows: Dim = count[0] if count else None
        return [Fact(TensorSpec("", None if shape is None else (rows, *shape)))]
    if "Concat" in at.node.op:
        whole = (None, *shape[1:]) if shape else None
        return [Fact(TensorSpec("", whole)), Fact(TensorSpec("", (None,)))]
    return [Fact(TensorSpec("", shape))]


def _declared(fact: Fact) -> Shape:
    """The element_shape input of a list op: a vector, or the scalar -1 for an unknown rank."""
    value = fact.value
    array = value.array if isinstance(value, ops.Partial) else value
    if array is None or array.ndim != 1 or array.dtype.kind not in "iu":
        return None
    sure = value.known if isinstance(value, ops.Partial) else np.ones(len(array), bool)
    pairs = zip(array.tolist(), sure.tolist(), strict=True)
    return tuple(size if is_sure and size >= 0 else None for size, is_sure in pairs)


def _list(specs: tuple[TensorSpec, ...] | None, count: Dim) -> list[Fact]:
    return [Fact(TensorSpec("variant", ()), None, Contents(specs, count))]


def _new_list(at: Site) -> Sequence[Fact]:
    """Nothing in it yet; an element shape that is given in full holds of all that will be."""
    shape = _declared(at.operands[0]) if at.operands else None
    count = at.integer(1) if at.node.op == "TensorListReserve" else 0
    is_full = shape is not None and None not in shape
    return _list((TensorSpec("", shape),) if is_full else None, count)


def _from_tensor(at: Site) -> Sequence[Fact]:
    shape = at.spec(0).shape
    if not shape:
        return _list((TensorSpec(),), None)
    return _list((TensorSpec("", shape[1:]),), shape[0])


def _scattered(at: Site) -> Sequence[Fact]:
    shape = at.spec(0).shape
    return _list((TensorSpec("", shape[1:] if shape else None),), None)


def _scattered_into(at: Site) -> Sequence[Fact]:
    """Into a list that is there: its own elements are kept, and it may grow."""
    shape = at.spec(1).shape
    return _list(_with(at.contents, TensorSpec("", shape[1:] if shape else None)), None)


def _split_up(at: Site) -> Sequence[Fact]:
    shape, lengths = at.spec(0).shape, at.spec(2).shape
    element = (None, *shape[1:]) if shape else None
    return _list((TensorSpec("", element),), lengths[0] if lengths else None)


def _set_item(at: Site) -> Sequence[Fact]:
    contents, item = at.contents, at.spec(2)
    grows = bool(at.attr("resize_if_index_out_of_bounds"))
    return _list(
        _with(contents, item), contents.length if contents and not grows else None
    )


def _push_back(at: Site) -> Sequence[Fact]:
    contents, item = at.contents, at.spec(1)
    return _list(_with(contents, item), add(contents.length, 1) if contents else None)


def _with(contents: Contents | None, item: TensorSpec) -> tuple[TensorSpec, ...]:
    if contents is None:
        return (TensorSpec(),)
    if contents.specs is None:
        return (TensorSpec("", item.shape),)
    return (TensorSpec("", join(contents.specs[0].shape, item.shape)),)


def _get_item(at: Site) -> Sequence[Fact]:
    return [Fact(TensorSpec("", at.element(2)))]


def _pop_back(at: Site) -> Sequence[Fact]:
    contents = at.contents
    rest = (
        None if contents is None else contents._replace(length=add(contents.length, -1))
    )
    shape = at.element(1)
    return [
        Fact(TensorSpec("variant", ()), None, rest),
        Fact(TensorSpec("", shape)),
    ]


def _stacked(at: Site) -> Sequence[Fact]:
    contents, shape = at.contents, at.element(1)
    declared = at.attr("num_elements")
    count = contents.length if contents is not None else None
    if isinstance(declared, int) and declared >= 0:
        count = declared
    return [Fact(TensorSpec("", None if shape is None else (count, *shape)))]


def _gathered(at: Site) -> Sequence[Fact]:
    shape = at.element(2)
    rows = at.spec(1).shape
    if shape is None or not rows:
        return [UNKNOWN]
    return [Fact(TensorSpec("", (rows[0], *shape)))]


def _concatenated(at: Site) -> Sequence[Fact]:
    shape = at.element(1)
    whole = (None, *shape[1:]) if shape else None
    return [Fact(TensorSpec("", whole)), Fact(TensorSpec("", (None,)))]


def _resized(at: Site) -> Sequence[Fact]:
    contents = at.contents
    return _list(contents.specs if contents else (TensorSpec(),), at.integer(1))


def _queue(at: Site) -> Sequence[Fact]:
    kinds, shapes = at.attr("component_types") or (), at.attr("shapes") or ()
    kinds, shapes = tuple(kinds), tuple(shapes)  # type: ignore[arg-type]
    if len(shapes) != len(kinds):
        shapes = (None,) * len(kinds)
    specs = tuple(map(TensorSpec, kinds, shapes))
    handle = () if at.node.op.endswith("V2") else (2,)
    return [Fact(TensorSpec("", handle), None, Contents(specs))]


def _dequeued(at: Site) -> Sequence[Fact]:
    contents = at.contents
    if contents is None or not contents.specs:
        return []
    if at.node.op in ("QueueDequeue", "QueueDequeueV2"):
        return [Fact(spec) for spec in contents.specs]
    rows = at.integer(1) if "Many" in at.node.op else None
    return [
        Fact(TensorSpec(s.dtype, None if s.shape is None else (rows, *s.shape)))
        for s in contents.specs
    ]


HANDLES: dict[str, Rule] = {
    "VarHandleOp": _variable,
    "ReadVariableOp": _read_variable,
    "ResourceGather": _gather,
    "ResourceGatherNd": _gather,
    "VariableShape": _variable_shape,
    "TensorListReserve": _new_list,
    "EmptyTensorList": _new_list,
    "TensorListFromTensor": _from_tensor,
    "TensorListScatter": _scattered,
    "TensorListScatterV2": _scattered,
    "TensorListScatterIntoExistingList": _scattered_into,
    "TensorListSplit": _split_up,
    "TensorListSetItem": _set_item,
    "TensorListPushBack": _push_back,
    "TensorListGetItem": _get_item,
    "TensorListPopBack": _pop_back,
    "TensorListStack": _stacked,
    "TensorListGather": _gathered,
    "TensorListConcat": _concatenated,
    "TensorListConcatV2": _concatenated,
    "TensorListResize": _resized,
    **{f"TensorArray{v}": _array for v in ("", "V2", "V3")},
    **{f"TensorArrayGrad{v}": _array_gradient for v in ("", "V2", "V3")},
    **{f"TensorArrayWrite{v}": _written(2, 0) for v in ("", "V2", "V3")},
    **{f"TensorArrayScatter{v}": _written(2, 1) for v in ("", "V2", "V3")},
    **{f"TensorArraySplit{v}": _split for v in ("", "V2", "V3")},
    **{f"TensorArrayRead{v}": _read for v in ("", "V2", "V3")},
    **{f"TensorArrayGather{v}": _read for v in ("", "V2", "V3")},
    **{f"TensorArrayConcat{v}": _read for v in ("", "V2", "V3")},
    **{
        f"{kind}Queue{v}": _queue
        for kind in ("FIFO", "PaddingFIFO", "RandomShuffle", "Priority")
        for v in ("", "V2")
    },
    **{
        f"QueueDequeue{how}{v}": _dequeued
        for how in ("", "Many", "UpTo")
        for v in ("", "V2")
    },
}
