"""BERT. Source: google-research/bert's modeling.py and run_classifier.py."""

from __future__ import annotations

from ... import family
from ...notation.net import Handle
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size, count, free, has, number, size
from .encoder import embedded, encoded


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
    net.need(net.root.rpartition("/")[2] != "electra", "its scope is ELECTRA's")
    x = embedded(net, (tokens, segments), (vocabulary, types), places, hidden)
    width = number(hidden) or 64
    x = encoded(net, x, layers, width, inner, heads)
    if pooler:
        first = net.first_token(x)
        pooled = net.dense(first, "pooler/dense", hidden, activation="tanh")
        if classes is not None:
            _classify(net, pooled, classes)


def _classify(net: SequenceNet, pooled: Handle, classes: Size) -> None:
    """``run_classifier.py`` keeps its weights beside the encoder, (classes, hidden)."""
    width = number(pooled.channels)
    kernel = net.weight(net.path("", "../output_weights", ""), (classes, width))
    transposed = net.transposed(kernel)
    bias = net.weight(net.path("", "../output_bias", ""), (classes,))
    config = {"units": number(classes), "activation": "softmax"}
    weights = {"kernel": transposed, "bias": bias}
    net.layer("Dense", "probabilities", (pooled,), config, weights, classes)
