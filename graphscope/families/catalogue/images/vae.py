"""Variational autoencoder (arXiv 1312.6114). Source: hwalsuklee/tensorflow-mnist-VAE, vae.py."""

from __future__ import annotations

from ....graph import WeightUse
from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, has, number, size

_ENCODER, _DECODER = "gaussian_MLP_encoder", "bernoulli_MLP_decoder"
_LEAST = 1e-6  # what the author adds to a spread


def _dense(net: Net, x: Handle, end: str, units: Size, activation: str) -> Handle:
    kernel = net.weight(net.path("", f"w{end}", ""), (x.channels, units))
    if net.trace[x.layer].op == "InputLayer":
        net.tell_channels(x, kernel.shape[0])
    bias = net.weight(net.path("", f"b{end}", ""), (units,))
    weights = {"kernel": kernel, "bias": bias}
    config = {"units": kernel.shape[-1], "activation": activation}
    return net.layer("Dense", f"dense_{end}", (x,), config, weights, units)


def _halves(net: Net, x: Handle, latent: int) -> None:
    """One matrix of means and spreads, as the two layers that it is."""
    kernel = net.weight(net.path("", "wo", ""), (x.channels, 2 * latent))
    bias = net.weight(net.path("", "bo", ""), (2 * latent,))
    for place, name in enumerate(("mean", "spread")):
        weights = {}
        for role, use in (("kernel", kernel), ("bias", bias)):
            axis = len(use.shape) - 1
            cut = ("slice", (axis, place * latent, (place + 1) * latent))
            shape = (*use.shape[:-1], latent)
            weights[role] = WeightUse(use.node, shape, (cut,))
        config = {"units": latent} | ({"activation": "softplus"} if place else {})
        y = net.layer("Dense", name, (x,), config, weights, latent)
        if place:
            net.rescale(y, 1.0, _LEAST)


@family(
    "VAE (MLP)",
    f"{_ENCODER}/wo",
    f"{_DECODER}/w0",
    variant=lambda seen, hidden, encodes, latent: f"{latent} numbers of {seen}, {hidden} units",
)
def vae(
    net: Net,
    seen: Size = size(),
    hidden: Size = size(),
    encodes: bool = has(f"{_ENCODER}/wo"),
    latent: Size = size(),
) -> None:
    """An image to means and spreads; numbers to an image."""
    net.note("what is drawn between both nets is no part of them")
    if encodes:
        with net[_ENCODER]:
            x = _dense(net, net.input(seen, rank=2), "0", hidden, "elu")
            x = _dense(net, x, "1", hidden, "tanh")
            _halves(net, x, net.stored_size(f"{_DECODER}/w0", 0) or 0)
    with net[_DECODER]:
        x = _dense(net, net.input(latent, rank=2), "0", hidden, "tanh")
        x = _dense(net, x, "1", hidden, "elu")
        _dense(net, x, "o", seen, "sigmoid")
    net.need(number(latent) is not None, f"{_DECODER}/w0 is missing")
