"""The LSTM language model of TensorFlow's tutorial. Source: tensorflow/models' tutorials/rnn/ptb/ptb_word_lm.py."""

from __future__ import annotations

from ... import family
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size, Width, count, number, size


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
    kernel = net.weight(net.path("", "softmax_w", ""), (x.channels, vocabulary))
    bias = net.weight(net.path("", "softmax_b", ""), (vocabulary,))
    weights = {"kernel": kernel, "bias": bias}
    config = {"units": number(vocabulary)}
    net.layer("Dense", "logits", (x,), config, weights, vocabulary)
