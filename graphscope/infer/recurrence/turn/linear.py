"""A pre-activation -> the sum of matrix products that it is: ``sum(v @ A for v, A in terms) + biases + offset``.

One reading for all spellings: a product with a concatenation takes rows of one matrix, a split or slice takes columns of it, gates with
matrices of their own are sums already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from ....graph import Tensor
from ....match import View, WeightRef
from ....match.view.nodes import MALFORMED
from ....ops import spellings
from .parts import columns, past_layout, unmasked, weight_behind
from .projected import Projection

SUMS = frozenset({"Add", "BiasAdd", "AddN"})
PRODUCTS = frozenset({"MatMul", "Conv2D", "Conv3D"})
_RANKS = {"MatMul": 2, "Conv2D": 4, "Conv3D": 5}  # of the kernels
PARTS = frozenset({*spellings.SPLITS, "StridedSlice", "Slice"})
_CONVOLUTION = ("strides", "padding", "data_format", "dilations", "explicit_paddings")
_AXES = ("strides", "dilations")
DEEPEST = 64  # nodes from the result of a sum to one of its terms


class Term(NamedTuple):
    """A tensor times a weight; ``settings`` are those of the convolution where the product is one."""

    vector: Tensor
    kernel: WeightRef
    settings: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Linear:
    """A sum of products, biases and a number; ``rest`` is what is added and none of these."""

    terms: tuple[Term, ...] = ()
    biases: tuple[WeightRef, ...] = ()
    offset: float = 0.0
    rest: tuple[Tensor, ...] = ()

    def plus(self, other: Linear) -> Linear:
        """The sum."""
        return Linear(
            self.terms + other.terms,
            self.biases + other.biases,
            self.offset + other.offset,
            self.rest + other.rest,
        )

    def scaled(self, factor: float) -> Linear:
        """The sum times a number."""
        if factor == 1.0:
            return self
        terms = (
            t._replace(kernel=t.kernel.then("scale", factor, t.kernel.shape))
            for t in self.terms
        )
        biases = (b.then("scale", factor, b.shape) for b in self.biases)
        return replace(
            self,
            terms=tuple(terms),
            biases=tuple(biases),
            offset=self.offset * factor,
        )


Window = tuple[int, int] | None
"""The columns that are read: begin and end along the last axis; None for all."""


class LinearReader:
    """Reads sums in one view; what lies outside of ``inside`` is a vector, and never looked into."""

    def __init__(
        self,
        view: View,
        inside: frozenset[str],
        projections: Mapping[Tensor, Projection] = MappingProxyType({}),
    ) -> None:
        self.view, self.inside, self.projections = view, inside, projections

    def read(self, tensor: Tensor, window: Window = None, depth: int = 0) -> Linear:
        """The tensor as a sum, or as a rest of itself where it is none."""
        try:
            linear = self._read(tensor, window, depth)
        except MALFORMED:
            linear = None
        return Linear(rest=(tensor,)) if linear is None else linear

    def _read(self, tensor: Tensor, window: Window, depth: int) -> Linear | None:
        view = self.view
        number = view.scalar(tensor)
        if number is not None and number.dtype.kind == "f":
            return Linear(offset=float(number.reshape(())))
        weight = weight_behind(view, tensor)
        if weight is not None:
            return self._bias(weight, window)
        source = past_layout(view, tensor)
        name, op = source.node, view.ops[source.node]
        if name not in self.inside or depth > DEEPEST:
            return None
        if source in self.projections:
            return self._projected(self.projections[source], window)
        if op in SUMS:
            return self._sum(view.inputs[name], window, depth)
        whole = unmasked(view, source)
        if whole is not None:
            return self._read(whole, window, depth + 1)
        if op == "Mul":
            return self._multiple(view.inputs[name], window, depth)
        if op in PRODUCTS:
            return self._product(name, window)
        if op == "Squeeze":
            return self._narrow_product(name, window)
        if op == "Concat" and window is not None:
            return self._side(source, window, depth)
        if op in PARTS:
            part = columns(view, source)
            if part is None:
                return None
            whole, begin, end = part
            first, last = window or (0, end - begin)
            inner = self._read(whole, (begin + first, begin + last), depth + 1)
            return inner if inner is not None and not inner.rest else None
        return None

    def _side(self, tensor: Tensor, window: Window, depth: int) -> Linear | None:
        """Columns of gates that were put side by side: of the one that holds all of them."""
        begin, end = window or (0, 0)
        for part in parts_of(self.view, tensor, self.inside):
            shape = self.view.shape(part)
            width = shape[-1] if shape and part != tensor else None
            if width is None:
                return None
            if begin < width:
                inside = end <= width
                return self._read(part, (begin, end), depth + 1) if inside else None
            begin, end = begin - width, end - width
        return None

    def _projected(self, before: Projection, window: Window) -> Linear | None:
        """The product that was worked out for all steps before the loop."""
        kernel, bias = before.kernel, Linear()
        if window is not None:
            kernel = kernel.sliced(1, *window)
        if before.bias is not None:
            bias = self._bias(before.bias, window) or bias
        return Linear((Term(before.vector, kernel),)).plus(bias)

    def _bias(self, weight: WeightRef, window: Window) -> Linear | None:
        while len(weight.shape) > 1 and weight.shape[0] == 1:
            weight = weight.reshaped(*weight.shape[1:])
        if len(weight.shape) != 1:
            return None
        if window is not None and weight.shape[0] != 1:
            weight = weight.sliced(0, *window)
        return Linear(biases=(weight,))

    def _sum(
        self, inputs: Sequence[Tensor], window: Window, depth: int
    ) -> Linear | None:
        whole = Linear()
        for each in inputs:
            part = self._read(each, window, depth + 1)
            if part is None:
                if window is not None:
                    return None
                part = Linear(rest=(each,))
            whole = whole.plus(part)
        return whole

    def _multiple(
        self, inputs: Sequence[Tensor], window: Window, depth: int
    ) -> Linear | None:
        """A sum times a constant number."""
        for number, other in (inputs, inputs[::-1]):
            factor = self.view.scalar(number)
            if factor is not None and factor.dtype.kind == "f":
                linear = self._read(other, window, depth + 1)
                if linear is None or linear.rest:
                    return None
                return linear.scaled(float(factor.reshape(())))
        return None

    def _product(self, name: str, window: Window) -> Linear | None:
        view = self.view
        left, right, *_ = view.inputs[name]
        attrs, kernel = view.attrs[name], weight_behind(view, right)
        if kernel is None or len(kernel.shape) != _RANKS[view.ops[name]]:
            return None
        if attrs.get("transpose_a"):
            return None
        if attrs.get("transpose_b"):
            kernel = kernel.transposed(1, 0)
        settings = _settings(attrs) if view.ops[name] != "MatMul" else ()
        return self._terms(left, kernel, settings, window)

    def _narrow_product(self, name: str, window: Window) -> Linear | None:
        """``Squeeze(Conv2D(ExpandDims(x, 1), kernel))``, which is how a convolution along one axis is written."""
        view = self.view
        product, _ = view.producer(view.inputs[name][0])
        if view.ops[product.node] != "Conv2D" or product.node not in self.inside:
            return None
        left, right, *_ = view.inputs[product.node]
        wide, _ = view.producer(left)
        kernel, settings = weight_behind(view, right), _settings(
            view.attrs[product.node]
        )
        if view.ops[wide.node] != "ExpandDims" or kernel is None:
            return None
        axis = view.number(view.inputs[wide.node][1])
        squeezed = list(view.attrs[name].get("squeeze_dims") or ())
        places = {int(axis.reshape(())) if axis is not None else None, *squeezed}
        if len(kernel.shape) != 4 or kernel.shape[0] != 1 or not places <= {1, -3}:
            return None
        narrow = tuple((k, (*v[:1], *v[2:]) if k in _AXES else v) for k, v in settings)
        kernel = kernel.reshaped(*kernel.shape[1:])
        return self._terms(view.inputs[wide.node][0], kernel, narrow, window)

    def _terms(
        self,
        left: Tensor,
        kernel: WeightRef,
        settings: tuple[tuple[str, Any], ...],
        window: Window,
    ) -> Linear | None:
        """The product of a tensor, or of several side by side, with the columns of a kernel."""
        rows, cols = len(kernel.shape) - 2, len(kernel.shape) - 1
        if window is not None:
            kernel = kernel.sliced(cols, *window)
        left = past_layout(self.view, left)
        parts = parts_of(self.view, left, self.inside)
        sizes = self._sizes(parts, kernel.shape[rows])
        if sizes is None:
            return None
        terms, at = [], 0
        for part, size in zip(parts, sizes):
            terms.append(Term(part, kernel.sliced(rows, at, at + size), settings))
            at += size
        return Linear(tuple(terms))

    def _sizes(self, parts: Sequence[Tensor], whole: int) -> list[int] | None:
        """The widths of what is joined; of one that is not known, what the others leave."""
        shapes = [self.view.shape(part) for part in parts]
        widths = [shape[-1] if shape else None for shape in shapes]
        rest = whole - sum(width or 0 for width in widths)
        if widths.count(None) > 1 or rest < (None in widths):
            return None
        sizes = [rest if width is None else width for width in widths]
        return sizes if sum(sizes) == whole else None


def _settings(attrs: Mapping[str, object]) -> tuple[tuple[str, Any], ...]:
    return tuple((key, attrs[key]) for key in _CONVOLUTION if key in attrs)


def parts_of(view: View, tensor: Tensor, inside: frozenset[str]) -> list[Tensor]:
    """What is joined along the last axis to this tensor; itself where nothing is."""
    source, _ = view.producer(tensor)
    if view.ops[source.node] != "Concat" or source.node not in inside:
        return [tensor]
    parts = list(view.inputs[source.node])
    at = parts.pop(0 if view.kinds[source.node] == "Concat" else -1)
    axis, shape = view.number(at), view.shape(source)
    rank = len(shape) if shape is not None else 2
    if axis is None or int(axis.reshape(())) not in (rank - 1, -1):
        return [tensor]
    return [each for part in parts for each in parts_of(view, part, inside)]
