"""Classes and arguments of Keras 2 -> what Keras 3 calls them."""

from __future__ import annotations

from collections.abc import Callable

from ...graph.keras import KerasLayer
from ...graph.named_values import Config

Values = dict[str, object]
OWN = frozenset({"LocallyConnected1D", "LocallyConnected2D"})
"""Classes that Keras 3 lost: what is written defines them."""

RETIRED = {
    "theta": "theta={value}",
}
"""Arguments that change what a layer computes and that Keras 3 has no more, and what is said of them."""

_SAME = {
    "AvgPool1D": "AveragePooling1D",
    "AvgPool2D": "AveragePooling2D",
    "AvgPool3D": "AveragePooling3D",
    "MaxPool1D": "MaxPooling1D",
    "MaxPool2D": "MaxPooling2D",
    "MaxPool3D": "MaxPooling3D",
    "GlobalAvgPool1D": "GlobalAveragePooling1D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
    "GlobalAvgPool3D": "GlobalAveragePooling3D",
    "GlobalMaxPool1D": "GlobalMaxPooling1D",
    "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "GlobalMaxPool3D": "GlobalMaxPooling3D",
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "Convolution2DTranspose": "Conv2DTranspose",
    "Convolution3DTranspose": "Conv3DTranspose",
    "Deconvolution2D": "Conv2DTranspose",
    "Deconvolution3D": "Conv3DTranspose",
    "SeparableConvolution1D": "SeparableConv1D",
    "SeparableConvolution2D": "SeparableConv2D",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
    "LSTMV2": "LSTM",
    "GRUV2": "GRU",
    "CuDNNLSTM": "LSTM",
    "CuDNNGRU": "GRU",
    "ThresholdedReLU": "ReLU",
    "RandomHeight": "Identity",
    "RandomWidth": "Identity",
    "Linear": "Identity",
}
RENAMED = frozenset(_SAME) | OWN


def renamed(
    class_name: str, values: Values, generation: int
) -> tuple[str, Values, tuple[str, ...]]:
    """Class and arguments in Keras 3's words, and what is to be said of it."""
    remarks: list[str] = []
    if generation < 3:
        remarks += _cudnn(class_name, values)
        if class_name in ("GRU", "GRUCell"):
            values.setdefault("reset_after", False)
        if class_name == "RandomCrop":
            remarks.append(
                "a RandomCrop of Keras 2, which out of training crops to the shape and resizes, as Resizing does"
            )
            class_name, names = "Resizing", ("height", "width", "dtype")
            values = {**{k: values.get(k) for k in names}, "crop_to_aspect_ratio": True}
        if class_name in ("RandomHeight", "RandomWidth"):
            remarks.append(
                f"{class_name}, which Keras 3 lost, changes nothing but in training"
            )
            values = {"dtype": values["dtype"]}
    if class_name == "ThresholdedReLU":
        values["threshold"] = values.pop("theta", 1.0)
    class_name = _SAME.get(class_name, class_name)
    _FIXES.get(class_name, _nothing)(values)
    return class_name, values, tuple(remarks)


def _nothing(values: Values) -> None:
    pass


def _cudnn(class_name: str, values: Values) -> list[str]:
    if not class_name.startswith("CuDNN"):
        return []
    values |= {"activation": "tanh", "recurrent_activation": "sigmoid"}
    values |= {"reset_after": True} if class_name == "CuDNNGRU" else {}
    return [
        f"a {class_name}, whose weights lie otherwise than those of Keras 3's layer"
    ]


def _one_axis(values: Values) -> None:
    axis = values.get("axis")
    if isinstance(axis, tuple) and len(axis) == 1:
        values["axis"] = axis[0]


def _leaky(values: Values) -> None:
    if "alpha" in values:
        values["negative_slope"] = values.pop("alpha")


def _bidirectional(values: Values) -> None:
    """Less what the constructor does by itself: the layer backwards, and names."""
    forward, backward = values.get("layer"), values.get("backward_layer")
    if not isinstance(forward, KerasLayer) or not isinstance(backward, KerasLayer):
        values.pop("backward_layer", None)
        return
    renamed = {
        **backward.config,
        "go_backwards": not backward.config.get("go_backwards"),
    }
    same = _as_text(renamed) == _as_text({"go_backwards": False, **forward.config})
    if same and forward.class_name == backward.class_name:
        del values["backward_layer"]


def _as_text(config: Config) -> str:
    return str(sorted((key, _text(value)) for key, value in config.items()))


def _text(value: object) -> str:
    if isinstance(value, KerasLayer):
        return f"{value.class_name}({_as_text(value.config)})"
    if isinstance(value, tuple):
        return f"({', '.join(map(_text, value))})"
    return repr(value)


def _axes(values: Values) -> None:
    if values.get("attention_axes") == (1,):
        values["attention_axes"] = None
    if values.get("value_dim") == values.get("key_dim"):
        values.pop("value_dim", None)


def _symmetric(*names: str) -> Callable[[Values], None]:
    """Where Keras keeps a range as (-a, a) and takes only a."""

    def fix(values: Values) -> None:
        for name in names:
            value = values.get(name)
            if isinstance(value, tuple) and len(value) == 2 and value[0] == -value[1]:
                values[name] = value[1]

    return fix


_FIXES: dict[str, Callable[[Values], None]] = {
    "BatchNormalization": _one_axis,
    "Bidirectional": _bidirectional,
    "LayerNormalization": _one_axis,
    "LeakyReLU": _leaky,
    "MultiHeadAttention": _axes,
    "RandomShear": _symmetric("x_factor", "y_factor"),
}
