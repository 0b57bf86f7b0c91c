"""Convolutions against TensorFlow."""

from __future__ import annotations

from typing import Any

from tests.ops.oracle import Case, case, check, floats, known, table

IMAGE, KERNEL, DEEP = floats(2, 9, 8, 3), floats(3, 2, 3, 5), floats(3, 3, 3, 2)
LOOSE = {"tolerance": 1e-4}


def conv(strides: Any, padding: str, **more: Any) -> Case:
    expect = {**LOOSE, **more.pop("expect", {})}
    return case(
        "Conv2D",
        input=IMAGE,
        filter=KERNEL,
        strides=strides,
        padding=padding,
        expect=expect,
        **more,
    )


@table(
    conv([1, 1, 1, 1], "SAME"),
    conv([1, 2, 2, 1], "SAME"),
    conv([1, 2, 3, 1], "VALID"),
    conv([1, 1, 1, 1], "VALID", dilations=[1, 2, 2, 1]),
    # every other place of what is computed densely: four rows of padding, two on each side
    *(
        case(
            "Conv2D",
            input=floats(2, 7, 8, 3),
            filter=KERNEL,
            strides=[1, *steps, 1],
            padding=padding,
            dilations=[1, *rates, 1],
            expect=LOOSE,
        )
        for steps, rates in (((2, 2), (2, 2)), ((2, 3), (2, 1)), ((1, 2), (3, 1)))
        for padding in ("SAME", "VALID")
    ),
    conv([1, 2, 2, 1], "EXPLICIT", explicit_paddings=[0, 0, 1, 2, 0, 1, 0, 0]),
    case(
        "Conv2D",
        input=floats(2, 4, 6, 6),
        filter=floats(3, 3, 2, 8),
        strides=[1, 1, 1, 1],
        padding="VALID",
        data_format="NCHW",
        expect={"runs": False},
    ),
    case(
        "Conv2D",
        input=floats(2, 6, 6, 4),
        filter=floats(3, 3, 2, 8),
        strides=[1, 1, 1, 1],
        padding="SAME",
        expect=LOOSE,
    ),
    case(
        "Conv3D",
        input=floats(1, 5, 6, 7, 2),
        filter=floats(3, 3, 3, 2, 4),
        strides=[1, 1, 2, 1, 1],
        padding="SAME",
        expect=LOOSE,
    ),
    case(
        "Conv3D",
        input=floats(1, 5, 6, 7, 2),
        filter=floats(3, 3, 3, 2, 4),
        strides=[1, 1, 1, 1, 1],
        padding="VALID",
        expect=LOOSE,
    ),
    *(
        case(
            "DepthwiseConv2dNative",
            input=floats(2, 7, 8, 3),
            filter=DEEP,
            strides=[1, 2, 2, 1],
            padding=padding,
            dilations=[1, 2, 2, 1],
            expect=LOOSE,
        )
        for padding in ("SAME", "VALID")
    ),
    case(
        "DepthwiseConv2dNative",
        input=IMAGE,
        filter=DEEP,
        strides=[1, 2, 2, 1],
        padding="SAME",
        expect=LOOSE,
    ),
    case(
        "DepthwiseConv2dNative",
        input=IMAGE,
        filter=DEEP,
        strides=[1, 1, 1, 1],
        padding="VALID",
        dilations=[1, 2, 2, 1],
        expect=LOOSE,
    ),
    case(
        "DepthwiseConv2dNative",
        input=IMAGE,
        filter=DEEP,
        strides=[1, 1, 1, 1],
        padding="EXPLICIT",
        explicit_paddings=[0, 0, 1, 0, 2, 1, 0, 0],
        expect=LOOSE,
    ),
)
def test_convolution(row: Case) -> None:
    check(row)


def transposed(
    sizes: list[int],
    image: Any,
    kernel: Any,
    strides: list[int],
    padding: str,
    **more: Any,
) -> Case:
    expect = {**LOOSE, **more.pop("expect", {})}
    return case(
        "Conv2DBackpropInput",
        input_sizes=known(sizes),
        filter=kernel,
        out_backprop=image,
        strides=strides,
        padding=padding,
        expect=expect,
        **more,
    )


SMALL, TURNED = floats(2, 4, 5, 3), floats(3, 3, 6, 3)


@table(
    transposed([2, 8, 10, 6], SMALL, TURNED, [1, 2, 2, 1], "SAME"),
    transposed([2, 9, 11, 6], SMALL, TURNED, [1, 2, 2, 1], "VALID"),
    transposed([2, 4, 5, 6], SMALL, TURNED, [1, 1, 1, 1], "SAME"),
    transposed([2, 8, 10, 6], SMALL, floats(2, 2, 6, 3), [1, 2, 2, 1], "VALID"),
    transposed([2, 8, 10, 6], SMALL, floats(4, 4, 6, 3), [1, 2, 2, 1], "SAME"),
    transposed([2, 7, 9, 6], SMALL, TURNED, [1, 2, 2, 1], "SAME"),
    transposed([2, 10, 12, 6], SMALL, TURNED, [1, 2, 2, 1], "VALID"),
    case(
        "Conv3DBackpropInputV2",
        input_sizes=known([1, 4, 6, 8, 2]),
        filter=floats(3, 3, 3, 2, 4),
        out_backprop=floats(1, 2, 3, 4, 4),
        strides=[1, 2, 2, 2, 1],
        padding="SAME",
        expect=LOOSE,
    ),
)
def test_transposed_convolution(row: Case) -> None:
    check(row)


@table(
    case(
        "Conv2DBackpropFilter",
        input=IMAGE,
        filter_sizes=known([3, 3, 3, 4]),
        out_backprop=floats(2, 9, 8, 4),
        strides=[1, 1, 1, 1],
        padding="SAME",
    ),
    case(
        "DepthwiseConv2dNativeBackpropInput",
        input_sizes=known([2, 9, 8, 3]),
        filter=DEEP,
        out_backprop=floats(2, 9, 8, 6),
        strides=[1, 1, 1, 1],
        padding="SAME",
    ),
    case("BiasAddGrad", out_backprop=IMAGE),
    case(
        "Dilation2D",
        input=IMAGE,
        filter=floats(2, 3, 3),
        strides=[1, 1, 1, 1],
        rates=[1, 2, 2, 1],
        padding="VALID",
    ),
    case(
        "Dilation2D",
        input=IMAGE,
        filter=floats(3, 3, 3),
        strides=[1, 2, 2, 1],
        rates=[1, 1, 1, 1],
        padding="SAME",
    ),
    case(
        "ExtractImagePatches",
        images=IMAGE,
        ksizes=[1, 3, 3, 1],
        strides=[1, 2, 2, 1],
        rates=[1, 1, 1, 1],
        padding="VALID",
    ),
)
def test_what_gradients_and_patches_yield(row: Case) -> None:
    check(row)
