"""Feature columns: strings hashed into buckets, two of them crossed, numbers sorted into buckets, two embeddings multiplied."""

from __future__ import annotations

from ...graph import Tensor
from ...match import Array, Attr, Bindings, Input, Term, View, layer, op


@layer("Hashing", config=lambda buckets: {"num_bins": buckets})
def hashing(x: Input, buckets: Attr) -> Term:
    """FarmHash's 64 bits, of strings and of integers written as such."""
    text = op.AsString(x) | x
    return op.StringToHashBucketFast(text, num_buckets=buckets)


@layer(
    "Hashing",
    where=lambda key: len(key or ()) == 2 or "the key is no pair of numbers",
    config=lambda buckets, key: {"num_bins": buckets, "salt": list(key)},
)
def hashing_with_salt(x: Input, buckets: Attr, key: Attr) -> Term:
    """SipHash with a key of 128 bits."""
    text = op.AsString(x) | x
    return op.StringToHashBucketStrong(text, num_buckets=buckets, key=key)


@layer(
    "Discretization",
    where=lambda dtype: dtype != "float64" or "a layer casts what it reads to float32",
    config=lambda bounds: {"bin_boundaries": list(bounds)},
)
def discretization(x: Input, bounds: Attr, dtype: Attr) -> Term:
    """Which of the intervals between the boundaries a number is in; a boundary belongs to the upper one."""
    return op.Bucketize(x, boundaries=bounds, T=dtype)


def _is_pair_of_columns(b: Bindings) -> bool | str:
    """Keras crosses two columns; what they hold tells it how to read the hash."""
    shapes = [b.view.shape(each) for each in (b.x, b.y)]
    are_columns = all(s is not None and len(s) == 2 and s[1] == 1 for s in shapes)
    kind = "int64" if "int64" in (b.dtypes or ()) else "string"
    return (are_columns and b.internal == kind) or "they are no two columns"


def _crossed(x: Term, y: Term, **config: Term) -> tuple[Term, Term, Term]:
    """The op that Keras calls, with the key that feature columns have where nobody gives one."""
    parts: tuple[Term, Term, Term] = op.SparseCross(
        x,
        y,
        outputs=3,
        N=0,
        hashed_output=True,
        num_buckets=config["buckets"],
        hash_key=0xDECAFCAFFE,
        sparse_types=(),
        dense_types=config["dtypes"],
        out_type="int64",
        internal_type=config["internal"],
    )
    return parts


@layer(
    "HashedCrossing",
    where=(
        _is_pair_of_columns,
        lambda sizes: tuple(sizes or ()) == (-1, 1) or "it is no column",
    ),
    config=lambda buckets: {"num_bins": buckets},
)
def hashed_crossing(
    x: Input, y: Input, buckets: Attr, dtypes: Attr, internal: Attr, sizes: Array
) -> Term:
    _, ids, _ = _crossed(x, y, buckets=buckets, dtypes=dtypes, internal=internal)
    return op.Reshape(ids, sizes)


@layer(
    "HashedCrossing",
    where=_is_pair_of_columns,
    config=lambda buckets: {"num_bins": buckets},
)
def hashed_crossing_spread(
    x: Input, y: Input, buckets: Attr, dtypes: Attr, internal: Attr
) -> Term:
    """Keras's own spelling."""
    places, ids, sizes = _crossed(
        x, y, buckets=buckets, dtypes=dtypes, internal=internal
    )
    return op.SparseToDense(places, sizes, ids, 0)


def _pairs(view: View, x: Tensor, y: Tensor) -> bool:
    """Whether both are matrices: one vector each for every example."""
    shapes = (view.shape(x), view.shape(y))
    return all(shape is not None and len(shape) == 2 for shape in shapes)


def _last_of_two(b: Bindings) -> bool | str:
    at = b.axis[0] if isinstance(b.axis, tuple) and len(b.axis) == 1 else b.axis
    return (
        _pairs(b.view, b.x, b.y) and at in (1, -1)
    ) or "it is not over the last of two axes"


@layer("Dot", where=_last_of_two, config=lambda: {"axes": 1})
def dot(x: Input, y: Input, axis: Array) -> Term:
    return op.Sum(op.Mul(x, y), axis, keep_dims=True)


def _rows_and_columns(b: Bindings) -> bool | str:
    inner = (int(b.row) % 3, int(b.column) % 3) == (1, 2)
    contracts = [a % 3 for a in b.axes or ()] in ([1], [2])
    return (
        _pairs(b.view, b.x, b.y) and inner and contracts
    ) or "it is no row times a column"


@layer("Dot", where=_rows_and_columns, config=lambda: {"axes": 1})
def dot_by_matrix(x: Input, y: Input, row: Array, column: Array, axes: Attr) -> Term:
    """Keras's own spelling."""
    product = op.BatchMatMul(op.ExpandDims(x, row), op.ExpandDims(y, column))
    return op.Squeeze(product, squeeze_dims=axes)
