"""DeepFM (arXiv 1703.04247). Source: ChenglongChen/tensorflow-DeepFM, DeepFM.py, which names two of its variables alone."""

from __future__ import annotations

from ....graph import WeightUse
from ... import family
from ...notation.net import Handle
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size, count, size


def _dense(
    net: SequenceNet, x: Handle, place: int, units: Size, activation: str
) -> Handle:
    """The variables of one layer follow each other; a bias is stored (1, units) or is one number."""
    first, second = (f"Variable_{n}" if n else "Variable" for n in (place, place + 1))
    kernel = net.weight(net.path("", first, ""), (x.channels, units))
    shape: tuple[Size, ...] = (1, kernel.shape[-1]) if units is None else ()
    bias = net.weight(net.path("", second, ""), shape)
    flat = (kernel.shape[-1],)
    weights = {
        "kernel": kernel,
        "bias": WeightUse(bias.node, flat, (("reshape", flat),)),
    }
    config = {"units": flat[0], "activation": activation}
    return net.layer("Dense", f"layer_{place // 2}", (x,), config, weights, flat[0])


def _sum(net: SequenceNet, x: Handle, fields: int) -> Handle:
    """Over the fields: their mean, times how many they are."""
    op = "GlobalAveragePooling1D"
    mean = net.layer(op, "mean", (x,), {}, {}, x.channels)
    return net.rescale(mean, float(fields))


def _pairs(net: SequenceNet, x: Handle, fields: int) -> Handle:
    """What each field does with each other: half of the square of the sum less the sum of the squares."""
    total = _sum(net, x, fields)
    squares = (net.multiply(total, total), _sum(net, net.multiply(x, x), fields))
    rest = net.layer("Subtract", "pairs", squares, {}, {}, x.channels)
    return net.rescale(rest, 0.5)


@family(
    "DeepFM",
    "feature_embeddings",
    "feature_bias",
    roles={"embeddings": ""},
    variant=lambda unnamed, features, width: f"{features} features of {width}, {(unnamed - 1) // 2} layers",
)
def deep_fm(
    net: SequenceNet,
    unnamed: int = count("Variable_{}"),
    features: Size = size(),
    width: Size = size(),
) -> None:
    """How likely a click is, from which feature each field has and its value."""
    narrow = net.stored_size("feature_embeddings", -1) or 1
    fields = (net.stored_size("Variable", 0) or 0) // narrow
    chosen, value = net.tokens(), net.input(fields, rank=2)
    net.trace[chosen.layer].config["batch_shape"] = (None, fields)
    by = net.reshape(value, (fields, 1))
    x = net.embedding(chosen, "feature_embeddings", features, width)
    x = net.multiply(x, by)
    first = net.multiply(net.embedding(chosen, "feature_bias", features, 1), by)
    y = net.flatten(x, fields * narrow)
    layers = (unnamed - 1) // 2
    net.need(unnamed == 2 * layers + 1, f"{unnamed + 1} variables have no name")
    for place in range(layers):
        y = _dense(net, y, 2 * place, None, "relu")
    joint = net.concatenate(net.flatten(first, fields), _pairs(net, x, fields), y)
    _dense(net, joint, 2 * layers, 1, "sigmoid")
