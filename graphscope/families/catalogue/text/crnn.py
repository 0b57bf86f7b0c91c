"""CRNN, which reads a line of text in an image (arXiv 1507.05717). Source: MaybeShewill-CV/CRNN_Tensorflow, crnn_model/crnn_net.py and cnn_basenet.py."""

from __future__ import annotations

from ... import family
from ...notation.net import Handle
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size, count, number, size

_EYES = "feature_extraction_module"
_RNN = "sequence_rnn_module"
_STACK = f"{_RNN}/stack_bidirectional_rnn"
_ROWS = 32  # of an image
_EPSILON = 1e-3
# convolution, its norm, width in units of the first, kernel, strides, pool behind it
_LAYERS = (
    ("conv1/conv", "conv1/bn", 1, 3, 1, (2, 2)),
    ("conv2/conv", "conv2/bn", 2, 3, 1, (2, 2)),
    ("conv3", "bn3", 4, 3, 1, None),
    ("conv4", "bn4", 4, 3, 1, (2, 1)),
    ("conv5", "bn5", 8, 3, 1, None),
    ("conv6", "bn6", 8, 3, 1, (2, 1)),
    ("conv7", "bn7", 8, 2, (2, 1), None),
)


def _features(net: SequenceNet, width: Size) -> Handle:
    """An image of 32 rows to one row of features."""
    unit = net.stored_size(f"{_EYES}/conv1/conv/W", -1) or 0
    x = image = net.input()
    for name, norm, factor, kernel, strides, pool in _LAYERS:
        filters = width if factor == 1 else factor * unit
        biased = name.endswith("/conv")
        x = net.conv(x, name, filters, kernel, strides, bias=biased)
        x = net.activation(net.batch_norm(x, norm, _EPSILON), "relu")
        x = net.pool(x, pool, pool, "valid") if pool else x
    net.sized(image, _ROWS, None)
    return net.reshape(x, (-1, number(x.channels) or 0))


@family(
    "CRNN",
    f"{_EYES}/conv7/W",
    f"{_STACK}/cell_0/bidirectional_rnn/fw/lstm_cell/kernel",
    f"{_RNN}/w",
    roles={"Conv2D.kernel": "W", "Conv2D.bias": "b"},
    variant=lambda layers, width, hidden, characters: f"{layers} LSTM of {hidden} both ways, {characters} characters"
    + ("" if width == 64 else f", width {width} (published: 64)"),
)
def crnn(
    net: SequenceNet,
    layers: int = count(f"{_STACK}/cell_{{}}", start=0),
    width: Size = size(),
    hidden: Size = size(),
    characters: Size = size(),
) -> None:
    """Scores of each character for each place of a line."""
    with net[_EYES]:
        x = _features(net, width)
    for place in range(layers):
        scope = f"{_STACK}/cell_{place}/bidirectional_rnn"
        cells = (f"{scope}/fw/lstm_cell", f"{scope}/bw/lstm_cell")
        x = net.bidirectional_lstm(x, cells, hidden)
    kernel = net.weight(net.path("", f"{_RNN}/w", ""), (x.channels, characters))
    config = {"units": kernel.shape[-1], "use_bias": False}
    net.layer("Dense", "scores", (x,), config, {"kernel": kernel}, characters)
