"""Class, config and the specs of the inputs -> the specs of the outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from ....graph import Shape, TensorSpec
from ....graph.keras import KerasCall, KerasLayer, KerasModel, LayerOutput
from ....graph.keras.nouns import calls_in_order
from ....graph.named_values import Arguments, Config
from . import recurrent, reshaping, spatial
from .functions import function_specs

Sizes = tuple[int | None, ...]
Rule = Callable[[Config, list[Sizes]], Any]
_DEEPEST = (
    3  # models within the model that a layer wraps: called several times they multiply
)
_POLICIES = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
_CODES = frozenset(
    "Hashing HashedCrossing IntegerLookup StringLookup TextVectorization".split()
)
_KEPT = frozenset(
    """Add Average Concatenate Cropping1D Cropping2D Cropping3D Flatten Identity Maximum Minimum Multiply Permute RepeatVector
    Reshape Subtract UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D""".split()
)
_SAME = frozenset(
    """Activation ActivityRegularization AlphaDropout AugMix AutoContrast BatchNormalization CutMix Dropout ELU Equalization
    ContrastLimitedAdaptiveHistogramEqualization
    GaussianDropout GaussianNoise GroupNormalization Identity LayerNormalization LeakyReLU Masking MaxNumBoundingBoxes MixUp Normalization PReLU
    RMSNormalization RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomElasticTransform
    RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization
    RandomRotation RandomSaturation RandomSharpness RandomShear RandomTranslation RandomZoom ReLU Rescaling Softmax Solarization
    SpatialDropout1D SpatialDropout2D SpatialDropout3D UnitNormalization""".split()
)


def call_specs(
    layer: KerasLayer, call: KerasCall, inputs: Sequence[TensorSpec]
) -> tuple[TensorSpec, ...]:
    """What one call yields: what the file says of it, and of what it says nothing what the rules do."""
    if layer.kind in ("operation", "function"):
        by_function = function_specs(layer, call, inputs)
    else:
        by_function = output_specs(layer, inputs, call.kwargs)
    return merged_specs(call.outputs, by_function)


def output_specs(
    layer: KerasLayer, inputs: Sequence[TensorSpec], kwargs: Mapping[str, object]
) -> tuple[TensorSpec, ...]:
    """What a layer yields that is called on these; () where nothing is ranked of it."""
    shapes = [spec.shape for spec in inputs]
    if not shapes or any(shape is None for shape in shapes):
        return ()
    ranked = [shape for shape in shapes if shape is not None]
    try:
        ruled = _shapes(layer, ranked, kwargs)
    except (
        TypeError,
        ValueError,
        IndexError,
        KeyError,
        ZeroDivisionError,
        AttributeError,
    ):
        return ()  # a config that does not fit its inputs says nothing
    dtype = _dtype(layer, inputs)
    return tuple(TensorSpec(dtype, shape) for shape in ruled)


def _shapes(
    layer: KerasLayer, shapes: list[Sizes], kwargs: Mapping[str, object]
) -> list[Shape]:
    config, name = layer.config, layer.class_name
    if name in _SAME:
        return [shapes[0]]
    if name in _WRAPPERS:
        return _WRAPPERS[name](layer, shapes, kwargs)
    rule = _RULES.get(name)
    if rule is None:
        return []
    ruled = rule({**config, **_returns(kwargs)}, shapes)
    return ruled if isinstance(ruled, list) else [ruled]


def _returns(kwargs: Mapping[str, object]) -> dict[str, object]:
    return {key: kwargs[key] for key in ("return_attention_scores",) if key in kwargs}


def compute_dtype(layer: KerasLayer) -> str:
    """The dtype that a layer computes in."""
    policy = str(layer.config.get("dtype") or "float32")
    return _POLICIES.get(policy, policy)


def _dtype(layer: KerasLayer, inputs: Sequence[TensorSpec]) -> str:
    name, dtype = layer.class_name, compute_dtype(layer)
    if name == "Discretization":
        is_number = layer.config.get("output_mode", "int") == "int"
        return (dtype if "int" in dtype else "int32") if is_number else "float32"
    if name in _CODES:
        is_number = layer.config.get("output_mode", "int") == "int"
        if name == "StringLookup" and layer.config.get("invert"):
            return "string"
        return "int64" if is_number else "float32"
    first_dtype = inputs[0].dtype
    if name in _KEPT and first_dtype and "float" not in first_dtype:
        return first_dtype
    return dtype


def merged_specs(
    declared: tuple[TensorSpec, ...], known: tuple[TensorSpec, ...]
) -> tuple[TensorSpec, ...]:
    """What the file says of a call's outputs, and of those that it says nothing of what the rules do."""
    pairs = zip_longest(declared, known, fillvalue=TensorSpec())
    return tuple(a if a.shape is not None else b for a, b in pairs)


def input_spec(layer: KerasLayer) -> TensorSpec:
    """What an InputLayer says that is fed."""
    return TensorSpec(layer.config.get("dtype", ""), layer.config.get("batch_shape"))


def model_specs(
    model: KerasModel, inputs: Sequence[TensorSpec], depth: int = 0
) -> list[TensorSpec]:
    """What a model yields where it is called on these; nothing is known of models too deep in each other."""
    if depth > _DEEPEST:
        return [TensorSpec()] * len(model.outputs)
    by_output: dict[LayerOutput, TensorSpec] = dict(zip(model.inputs, inputs))
    for layer, number, call in calls_in_order(model):
        operands = [by_output.get(t, TensorSpec()) for t in call.tensors()]
        if layer.model is not None:
            specs: Sequence[TensorSpec] = model_specs(layer.model, operands, depth + 1)
        else:
            specs = call_specs(layer, call, operands)
        for port, spec in enumerate(specs):
            by_output.setdefault(LayerOutput(layer.name, number, port), spec)
    return [by_output.get(tensor, TensorSpec()) for tensor in model.outputs]


def _bidirectional(
    layer: KerasLayer, shapes: list[Sizes], kwargs: Mapping[str, object]
) -> list[Shape]:
    inner = layer.config["layer"]
    first, *states = _shapes(inner, shapes[:1], kwargs)
    mode = layer.config.get("merge_mode", "concat")
    if first is None:
        return []
    if mode == "concat":
        merged: list[Shape] = [(*first[:-1], _twice(first[-1]))]
    else:
        merged = [first, first] if mode is None else [first]
    return [*merged, *states, *states]


def _twice(size: int | None) -> int | None:
    return None if size is None else 2 * size


def _time_distributed(
    layer: KerasLayer, shapes: list[Sizes], kwargs: Mapping[str, object]
) -> list[Shape]:
    inner, (batch, steps, *rest) = layer.config["layer"], shapes[0]
    if inner.model is not None:
        each_step = [
            s.shape for s in model_specs(inner.model, [TensorSpec("", (batch, *rest))])
        ]
    else:
        each_step = _shapes(inner, [(batch, *rest)], kwargs)
    return [(batch, steps, *shape[1:]) for shape in each_step if shape is not None]


def _wrapped(
    layer: KerasLayer, shapes: list[Sizes], kwargs: Mapping[str, object]
) -> list[Shape]:
    return _shapes(layer.config["layer"], shapes, kwargs)


def _pipeline(
    layer: KerasLayer, shapes: list[Sizes], kwargs: Mapping[str, object]
) -> list[Shape]:
    passed: list[Shape] = [shapes[0]]
    for inner in layer.config["layers"]:
        passed = _shapes(inner, [s for s in passed if s is not None], {})
    return passed


_WRAPPERS: Arguments = {
    "Bidirectional": _bidirectional,
    "Pipeline": _pipeline,
    "SpectralNormalization": _wrapped,
    "TimeDistributed": _time_distributed,
}
_RULES: dict[str, Rule] = {**reshaping.RULES, **spatial.RULES, **recurrent.RULES}
