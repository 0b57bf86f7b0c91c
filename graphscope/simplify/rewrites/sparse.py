"""Products with a sparse tensor that is fed in three parts -> products with one input, which is sparse.

``tf.sparse_placeholder`` makes three placeholders: indices and values, of any number, and dense_shape. Where nothing
reads them but ``SparseTensorDenseMatMul`` and what stands before it (sparse dropout: ``tf.sparse.retain`` by a random mask, and a scale),
they mean one matrix: the placeholder of the values becomes it, with ``sparse`` among its attributes, and
what reads it is the plain arithmetic of dense tensors. A dropped number stays as a zero where ``retain`` takes it out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...graph import Graph, Node, Tensor
from ...graph.edit import duplicate, fresh, put
from ...ops import spellings
from ..prune import prune
from ..state import State

_PRODUCT = "SparseTensorDenseMatMul"
_SCALES = {"SparseDenseCwiseMul": "Mul", "SparseDenseCwiseDiv": "RealDiv"}
_FEEDS = (*spellings.FEEDS, "PlaceholderWithDefault")
_DRAWN = frozenset(spellings.UNIFORM_DRAWS)
_WITHIN_MASK = frozenset(
    {*spellings.SUMS, *"Identity Cast Floor Mul Sub GreaterEqual".split()}
)
_SAME = ("Identity", "Reshape", "Squeeze")


@dataclass(frozen=True)
class SparseFeed:
    """The placeholders of one sparse tensor's parts; ``shape`` may be one with a default, or a constant."""

    indices: str
    values: str
    shape: str


@dataclass(frozen=True)
class _Step:
    """What is done to the values: the node, the op on dense tensors that it means, and the other operand."""

    node: str
    op: str
    other: Tensor


@dataclass(frozen=True)
class _Product:
    node: str
    feed: SparseFeed
    steps: tuple[_Step, ...]


def join_sparse_feeds(state: State) -> State:
    """The three placeholders of a sparse tensor that is multiplied -> one placeholder of a matrix.

    ``SparseTensorDenseMatMul(indices, values, shape, b) -> MatMul(matrix, b)``.
    """
    graph = state.graph
    matches = [_product(graph, name) for name in graph.by_op(_PRODUCT)]
    products = [each for each in matches if each is not None]
    whole = {each.feed for each in products} - set(_read_otherwise(graph, products))
    if not whole:
        return state
    copy = duplicate(graph)
    for feed in whole:
        put(copy, feed.values, _matrix(graph, feed), ())
    for product in products:
        if product.feed in whole:
            _multiply(copy, product)
    return state.become(prune(copy, state.outputs) if state.outputs else copy)


def _product(graph: Graph, name: str) -> _Product | None:
    """The product, where its matrix comes from three feeds; else None."""
    operands = graph.inputs(name)
    if len(operands) != 4:
        return None
    indices, values, shape = (_passed(graph, tensor) for tensor in operands[:3])
    steps: list[_Step] = []
    for _ in range(len(graph)):
        inputs = graph.inputs(values.node)
        op = graph.op(values.node)
        if op in spellings.FEEDS:
            break
        if (
            op in _SCALES
            and _is(graph, inputs[0], indices)
            and _is(graph, inputs[2], shape)
        ):
            steps.append(_Step(values.node, _SCALES[op], inputs[3]))
            values = _passed(graph, inputs[1])
            continue
        mask = _mask(graph, indices, values)
        if mask is None:
            return None
        steps.append(_Step(values.node, "retain", mask))
        indices, values = (
            _passed(graph, graph.inputs(t.node)[0]) for t in (indices, values)
        )
    if steps and not any(step.op == "retain" for step in steps):
        return None  # a scale alone: no layer of Keras's scales a sparse tensor
    is_fed = graph.op(indices.node) in spellings.FEEDS
    if not is_fed or graph.op(shape.node) not in (*_FEEDS, "Const"):
        return None
    count = graph.attrs(values.node).get("shape")
    if count and count[0] is not None:
        return None  # of known number: parts that somebody feeds one by one
    return _Product(
        name, SparseFeed(indices.node, values.node, shape.node), tuple(steps[::-1])
    )


def _passed(graph: Graph, tensor: Tensor) -> Tensor:
    """What an Identity passes on."""
    return graph.past(tensor, ("Identity",))


def _is(graph: Graph, tensor: Tensor, other: Tensor) -> bool:
    return _passed(graph, tensor) == other


def _mask(graph: Graph, indices: Tensor, values: Tensor) -> Tensor | None:
    """The random mask by which indices and values are both gathered; None where that is not so."""
    sources = [_kept(graph, each) for each in (indices, values)]
    if sources[0] is None or sources[0] != sources[1]:
        return None
    return sources[0] if any(_drawn(graph, sources[0])) else None


def _kept(graph: Graph, tensor: Tensor) -> Tensor | None:
    """The mask of which ``Where`` tells what a gather keeps."""
    inputs = graph.inputs(tensor.node)
    if graph.op(tensor.node) not in spellings.GATHERS or len(inputs) < 2:
        return None
    at = inputs[1]
    while graph.op(at.node) in _SAME and graph.inputs(at.node):
        at = graph.inputs(at.node)[0]
    return graph.inputs(at.node)[0] if graph.op(at.node) == "Where" else None


def _drawn(graph: Graph, mask: Tensor) -> Iterator[str]:
    """The nodes that draw the numbers of a mask."""
    stack, visited = [mask.node], {mask.node}
    while stack:
        name = stack.pop()
        if graph.op(name) in _DRAWN:
            yield name
        elif graph.op(name) in _WITHIN_MASK:
            above = {t.node for t in graph.inputs(name)} - visited
            visited |= above
            stack += above


def _read_otherwise(graph: Graph, products: list[_Product]) -> Iterator[SparseFeed]:
    """The feeds that something else reads than the products and what stands before them, or that two readings claim."""
    within = {step.node for product in products for step in product.steps} | {
        product.node for product in products
    }
    owners: dict[str, SparseFeed] = {}
    for product in products:
        feed = product.feed
        for part in (feed.indices, feed.values):
            if owners.setdefault(part, feed) != feed:
                yield from (feed, owners[part])
            if not all(name in within for name in _readers(graph, part)):
                yield feed


def _readers(graph: Graph, name: str) -> Iterator[str]:
    """What reads a part of a sparse tensor, through what only passes it on or keeps some of its rows."""
    stack, visited = [name], {name}
    while stack:
        for reader, slot in graph.consumers(stack.pop()):
            gathered = graph.op(reader) in spellings.GATHERS and slot == 0
            if graph.op(reader) != "Identity" and not gathered:
                yield reader
            elif reader not in visited:
                visited.add(reader)
                stack.append(reader)


def _matrix(graph: Graph, feed: SparseFeed) -> Node:
    node = graph.node(feed.values)
    shape: tuple[int | None, ...] = (None, None)
    declared = feed.shape
    if graph.op(declared) == "PlaceholderWithDefault":
        declared = graph.inputs(declared)[0].node
    value = graph.attrs(declared).get("value")
    if value is not None and value.size == 2:
        shape = tuple(int(size) for size in value.reshape(-1))
    return Node(
        "Placeholder",
        {"dtype": node.attrs.get("dtype"), "shape": shape, "sparse": True},
    )


def _multiply(copy: Graph, product: _Product) -> None:
    """The product and what stands before it as ops on one dense tensor."""
    node, at = copy.node(product.node), Tensor(product.feed.values)
    for step in product.steps:
        if copy.op(step.node) in _SCALES or copy.op(step.node).startswith("Gather"):
            other = step.other
            if step.op == "retain":
                other = _as_numbers(copy, step, at)
            op = "Mul" if step.op == "retain" else step.op
            put(copy, step.node, Node(op, {"T": node.attrs.get("T")}), (at, other))
        at = Tensor(step.node)
    attrs = {
        "T": node.attrs.get("T"),
        "transpose_a": bool(node.attrs.get("adjoint_a")),
        "transpose_b": bool(node.attrs.get("adjoint_b")),
    }
    put(copy, product.node, Node("MatMul", attrs), (at, copy.inputs(product.node)[3]))


def _as_numbers(copy: Graph, step: _Step, at: Tensor) -> Tensor:
    """The mask as numbers, one drawn for each element of the matrix."""
    size = fresh(copy, f"{step.node}/shape")
    put(copy, size, Node("Shape", {"T": "float32", "out_type": "int32"}), (at,))
    for name in list(_drawn(copy, step.other)):
        drawn = copy.node(name)
        attrs = {**drawn.attrs, "T": "int32"}
        put(copy, name, Node(drawn.op, attrs), (Tensor(size), *copy.inputs(name)[1:]))
    mask = step.other
    if copy.op(mask.node) == "Cast":
        return copy.inputs(mask.node)[0]
    cast = fresh(copy, f"{step.node}/mask")
    put(copy, cast, Node("Cast", {"SrcT": "bool", "DstT": "float32"}), (mask,))
    return Tensor(cast)
