"""One small model for every layer class that Keras 3 and tf_keras export: what is read, counted and written back.

``CLASSES`` maps a class to the shapes that it is called on and its arguments; a shape that begins with a dtype's name holds that.
Arguments that are functions are called with ``keras.layers``. ``LEFT_OUT`` says why a class stands in no file.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

Row = tuple[Any, dict[str, Any]]

_FLAT, _ROWS, _PICTURE, _VOLUME = (8,), (6, 4), (8, 8, 3), (4, 4, 4, 2)
_BY_RANK = {1: _ROWS, 2: _PICTURE, 3: _VOLUME}
_IMAGES: dict[str, dict[str, Any]] = {
    "RandomBrightness": {"factor": 0.2},
    "RandomColorDegeneration": {"factor": 0.2},
    "RandomColorJitter": {},
    "RandomContrast": {"factor": 0.2},
    "RandomCrop": {"height": 6, "width": 5},
    "RandomElasticTransform": {},
    "RandomErasing": {},
    "RandomFlip": {},
    "RandomGaussianBlur": {},
    "RandomGrayscale": {},
    "RandomHeight": {"factor": 0.0},
    "RandomHue": {"factor": 0.2},
    "RandomInvert": {},
    "RandomPerspective": {},
    "RandomPosterization": {"factor": 4},
    "RandomRotation": {"factor": 0.2},
    "RandomSaturation": {"factor": 0.2},
    "RandomSharpness": {"factor": 0.2},
    "RandomShear": {"x_factor": 0.2},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.1},
    "RandomWidth": {"factor": 0.0},
    "RandomZoom": {"height_factor": 0.2},
    "AugMix": {},
    "AutoContrast": {},
    "ContrastLimitedAdaptiveHistogramEqualization": {"tile_grid_size": (2, 2)},
    "CutMix": {},
    "Equalization": {},
    "MixUp": {},
    "RandAugment": {},
    "Solarization": {},
    "CenterCrop": {"height": 5, "width": 6},
    "Resizing": {"height": 5, "width": 6},
}
CLASSES: dict[str, Row] = {
    **{name: (_PICTURE, arguments) for name, arguments in _IMAGES.items()},
    **{
        f"{kind}{rank}D": (_BY_RANK[rank], arguments)
        for rank in (1, 2, 3)
        for kind, arguments in {
            "AdaptiveAveragePooling": {"output_size": 2},
            "AdaptiveMaxPooling": {"output_size": 2},
            "AveragePooling": {"pool_size": 2},
            "Conv": {"filters": 4, "kernel_size": 2, "activation": "relu"},
            "Cropping": {"cropping": 1},
            "GlobalAveragePooling": {},
            "GlobalMaxPooling": {},
            "MaxPooling": {"pool_size": 2, "strides": 1, "padding": "same"},
            "SpatialDropout": {"rate": 0.3},
            "UpSampling": {"size": 2},
            "ZeroPadding": {"padding": 1},
        }.items()
    },
    **{
        f"Conv{rank}DTranspose": (
            _BY_RANK[rank],
            {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"},
        )
        for rank in (1, 2, 3)
    },
    **{
        f"{kind}{rank}D": (_BY_RANK[rank], {**arguments, "kernel_size": 3})
        for rank in (1, 2)
        for kind, arguments in {
            "DepthwiseConv": {"depth_multiplier": 2},
            "SeparableConv": {"filters": 5, "depth_multiplier": 2},
            "LocallyConnected": {"filters": 2},
        }.items()
    },
    **{
        f"ConvLSTM{rank}D": (
            (3, *(5,) * rank, 2),
            {"filters": 2, "kernel_size": 3, "return_sequences": rank == 1},
        )
        for rank in (1, 2, 3)
    },
    **{
        name: ([_FLAT, _FLAT], {})
        for name in "Add Average Concatenate Maximum Minimum Multiply Subtract".split()
    },
    "Activation": (_FLAT, {"activation": "swish"}),
    "ActivityRegularization": (_FLAT, {"l1": 0.1, "l2": 0.2}),
    "AdditiveAttention": ([_ROWS, _ROWS], {}),
    "AlphaDropout": (_FLAT, {"rate": 0.3}),
    "Attention": ([_ROWS, _ROWS], {"use_scale": True, "score_mode": "concat"}),
    "BatchNormalization": (_PICTURE, {"epsilon": 0.01, "momentum": 0.9}),
    "Bidirectional": (_ROWS, {"layer": lambda L: L.LSTM(3, return_sequences=True)}),
    "CategoryEncoding": (("int32", 4), {"num_tokens": 5, "output_mode": "multi_hot"}),
    "Dense": (_FLAT, {"units": 3, "activation": "tanh", "kernel_regularizer": "l2"}),
    "Discretization": (_FLAT, {"bin_boundaries": [-0.5, 0.0, 0.5]}),
    "Dot": ([_FLAT, _FLAT], {"axes": 1, "normalize": True}),
    "Dropout": (_FLAT, {"rate": 0.3, "seed": 3}),
    "ELU": (_FLAT, {"alpha": 0.5}),
    "EinsumDense": (
        _ROWS,
        {"equation": "abc,cd->abd", "output_shape": (None, 5), "bias_axes": "d"},
    ),
    "Embedding": (("int32", 6), {"input_dim": 7, "output_dim": 3, "mask_zero": True}),
    "Flatten": (_ROWS, {}),
    "GRU": (_ROWS, {"units": 3, "reset_after": False}),
    "GRUCell": (_ROWS, {"units": 3}),
    "GaussianDropout": (_FLAT, {"rate": 0.3}),
    "GaussianNoise": (_FLAT, {"stddev": 0.3}),
    "GroupNormalization": ((6, 6, 8), {"groups": 4, "scale": False}),
    "GroupQueryAttention": (
        [_ROWS, _ROWS],
        {"head_dim": 4, "num_query_heads": 4, "num_key_value_heads": 2},
    ),
    "HashedCrossing": ([("int32", 1), ("int32", 1)], {"num_bins": 5}),
    "Hashing": (("int32", 3), {"num_bins": 5}),
    "Identity": (_FLAT, {}),
    "IntegerLookup": (("int64", 3), {"vocabulary": [3, 5, 7]}),
    "LSTM": (_ROWS, {"units": 3, "return_sequences": True, "go_backwards": True}),
    "LSTMCell": (_ROWS, {"units": 3}),
    "LayerNormalization": (_ROWS, {"center": False}),
    "LeakyReLU": (_FLAT, {}),
    "Masking": (_ROWS, {"mask_value": 0.5}),
    "MaxNumBoundingBoxes": (_ROWS, {"max_number": 3}),
    "MelSpectrogram": (
        (512,),
        {"fft_length": 64, "sequence_stride": 32, "num_mel_bins": 8},
    ),
    "MultiHeadAttention": (
        [_ROWS, (5, 4)],
        {"num_heads": 2, "key_dim": 3, "value_dim": 2, "output_shape": 5},
    ),
    "Normalization": (_FLAT, {"mean": [0.5] * 8, "variance": [2.0] * 8}),
    "PReLU": (_PICTURE, {"shared_axes": [1, 2]}),
    "Permute": (_PICTURE, {"dims": (3, 1, 2)}),
    "Pipeline": (_FLAT, {"layers": lambda L: [L.Rescaling(2.0), L.Rescaling(3.0)]}),
    "RMSNormalization": (_ROWS, {}),
    "RNN": (_ROWS, {"cell": lambda L: [L.LSTMCell(3), L.GRUCell(2)]}),
    "ReLU": (_FLAT, {"max_value": 6.0, "negative_slope": 0.1}),
    "RepeatVector": (_FLAT, {"n": 3}),
    "Rescaling": (_FLAT, {"scale": 0.5, "offset": -1.0}),
    "Reshape": (_FLAT, {"target_shape": (2, -1)}),
    "ReversibleEmbedding": (("int32", 6), {"input_dim": 7, "output_dim": 3}),
    "STFTSpectrogram": ((256, 1), {"frame_length": 64, "fft_length": 64}),
    "SimpleRNN": (_ROWS, {"units": 3, "return_sequences": True}),
    "SimpleRNNCell": (_ROWS, {"units": 3}),
    "Softmax": (_ROWS, {"axis": 1}),
    "SpectralNormalization": (_PICTURE, {"layer": lambda L: L.Conv2D(4, 3)}),
    "StackedRNNCells": (_ROWS, {"cells": lambda L: [L.GRUCell(3), L.GRUCell(2)]}),
    "StringLookup": (("string", 3), {"vocabulary": ["a", "b", "c"]}),
    "TextVectorization": (
        ("string", 1),
        {"vocabulary": ["red", "green"], "output_sequence_length": 4},
    ),
    "ThresholdedReLU": (_FLAT, {"theta": 0.4}),
    "TimeDistributed": (_PICTURE, {"layer": lambda L: L.Conv1D(3, 2)}),
    "UnitNormalization": (_ROWS, {"axis": 1}),
}
CELLS = frozenset("GRUCell LSTMCell SimpleRNNCell StackedRNNCells".split())
SPREAD = frozenset({"GroupQueryAttention", "MultiHeadAttention"})
LEFT_OUT = {
    "AbstractRNNCell": "a base class",
    "DenseFeatures": "feature columns, which TensorFlow deprecates",
    "FlaxLayer": "needs JAX",
    "InputLayer": "in every model",
    "InputSpec": "no layer",
    "JaxLayer": "needs JAX",
    "Lambda": "Python code; the composition has one",
    "Layer": "a base class",
    "TFSMLayer": "a SavedModel elsewhere",
    "TorchModuleWrapper": "needs PyTorch",
    "Wrapper": "a base class",
}


def exported(keras: Any) -> dict[str, str]:
    """The names under which ``keras.layers`` exports classes -> the class's first such name, aliases left out."""
    names: dict[Any, str] = {}
    for name in sorted(dir(keras.layers), key=lambda n: (n not in CLASSES, n)):
        found = getattr(keras.layers, name)
        if inspect.isclass(found) and name not in LEFT_OUT:
            names.setdefault(found, name)
    return {name: found.__name__ for found, name in names.items()}


def models_of_classes(keras: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """A name and a builder for every class that this Keras exports."""
    for name in exported(keras):
        yield name, lambda name=name: _model(keras, name)  # type: ignore[misc]


def _model(keras: Any, name: str) -> Any:
    shapes, arguments = CLASSES[name]
    if hasattr(keras, "__version__") and keras.__version__ < "3":
        arguments = {**arguments, **_IN_KERAS_2.get(name, {})}
    given = {
        key: value(keras.layers) if callable(value) else value
        for key, value in arguments.items()
    }
    given = {key: value for key, value in given.items() if value is not ...}
    layer = getattr(keras.layers, name)(**given)
    if name in CELLS:
        layer = keras.layers.RNN(layer)
    inputs = [
        _input(keras, shape)
        for shape in (shapes if isinstance(shapes, list) else [shapes])
    ]
    called = (
        layer(*inputs)
        if name in SPREAD
        else layer(inputs if len(inputs) > 1 else inputs[0])
    )
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], called)


_IN_KERAS_2: dict[str, dict[str, Any]] = {}


def _input(keras: Any, shape: tuple[Any, ...]) -> Any:
    if isinstance(shape[0], str):
        return keras.Input(shape[1:], dtype=shape[0])
    return keras.Input(shape)
