"""T5 (arXiv 1910.10683). Source: tensorflow/mesh, mesh_tensorflow/transformer/transformer.py, transformer_layers.py and attention.py."""

from __future__ import annotations

from ....graph import WeightUse
from ... import family
from ...notation.net import Handle
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size, has, names, number, size
from .encoder_decoder import (
    attended,
    looked_up,
    padding_bias,
    scores,
    without_padding,
)

_EPSILON = 1e-6
_KERNELS = ("q", "k", "v", "o")
_FIRST = "block_000/layer_000/SelfAttention"
Feed = tuple[Size, bool]  # the width between two dense layers; whether one gates it


def _norm(net: SequenceNet, x: Handle, name: str) -> Handle:
    width = number(x.channels)
    weights = {"scale": net.weight(net.path("", f"{name}/scale", ""), (width,))}
    config = {"epsilon": _EPSILON}
    return net.layer("RMSNormalization", name, (x,), config, weights, width)


def _bias(net: SequenceNet, side: str, tokens: Handle, heads: int) -> Handle:
    """What the first layer of a side keeps for all of them: (heads, buckets)."""
    path = net.path("", f"{side}/{_FIRST}/relative_attention_bias", "")
    table = net.weight(path, (heads, None))
    config = {"input_dim": table.shape[-1], "output_dim": heads}
    if side == "decoder":
        config["both_ways"] = False
    weights = {"embeddings": net.transposed(table)}
    return net.layer("RelativeBias", "relative", (tokens,), config, weights, None)


def _attention(
    net: SequenceNet, x: Handle, name: str, memory: Handle | None, bias: Handle
) -> Handle:
    width = number(x.channels) or 1
    heads = net.stored_size(f"encoder/{_FIRST}/relative_attention_bias", 0) or 1
    normed = _norm(net, x, "layer_norm")
    q, k, v, o = (f"{name}/{kernel}" for kernel in _KERNELS)
    ends = (normed, memory or normed)
    return net.add(x, attended(net, ends, (q, k, v, o), width, heads, bias, True))


def _fed_forward(net: SequenceNet, x: Handle, feed: Feed) -> Handle:
    inner, is_gated = feed
    y = _norm(net, x, "layer_norm")
    with net["DenseReluDense"]:
        if is_gated:
            gate = net.gelu(net.dense(y, "wi_0", inner, bias=False))
            z = net.multiply(gate, net.dense(y, "wi_1", inner, bias=False))
        else:
            z = net.dense(y, "wi", inner, bias=False, activation="relu")
        return net.add(x, net.dense(z, "wo", number(x.channels), bias=False))


def _blocks(side: tuple[str, ...]) -> int:
    return sum(name.startswith("block_") for name in side)


def _title(
    encoder: tuple[str, ...],
    decoder: tuple[str, ...],
    width: int,
    gated: bool,
    **_: object,
) -> str:
    version = "v1.1, " if gated else ""
    return f"{version}{_blocks(encoder)} and {_blocks(decoder)} blocks of {width}"


@family(
    "T5",
    f"encoder/{_FIRST}/q",
    "decoder/block_000/layer_001/EncDecAttention/q",
    "shared/embedding",
    variant=_title,
)
def t5(
    net: SequenceNet,
    encoder: tuple[str, ...] = names("encoder"),
    decoder: tuple[str, ...] = names("decoder"),
    width: Size = size(),
    inner: Size = size(),
    gated: bool = has("encoder/block_000/layer_001/DenseReluDense/wi_0/kernel"),
    untied: bool = has("decoder/logits/kernel"),
) -> None:
    """Scores of the next word, for each place of a target that is fed whole and one place late, as training feeds it."""
    net.note("the target is fed one place late, behind a 0; 0 pads the text")
    heads = net.stored_size(f"encoder/{_FIRST}/relative_attention_bias", 0) or 1
    tokens, target = net.tokens(), net.tokens()
    table = net.weight(net.path("", "shared/embedding", ""), (None, width))
    padding, feed = padding_bias(net, tokens), (inner, gated)
    bias = net.add(_bias(net, "encoder", tokens, heads), padding)
    x = looked_up(net, tokens, table)
    for place in range(_blocks(encoder)):
        with net[f"encoder/block_{place:03}/layer_000"]:
            x = _attention(net, x, "SelfAttention", None, bias)
        with net[f"encoder/block_{place:03}/layer_001"]:
            x = _fed_forward(net, x, feed)
    memory = without_padding(net, _norm(net, x, "encoder/final_layer_norm"), tokens)
    bias = _bias(net, "decoder", target, heads)
    x = looked_up(net, target, table)
    for place in range(_blocks(decoder)):
        with net[f"decoder/block_{place:03}/layer_000"]:
            x = _attention(net, x, "SelfAttention", None, bias)
        with net[f"decoder/block_{place:03}/layer_001"]:
            x = _attention(net, x, "EncDecAttention", memory, padding)
        with net[f"decoder/block_{place:03}/layer_002"]:
            x = _fed_forward(net, x, feed)
    x = _norm(net, x, "decoder/final_layer_norm")
    _logits(net, x, table, untied)


def _logits(net: SequenceNet, x: Handle, table: WeightUse, untied: bool) -> None:
    """By a kernel of their own, or by the table of words, then of a sequence that is scaled down."""
    if untied:
        net.dense(x, "decoder/logits", table.shape[0], bias=False)
    else:
        scores(net, net.rescale(x, float(table.shape[1]) ** -0.5), table)
