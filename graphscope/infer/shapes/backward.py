"""What the readers of a feed imply of its shape, where the file does not say it.

Python wrote no shape into placeholders before TensorFlow 1.0, and many people feed arrays of no declared shape. A matrix
product tells the features, a convolution the rank and the channels, a Reshape how many numbers one example has
(``reader_rules.py``); what lies between a feed and such a reader hands that on (``kept_axes.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial

from ... import ops
from ...graph import Graph, Node, Shape, Tensor
from ...ops import spellings
from ...ops.values.dims import agree, merge
from ...ops.values.facts import Implied
from ...wire import opdefs
from .kept_axes import BACK, JOINS
from .reader_rules import RULES, Facts, Inputs, Said

Sizes = tuple[int | None, ...]
_COLOURS = 3
Back = Callable[[Sizes], Shape]


def implied_shapes(
    graph: Graph, facts: Facts, switches: Collection[str] = ()
) -> dict[str, Implied]:
    """By feed: what its readers imply beyond what is known of it; feeds of which all is known are left out.

    ``facts`` are those of ``infer_facts``, ``switches`` the feeds that switch a mode or a rate. Give the shapes back to it as ``given`` to know the rest of the graph.
    """
    shapes: dict[str, Implied] = {}
    for name, data in graph._node.items():
        node = data.get("node")
        if node is None or "feed" not in ops.traits(node.op):
            continue
        shape = facts[Tensor(name)].spec.shape if Tensor(name) in facts else None
        if shape is None and name in switches:
            shapes[name] = Implied((), "it switches a mode or a rate")
        elif shape is None or None in shape[1:]:
            implied = _implied(graph, name, shape, facts)
            if implied is not None:
                shapes[name] = implied
    return shapes


def _implied(graph: Graph, feed: str, known: Shape, facts: Facts) -> Implied | None:
    """All readers together, the certain ones before the guesses."""
    shape, evidence, guess = known, "", False
    hints = [(hint, reader) for reader, hint in _readers(graph, feed, facts)]
    for (hint, is_guess), reader in sorted(hints, key=lambda pair: pair[0][1]):
        if not agree(shape, hint) or merge(shape, hint) == shape:
            continue
        if is_guess and shape is not None:
            continue
        shape, guess = merge(shape, hint), guess or is_guess
        evidence = evidence or f"{reader} ({graph.op(reader)}) reads it"
    if known is None:
        for suffix, reader in _operands(graph, feed, facts):
            wider = _widened(shape, suffix)
            if wider != shape:
                shape, guess = wider, True
                evidence = evidence or f"{reader} ({graph.op(reader)}) reads it"
    return Implied(shape, evidence, guess) if evidence else None


def _operands(graph: Graph, feed: str, facts: Facts) -> Iterator[tuple[Sizes, str]]:
    """The shapes of what is added to the feed, or multiplied with it: the widest first."""
    beside = []
    for name, slot in graph.consumers(feed, 0):
        inputs = graph.inputs(name)
        if "elementwise" not in ops.traits(graph.op(name)) or len(inputs) != 2:
            continue
        other = facts[inputs[1 - slot]].spec.shape if inputs[1 - slot] in facts else ()
        if other:
            beside.append((other, name))
    yield from sorted(beside, key=lambda each: -len(each[0]))


def _widened(shape: Shape, suffix: Sizes) -> Shape:
    """The shape, its open sizes as an operand has them that is broadcast against it; of no known rank, examples of such a row.

    What is computed with three numbers alone is an image: means and scales of red, green and blue.
    """
    if shape is None:
        shape = (None,) * (4 if suffix == (_COLOURS,) else max(2, len(suffix)))
    if len(suffix) > len(shape):
        return shape
    open_ = (None,) * (len(shape) - len(suffix))
    beside = [None if size == 1 else size for size in suffix]
    pairs = zip(shape, (*open_, *beside))
    return tuple(
        other if size is None and at else size for at, (size, other) in enumerate(pairs)
    )


def _readers(
    graph: Graph, feed: str, facts: Facts
) -> list[tuple[str, tuple[Shape, bool]]]:
    """What reads the feed, or what is made of it without a change of its rank; and what that tells of the feed."""
    hints, visited = [], {feed}
    stack: list[tuple[Tensor, Back]] = [(Tensor(feed), lambda shape: shape)]
    while stack:
        tensor, back = stack.pop()
        for name, slot in graph.consumers(tensor.node, tensor.port):
            node = graph.node(name)
            hint = _hint(node, slot, _unfed(graph, name), facts)
            if hint is not None:
                hints.append((name, (_through(back, hint[0]), hint[1])))
            before = _before(graph, name, slot, facts)
            if name not in visited and before is not None:
                visited.add(name)
                ports = range(max(1, len(opdefs.output_dtypes(node.op, node.attrs))))
                stack += [
                    (Tensor(name, port), partial(_both, back, before)) for port in ports
                ]
    return hints


def _both(outer: Back, inner: Back, shape: tuple[int | None, ...]) -> Shape:
    return _through(outer, inner(shape))


def _through(back: Back, shape: Shape) -> Shape:
    return None if shape is None else back(shape)


def _unfed(graph: Graph, name: str) -> Inputs:
    """What a node reads; of a convolution by a kernel that is fed too the kernel left out, which may take some of the channels."""
    inputs = graph.inputs(name)
    if graph.op(name) not in spellings.CONVOLUTIONS or len(inputs) < 2:
        return inputs
    is_fed = "feed" in ops.traits(graph.op(inputs[1].node))
    return inputs[:1] if is_fed else inputs


def _hint(node: Node, slot: int, inputs: Inputs, facts: Facts) -> Said:
    rule = RULES.get(node.op if not slot else f"{node.op}:{slot}")
    return rule(node, inputs, facts) if rule is not None else None


def _before(graph: Graph, name: str, slot: int, facts: Facts) -> Back | None:
    """From a shape that a node yields to that of what it reads in ``slot``; None where it does not keep a rank."""
    if _keeps_shape(graph, name, facts):
        return lambda shape: shape
    node, inputs = graph.node(name), graph.inputs(name)
    if slot == (1 if node.op in ("Split", "Concat") else 0) or node.op in JOINS:
        return partial(BACK[node.op], node, inputs, facts) if node.op in BACK else None
    return None


def _keeps_shape(graph: Graph, name: str, facts: Facts) -> bool:
    """One input yielded in its own shape: elementwise, all others scalars, or constants beside what has no known rank."""
    traits = ops.traits(graph.op(name))
    if not traits & {"elementwise", "pass-through"}:
        return False
    shapes = [facts[t].spec.shape if t in facts else None for t in graph.inputs(name)]
    wide = [shape for shape in shapes if shape != ()]
    return len(wide) == 1 or wide.count(None) == 1
