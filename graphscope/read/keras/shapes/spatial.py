"""Layers that work along space: convolutions, pooling, padding, resizing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Config = Mapping[str, Any]
Sizes = tuple[int | None, ...]
Rule = Callable[[Config, list[Sizes]], Any]


def is_first(config: Config) -> bool:
    """Whether the channels come before space."""
    return config.get("data_format") == "channels_first"


def split(config: Config, shape: Sizes) -> tuple[list[int | None], int | None]:
    """The sizes in space, and the channels."""
    inner = list(shape[1:])
    return (inner[1:], inner[0]) if is_first(config) else (inner[:-1], inner[-1])


def joined(config: Config, shape: Sizes, space: Any, channels: int | None) -> Sizes:
    sizes = tuple(space)
    if is_first(config):
        return (shape[0], channels, *sizes)
    return (shape[0], *sizes, channels)


def each(value: Any, rank: int) -> list[int]:
    """A size for each axis."""
    return list(value) if isinstance(value, list | tuple) else [value] * rank


def window(
    size: int | None, kernel: int, stride: int, padding: str, dilation: int = 1
) -> int | None:
    """How many places a window has along an axis."""
    if size is None:
        return None
    if padding in ("same", "causal"):
        return -(-size // stride)
    return (size - (kernel - 1) * dilation - 1) // stride + 1


def _windows(
    config: Config, space: list[int | None], kernel: object, strides: object
) -> list[int | None]:
    rank = len(space)
    dilations = each(config.get("dilation_rate", 1), rank)
    padding = str(config.get("padding", "valid"))
    rows = zip(space, each(kernel, rank), each(strides, rank), dilations)
    return [window(n, k, s, padding, d) for n, k, s, d in rows]


def _conv(config: Config, shapes: list[Sizes]) -> Sizes:
    space, _ = split(config, shapes[0])
    sizes = _windows(config, space, config["kernel_size"], config.get("strides", 1))
    return joined(config, shapes[0], sizes, config["filters"])


def _depthwise(config: Config, shapes: list[Sizes]) -> Sizes:
    space, channels = split(config, shapes[0])
    sizes = _windows(config, space, config["kernel_size"], config.get("strides", 1))
    count = None if channels is None else channels * config.get("depth_multiplier", 1)
    return joined(config, shapes[0], sizes, count)


def _transposed(config: Config, shapes: list[Sizes]) -> Sizes:
    space, _ = split(config, shapes[0])
    rank = len(space)
    more = config.get("output_padding")
    rows = zip(
        space,
        each(config["kernel_size"], rank),
        each(config.get("strides", 1), rank),
        each(config.get("dilation_rate", 1), rank),
        each(more, rank),
    )
    padding = config.get("padding", "valid")
    sizes = [_grown(n, k, s, d, p, padding) for n, k, s, d, p in rows]
    return joined(config, shapes[0], sizes, config["filters"])


def _grown(
    size: int | None,
    kernel: int,
    stride: int,
    dilation: int,
    more: int | None,
    padding: str,
) -> int | None:
    """Source: keras.src.backend.common.backend_utils.compute_conv_transpose_output_length."""
    if size is None:
        return None
    reach = (kernel - 1) * dilation + 1
    if more is None:
        length = size * stride
        return length + max(reach - stride, 0) if padding == "valid" else length
    base = (size - 1) * stride + reach + more
    return base if padding == "valid" else base - 2 * (reach // 2)


def _pool(config: Config, shapes: list[Sizes]) -> Sizes:
    space, channels = split(config, shapes[0])
    size = config["pool_size"]
    sizes = _windows(config, space, size, config.get("strides") or size)
    return joined(config, shapes[0], sizes, channels)


def _global_pool(config: Config, shapes: list[Sizes]) -> Sizes:
    space, channels = split(config, shapes[0])
    if config.get("keepdims"):
        return joined(config, shapes[0], [1] * len(space), channels)
    return (shapes[0][0], channels)


def _adaptive(config: Config, shapes: list[Sizes]) -> Sizes:
    space, channels = split(config, shapes[0])
    return joined(config, shapes[0], each(config["output_size"], len(space)), channels)


def _pairs(value: Any, rank: int) -> list[tuple[int, int]]:
    if isinstance(value, int):
        return [(value, value)] * rank
    if rank == 1 and len(value) == 2 and isinstance(value[0], int):
        return [(value[0], value[1])]
    return [(p, p) if isinstance(p, int) else (p[0], p[1]) for p in value]


def _bordered(key: str, default: object, sign: int) -> Rule:
    def rule(config: Config, shapes: list[Sizes]) -> Sizes:
        space, channels = split(config, shapes[0])
        pairs = _pairs(config.get(key, default), len(space))
        sizes = [
            None if n is None else n + sign * (a + b) for n, (a, b) in zip(space, pairs)
        ]
        return joined(config, shapes[0], sizes, channels)

    return rule


def _upsampled(config: Config, shapes: list[Sizes]) -> Sizes:
    space, channels = split(config, shapes[0])
    factors = each(config.get("size", 2), len(space))
    sizes = [None if n is None else n * f for n, f in zip(space, factors)]
    return joined(config, shapes[0], sizes, channels)


def _resized(config: Config, shapes: list[Sizes]) -> Sizes:
    _, channels = split(config, shapes[0])
    return joined(config, shapes[0], (config["height"], config["width"]), channels)


def _conv_lstm(config: Config, shapes: list[Sizes]) -> list[Sizes]:
    batch, steps, *rest = shapes[0]
    frame = _conv(config, [(batch, *rest)])
    whole = (batch, steps, *frame[1:]) if config.get("return_sequences") else frame
    return [whole, frame, frame] if config.get("return_state") else [whole]


_SPACES = (1, 2, 3)
RULES: dict[str, Rule] = {
    **{f"Conv{n}D": _conv for n in _SPACES},
    **{f"Conv{n}DTranspose": _transposed for n in _SPACES},
    **{f"ConvLSTM{n}D": _conv_lstm for n in _SPACES},
    **{f"SeparableConv{n}D": _conv for n in (1, 2)},
    **{f"LocallyConnected{n}D": _conv for n in (1, 2)},
    **{f"DepthwiseConv{n}D": _depthwise for n in (1, 2)},
    **{f"{kind}Pooling{n}D": _pool for n in _SPACES for kind in ("Max", "Average")},
    **{
        f"Global{k}Pooling{n}D": _global_pool
        for n in _SPACES
        for k in ("Max", "Average")
    },
    **{
        f"Adaptive{k}Pooling{n}D": _adaptive
        for n in _SPACES
        for k in ("Max", "Average")
    },
    **{f"Cropping{n}D": _bordered("cropping", 1, -1) for n in _SPACES},
    **{f"ZeroPadding{n}D": _bordered("padding", 1, 1) for n in _SPACES},
    **{f"UpSampling{n}D": _upsampled for n in _SPACES},
    "CenterCrop": _resized,
    "RandomCrop": _resized,
    "Resizing": _resized,
}
