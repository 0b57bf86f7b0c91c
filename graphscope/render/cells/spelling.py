"""How shapes, dtypes, sizes and configs are spelled in every rendering."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ...graph import Graph, Layer, Node, Shape, Tensor, TensorSpec
from ...wire import opdefs
from .escape import shorten, visible

_SHORT = {"float": "f", "int": "i", "uint": "u", "complex": "c", "bfloat": "bf"}


def short_dtype(dtype: str) -> str:
    """``f32`` for ``float32``, as a jaxpr writes it; other names stay.

    >>> short_dtype("float32"), short_dtype("bfloat16"), short_dtype("string"), short_dtype("")
    ('f32', 'bf16', 'string', '_')
    """
    base, ref = dtype.removesuffix("_ref"), "&" if dtype.endswith("_ref") else ""
    letters = base.rstrip("0123456789")
    digits = base[len(letters) :]
    if digits and letters in _SHORT:
        base = _SHORT[letters] + digits
    return (base or "_") + ref


def shape_text(shape: Shape) -> str:
    """``[?,28,28,32]``; ``[*]`` where the rank is unknown, ``[]`` for a scalar."""
    if shape is None:
        return "[*]"
    return "[" + ",".join("?" if size is None else str(size) for size in shape) + "]"


def spec_text(spec: TensorSpec) -> str:
    """``f32[?,28,28,32]``; ``_`` where the dtype is unknown."""
    return short_dtype(spec.dtype) + shape_text(spec.shape)


def times(shape: Shape) -> str:
    """``? × 28 × 28 × 32``: a shape for people; ``scalar`` where there is no axis, ``?`` where nothing is known."""
    if shape is None:
        return "?"
    return " × ".join("?" if size is None else str(size) for size in shape) or "scalar"


def count_text(count: int) -> str:
    """``1.2 M``: a count in three digits.

    >>> count_text(937), count_text(23587712)
    ('937', '23.6 M')
    """
    for limit, unit in ((10**9, "G"), (10**6, "M"), (10**4, "k")):
        if count >= limit:
            scaled = count / (1000 if unit == "k" else limit)
            return f"{scaled:.1f} {unit}" if scaled < 100 else f"{scaled:.0f} {unit}"
    return str(count)


def value_text(value: object, most: int = 60) -> str:
    """An attribute's value on one line, for people (``text.py`` has the exact spelling)."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, float | np.floating):
        return f"{float(value):.6g}"
    if isinstance(value, str):
        return shorten(visible(value), most)
    if isinstance(value, np.ndarray):
        return _array_text(value, most)
    if isinstance(value, Mapping):
        pairs = (f"{k}: {value_text(v, most)}" for k, v in list(value.items())[:8])
        return shorten(visible("{" + ", ".join(pairs) + "}"), most)
    if isinstance(value, tuple | list) and type(value) in (tuple, list):
        inner = (value_text(each, most) for each in value[:16])
        more = ", …" if len(value) > 16 else ""
        return shorten(f"({', '.join(inner)}{more})", most)
    return shorten(visible(str(value)), most)


def _array_text(value: np.ndarray, most: int) -> str:
    if value.ndim == 0 and value.dtype != object:
        return value_text(value.item(), most)
    if value.size <= 8 and value.dtype != object:
        return shorten(value_text(tuple(value.ravel().tolist()), most), most)
    return f"{short_dtype(str(value.dtype))}{shape_text(value.shape)}"


def config_pairs(node: Node) -> Iterator[tuple[str, str]]:
    """The attributes that say something of the node, as text; dtypes and bookkeeping are left out."""
    if isinstance(node, Layer):
        for key, value in node.attrs.items():
            if value is not None and key not in ("name", "dtype", "trainable"):
                yield key, value_text(value)
        return
    usual = opdefs.defaults(node.op)
    quiet = {"dtype", "value", "N", "shape", "container", "shared_name"}
    for key in node.attrs:
        if key.startswith(("_", "T")) or key in quiet:
            continue
        value = node.attrs[key]
        if key not in usual or not _same(value, usual[key]):
            yield key, value_text(value)


def _same(value: object, other: object) -> bool:
    return isinstance(value, str | int | float | tuple) and value == other


def output_spec(
    graph: Graph, name: str, specs: Mapping[Tensor, TensorSpec], port: int = 0
) -> TensorSpec:
    """What is known of one output of a node or layer of ``graph``: inferred first, then as the file says."""
    node = graph.node(name)
    if isinstance(node, Layer) and port == 0 and node.output in specs:
        return specs[node.output]
    spec = specs.get(Tensor(name, port))
    if spec is None and port < len(node.outputs):
        spec = node.outputs[port]
    return spec or TensorSpec()


def size_of(shape: Shape) -> int:
    """The number of elements; 0 where a size is unknown."""
    count = 1
    for size in (None,) if shape is None else shape:
        count *= size or 0
    return count
