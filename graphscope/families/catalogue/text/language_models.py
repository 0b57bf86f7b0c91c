"""LSTM language models: of words, tensorflow/models' tutorials/rnn/ptb/ptb_word_lm.py; of characters, char-rnn-tensorflow."""

from __future__ import annotations

from ... import family
from ...notation.net import Handle
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size, Width, count, number, one_of, size


@family(
    "PTB language model",
    "softmax_w",
    "RNN/multi_rnn_cell/cell_0/basic_lstm_cell/kernel",
    roles={"embeddings": ""},
    variant=lambda cells, vocabulary, width: f"{cells} LSTM of {width}, {vocabulary} words",
)
def ptb(
    net: SequenceNet,
    cells: int = count("RNN/multi_rnn_cell/cell_{}", start=0),
    vocabulary: Size = size(),
    width: Size = size(),
) -> None:
    x = net.embedding(net.tokens(), "embedding", vocabulary, width)
    for place in range(cells):
        name = f"RNN/multi_rnn_cell/cell_{place}/basic_lstm_cell"
        x = net.lstm(x, name, Width(f"cell {place}"))
    _logits(net, x, "softmax", vocabulary)


@family(
    "char-RNN",
    "rnnlm/softmax_w",
    "rnnlm/multi_rnn_cell/cell_0/basic_lstm_cell/kernel",
    "rnnlm/multi_rnn_cell/cell_0/lstm_cell/kernel",
    roles={"embeddings": ""},
    variant=lambda cells, cell, vocabulary, width: f"{cells} LSTM of {width}, {vocabulary} characters",
)
def char_rnn(
    net: SequenceNet,
    cells: int = count("rnnlm/multi_rnn_cell/cell_{}", start=0),
    cell: str = one_of("basic_lstm_cell", "lstm_cell"),
    vocabulary: Size = size(),
    width: Size = size(),
) -> None:
    """sherjilozair/char-rnn-tensorflow, model.py: the cells add a forget bias of 1."""
    x = net.embedding(net.tokens(), "embedding", vocabulary, width)
    for place in range(cells):
        x = net.lstm(x, f"rnnlm/multi_rnn_cell/cell_{place}/{cell}", width, 1.0)
    _logits(net, x, "rnnlm/softmax", vocabulary)


def _logits(net: SequenceNet, x: Handle, name: str, vocabulary: Size) -> None:
    kernel = net.weight(net.path("", f"{name}_w", ""), (x.channels, vocabulary))
    bias = net.weight(net.path("", f"{name}_b", ""), (vocabulary,))
    weights = {"kernel": kernel, "bias": bias}
    config = {"units": number(vocabulary)}
    net.layer("Dense", "logits", (x,), config, weights, vocabulary)
