"""Layers that work along time or over pairs of places: recurrence and attention, spectrograms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ....graph.keras import KerasLayer

Config = Mapping[str, Any]
Sizes = tuple[int | None, ...]
Rule = Callable[[Config, list[Sizes]], Any]


def _recurrent(states: int) -> Rule:
    def rule(config: Config, shapes: list[Sizes]) -> list[Sizes]:
        return _run(config, shapes[0], config["units"], [config["units"]] * states)

    return rule


def _run(config: Config, shape: Sizes, width: int, states: list[int]) -> list[Sizes]:
    batch, steps = shape[:2]
    whole = (batch, steps, width) if config.get("return_sequences") else (batch, width)
    if not config.get("return_state"):
        return [whole]
    return [whole, *((batch, size) for size in states)]


def _of_cell(config: Config, shapes: list[Sizes]) -> list[Sizes]:
    cell = config["cell"]
    states = _states(cell)
    return _run(config, shapes[0], _width(cell), states)


def _width(cell: KerasLayer) -> int:
    cells = cell.config.get("cells")
    return _width(cells[-1]) if cells else int(cell.config["units"])


def _states(cell: KerasLayer) -> list[int]:
    cells = cell.config.get("cells")
    if cells:
        return [size for each in cells for size in _states(each)]
    return [int(cell.config["units"])] * (2 if cell.class_name == "LSTMCell" else 1)


def _multi_head(config: Config, shapes: list[Sizes]) -> list[Sizes]:
    query, value = shapes[0], shapes[min(1, len(shapes) - 1)]
    declared = config.get("output_shape")
    last = (declared,) if isinstance(declared, int) else tuple(declared or query[-1:])
    outputs: list[Sizes] = [(*query[:-1], *last)]
    if config.get("return_attention_scores"):
        heads = config.get("num_heads", config.get("num_query_heads"))
        outputs.append((query[0], heads, query[1], value[1]))
    return outputs


def _attention(config: Config, shapes: list[Sizes]) -> list[Sizes]:
    query, value = shapes[:2]
    outputs: list[Sizes] = [(*query[:-1], value[-1])]
    if config.get("return_attention_scores"):
        outputs.append((*query[:-1], value[1]))
    return outputs


def _spectrogram(config: Config, shapes: list[Sizes]) -> Sizes:
    """Source: keras.src.layers.preprocessing.stft_spectrogram."""
    shape, length = shapes[0], int(config.get("frame_length", 256))
    step = config.get("frame_step") or length // 2
    bins = int(config.get("fft_length") or length) // 2 + 1
    is_first = config.get("data_format") == "channels_first"
    size, channels = (shape[2], shape[1]) if is_first else (shape[1], shape[2])
    if size is None or channels is None:
        steps = None
    elif config.get("padding", "valid") == "valid":
        steps = 1 + (size - length) // step
    else:
        steps = -(-size // step)
    if config.get("mode", "log") in ("real", "stft") and config.get("mode") == "stft":
        bins *= 2
    if config.get("expand_dims"):
        return (
            (shape[0], channels, steps, bins)
            if is_first
            else (shape[0], steps, bins, channels)
        )
    wide = None if channels is None else bins * channels
    return (shape[0], wide, steps) if is_first else (shape[0], steps, wide)


def _mel(config: Config, shapes: list[Sizes]) -> Sizes:
    shape, step = shapes[0], int(config.get("sequence_stride", 512))
    steps = None if shape[-1] is None else (shape[-1] + step) // step
    return (*shape[:-1], config.get("num_mel_bins", 128), steps)


RULES: dict[str, Rule] = {
    "AdditiveAttention": _attention,
    "Attention": _attention,
    "GRU": _recurrent(1),
    "GroupQueryAttention": _multi_head,
    "LSTM": _recurrent(2),
    "MelSpectrogram": _mel,
    "MultiHeadAttention": _multi_head,
    "RNN": _of_cell,
    "STFTSpectrogram": _spectrogram,
    "SimpleRNN": _recurrent(1),
}
