"""MTCNN: three nets that find faces, one after the other. Source: davidsandberg/facenet's align/detect_face.py."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.unknowns import has

_ROLES = {"kernel": "weights", "bias": "biases"}
Steps = tuple[tuple[int, int, int, str], ...]  # filters, kernel, pool, its padding
_R: Steps = ((28, 3, 3, "same"), (48, 3, 3, "valid"), (64, 2, 0, ""))
_O: Steps = (
    (32, 3, 3, "same"),
    (64, 3, 3, "valid"),
    (64, 3, 2, "same"),
    (128, 2, 0, ""),
)


def _proposals(net: Net) -> None:
    """P-Net works on images of any size: a face or none, and a box, for every place."""
    with net["pnet"]:
        x = net.prelu(net.conv(net.input(3), "conv1", 10, 3, padding="valid"), "PReLU1")
        x = net.pool(x, 2, 2)
        x = net.prelu(net.conv(x, "conv2", 16, 3, padding="valid"), "PReLU2")
        x = net.prelu(net.conv(x, "conv3", 32, 3, padding="valid"), "PReLU3")
        net.activation(net.conv(x, "conv4-1", 2, 1), "softmax")
        net.conv(x, "conv4-2", 4, 1)


def _refined(
    net: Net, scope: str, side: int, steps: Steps, units: int, points: bool
) -> None:
    """R-Net and O-Net see one cut-out: a face or none, a box, and where its eyes, nose and mouth are."""
    with net[scope]:
        x = image = net.input(3)
        net.sized(image, side, side)
        for place, (filters, kernel, pool, padding) in enumerate(steps, 1):
            x = net.conv(x, f"conv{place}", filters, kernel, padding="valid")
            x = net.prelu(x, f"prelu{place}")
            x = net.pool(x, pool, 2, padding) if pool else x
        place = len(steps) + 1
        x = net.dense(net.flatten(x, 3 * 3 * steps[-1][0]), f"conv{place}", units)
        x = net.prelu(x, f"prelu{place}")
        net.activation(net.dense(x, f"conv{place + 1}-1", 2), "softmax")
        net.dense(x, f"conv{place + 1}-2", 4)
        if points:
            net.dense(x, f"conv{place + 1}-3", 10)


@family(
    "MTCNN",
    "pnet/PReLU1/alpha",
    "rnet/prelu4/alpha",
    "onet/prelu5/alpha",
    roles=_ROLES,
    variant=lambda **nets: ", ".join(name for name, here in nets.items() if here),
)
def mtcnn(
    net: Net,
    proposals: bool = has("pnet/PReLU1/alpha"),
    refinement: bool = has("rnet/prelu4/alpha"),
    output: bool = has("onet/prelu5/alpha"),
) -> None:
    if proposals:
        _proposals(net)
    if refinement:
        _refined(net, "rnet", 24, _R, 128, points=False)
    if output:
        _refined(net, "onet", 48, _O, 256, points=True)
