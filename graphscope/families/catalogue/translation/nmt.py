"""Translation by LSTMs with attention (Luong). Source: tensorflow/nmt, nmt/model.py, model_helper.py and attention_model.py; names as in its test (nmt_test.py, quoted by others); contrib.seq2seq's AttentionWrapper was not at hand: from knowledge of it."""

from __future__ import annotations

from ....graph import WeightUse
from ... import family
from ...notation.net import Handle
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size, count, has, number, size
from .encoder_decoder import looked_up

_FORGET = 1.0
_MAIN = "dynamic_seq2seq"
_MANY = "multi_rnn_cell/cell_{}/basic_lstm_cell"
_ATTENTION = f"{_MAIN}/decoder/attention"
_SCALE = f"{_ATTENTION}/luong_attention/attention_g"


def _tables(net: SequenceNet, shared: bool) -> tuple[WeightUse, WeightUse]:
    """Of the words that are read, and of those that are written."""
    names = ["encoder/embedding_encoder", "decoder/embedding_decoder"]
    names = ["embedding_share"] * 2 if shared else names
    first, second = (
        net.weight(net.path("", f"embeddings/{name}", ""), (None, None))
        for name in names
    )
    return first, second


def _decoder(
    net: SequenceNet, cells: int, units: int, width: int, scaled: bool
) -> dict[str, WeightUse]:
    """The weights of the decoder, in the order in which its layer makes them."""
    weights: dict[str, WeightUse] = {}

    def bind(role: str, name: str, *shape: int) -> None:
        weights[role] = net.weight(net.path("", name, ""), shape)

    bind("memory_kernel", f"{_MAIN}/decoder/memory_layer/kernel", units, units)
    for place in range(cells):
        cell = _MANY.format(place) if cells > 1 else "basic_lstm_cell"
        rows = 2 * units if place else width + 2 * units
        bind(f"kernel_{place}", f"{_ATTENTION}/{cell}/kernel", rows, 4 * units)
        bind(f"bias_{place}", f"{_ATTENTION}/{cell}/bias", 4 * units)
    name = f"{_ATTENTION}/attention_layer/kernel"
    bind("attention_kernel", name, 2 * units, units)
    if scaled:
        bind("attention_g", _SCALE)
    return weights


@family(
    "Sequence to sequence with attention (nmt)",
    f"{_MAIN}/decoder/memory_layer/kernel",
    f"{_ATTENTION}/attention_layer/kernel",
    f"{_MAIN}/decoder/output_projection/kernel",
    variant=lambda cells, units, scaled, **_: f"{max(1, cells)} LSTM of {units} on each side"
    + (", scaled" if scaled else ""),
)
def nmt(
    net: SequenceNet,
    cells: int = count(f"{_MAIN}/encoder/rnn/multi_rnn_cell/cell_{{}}", start=0),
    units: Size = size(),
    words: Size = size(),
    shared: bool = has("embeddings/embedding_share"),
    scaled: bool = has(_SCALE),
) -> None:
    """Scores of the next word, for each place of a target that is fed whole and begins with <s>."""
    net.note("no layer skips another; the texts of a batch are equally long")
    tokens, target = net.tokens(), net.tokens()
    read, written = _tables(net, shared)
    x, states = looked_up(net, tokens, read), list[Handle]()
    for place in range(max(1, cells)):
        cell = _MANY.format(place) if cells else "basic_lstm_cell"
        name = f"{_MAIN}/encoder/rnn/{cell}"
        x, output, memory = net.lstm_and_states(x, name, units, _FORGET)
        states += [output, memory]
    wide = number(units) or 1
    y = looked_up(net, target, written)
    weights = _decoder(net, max(1, cells), wide, written.shape[-1], scaled)
    config = {"units": wide, "width": written.shape[-1], "memory_width": wide}
    config |= {"cells": max(1, cells)} | ({"scaled": True} if scaled else {})
    inputs = (y, x, net.concatenate(*states))
    y = net.layer("AttentionDecoder", "decoder", inputs, config, weights, wide)
    net.dense(y, f"{_MAIN}/decoder/output_projection", words, bias=False)
