"""WaveNet (arXiv 1609.03499). Source: ibab/tensorflow-wavenet, wavenet/model.py and ops.py."""

from __future__ import annotations

from ... import family
from ...notation.net import Handle
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size, count, free, has, number, size

_LAYER = "dilated_stack/layer{}"
# tf.Variable got its name as its second argument, which is another: biases are numbered in the order of their making
_BIASES = {
    "filter": "Variable",
    "gate": "Variable_1",
    "dense": "Variable_2",
    "skip": "Variable_3",
}
_LAST = {"postprocess1": "Variable", "postprocess2": "Variable_1"}


class _Stack:
    """The names of what a layer has, with biases or without."""

    def __init__(self, net: SequenceNet, biased: bool) -> None:
        self.net, self.biased = net, biased

    def conv(
        self, x: Handle, role: str, filters: Size, size_: Size, dilation: int
    ) -> Handle:
        bias = {**_BIASES, **_LAST}[role] if self.biased else ""
        activation = {"filter": "tanh", "gate": "sigmoid"}.get(role)
        net = self.net
        return net.conv_1d(x, role, bias, filters, size_, dilation, activation)


def _used(kernel: Size, dilation: int) -> int:
    """How many steps a convolution without padding takes off."""
    return ((number(kernel) or 1) - 1) * dilation


@family(
    "WaveNet",
    "dilated_stack/layer0/filter",
    "causal_layer/filter",
    "postprocessing/postprocess1",
    variant=lambda layers, cycle, width, residual, gated, skip, levels, **_: f"{layers} layers, "
    f"{residual} channels, {gated} gated, {skip} skipped, {levels} levels",
)
def wavenet(
    net: SequenceNet,
    layers: int = count(_LAYER, start=0),
    cycle: int = free(10),
    width: Size = size(),
    residual: Size = size(),
    gated: Size = size(),
    skip: Size = size(),
    levels: Size = size(),
    biased: bool = has("dilated_stack/layer0/Variable"),
) -> None:
    """Scores of the next sample for each step that has a whole past. ``cycle``: after so many layers dilations begin anew."""
    write = _Stack(net, biased)
    x = net.conv_1d(net.rows(), "causal_layer/filter", "", residual, None)
    kernel = net.stored_size("dilated_stack/layer0/filter", 0)
    dilations = [2 ** (place % cycle) for place in range(layers)]
    skips = []
    for place, dilation in enumerate(dilations):
        with net[_LAYER.format(place)]:
            y = net.multiply(
                write.conv(x, "filter", gated, width, dilation),
                write.conv(x, "gate", gated, width, dilation),
            )
            rest = sum(_used(kernel, later) for later in dilations[place + 1 :])
            skips.append(write.conv(net.last_steps(y, rest), "skip", skip, 1, 1))
            shorter = net.last_steps(x, _used(kernel, dilation))
            x = net.add(shorter, write.conv(y, "dense", residual, 1, 1))
    with net["postprocessing"]:
        y = net.activation(net.add(*skips) if len(skips) > 1 else skips[0], "relu")
        y = net.activation(write.conv(y, "postprocess1", skip, 1, 1), "relu")
        write.conv(y, "postprocess2", levels, 1, 1)
