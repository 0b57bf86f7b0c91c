"""What is added to the scores of attention, term by term -> one sum that is added once.

``(scores + past) + padding`` is ``scores + (past + padding)`` and ``scores - hidden`` is ``scores + (-hidden)``: the second form
is how attention with a mask of numbers reads, and all layers of a model share its sum.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from ...graph import Graph, Layer, Node, Shape, Tensor, TensorSpec
from ...graph.edit import drop_unread, duplicate, fresh, put
from ...match.view.view import View
from ...simplify.state import State
from ..layers.layer_view import layer_view

_LONGEST = 6  # terms: scores, and what hides the past, the padding, segments, distances
_PRODUCTS = frozenset({"BatchMatMul", "Einsum"})
_SCALED = frozenset({"Mul", "RealDiv", "layers.Rescaling"})
_MOVED = frozenset({"Transpose", "layers.Permute"})


class _Bias(NamedTuple):
    """The scores that a softmax reads, and the other terms of the sum with their signs."""

    root: Tensor
    scores: Tensor
    terms: tuple[tuple[Tensor, int], ...]


def gather_biases(state: State) -> State:
    """Terms added to scores one by one -> one sum, added once.

    ``softmax((scores + past) - hidden) -> softmax(scores + (past + -hidden))``.
    """
    graph = state.graph
    if not any(graph.by_op("BatchMatMul", "BatchMatMulV2", "Einsum")):
        return state
    view = layer_view(state)
    biases = [bias for name in graph if (bias := _bias_of(view, name, state.kept))]
    if not biases:
        return state
    copy = duplicate(graph)
    gathering = _Gathering(copy, view, state.kept)
    for bias in biases:
        gathering.write(bias)
    return state.become(copy)


def _bias_of(view: View, name: str, outputs: frozenset[str]) -> _Bias | None:
    """The sum that a softmax reads, where its terms are to be gathered."""
    if not _is_softmax(view, name):
        return None
    root, _ = view.producer(view.inputs[name][0])
    terms = _terms(view, root, outputs)
    scores = [(t, sign) for t, sign in terms if _is_scores(view, t)]
    others = tuple((t, sign) for t, sign in terms if (t, sign) not in scores)
    if len(scores) != 1 or scores[0][1] < 0 or not others:
        return None
    if len(others) == 1 and others[0][1] > 0:
        return None
    if not any(t.node in view.dynamic for t, _ in others):  # a mask of the past alone
        return None
    return _Bias(root, scores[0][0], others)


def _is_softmax(view: View, name: str) -> bool:
    kind, attrs = view.kinds[name], view.attrs[name]
    if kind == "layers.Activation":
        return attrs.get("activation") == "softmax"
    return kind in ("Softmax", "layers.Softmax")


def _terms(
    view: View, root: Tensor, outputs: frozenset[str]
) -> list[tuple[Tensor, int]]:
    """The terms of a sum with their signs, through sums that nothing else reads."""
    left, terms = [(root, 1)], list[tuple[Tensor, int]]()
    while left:
        tensor, sign = left.pop()
        tensor, _ = view.producer(tensor)
        op, inputs = view.ops[tensor.node], view.inputs[tensor.node]
        alone = (
            len(view.graph.consumers(tensor.node)) == 1 and tensor.node not in outputs
        )
        if not alone or len(left) + len(terms) > _LONGEST:
            terms.append((tensor, sign))
        elif op in ("Add", "AddN"):
            left += [(each, sign) for each in inputs]
        elif op == "Sub":
            left += [(inputs[0], sign), (inputs[1], -sign)]
        else:
            terms.append((tensor, sign))
    return terms


def _is_scores(view: View, tensor: Tensor) -> bool:
    """Whether a tensor is a product of tensors, scaled and moved or not."""
    for _ in range(_LONGEST):
        tensor, _ = view.producer(tensor)
        if view.ops[tensor.node] in _PRODUCTS:
            return all(t.node in view.dynamic for t in view.inputs[tensor.node])
        kind, inputs = view.kinds[tensor.node], view.inputs[tensor.node]
        scaled = kind in _SCALED and all(view.scalar(t) is not None for t in inputs[1:])
        if not inputs or not (scaled or kind in _MOVED):
            return False
        tensor = inputs[0]
    return False


class _Gathering:
    """Writes the new sums; one that several softmaxes read is made once."""

    def __init__(self, copy: Graph, view: View, outputs: frozenset[str]) -> None:
        self.copy, self.view, self.kept = copy, view, outputs
        self.sums: dict[tuple[tuple[Tensor, int], ...], Tensor] = {}
        self.turned: dict[Tensor, Tensor] = {}

    def write(self, bias: _Bias) -> None:
        terms = tuple(sorted(bias.terms, key=lambda term: (-term[1], term[0])))
        if terms not in self.sums:
            self.sums[terms] = self._sum(bias.root.node, terms)
        node = self.view.graph.node(bias.root.node)
        dtype = self._spec(bias.root).dtype
        plain = Node("AddV2", {"T": dtype}, (self._spec(bias.root),))
        before = self.copy.inputs(bias.root.node)
        put(self.copy, bias.root.node, plain, [bias.scores, self.sums[terms]])
        # what else reads scores would keep them from being a layer's own
        drop_unread(self.copy, (tensor.node for tensor in before), self.kept)
        if isinstance(node, Layer):
            self.copy.tensors[node.output] = bias.root

    def _sum(self, near: str, terms: tuple[tuple[Tensor, int], ...]) -> Tensor:
        (first, sign), *rest = terms
        whole = first if sign > 0 else self._negated(first)
        for tensor, sign in rest:
            whole = self._joined(near, whole, tensor, sign)
        return whole

    def _joined(self, near: str, a: Tensor, b: Tensor, sign: int) -> Tensor:
        shape = _broadcast(self._spec(a).shape, self._spec(b).shape)
        spec = TensorSpec(self._spec(a).dtype, shape)
        name = fresh(self.copy, f"{near}/mask")
        op = "AddV2" if sign > 0 else "Sub"
        put(self.copy, name, Node(op, {"T": spec.dtype}, (spec,)), [a, b])
        return Tensor(name)

    def _negated(self, tensor: Tensor) -> Tensor:
        """The tensor with its sign turned; what a Rescaling makes is made so."""
        if tensor in self.turned:
            return self.turned[tensor]
        node, spec = self.copy.node(tensor.node), self._spec(tensor)
        if isinstance(node, Layer) and node.op == "Rescaling":
            name = fresh(self.copy, f"{tensor.node}_mask")
            scale, offset = node.attrs["scale"], node.attrs.get("offset", 0.0)
            attrs = {**node.attrs, "scale": -scale, "offset": -offset}
            negative: Node = replace(node, attrs=attrs, name=name, outputs=(spec,))
            inputs = self.copy.inputs(tensor.node)
        else:
            name = fresh(self.copy, f"{tensor.node}/negative")
            negative, inputs = Node("Neg", {"T": spec.dtype}, (spec,)), (tensor,)
        put(self.copy, name, negative, inputs)
        self.turned[tensor] = Tensor(name)
        return self.turned[tensor]

    def _spec(self, tensor: Tensor) -> TensorSpec:
        if tensor.node in self.view.graph:
            return self.view.specs.get(tensor, TensorSpec())
        return self.copy.node(tensor.node).outputs[0]


def _broadcast(a: Shape, b: Shape) -> Shape:
    """The shape of a sum; a size that only one side knows, and that is not 1, is the sum's."""
    if a is None or b is None:
        return None
    rank = max(len(a), len(b))
    pairs = zip((1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b)
    return tuple(_one(x, y) for x, y in pairs)


def _one(x: int | None, y: int | None) -> int | None:
    if 1 in (x, y):
        return y if x == 1 else x
    return x if y is None else y
