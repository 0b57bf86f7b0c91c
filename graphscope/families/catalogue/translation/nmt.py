"""Translation by LSTMs with attention (Luong). Source: tensorflow/nmt, nmt/model.py, model_helper.py and attention_model.py; names as in its test (nmt_test.py, quoted by others); contrib.seq2seq's AttentionWrapper was not at hand: from knowledge of it."""

from __future__ import annotations

from ....graph import WeightUse
from ... import family
from ...notation.net import Handle
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size, has, number, one_of, size
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


def _stack(
    net: SequenceNet, x: Handle, scope: str, units: Size, backwards: bool = False
) -> tuple[Handle, list[tuple[Handle, Handle]]]:
    """Cells one upon another over all steps: what they give, and the states that each ends with."""
    name, states = f"{_MAIN}/encoder/{scope}", []
    many = net.stored_size(f"{name}/basic_lstm_cell/kernel", 0) is None
    place = 0
    while place == 0 or net.stored_size(f"{name}/{_MANY.format(place)}/kernel", 0):
        cell = _MANY.format(place) if many else "basic_lstm_cell"
        first = backwards and not place
        x, *state = net.lstm_and_states(x, f"{name}/{cell}", units, _FORGET, first)
        states.append((state[0], state[1]))
        place += 1
    if backwards:
        x = net.layer("ReversedSteps", "reversed", (x,), {}, {}, x.channels)
    return x, states


def _encoder(
    net: SequenceNet, x: Handle, units: Size, both_ways: bool
) -> tuple[Handle, list[Handle]]:
    """What is attended to, and the states that the decoder begins with: of both ways in turn."""
    if not both_ways:
        x, states = _stack(net, x, "rnn", units)
        return x, [each for state in states for each in state]
    ahead, first = _stack(net, x, "bidirectional_rnn/fw", units)
    back, second = _stack(net, x, "bidirectional_rnn/bw", units, True)
    pairs = zip(first, second, strict=False)
    return net.concatenate(ahead, back), [s for pair in pairs for e in pair for s in e]


def _decoder(
    net: SequenceNet, sizes: tuple[int, int, int], cells: int, scaled: bool
) -> dict[str, WeightUse]:
    """The weights of the decoder, in the order in which its layer makes them."""
    units, width, memory = sizes
    weights: dict[str, WeightUse] = {}

    def bind(role: str, name: str, *shape: int) -> None:
        weights[role] = net.weight(net.path("", name, ""), shape)

    bind("memory_kernel", f"{_MAIN}/decoder/memory_layer/kernel", memory, units)
    for place in range(cells):
        cell = _MANY.format(place) if cells > 1 else "basic_lstm_cell"
        rows = 2 * units if place else width + 2 * units
        bind(f"kernel_{place}", f"{_ATTENTION}/{cell}/kernel", rows, 4 * units)
        bind(f"bias_{place}", f"{_ATTENTION}/{cell}/bias", 4 * units)
    name = f"{_ATTENTION}/attention_layer/kernel"
    bind("attention_kernel", name, units + memory, units)
    if scaled:
        bind("attention_g", _SCALE)
    return weights


@family(
    "Sequence to sequence with attention (nmt)",
    f"{_MAIN}/decoder/memory_layer/kernel",
    f"{_ATTENTION}/attention_layer/kernel",
    f"{_MAIN}/decoder/output_projection/kernel",
    variant=lambda units, scaled, both_ways, **_: f"LSTM of {units}"
    + (", an encoder of both ways" if both_ways else "")
    + (", scaled" if scaled else ""),
)
def nmt(
    net: SequenceNet,
    units: Size = size(),
    words: Size = size(),
    shared: bool = has("embeddings/embedding_share"),
    scaled: bool = has(_SCALE),
    both_ways: bool = one_of(False, True),
) -> None:
    """Scores of the next word, for each place of a target that is fed whole and begins with <s>."""
    net.note("no layer skips another; the texts of a batch are equally long")
    tokens, target = net.tokens(), net.tokens()
    read, written = _tables(net, shared)
    x, states = _encoder(net, looked_up(net, tokens, read), units, both_ways)
    cells, wide = len(states) // 2, number(units) or 1
    sizes = (wide, written.shape[-1], number(x.channels) or wide)
    y = looked_up(net, target, written)
    weights = _decoder(net, sizes, cells, scaled)
    config = dict(zip(("units", "width", "memory_width"), sizes, strict=True))
    config |= {"cells": cells} | ({"scaled": True} if scaled else {})
    inputs = (y, x, net.concatenate(*states))
    y = net.layer("AttentionDecoder", "decoder", inputs, config, weights, wide)
    net.dense(y, f"{_MAIN}/decoder/output_projection", words, bias=False)
