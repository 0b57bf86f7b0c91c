"""Deep Speech as Mozilla has it. Sources: mozilla/DeepSpeech, DeepSpeech.py (0.1, two directions) and training/deepspeech_training/train.py (0.6 to 0.9)."""

from __future__ import annotations

from ... import family
from ...notation.net import Handle
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size, Width, has, size

_CLIP = 20.0  # what the activations are clipped at
_CELL = "cudnn_lstm/rnn/multi_rnn_cell/cell_0/cudnn_compatible_lstm_cell"


def _clipped(net: SequenceNet, x: Handle) -> Handle:
    config = {"max_value": _CLIP}
    return net.layer("ReLU", "clipped_relu", (x,), config, {}, x.channels)


def _title(features: int, hidden: int, characters: int, **_: object) -> str:
    return f"{features} features a step, {hidden} units, {characters} characters"


@family(
    "Deep Speech (Mozilla)",
    "cudnn_lstm/rnn/multi_rnn_cell/cell_0/cudnn_compatible_lstm_cell/kernel",
    "layer_6/weights",
    roles={"kernel": ("weights", "kernel"), "bias": ("biases", "bias")},
    variant=_title,
)
def deep_speech(
    net: SequenceNet,
    features: Size = size(),
    hidden: Size = size(),
    characters: Size = size(),
    normed: bool = has("layer_1/LayerNorm/gamma"),
) -> None:
    """Scores of each character for each step; a step comes with what is around it."""
    net.note("a step is fed with the steps around it, flattened into one row")

    def dense(x: Handle, name: str, units: Size) -> Handle:
        x = _clipped(net, net.dense(x, name, units))
        return net.layer_norm(x, f"{name}/LayerNorm", 1e-12) if normed else x

    x = net.rows(features)
    for name in ("layer_1", "layer_2"):
        x = dense(x, name, hidden)
    x = dense(x, "layer_3", Width("third"))
    x = net.lstm(x, _CELL, Width("cell"))
    net.dense(dense(x, "layer_5", hidden), "layer_6", characters)


@family(
    "Deep Speech 0.1 (Mozilla)",
    "bidirectional_rnn/fw/basic_lstm_cell/kernel",
    "bidirectional_rnn/fw/basic_lstm_cell/weights",
    "h6",
    roles={"kernel": ("kernel", "weights"), "bias": ("bias", "biases")},
    variant=_title,
)
def deep_speech_0_1(
    net: SequenceNet,
    features: Size = size(),
    hidden: Size = size(),
    characters: Size = size(),
) -> None:
    """The same with an LSTM of both directions, whose cells add a forget bias of 1."""

    def dense(x: Handle, place: int, units: Size) -> Handle:
        kernel = net.weight(net.path("", f"h{place}", ""), (x.channels, units))
        net.tell_channels(x, kernel.shape[0])
        bias = net.weight(net.path("", f"b{place}", ""), (units,))
        config = {"units": kernel.shape[-1]}
        weights = {"kernel": kernel, "bias": bias}
        return net.layer("Dense", f"layer_{place}", (x,), config, weights, units)

    x = net.rows(features)
    for place, units in ((1, hidden), (2, Width("second")), (3, Width("third"))):
        x = _clipped(net, dense(x, place, units))
    cells = ("fw", "bw")
    names = [f"bidirectional_rnn/{cell}/basic_lstm_cell" for cell in cells]
    x = net.bidirectional_lstm(x, (names[0], names[1]), Width("cell"))
    x = _clipped(net, dense(x, 5, Width("fifth")))
    dense(x, 6, characters)
