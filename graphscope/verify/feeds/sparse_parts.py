"""Which feeds of a graph are the parts of one sparse or ragged tensor: by the arguments of the ops that read them.

The arguments are named by the ops' OpDefs (``a_indices``, ``a_values``, ``a_shape``); what the feeds are called says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...graph import Graph, Tensor
from ...ops import spellings
from ...wire.opdefs import input_names

_SEGMENTS = frozenset(
    f"{sparse}Segment{kind}"
    for sparse in ("", "Sparse")
    for kind in ("Sum", "Mean", "SqrtN", "Max", "Min", "Prod")
)
# op -> the slots through which a row of the result is one row of what goes in
_ROWS: Mapping[str, tuple[int, ...]] = {
    **dict.fromkeys(
        "Identity Cast Reshape ExpandDims Squeeze Unique StridedSlice".split(), (0,)
    ),
    **dict.fromkeys("Mul RealDiv SparseReorder".split(), (0, 1)),
    **dict.fromkeys("GatherV2 Gather ResourceGather".split(), (0, 1)),
    **dict.fromkeys("SparseDenseCwiseMul SparseDenseCwiseDiv".split(), (1,)),
}
_SHAPES = ("Identity", "Cast", "PlaceholderWithDefault", "SparseReshape")
_BY_PORT = frozenset({"SparseReorder", "SparseFillEmptyRows", "SparseReshape"})


@dataclass(frozen=True)
class Sparse:
    """The feeds of one sparse tensor: its indices, all that have one number for each of them, its shape (``""``: not fed).

    ``sizes`` are those known of its shape; ``is_filled``: empty rows are provided for; ``counts`` are fed how many numbers there are.
    """

    indices: str
    values: tuple[str, ...]
    shape: str = ""
    sizes: tuple[int | None, ...] = (None, None)
    is_filled: bool = False
    counts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ragged:
    """The feeds of one ragged tensor: the splits from the outermost, and what has one row for each value."""

    splits: tuple[str, ...]
    values: tuple[str, ...]


def sparse_feeds(graph: Graph) -> tuple[list[Sparse], list[Ragged]]:
    """All of them; feeds that two tensors claim are parts of the first."""
    feeds: dict[str, Sparse] = {}
    ragged: list[Ragged] = []
    for name in graph:
        sparse = _of_arguments(graph, name) or _of_segments(graph, name)
        if sparse is not None:
            before = feeds.get(sparse.indices)
            feeds[sparse.indices] = (
                sparse if before is None else _together(before, sparse)
            )
        splits = _of_splits(graph, name)
        if splits is not None and splits not in ragged:
            ragged.append(splits)
    return list(feeds.values()), ragged


def _together(one: Sparse, other: Sparse) -> Sparse:
    sizes = one.sizes if len(one.sizes) >= len(other.sizes) else other.sizes
    if len(one.sizes) == len(other.sizes):
        sizes = tuple(a if a is not None else b for a, b in zip(one.sizes, other.sizes))
    return Sparse(
        one.indices,
        tuple(dict.fromkeys((*one.values, *other.values))),
        one.shape or other.shape,
        sizes,
        one.is_filled or other.is_filled,
        tuple(dict.fromkeys((*one.counts, *other.counts))),
    )


def _of_arguments(graph: Graph, name: str) -> Sparse | None:
    """The tensor that an op takes as ``x_indices``, ``x_values`` and ``x_shape``."""
    op, inputs = graph.op(name), graph.inputs(name)
    names = input_names(op)
    if len(names) != len(inputs):
        return None
    for slot, argument in enumerate(names):
        stem = argument.removesuffix("indices")
        parts = [f"{stem}{part}" for part in ("values", "shape", "dense_shape")]
        at = [names.index(part) for part in parts if part in names]
        if op == "SparseToDense":
            stem, at = "sparse_", [2, 1]
        if argument.endswith("indices") and len(at) == 2:
            return _sparse(graph, inputs[slot], inputs[at[0]], inputs[at[1]], name)
    return None


def _sparse(
    graph: Graph, indices: Tensor, values: Tensor, shape: Tensor, reader: str
) -> Sparse | None:
    counts = _counts(graph, indices)
    first = _feeds_behind(graph, indices, 2)
    if not first:
        return None
    sizes = _feeds_behind(graph, shape, 1)
    return Sparse(
        first[0],
        tuple(f for f in _feeds_behind(graph, values, 1) if f not in first),
        sizes[0] if sizes else "",
        _sizes(graph, shape, reader),
        graph.op(reader) == "SparseFillEmptyRows",
        counts,
    )


def _feeds_behind(graph: Graph, tensor: Tensor, rank: int) -> list[str]:
    """The placeholders of which each row makes one row of a tensor; none of them of another rank, where that is known."""
    feeds: list[str] = []
    stack, visited = [tensor], {tensor}
    while stack:
        at = stack.pop()
        op = graph.op(at.node)
        if op in spellings.PLACEHOLDERS:
            shape = graph.attrs(at.node).get("shape")
            if shape is None or len(shape) == rank:
                feeds.append(at.node)
            continue
        slots = (at.port,) if op in _BY_PORT else _ROWS.get(op, ())
        inputs = graph.inputs(at.node)
        above = {inputs[slot] for slot in slots if slot < len(inputs)} - visited
        visited |= above
        stack += sorted(above)
    return feeds


def _counts(graph: Graph, indices: Tensor) -> tuple[str, ...]:
    """The feeds that say how many random numbers decide which of the indices are kept (``tf.sparse.retain``)."""
    counts: list[str] = []
    stack, visited = [(indices, False)], {indices.node}
    while stack:
        at, is_mask = stack.pop()
        op, inputs = graph.op(at.node), graph.inputs(at.node)
        if op.endswith("RandomUniform") and inputs:
            counts += _feeds_behind(graph, inputs[0], 1)
            continue
        is_mask = is_mask or op == "Where"
        for slot, above in enumerate(inputs):
            passes = is_mask or slot in (0, 1) and op in (*_ROWS, "Where")
            if passes and above.node not in visited:
                visited.add(above.node)
                stack.append((above, is_mask))
    return tuple(counts)


def _sizes(graph: Graph, shape: Tensor, reader: str) -> tuple[int | None, ...]:
    """What the file says of the tensor's shape, and what a product with it says."""
    at = shape
    while graph.op(at.node) in _SHAPES and graph.inputs(at.node):
        at = graph.inputs(at.node)[1 if graph.op(at.node) == "SparseReshape" else 0]
    attrs = graph.attrs(at.node)
    value, declared = attrs.get("value"), attrs.get("shape")
    if value is not None:
        return tuple(int(size) for size in value.reshape(-1))
    rank = declared[0] if declared is not None and len(declared) == 1 else None
    sizes: list[int | None] = [None] * (rank or 2)
    if graph.op(reader) == "SparseTensorDenseMatMul" and len(sizes) == 2:
        axis = 0 if graph.attrs(reader).get("adjoint_a") else 1
        sizes[axis] = _rows(graph, reader)
    return tuple(sizes)


def _rows(graph: Graph, product: str) -> int | None:
    """The rows of the dense matrix of a product, where it is held by the file."""
    at = graph.inputs(product)[3]
    while graph.op(at.node) in ("Identity", "ReadVariableOp") and graph.inputs(at.node):
        at = graph.inputs(at.node)[0]
    attrs = graph.attrs(at.node)
    value = attrs.get("value")
    shape = value.shape if value is not None else attrs.get("shape")
    is_held = graph.op(at.node) in (*spellings.VARIABLES, "Const")
    if not is_held or shape is None or len(shape) != 2:
        return None
    rows: int | None = shape[1 if graph.attrs(product).get("adjoint_b") else 0]
    return rows


def _of_segments(graph: Graph, name: str) -> Sparse | None:
    """The tensor whose rows are the segments of a sum: ``embedding_lookup_sparse``."""
    if graph.op(name) not in _SEGMENTS:
        return None
    *data, segments = graph.inputs(name)
    ids = _feeds_behind(graph, segments, 2)
    if len(ids) != 1:
        return None
    rows = [feed for tensor in data for feed in _feeds_behind(graph, tensor, 1)]
    values = tuple(dict.fromkeys(each for each in rows if each != ids[0]))
    return Sparse(ids[0], values) if values else None


def _of_splits(graph: Graph, name: str) -> Ragged | None:
    """The tensor that a ragged op takes as its splits and its values."""
    op, inputs = graph.op(name), graph.inputs(name)
    if not op.startswith("Ragged"):
        return None
    names = input_names(op)
    if op == "RaggedTensorToTensor":
        kinds = graph.attrs(name).get("row_partition_types") or ()
        if set(kinds) - {"FIRST_DIM_SIZE"} != {"ROW_SPLITS"}:
            return None
        splits, values = inputs[3:], inputs[1]
    elif names[:2] in (
        ("rt_nested_splits", "rt_dense_values"),
        ("params_nested_splits", "params_dense_values"),
    ):
        count = len(inputs) - len(names) + 1
        splits, values = inputs[:count], inputs[count]
    else:
        return None
    fed = [_feeds_behind(graph, tensor, 1) for tensor in splits]
    behind = tuple(_feeds_behind(graph, values, 1))
    outer = tuple(each[0] for each in fed if each)
    return Ragged(outer, behind) if outer and behind else None
