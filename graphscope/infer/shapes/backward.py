"""What the readers of a feed imply of its shape, where the file does not say it.

Python wrote no shape into placeholders before TensorFlow 1.0, and many people feed arrays of no declared shape. A matrix
product tells the features, a convolution the rank and the channels, a Reshape how many numbers one example has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from ... import ops
from ...graph import Graph, Node, Shape, Tensor, TensorSpec
from ...ops.values.dims import agree, merge, product
from ...ops.values.facts import Fact, Implied

Said = tuple[Shape, bool] | None
Facts = Mapping[Tensor, Fact]
Rule = Callable[[Node, tuple[Tensor, ...], Facts], Said]


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
        known = facts[Tensor(name)].spec.shape if Tensor(name) in facts else None
        if known is None and name in switches:
            shapes[name] = Implied((), "it switches a mode or a rate")
        elif known is None or None in known[1:]:
            implied = _implied(graph, name, known, facts)
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
    return Implied(shape, evidence, guess) if evidence else None


def _readers(
    graph: Graph, feed: str, facts: Facts
) -> list[tuple[str, tuple[Shape, bool]]]:
    """What reads the feed, or what yields it in the same shape, and what that tells."""
    hints, stack, seen = [], [Tensor(feed)], {feed}
    while stack:
        tensor = stack.pop()
        for name, slot in graph.consumers(tensor.node, tensor.port):
            node = graph.node(name)
            if slot == 0 and node.op in _RULES:
                hint = _RULES[node.op](node, graph.inputs(name), facts)
                if hint is not None:
                    hints.append((name, hint))
            if name not in seen and _keeps_shape(graph, name, facts):
                seen.add(name)
                stack.append(Tensor(name))
    return hints


def _keeps_shape(graph: Graph, name: str, facts: Facts) -> bool:
    """One input yielded in its own shape: elementwise, all other inputs scalars."""
    traits = ops.traits(graph.op(name))
    if not traits & {"elementwise", "pass-through"}:
        return False
    shapes = [facts[t].spec.shape if t in facts else None for t in graph.inputs(name)]
    return sum(shape != () for shape in shapes) == 1


def _spec(inputs: tuple[Tensor, ...], slot: int, facts: Facts) -> TensorSpec:
    known = slot < len(inputs) and inputs[slot] in facts
    return facts[inputs[slot]].spec if known else TensorSpec()


def _product(node: Node, inputs: tuple[Tensor, ...], facts: Facts) -> Said:
    kernel = _spec(inputs, 1, facts).shape
    call = ops.Call(node.op, node.attrs)
    if kernel is None or len(kernel) != 2 or call.get("transpose_a"):
        return (None, None), False
    return (None, kernel[1] if call.get("transpose_b") else kernel[0]), False


def _stacked_product(node: Node, inputs: tuple[Tensor, ...], facts: Facts) -> Said:
    """``tf.matmul`` writes it too where a rank is unknown: then that it is of one matrix is a guess."""
    kernel, x = _spec(inputs, 1, facts).shape, _spec(inputs, 0, facts).shape
    call = ops.Call(node.op, node.attrs)
    if kernel is None or len(kernel) != 2 or call.get("adj_x"):
        return None
    features = kernel[1] if call.get("adj_y") else kernel[0]
    leading = 1 if x is None else len(x) - 1
    return (*(None,) * leading, features), x is None


def _convolution(node: Node, inputs: tuple[Tensor, ...], facts: Facts) -> Said:
    """As many channels as the kernel takes; a grouped convolution, which takes a part of them, is a later reader's."""
    kernel = _spec(inputs, 1, facts).shape
    rank = 5 if "3D" in node.op else 4
    channels = None if kernel is None or len(kernel) != rank else kernel[-2]
    return _image(node, rank, channels), False


def _image(node: Node, rank: int, channels: int | None) -> Shape:
    first = str(ops.Call(node.op, node.attrs).get("data_format", "NHWC"))[1:2] == "C"
    if first:
        return (None, channels) + (None,) * (rank - 2)
    return (None,) * (rank - 1) + (channels,)


def _pooling(node: Node, inputs: tuple[Tensor, ...], facts: Facts) -> Said:
    return _image(node, 5 if "3D" in node.op else 4, None), False


def _normalised(node: Node, inputs: tuple[Tensor, ...], facts: Facts) -> Said:
    scale = _spec(inputs, 1, facts).shape
    return _image(node, 4, scale[0] if scale and len(scale) == 1 else None), False


def _reshaped(node: Node, inputs: tuple[Tensor, ...], facts: Facts) -> Said:
    """One example has as many numbers as the target's known sizes; that they come as a row is a guess."""
    target = facts[inputs[1]].value if len(inputs) > 1 and inputs[1] in facts else None
    call = ops.Call(node.op, {}, [TensorSpec()] * 2, [None, target])
    sizes = call.dims(1)
    if not sizes or sizes[0] not in (None, -1) or len(sizes) < 2:
        return None
    if min(size or -1 for size in sizes[1:]) < 1:
        return None
    return (None, product(sizes[1:])), True


def _turned(node: Node, inputs: tuple[Tensor, ...], facts: Facts) -> Said:
    order = _spec(inputs, 1, facts).shape
    if not order or order[0] is None:
        return None
    return (None,) * order[0], False


def _of(shape: Shape) -> Rule:
    """An op that takes nothing else there."""
    return lambda node, inputs, facts: (shape, False)


_RULES: dict[str, Rule] = {
    "MatMul": _product,
    "BatchMatMul": _stacked_product,
    "BatchMatMulV2": _stacked_product,
    "BatchMatMulV3": _stacked_product,
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "DepthwiseConv2dNative": _convolution,
    "MaxPool": _pooling,
    "AvgPool": _pooling,
    "MaxPool3D": _pooling,
    "AvgPool3D": _pooling,
    "FusedBatchNorm": _normalised,
    "FusedBatchNormV2": _normalised,
    "FusedBatchNormV3": _normalised,
    "ResizeBilinear": _pooling,
    "ResizeNearestNeighbor": _pooling,
    "Reshape": _reshaped,
    "Transpose": _turned,
    "ParseExample": _of((None,)),
    "ParseSingleExample": _of(()),
    "AudioSpectrogram": _of((None, None)),
    "LRN": _of((None,) * 4),
    **{f"Decode{kind}": _of(()) for kind in ("Jpeg", "Png", "Bmp", "Gif", "Wav")},
    **{op: _of(()) for op in ("DecodeImage", "ReadFile", "DecodeAndCropJpeg")},
}
