"""A3C with an LSTM. Source: openai/universe-starter-agent, model.py."""

from __future__ import annotations

from math import isqrt

from ....graph import WeightUse
from ... import family
from ...notation.net import Handle
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size, number, size

_CELL = "rnn/basic_lstm_cell"
_LAYERS = 4
_PUBLISHED, _LEAVES = 42, 3  # rows of a screen, and what four halvings leave of them


def _conv(net: SequenceNet, x: Handle, name: str, filters: Size) -> Handle:
    """Its bias is stored (1, 1, 1, filters)."""
    kernel = net.weight(net.path("", f"{name}/W", ""), (3, 3, x.channels, filters))
    if number(x.channels) is None:
        net.tell_channels(x, kernel.shape[-2])
    bias = net.weight(net.path("", f"{name}/b", ""), (1, 1, 1, filters))
    flat = (kernel.shape[-1],)
    weights = {
        "kernel": kernel,
        "bias": WeightUse(bias.node, flat, (("reshape", flat),)),
    }
    config = {"filters": flat[0], "kernel_size": (3, 3), "strides": (2, 2)}
    config |= {"padding": "same", "activation": "elu"}
    return net.layer("Conv2D", name, (x,), config, weights, filters)


@family(
    "A3C with an LSTM (universe-starter-agent)",
    f"{_CELL}/kernel",
    f"{_CELL}/weights",
    "l4/W",
    roles={
        "LSTM.kernel": ("kernel", "weights"),
        "LSTM.bias": ("bias", "biases"),
        "kernel": "w",
        "bias": "b",
    },
    variant=lambda filters, units, actions: f"{actions} actions, LSTM of {units}",
)
def a3c(
    net: SequenceNet,
    filters: Size = size(),
    units: Size = size(),
    actions: Size = size(),
) -> None:
    """The scores of each action and what the state is worth, for each screen of an episode; the LSTM's states go in and come out."""
    net.note(
        "a batch is one episode; inputs: its screens, the LSTM's memory and output"
    )
    image = x = net.input()
    for place in range(1, _LAYERS + 1):
        x = _conv(net, x, f"l{place}", filters)
    width = net.stored_size("value/w", 0) or 1
    stored = net.path("LSTM", _CELL, "kernel").removeprefix(f"{net.root}/")
    rows = (net.stored_size(stored, 0) or 0) - width
    channels = number(filters) or 1
    side = isqrt(max(0, rows // channels))
    net.need(side * side * channels == rows, f"{_CELL} reads {rows}: no square")
    screen = _PUBLISHED if side == _LEAVES else max(1, side) * 2**_LAYERS
    net.note(f"screens are taken to have {screen} rows and columns")
    net.sized(image, screen, screen)
    memory, output = net.input(width, rank=2), net.input(width, rank=2)
    x = net.flatten(x, rows)
    x = net.layer("OneEpisode", "episode", (x,), {}, {}, rows)
    states = (output, memory)
    x, output, memory = net.lstm_and_states(x, _CELL, units, 1.0, begin=states)
    net.dense(x, "action", actions)
    net.dense(x, "value", 1)
    for end in (memory, output):
        net.activation(end, "linear")
