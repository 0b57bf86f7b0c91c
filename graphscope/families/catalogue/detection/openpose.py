"""OpenPose (arXiv 1611.08050). Source: ildoonet/tf-pose-estimation, tf_pose/network_cmu.py."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, count, size

_VGG = ((2, 1), (2, 2), (4, 4), (2, 8))  # convolutions, width in units of the first
_LIMBS, _JOINTS = 38, 19


def _conv(net: Net, x: Handle, name: str, filters: Size, kernel: int = 3) -> Handle:
    return net.conv(x, name, filters, kernel, activation="relu")


def _branch(net: Net, x: Handle, stage: int, branch: int, unit: int) -> Handle:
    """One guess of where limbs (1) or joints (2) are."""
    maps = _LIMBS if branch == 1 else _JOINTS
    if stage == 1:
        for place in (1, 2, 3):
            x = _conv(net, x, f"conv5_{place}_CPM_L{branch}", 2 * unit)
        x = _conv(net, x, f"conv5_4_CPM_L{branch}", 8 * unit, 1)
        return net.conv(x, f"conv5_5_CPM_L{branch}", maps, 1)
    for place in range(1, 6):
        x = _conv(net, x, f"Mconv{place}_stage{stage}_L{branch}", 2 * unit, 7)
    x = _conv(net, x, f"Mconv6_stage{stage}_L{branch}", 2 * unit, 1)
    return net.conv(x, f"Mconv7_stage{stage}_L{branch}", maps, 1)


@family(
    "OpenPose",
    "conv5_5_CPM_L1/weights",
    "Mconv7_stage6_L2/weights",
    "conv4_4_CPM/weights",
    roles={"kernel": "weights", "bias": "biases"},
    variant=lambda stages, width: (
        "" if width == 64 else f"width {width} (published: 64)"
    ),
)
def openpose(
    net: Net, stages: int = count("Mconv1_stage{}_L1", start=2), width: Size = size()
) -> None:
    """Two maps: where limbs are and which way they go, and where joints are; pixels come as -0.5 to 0.5."""
    net.need(stages == 5, f"{stages + 1} stages: published are 6")
    x, unit = net.input(3), net.stored_size("conv1_1/weights", -1) or 0
    for block, (repeats, factor) in enumerate(_VGG, 1):
        x = net.pool(x, 2, 2, "valid") if block > 1 else x
        for place in range(1, repeats + 1):
            first = block == place == 1
            x = _conv(net, x, f"conv{block}_{place}", width if first else factor * unit)
    x = _conv(net, _conv(net, x, "conv4_3_CPM", 4 * unit), "conv4_4_CPM", 2 * unit)
    joint = x
    for stage in range(1, stages + 2):
        limbs, joints = (_branch(net, joint, stage, b, unit) for b in (1, 2))
        if stage <= stages:
            joint = net.concatenate(limbs, joints, x)
