"""ALBERT (arXiv 1909.11942): BERT whose layers are one, again and again. Source: google-research/albert, modeling.py."""

from __future__ import annotations

from ... import family
from ...notation.net import Handle
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size, free, has, number, size
from .encoder import EPSILON, attended, embedded, head_count

_GROUP = "encoder/transformer/group_0/inner_group_0"


@family(
    "ALBERT",
    f"{_GROUP}/attention_1/self/query/kernel",
    "encoder/embedding_hidden_mapping_in/kernel",
    f"{_GROUP}/ffn_1/intermediate/output/dense/kernel",
    roles={"embeddings": ""},
    variant=lambda layers, hidden, heads, **_: f"{layers} times one layer of {hidden}, {heads or hidden // 64} heads",
)
def albert(
    net: SequenceNet,
    layers: int = free(12),
    vocabulary: Size = size(),
    narrow: Size = size(),
    hidden: Size = size(),
    inner: Size = size(),
    places: Size = size(),
    types: Size = size(),
    heads: int | None = free(None),
    pooler: bool = has("pooler/dense/kernel"),
) -> None:
    """``layers``: how often the one layer is run, which nothing in the file says (12, of xxlarge too; large and xlarge 24)."""
    inputs = (net.tokens(), net.tokens())
    x = embedded(net, inputs, (vocabulary, types), places, narrow)
    x = net.dense(x, "encoder/embedding_hidden_mapping_in", hidden)
    width = number(hidden) or 64
    many = head_count(net, heads, width)
    for _ in range(layers):
        with net[_GROUP]:
            x = _layer(net, x, width, inner, many)
    if pooler:
        net.dense(net.first_token(x), "pooler/dense", hidden, activation="tanh")


def _layer(net: SequenceNet, x: Handle, width: int, inner: Size, heads: int) -> Handle:
    y = attended(net, x, "attention_1", width, heads)
    x = net.layer_norm(net.add(y, x), "LayerNorm", EPSILON)
    y = net.gelu(net.dense(x, "ffn_1/intermediate/dense", inner))
    y = net.dense(y, "ffn_1/intermediate/output/dense", width)
    return net.layer_norm(net.add(y, x), "LayerNorm_1", EPSILON)
