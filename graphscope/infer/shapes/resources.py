"""What handles lead to: variables, tensor arrays, tensor lists, queues. Shapes that no single node can tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
        known = self._elements.get(array, shape)
        element = join(known, shape)
        if array not in self._elements or element != known:
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


Rule = Callable[[Arrays, str, Node, list[Fact], tuple[str, ...]], Sequence[Fact] | None]


def _attr(node: Node, name: str) -> object:
    return ops.Call(node.op, node.attrs).get(name)


def _held(known: list[Fact], slot: int = 0) -> Contents | None:
    return known[slot].held if slot < len(known) else None


def _spec_of(contents: Contents | None) -> TensorSpec:
    return (
        contents.specs[0] if contents is not None and contents.specs else TensorSpec()
    )


def _variable(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact]:
    spec = TensorSpec(str(_attr(node, "dtype") or ""), node.attrs.get("shape"))
    return [Fact(TensorSpec("resource", ()), None, Contents((spec,)))]


def _read_variable(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact]:
    return [Fact(TensorSpec(dtypes[0], _spec_of(_held(known)).shape))]


def _gather(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact]:
    if len(known) < 2:
        return []
    specs = [_spec_of(_held(known)), known[1].spec, TensorSpec("int32", ())]
    values = [None, None, np.array(0, np.int32)]
    op = "GatherNd" if node.op == "ResourceGatherNd" else "GatherV2"
    shapes = ops.shapes(ops.Call(op, node.attrs, specs, values), 1)
    return [Fact(TensorSpec(dtypes[0], shapes[0]))]


def _variable_shape(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact]:
    shape = _spec_of(_held(known)).shape
    size = None if shape is None else len(shape)
    return [Fact(TensorSpec(dtypes[0], (size,)), vector(shape, dtypes[0]))]


def _array(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact]:
    if (shape := node.attrs.get("element_shape")) is not None and None not in shape:
        arrays.write(name, shape)
    return [Fact(TensorSpec("", (2,)), None, Contents(array=name)), Fact(_SCALAR)]


def _array_gradient(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact]:
    """The gradient's elements are shaped as the array's."""
    return [Fact(TensorSpec("", (2,)), None, _held(known)), Fact(_SCALAR)]


def _written(slot: int, rows: int) -> Rule:
    """Elements come in through one input, of which the first ``rows`` dimensions count them."""

    def rule(
        arrays: Arrays,
        name: str,
        node: Node,
        known: list[Fact],
        dtypes: tuple[str, ...],
    ) -> Sequence[Fact]:
        contents = _held(known)
        if contents is not None and contents.array and slot < len(known):
            shape = known[slot].spec.shape
            arrays.write(contents.array, shape if shape is None else shape[rows:])
        return [Fact(_SCALAR)]

    return rule


def _split(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact]:
    contents = _held(known)
    if contents is not None and contents.array and len(known) > 1:
        shape = known[1].spec.shape
        arrays.write(contents.array, (None, *shape[1:]) if shape else None)
    return [Fact(_SCALAR)]


def _read(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact] | None:
    """One element, several, or all joined along the first axis."""
    contents = _held(known)
    if contents is None or not contents.array:
        return [Fact(TensorSpec("", node.attrs.get("element_shape")))]
    written, shape = arrays.read(contents.array, name)
    if not written:
        return None
    declared = node.attrs.get("element_shape")
    shape = merge(shape, declared)
    if "Gather" in node.op:
        count = known[1].spec.shape if len(known) > 1 else None
        rows: Dim = count[0] if count else None
        return [Fact(TensorSpec("", None if shape is None else (rows, *shape)))]
    if "Concat" in node.op:
        whole = (None, *shape[1:]) if shape else None
        return [Fact(TensorSpec("", whole)), Fact(TensorSpec("", (None,)))]
    return [Fact(TensorSpec("", shape))]


def _wanted(fact: Fact) -> Shape:
    """The element_shape input of a list op: a vector, or the scalar -1 for an unknown rank."""
    value = fact.value
    array = value.array if isinstance(value, ops.Partial) else value
    if array is None or array.ndim != 1 or array.dtype.kind not in "iu":
        return None
    known = value.known if isinstance(value, ops.Partial) else np.ones(len(array), bool)
    pairs = zip(array.tolist(), known.tolist(), strict=True)
    return tuple(size if sure and size >= 0 else None for size, sure in pairs)


def _integer(known: list[Fact], slot: int) -> Dim:
    value = known[slot].value if slot < len(known) else None
    if isinstance(value, np.ndarray) and value.size == 1:
        return int(value.reshape(()))
    return None


def _list(specs: tuple[TensorSpec, ...] | None, count: Dim) -> list[Fact]:
    return [Fact(TensorSpec("variant", ()), None, Contents(specs, count))]


def _new_list(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact]:
    """Nothing in it yet; an element shape that is given in full holds of all that will be."""
    shape = _wanted(known[0]) if known else None
    count = _integer(known, 1) if node.op == "TensorListReserve" else 0
    known_shape = shape is not None and None not in shape
    return _list((TensorSpec("", shape),) if known_shape else None, count)


def _from_tensor(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact]:
    shape = known[0].spec.shape if known else None
    if not shape:
        return _list((TensorSpec(),), None)
    return _list((TensorSpec("", shape[1:]),), shape[0])


def _scattered(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact]:
    shape = known[0].spec.shape if known else None
    return _list((TensorSpec("", shape[1:] if shape else None),), None)


def _set_item(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact]:
    contents, item = _held(known), known[2].spec if len(known) > 2 else TensorSpec()
    grows = bool(_attr(node, "resize_if_index_out_of_bounds"))
    return _list(
        _with(contents, item), contents.length if contents and not grows else None
    )


def _push_back(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact]:
    contents, item = _held(known), known[1].spec if len(known) > 1 else TensorSpec()
    return _list(_with(contents, item), add(contents.length, 1) if contents else None)


def _with(contents: Contents | None, item: TensorSpec) -> tuple[TensorSpec, ...]:
    if contents is None:
        return (TensorSpec(),)
    if contents.specs is None:
        return (TensorSpec("", item.shape),)
    return (TensorSpec("", join(contents.specs[0].shape, item.shape)),)


def _element(contents: Contents | None, known: list[Fact], slot: int) -> Shape:
    declared = _wanted(known[slot]) if slot < len(known) else None
    return merge(_spec_of(contents).shape, declared)


def _get_item(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact]:
    return [Fact(TensorSpec("", _element(_held(known), known, 2)))]


def _pop_back(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact]:
    contents = _held(known)
    rest = (
        None if contents is None else contents._replace(length=add(contents.length, -1))
    )
    shape = _element(contents, known, 1)
    return [
        Fact(TensorSpec("variant", ()), None, rest),
        Fact(TensorSpec("", shape)),
    ]


def _stacked(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact]:
    contents, shape = _held(known), _element(_held(known), known, 1)
    declared = _attr(node, "num_elements")
    count = contents.length if contents is not None else None
    if isinstance(declared, int) and declared >= 0:
        count = declared
    return [Fact(TensorSpec("", None if shape is None else (count, *shape)))]


def _gathered(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact]:
    shape = _element(_held(known), known, 2)
    rows = known[1].spec.shape if len(known) > 1 else None
    if shape is None or not rows:
        return [UNKNOWN]
    return [Fact(TensorSpec("", (rows[0], *shape)))]


def _concatenated(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact]:
    shape = _element(_held(known), known, 1)
    whole = (None, *shape[1:]) if shape else None
    return [Fact(TensorSpec("", whole)), Fact(TensorSpec("", (None,)))]


def _resized(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact]:
    contents = _held(known)
    return _list(contents.specs if contents else (TensorSpec(),), _integer(known, 1))


def _queue(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact]:
    kinds, shapes = _attr(node, "component_types") or (), _attr(node, "shapes") or ()
    kinds, shapes = tuple(kinds), tuple(shapes)  # type: ignore[arg-type]
    if len(shapes) != len(kinds):
        shapes = (None,) * len(kinds)
    specs = tuple(map(TensorSpec, kinds, shapes))
    handle = () if node.op.endswith("V2") else (2,)
    return [Fact(TensorSpec("", handle), None, Contents(specs))]


def _dequeued(
    arrays: Arrays, name: str, node: Node, known: list[Fact], dtypes: tuple[str, ...]
) -> Sequence[Fact]:
    contents = _held(known)
    if contents is None or not contents.specs:
        return []
    if node.op in ("QueueDequeue", "QueueDequeueV2"):
        return [Fact(spec) for spec in contents.specs]
    rows = _integer(known, 1) if "Many" in node.op else None
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
