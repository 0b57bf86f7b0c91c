"""Convolutions of every kind, and what their gradients yield."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ...graph import Shape
from ..registry import Call, Unsaid, define
from ..text import literal
from ..values.dims import Dim, merge, ranked, same, shape_from, spatial_axes, window


def _explicit(call: Call, rank: int) -> list[tuple[int, int]]:
    """Padding before and after each axis, of an op that may say EXPLICIT."""
    flat = call.get("explicit_paddings") or ()
    if call["padding"] != "EXPLICIT":
        return [(0, 0)] * rank
    if len(flat) != 2 * rank:
        raise Unsaid("explicit_paddings are not two an axis")
    return [(int(flat[2 * i]), int(flat[2 * i + 1])) for i in range(rank)]


def _per_axis(call: Call, attr: str, rank: int) -> tuple[int, ...]:
    steps = tuple(call.get(attr) or (1,) * rank)
    if len(steps) != rank:
        raise Unsaid(f"{attr} are not one an axis")
    return steps


def _windows(call: Call, rank: int, kernel: Sequence[Dim]) -> dict[int, Dim]:
    """Spatial axis -> how many positions the kernel takes along it."""
    shape = ranked(call.shape(0), rank)
    _, axes = spatial_axes(call.get("data_format", "NHWC"), rank)
    strides = _per_axis(call, "strides", rank)
    dilations = _per_axis(call, "dilations", rank)
    pads = _explicit(call, rank)
    return {
        axis: window(
            shape[axis],
            size,
            strides[axis],
            dilations[axis],
            call["padding"],
            pads[axis],
        )
        for axis, size in zip(axes, kernel, strict=True)
    }


def _image(
    rank: int, batch: Dim, channels: Dim, at: int, sizes: dict[int, Dim]
) -> Shape:
    return tuple(
        batch if i == 0 else channels if i == at else sizes[i] for i in range(rank)
    )


def _convolved(rank: int) -> Callable[[Call], tuple[Shape]]:
    def shape(call: Call) -> tuple[Shape]:
        kernel = ranked(call.shape(1), rank)
        at, _ = spatial_axes(call.get("data_format", "NHWC"), rank)
        batch = ranked(call.shape(0), rank)[0]
        return (_image(rank, batch, kernel[-1], at, _windows(call, rank, kernel[:-2])),)

    return shape


def _depthwise_shape(call: Call) -> tuple[Shape]:
    image, kernel = ranked(call.shape(0), 4), ranked(call.shape(1), 4)
    at, _ = spatial_axes(call.get("data_format", "NHWC"), 4)
    inputs = kernel[2] if kernel[2] is not None else image[at]
    outputs = None if inputs is None or kernel[3] is None else inputs * kernel[3]
    return (_image(4, image[0], outputs, at, _windows(call, 4, kernel[:2])),)


def _steps(call: Call, rank: int) -> tuple[str, str] | None:
    """Strides and dilations of the spatial axes as Keras takes them; None where other axes have them too."""
    channels, axes = spatial_axes(call.get("data_format", "NHWC"), rank)
    strides = _per_axis(call, "strides", rank)
    dilations = _per_axis(call, "dilations", rank)
    if any(s[0] != 1 or s[channels] != 1 for s in (strides, dilations)):
        return None
    return _short([strides[a] for a in axes]), _short([dilations[a] for a in axes])


def _short(sizes: Sequence[int]) -> str:
    return literal(sizes[0] if len(set(sizes)) == 1 else tuple(sizes))


def _window_text(
    function: str, call: Call, rank: int, x: str, kernel: str
) -> str | None:
    steps = _steps(call, rank)
    if steps is None:
        return None
    strides, dilations = steps
    padding = call["padding"]
    if strides != "1" and dilations != "1":
        return _sampled_text(function, call, rank, x, kernel)
    if padding == "EXPLICIT":
        x, padding = f"ops.pad({x}, {literal(tuple(_explicit(call, rank)))})", "VALID"
    options = [f"padding={literal(padding.lower())}"]
    if strides != "1":
        options.insert(0, f"strides={strides}")
    options.append(_layout(call, rank))
    if dilations != "1":
        options.append(f"dilation_rate={dilations}")
    return f"ops.{function}({x}, {kernel}, {', '.join(options)})"


def _sampled_text(
    function: str, call: Call, rank: int, x: str, kernel: str
) -> str | None:
    """Strides and dilations at once, which Keras has no words for: every place is computed, those between strides are dropped."""
    strides, rates = (_per_axis(call, name, rank) for name in ("strides", "dilations"))
    pads = _explicit(call, rank)
    if call["padding"] == "SAME":
        image, kernel_shape = ranked(call.shape(0), rank), ranked(call.shape(1), rank)
        _, axes = spatial_axes(call.get("data_format", "NHWC"), rank)
        for axis, size in zip(axes, kernel_shape):
            pad = _same_padding(image[axis], size, strides[axis], rates[axis])
            if pad is None:
                return None
            pads[axis] = pad
    if any(map(any, pads)):
        x = f"ops.pad({x}, {literal(tuple(pads))})"
    attrs = {**call.attrs, "padding": "VALID", "strides": (1,) * rank}
    whole = _window_text(function, replace(call, attrs=attrs), rank, x, kernel)
    steps = ", ".join("" if s == 1 else f"::{s}" for s in strides)
    places = ", ".join(part or ":" for part in steps.split(", "))
    return f"{whole}[{places}]"


def _same_padding(
    image: Dim, size: Dim, stride: int, rate: int
) -> tuple[int, int] | None:
    """How much SAME pads before and after an axis; None where a size is not known."""
    if image is None or size is None:
        return None
    places = -(-image // stride)
    total = max((places - 1) * stride + (size - 1) * rate + 1 - image, 0)
    return total // 2, total - total // 2


def _layout(call: Call, rank: int) -> str:
    first = spatial_axes(call.get("data_format", "NHWC"), rank)[0] == 1
    return f'data_format="channels_{"first" if first else "last"}"'


def _conv_text(rank: int) -> Callable[[Call, str, str], str | None]:
    def text(call: Call, x: str, kernel: str) -> str | None:
        at, _ = spatial_axes(call.get("data_format", "NHWC"), rank)
        channels, filters = ranked(call.shape(0), rank)[at], call.shape(1)
        if not call.inside and None in (filters or (None,)):
            return None  # Keras cannot tell how many places such a kernel takes
        if channels is None or filters is None or filters[-2] in (None, channels):
            return _window_text("conv", call, rank, x, kernel)
        groups = channels // (filters[-2] or 1)
        one = _window_text("conv", call, rank, "part", "filters")
        return (
            f"ops.concatenate([{one} for part, filters in zip(ops.split({x}, {groups}, axis={at}), "
            f"ops.split({kernel}, {groups}, axis=-1))], axis={at})"
        )

    return text


define("Conv2D", shape=_convolved(4), keras=_conv_text(4), traits="own-buffer")
define("Conv3D", shape=_convolved(5), keras=_conv_text(5), traits="own-buffer")


def _depthwise_text(call: Call, x: str, kernel: str) -> str | None:
    if not call.inside and None in (call.shape(1) or (None,)):
        return None
    return _window_text("depthwise_conv", call, 4, x, kernel)


define(
    "DepthwiseConv2dNative",
    shape=_depthwise_shape,
    keras=_depthwise_text,
    traits="own-buffer",
)


def _transposed_shape(rank: int) -> Callable[[Call], tuple[Shape]]:
    """The image whose gradient is wanted: its sizes are the first input, its channels the kernel's too."""

    def shape(call: Call) -> tuple[Shape]:
        sizes = ranked(shape_from(call, 0), rank)
        kernel = ranked(call.shape(1), rank)
        gradient = ranked(call.shape(2), rank)
        at, _ = spatial_axes(call.get("data_format", "NHWC"), rank)
        spatial: list[Dim] = [None] * rank
        spatial[0] = gradient[0]
        if call.op.startswith("Conv") and _is_ungrouped(kernel, gradient[at]):
            spatial[at] = kernel[-2]
        return (merge(sizes, tuple(spatial)),)

    return shape


def _is_ungrouped(kernel: Sequence[Dim], channels: Dim) -> bool:
    return kernel[-1] is not None and kernel[-1] == channels


# No Keras text: keras.ops.conv_transpose passes its arguments in the wrong order when it is symbolic (Keras 3.15)
define("Conv2DBackpropInput", shape=_transposed_shape(4))
define("Conv3DBackpropInputV2", shape=_transposed_shape(5))
define("Conv3DBackpropInput", shape=lambda call: (call.shape(0),))
define(
    "DepthwiseConv2dNativeBackpropInput",
    shape=lambda call: (ranked(shape_from(call, 0), 4),),
)
define(
    "Conv2DBackpropFilter",
    "DepthwiseConv2dNativeBackpropFilter",
    shape=lambda call: (ranked(shape_from(call, 1), 4),),
)
define(
    "Conv3DBackpropFilterV2",
    shape=lambda call: (ranked(shape_from(call, 1), 5),),
)
define("Conv2DBackpropInputV2", "Conv2DBackpropFilterV2", shape=same)
define("Conv3DBackpropFilter", shape=lambda call: (call.shape(1),))


def _bias_gradient_shape(call: Call) -> tuple[Shape]:
    shape = call.shape(0)
    if shape is None or len(shape) < 2:
        return ((None,),)
    at = 1 if call.get("data_format") == "NCHW" else -1
    return ((shape[at],),)


def _bias_gradient_text(call: Call, x: str) -> str | None:
    rank = call.rank(0)
    if rank is None or rank < 2:
        return None
    channels = 1 if call.get("data_format") == "NCHW" else rank - 1
    return f"ops.sum({x}, axis={tuple(a for a in range(rank) if a != channels)})"


def _bias_gradient(dy: np.ndarray, *, data_format: str) -> np.ndarray:
    channels = 1 if data_format == "NCHW" else dy.ndim - 1
    return dy.sum(tuple(axis for axis in range(dy.ndim) if axis != channels))


define(
    "BiasAddGrad",
    shape=_bias_gradient_shape,
    keras=_bias_gradient_text,
    fold=_bias_gradient,
)


def _dilation_shape(call: Call) -> tuple[Shape]:
    image, kernel = ranked(call.shape(0), 4), ranked(call.shape(1), 3)
    strides, rates = _per_axis(call, "strides", 4), _per_axis(call, "rates", 4)
    sizes = [
        window(image[a], kernel[a - 1], strides[a], rates[a], call["padding"])
        for a in (1, 2)
    ]
    return ((image[0], *sizes, merge((image[3],), (kernel[2],))[0]),)  # type: ignore[index]


def _dilation_text(call: Call, x: str, kernel: str) -> str | None:
    """The highest of the sums in each window; what is put around the image is lower than all."""
    image = _known(ranked(call.shape(0), 4)[1:])
    heights, out = _known(call.shape(1)), _known((_dilation_shape(call)[0] or ())[1:])
    _, *strides, _ = _per_axis(call, "strides", 4)
    rates = _per_axis(call, "rates", 4)[1:3]
    if not (image and heights and out) or call.dtype(0) != "float32":
        return None
    if rates[0] != rates[1] or rates[0] > 1 and max(strides) > 1:
        return None  # Keras has no words for both at once
    if call["padding"] == "SAME":
        sides = map(_around, image[:2], out[:2], heights[:2], strides, rates)
        lowest = literal(float(np.finfo("float32").min))
        around = literal(((0, 0), *sides, (0, 0)))
        x = f"ops.pad({x}, {around}, constant_values={lowest})"
    arguments = f"{literal(heights[:2])}, strides={literal(tuple(strides))}"
    if rates[0] > 1:
        arguments += f", dilation_rate={rates[0]}"
    form = 'padding="valid", data_format="channels_last"'
    patches = f"ops.image.extract_patches({x}, {arguments}, {form})"
    count, depth = heights[0] * heights[1], heights[2]
    rows = f"ops.reshape({patches}, {literal((-1, *out[:2], count, depth))})"
    added = f"ops.reshape({kernel}, {literal((count, depth))})"
    return f"ops.max({added} + {rows}, axis=3)"


def _known(shape: Shape) -> tuple[int, ...] | None:
    """The sizes, where all are known."""
    sizes = tuple(size for size in shape or () if size is not None)
    return sizes if len(sizes) == len(shape or ()) else None


def _around(
    size: int, out: int, window_: int, stride: int, rate: int
) -> tuple[int, int]:
    """What is put before and after an axis so that the windows fit, as SAME has it."""
    whole = max((out - 1) * stride + (window_ - 1) * rate + 1 - size, 0)
    return whole // 2, whole - whole // 2


def _dilation_body(call: Call, x: str, kernel: str) -> str | None:
    """The highest sum over the places of the kernel, each a slice of the image; lower numbers are put around it."""
    image = _known(ranked(call.shape(0), 4)[1:])
    heights, out = call.shape(1), _known((_dilation_shape(call)[0] or ())[1:])
    if not (image and heights and out) or call.dtype(0) not in ("float32", "float64"):
        return None
    _, *strides, _ = _per_axis(call, "strides", 4)
    rates, sizes = _per_axis(call, "rates", 4)[1:3], _known(heights[:2])
    if not sizes:
        return None
    lines = []
    if call["padding"] == "SAME":
        sides = map(_around, image[:2], out[:2], sizes, strides, rates)
        lowest = literal(float(np.finfo(call.dtype(0)).min))
        around = literal(((0, 0), *sides, (0, 0)))
        lines = [f"{x} = ops.pad({x}, {around}, constant_values={lowest})"]
    ends = [(n - 1) * step + 1 for n, step in zip(out, strides)]
    down, along = (
        f"{rate} * {n} : {rate} * {n} + {end} : {step}"
        for rate, n, end, step in zip(rates, "ij", ends, strides)
    )
    return "\n".join(
        [
            *lines,
            "sums = [",
            f"    {x}[:, {down}, {along}, :] + {kernel}[i, j]",
            f"    for i in range({sizes[0]})",
            f"    for j in range({sizes[1]})",
            "]",
            "return ops.max(ops.stack(sums, axis=0), axis=0)",
        ]
    )


define("Dilation2D", shape=_dilation_shape, keras=_dilation_text, body=_dilation_body)
define("Dilation2DBackpropInput", shape=same)
define("Dilation2DBackpropFilter", shape=lambda call: (call.shape(1),))


def _fused_shape(call: Call) -> tuple[Shape]:
    return _convolved(4)(call)


define("_FusedConv2D", shape=_fused_shape)
define("_FusedDepthwiseConv2dNative", shape=_depthwise_shape)


def _quantised_conv_shape(call: Call) -> tuple[Shape, ...]:
    return (*_convolved(4)(call), (), ())


define("QuantizedConv2D", shape=_quantised_conv_shape)


def _extract_shape(call: Call) -> tuple[Shape]:
    """Each output position holds the whole window that begins there."""
    image = ranked(call.shape(0), 4)
    sizes, strides = _per_axis(call, "ksizes", 4), _per_axis(call, "strides", 4)
    rates = _per_axis(call, "rates", 4)
    places = [
        window(image[a], sizes[a], strides[a], rates[a], call["padding"])
        for a in (1, 2)
    ]
    depth = None if image[3] is None else image[3] * sizes[1] * sizes[2]
    return ((image[0], *places, depth),)


def _extract_text(call: Call, x: str) -> str | None:
    _, *size, _ = _per_axis(call, "ksizes", 4)
    _, *strides, _ = _per_axis(call, "strides", 4)
    rates = _per_axis(call, "rates", 4)
    if call.dtype(0) != "float32" or rates[1] != rates[2]:
        return None
    if max(strides) > 1 and rates[1] > 1:
        return None  # Keras has no words for both at once
    if not call.inside and ranked(call.shape(0), 4)[3] is None:
        return None
    arguments = f"{literal(tuple(size))}, strides={literal(tuple(strides))}"
    if rates[1] != 1:
        arguments += f", dilation_rate={rates[1]}"
    padding = literal(str(call["padding"]).lower())
    form = 'data_format="channels_last"'
    return f"ops.image.extract_patches({x}, {arguments}, padding={padding}, {form})"


define("ExtractImagePatches", shape=_extract_shape, keras=_extract_text)
