"""The Transformer of tensor2tensor (arXiv 1706.03762). Source: tensorflow/tensor2tensor, models/transformer.py, layers/modalities.py; common_layers.py and common_attention.py as copies in other repositories quote them."""

from __future__ import annotations

from ....graph import WeightUse
from ... import family
from ...notation.net import Handle
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size, count, free, number, size
from ..text.encoder import head_count
from .encoder_decoder import (
    attended,
    looked_up,
    padding_bias,
    scores,
    without_padding,
)

_EPSILON = 1e-6
_NORM = "layer_prepostprocess/layer_norm"
_KERNELS = ("q", "k", "v", "output_transform")


def _table(net: SequenceNet, width: Size) -> WeightUse:
    """The table of words, stored as shards of its rows; the name of their scope says how many rows and columns."""
    scope = f"{net.child('symbol_modality_')}/shared"
    first = net.weight(net.path("", f"{scope}/weights_0", ""), (None, width))
    shards = [first]
    while net.stored_size(name := f"{scope}/weights_{len(shards)}", 0):
        shards.append(net.weight(net.path("", name, ""), (None, first.shape[-1])))
    rows = sum(shard.shape[0] for shard in shards)
    shape = (rows, first.shape[-1])
    net.need(
        scope == f"symbol_modality_{rows}_{shape[1]}/shared",
        f"{scope} holds {rows} rows of {shape[1]}",
    )
    steps = (("join", (0, tuple(shards[1:]))),) if shards[1:] else ()
    return WeightUse(first.node, shape, steps)


def _embedded(net: SequenceNet, tokens: Handle, table: WeightUse) -> Handle:
    x = net.rescale(looked_up(net, tokens, table), float(table.shape[1]) ** 0.5)
    return without_padding(net, x, tokens)


def _timed(net: SequenceNet, x: Handle) -> Handle:
    return net.layer("TimingSignal", "timing", (x,), {}, {}, x.channels)


def _attention(
    net: SequenceNet,
    x: Handle,
    scope: str,
    memory: Handle | None,
    bias: Handle | None,
    heads: int,
) -> Handle:
    """A sequence and what attention adds to it: to itself where there is no ``memory``."""
    width = number(x.channels) or 1
    with net[scope]:
        normed = net.layer_norm(x, _NORM, _EPSILON)
        names = tuple(f"multihead_attention/{name}/kernel" for name in _KERNELS)
        q, k, v, o = names
        ends = (normed, memory or normed)
        return net.add(x, attended(net, ends, (q, k, v, o), width, heads, bias))


def _fed_forward(net: SequenceNet, x: Handle, inner: Size) -> tuple[Handle, Handle]:
    """A sequence, and what two dense layers add to it."""
    with net["ffn"]:
        y = net.dense(
            net.layer_norm(x, _NORM, _EPSILON), "conv1", inner, activation="relu"
        )
        return x, net.dense(y, "conv2", number(x.channels))


@family(
    "Transformer (tensor2tensor)",
    "body/encoder/layer_0/self_attention/multihead_attention/q/kernel",
    "body/decoder/layer_0/encdec_attention/multihead_attention/q/kernel",
    "body/target_space_embedding/kernel",
    roles={"gamma": "layer_norm_scale", "beta": "layer_norm_bias", "embeddings": ""},
    variant=lambda layers, decoders, width, heads, **_: f"{layers} and {decoders} layers of {width}, {heads or max(1, width // 64)} heads",
)
def transformer(
    net: SequenceNet,
    layers: int = count("body/encoder/layer_{}", start=0),
    decoders: int = count("body/decoder/layer_{}", start=0),
    width: Size = size(),
    inner: Size = size(),
    heads: int | None = free(None),
) -> None:
    """Scores of the next word, for each place of a target that is fed whole; 0 pads both texts."""
    net.note(
        "inputs: the text, the number of the target's space (batch, 1), the target"
    )
    tokens, space, target = net.tokens(), net.tokens(), net.tokens()
    table = _table(net, width)
    many = head_count(net, heads, table.shape[1])
    kernel = net.weight(
        net.path("", "body/target_space_embedding/kernel", ""), (None, width)
    )
    x = _embedded(net, tokens, table)
    x = _timed(net, net.add(x, looked_up(net, space, kernel)))
    bias = padding_bias(net, tokens)
    with net["body/encoder"]:
        for place in range(layers):
            with net[f"layer_{place}"]:
                x = _attention(net, x, "self_attention", None, bias, many)
                x, y = _fed_forward(net, x, inner)
                x = net.add(x, without_padding(net, y, tokens))
        memory = net.layer_norm(x, _NORM, _EPSILON)
    y = _embedded(net, target, table)
    y = net.layer("ZeroPadding1D", "start", (y,), {"padding": (1, 0)}, {}, y.channels)
    y = net.layer("Cropping1D", "shift", (y,), {"cropping": (0, 1)}, {}, y.channels)
    y = _timed(net, y)
    with net["body/decoder"]:
        for place in range(decoders):
            with net[f"layer_{place}"]:
                y = _attention(net, y, "self_attention", None, None, many)
                y = _attention(net, y, "encdec_attention", memory, bias, many)
                y = net.add(*_fed_forward(net, y, inner))
        y = net.layer_norm(y, _NORM, _EPSILON)
    scores(net, y, table)
