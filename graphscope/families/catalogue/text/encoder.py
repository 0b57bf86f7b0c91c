"""What BERT and those after it share: embeddings of words, kinds and places, and layers of attention. Source: google-research/bert's modeling.py."""

from __future__ import annotations

from ...notation.net import Handle
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size

EPSILON = 1e-12
_HEAD = 64  # the usual size of a head


def embedded(
    net: SequenceNet,
    inputs: tuple[Handle, Handle],
    rows: tuple[Size, Size],
    places: Size,
    width: Size,
    scope: str = "embeddings",
) -> Handle:
    """Tokens and segments -> the sum of their vectors and their places', normalized."""
    with net[scope]:
        x = net.embedding(inputs[0], "word_embeddings", rows[0], width)
        kinds = net.embedding(inputs[1], "token_type_embeddings", rows[1], width)
        x = net.positions(net.add(x, kinds), "position_embeddings", places)
        return net.layer_norm(x, "LayerNorm", EPSILON)


def head_count(net: SequenceNet, heads: int | None, width: int) -> int:
    """How many heads: what was said, else one for 64 channels."""
    many = heads or max(1, width // _HEAD)
    net.need(width % many == 0, f"{many} heads do not divide {width}")
    return many


def encoded(
    net: SequenceNet, x: Handle, layers: int, width: int, inner: Size, heads: int | None
) -> Handle:
    many = head_count(net, heads, width)
    for place in range(layers):
        with net[f"encoder/layer_{place}"]:
            x = _layer(net, x, width, inner, many)
    return x


def attended(net: SequenceNet, x: Handle, scope: str, width: int, heads: int) -> Handle:
    """What attention adds to a sequence; weights lie below ``scope``."""
    weights = {}
    for role in ("query", "key", "value"):
        for part in ("kernel", "bias"):
            shape = (width, width) if part == "kernel" else (width,)
            use = net.weight(net.path("", f"{scope}/self/{role}", part), shape)
            weights[f"{role}_dense/{part}"] = net.heads(use, heads)
    kernel = net.weight(net.path("", f"{scope}/output/dense", "kernel"), (width, width))
    bias = net.weight(net.path("", f"{scope}/output/dense", "bias"), (width,))
    weights["output_dense/kernel"] = net.from_heads(kernel, heads)
    weights["output_dense/bias"] = bias
    return net.attention(x, weights, heads)


def _layer(net: SequenceNet, x: Handle, width: int, inner: Size, heads: int) -> Handle:
    y = attended(net, x, "attention", width, heads)
    x = net.layer_norm(net.add(y, x), "attention/output/LayerNorm", EPSILON)
    y = net.gelu(net.dense(x, "intermediate/dense", inner))
    y = net.dense(y, "output/dense", width)
    return net.layer_norm(net.add(y, x), "output/LayerNorm", EPSILON)
