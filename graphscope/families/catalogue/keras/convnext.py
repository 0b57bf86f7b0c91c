"""ConvNeXt. Source: keras/src/applications/convnext.py (3.15), whose layers are called after the model."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, free, number, one_of, size

_DEPTHS = {"deep": (3, 3, 27, 3), "shallow": (3, 3, 9, 3)}
_MEMBERS = {
    "tiny": ("shallow", 96),
    "small": ("deep", 96),
    "base": ("deep", 128),
    "large": ("deep", 192),
    "xlarge": ("deep", 256),
}
_EPSILON = 1e-6


def _block(net: Net, x: Handle, name: str) -> Handle:
    width = number(x.channels) or 0
    y = net.conv(x, f"{name}_depthwise_conv", width, 7, groups=width)
    y = net.layer_norm(y, f"{name}_layernorm", _EPSILON)
    y = net.dense(y, f"{name}_pointwise_conv_1", 4 * width, activation="gelu")
    y = net.dense(y, f"{name}_pointwise_conv_2", width)
    return net.add(x, net.scale(y, f"{name}_layer_scale"))


@family(
    "ConvNeXt",
    *(
        f"convnext_{member}_stage_0_block_0_depthwise_conv/kernel"
        for member in _MEMBERS
    ),
    *(f"convnext_{member}_stage_3_block_2_layernorm/gamma" for member in _MEMBERS),
    roles={"EinsumDense.kernel": ("vars/0", "gamma")},
    variant=lambda member, classes, **_: member
    + (f", {classes} classes" if classes else ""),
)
def convnext(
    net: Net,
    member: str = one_of(*_MEMBERS),
    nested: bool = one_of(True, False),
    preprocessing: bool = free(True),
    classes: Size = size(
        *(f"convnext_{member}_head_dense/kernel" for member in _MEMBERS)
    ),
) -> None:
    depth, width = _MEMBERS[member]
    name = f"convnext_{member}"
    stem, down = f"{name}_stem", f"{name}_downsampling"
    x = net.input(3)
    if preprocessing:
        x = net.normalized(x, 255.0)
    x = net.conv(
        x, f"{stem}/{stem}_conv" if nested else f"{stem}_conv", width, 4, 4, "valid"
    )
    x = net.layer_norm(
        x, f"{stem}/{stem}_layernorm" if nested else f"{stem}_layernorm", _EPSILON
    )
    for stage, repeats in enumerate(_DEPTHS[depth]):
        if stage:
            place = stage - 1
            scope = f"{down}_block_{place}/" if nested else ""
            x = net.layer_norm(x, f"{scope}{down}_layernorm_{place}", _EPSILON)
            x = net.conv(
                x, f"{scope}{down}_conv_{place}", width * 2**stage, 2, 2, "valid"
            )
        for repeat in range(repeats):
            x = _block(net, x, f"{name}_stage_{stage}_block_{repeat}")
    if classes is not None:
        x = net.layer_norm(net.global_pool(x), f"{name}_head_layernorm", _EPSILON)
        net.dense(x, f"{name}_head_dense", classes, activation="softmax")
    else:
        net.layer_norm(x, net.auto("layer_normalization"), _EPSILON)
