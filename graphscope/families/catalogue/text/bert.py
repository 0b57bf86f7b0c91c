"""BERT. Source: google-research/bert's modeling.py and run_classifier.py."""

from __future__ import annotations

from ... import family
from ...notation.net import Handle
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size, count, free, has, number, size

_EPSILON = 1e-12


@family(
    "BERT",
    "embeddings/word_embeddings",
    "encoder/layer_0/attention/self/query/kernel",
    "pooler/dense/kernel",
    roles={"embeddings": ""},
    variant=lambda layers, hidden, heads, **_: f"{layers} layers of {hidden}, {heads or hidden // 64} heads",
)
def bert(
    net: SequenceNet,
    layers: int = count("encoder/layer_{}", start=0),
    vocabulary: Size = size(),
    hidden: Size = size(),
    inner: Size = size(),
    places: Size = size(),
    types: Size = size(),
    heads: int | None = free(None),
    pooler: bool = has("pooler/dense/kernel"),
    classes: Size = size("../output_weights"),
) -> None:
    tokens, segments = net.tokens(), net.tokens()
    with net["embeddings"]:
        x = net.embedding(tokens, "word_embeddings", vocabulary, hidden)
        width = number(hidden) or 64
        kinds = net.embedding(segments, "token_type_embeddings", types, hidden)
        x = net.positions(net.add(x, kinds), "position_embeddings", places)
        x = net.layer_norm(x, "LayerNorm", _EPSILON)
    count_ = heads or max(1, width // 64)
    net.need(width % count_ == 0, f"{count_} heads do not divide {width}")
    for place in range(layers):
        with net[f"encoder/layer_{place}"]:
            x = _layer(net, x, width, inner, count_)
    if pooler:
        first = net.first_token(x)
        pooled = net.dense(first, "pooler/dense", hidden, activation="tanh")
        if classes is not None:
            _classify(net, pooled, classes)


def _layer(net: SequenceNet, x: Handle, width: int, inner: Size, heads: int) -> Handle:
    weights = {}
    for role in ("query", "key", "value"):
        for part in ("kernel", "bias"):
            shape = (width, width) if part == "kernel" else (width,)
            use = net.weight(net.path("", f"attention/self/{role}", part), shape)
            weights[f"{role}_dense/{part}"] = net.heads(use, heads)
    kernel = net.weight(
        net.path("", "attention/output/dense", "kernel"), (width, width)
    )
    bias = net.weight(net.path("", "attention/output/dense", "bias"), (width,))
    weights["output_dense/kernel"] = net.from_heads(kernel, heads)
    weights["output_dense/bias"] = bias
    y = net.attention(x, weights, heads)
    x = net.layer_norm(net.add(y, x), "attention/output/LayerNorm", _EPSILON)
    y = net.gelu(net.dense(x, "intermediate/dense", inner))
    y = net.dense(y, "output/dense", width)
    return net.layer_norm(net.add(y, x), "output/LayerNorm", _EPSILON)


def _classify(net: SequenceNet, pooled: Handle, classes: Size) -> None:
    """``run_classifier.py`` keeps its weights beside the encoder, (classes, hidden)."""
    width = number(pooled.channels)
    kernel = net.weight(net.path("", "../output_weights", ""), (classes, width))
    turned = net.transposed(kernel)
    bias = net.weight(net.path("", "../output_bias", ""), (classes,))
    config = {"units": number(classes), "activation": "softmax"}
    weights = {"kernel": turned, "bias": bias}
    net.layer("Dense", "probabilities", (pooled,), config, weights, classes)
