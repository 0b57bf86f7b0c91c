"""A layer's config in any Keras's words -> Keras 3's class and arguments, and what they cannot say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...graph.keras import KerasLayer
from ...graph.keras.batch_first import STEPS_FIRST
from ...graph.keras.nouns import OwnFunction
from ...graph.keras.operations import function_of
from ...graph.keras.signatures import layer_classes
from ...graph.named_values import Arguments, Config, Document
from .earlier.words import in_keras_2
from .renamed import RENAMED, RETIRED, renamed
from .values import plain

ReadLayer = Callable[[Config], KerasLayer]
_LAYER_KEYS = frozenset("layer forward_layer backward_layer cell cells layers".split())
_OF_KERAS = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras")
_OF_TENSORFLOW = frozenset({"TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"})
_QUIET = frozenset(
    """name trainable batch_input_shape batch_shape input_shape dtype implementation
    input_length time_major ragged fused renorm_clipping virtual_batch_size axis_name
    query_shape key_shape value_shape zero_output_for_mask use_cudnn input_dim
    lora_rank lora_alpha quantization_config gptq_unpacked_column_size flash_attention
    groups kernel_initializer kernel_regularizer kernel_constraint build_input_shape
    force_generator rng_type vocabulary_size has_input_vocabulary adjustment
    consume_less input_dtype sparse autocast filters""".split()
)


def canonical_layer(
    entry: Document, name: str, generation: int, read_layer: ReadLayer
) -> KerasLayer:
    """The layer of one entry of a config; ``read_layer`` reads those that stand in it."""
    config = entry["config"] if isinstance(entry["config"], dict) else {}
    class_name = str(entry.get("class_name", "")).rpartition(">")[2]
    trainable = config.get("trainable") is not False
    if class_name == "InputLayer":
        return KerasLayer(name, class_name, _input_config(config))
    if _is_operation(entry, config, generation):
        values = {k: plain(v) for k, v in config.items() if k != "name"}
        return KerasLayer(name, class_name, values, kind="operation")
    if class_name in _OF_TENSORFLOW:
        return KerasLayer(name, class_name, plain(dict(config)), kind="function")
    if generation == 1:
        class_name, config = in_keras_2(class_name, config)
    values = _values(config, read_layer)
    values["dtype"] = _policy(values.get("dtype"))
    origin = class_name
    class_name, values, remarks = renamed(class_name, values, generation)
    if not _is_built_in(entry, class_name):
        return KerasLayer(name, class_name, values, kind="custom", trainable=trainable)
    layer_class = layer_classes().get(class_name)
    if layer_class is None:  # a small layer of our own
        return KerasLayer(
            name, class_name, values, trainable=trainable, remarks=remarks
        )
    arguments, lost = _accepted(values, layer_class.arguments)
    return KerasLayer(
        name,
        layer_class.name,
        arguments,
        trainable=trainable,
        origin="" if origin in (layer_class.name, layer_class.python_name) else origin,
        remarks=(*remarks, *lost, *_own_functions(arguments, generation)),
    )


def _values(config: Config, read_layer: ReadLayer) -> dict[str, object]:
    """The arguments as plain values, layers among them read."""

    def layers(value: Any) -> Any:
        if isinstance(value, list):
            return tuple(map(layers, value))
        return read_layer(value) if _is_layer(value) else plain(value)

    def activation(value: object) -> Any:
        named = value.get("class_name") if isinstance(value, dict) else None
        is_known = isinstance(named, str) and named in layer_classes()
        return layers(value) if is_known else plain(value)

    values = {}
    for key, value in config.items():
        if key in _LAYER_KEYS:
            values[str(key)] = layers(value)
        elif str(key).endswith("activation"):
            values[str(key)] = activation(value)
        else:
            values[str(key)] = plain(value)
    return values


def _is_layer(value: object) -> bool:
    """Whether a value of a config is the config of another layer."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("config"), dict | list)
        and isinstance(value.get("class_name"), str)
    )


def _input_config(config: Config) -> dict[str, object]:
    shape = config.get("batch_shape", config.get("batch_input_shape"))
    settings = {
        "batch_shape": plain(shape) if isinstance(shape, list | dict) else None,
        "dtype": _policy(plain(config.get("dtype"))),
        "sparse": bool(config.get("sparse")),
        "ragged": bool(config.get("ragged")),
    }
    sizes = settings["batch_shape"]
    if isinstance(sizes, tuple):
        settings["batch_shape"] = tuple(
            s if isinstance(s, int) else None for s in sizes
        )
    else:
        settings["batch_shape"] = None
    return settings


def _policy(value: object) -> str:
    return value if isinstance(value, str) and value else "float32"


def _is_operation(entry: Document, config: Config, generation: int) -> bool:
    """Whether it is a function of ``keras.ops`` and no layer: that has no ``trainable``."""
    class_name, module = str(entry.get("class_name")), entry.get("module")
    if generation < 3 or function_of(class_name) is None and class_name != "GetItem":
        return False
    if isinstance(module, str):
        return ".ops." in module
    return "trainable" not in config and "inbound_nodes" in entry


def _is_built_in(entry: Document, class_name: str) -> bool:
    """Whether the class is Keras's: no package of somebody's own stands before its name."""
    registered, module = entry.get("registered_name"), entry.get("module")
    if isinstance(registered, str) and ">" in registered:
        if not registered.startswith(("keras", "Keras", "tf_keras")):
            return False
    if isinstance(module, str) and not module.startswith(_OF_KERAS):
        return False
    return class_name in layer_classes() or class_name in RENAMED


def _accepted(values: Config, arguments: Config) -> tuple[Arguments, list[str]]:
    """The arguments that Keras 3 takes, and what is said of those that it does not."""
    more = ("dtype", "activity_regularizer")
    accepted = {k: v for k, v in values.items() if k in arguments or k in more}
    if values.get(STEPS_FIRST):
        accepted[STEPS_FIRST] = True
    lost = [
        RETIRED[key].format(value=value)
        for key, value in values.items()
        if key in RETIRED and key not in arguments and value
    ]
    unknown = [
        k for k in values if k not in accepted and k not in _QUIET | RETIRED.keys()
    ]
    lost += [
        f"{k}={values[k]!r} is no argument of Keras 3" for k in unknown if values[k]
    ]
    if isinstance(accepted.get("seed"), dict):  # a SeedGenerator
        accepted["seed"] = accepted["seed"].get("config", {}).get("seed")
    return accepted, lost


def _own_functions(values: dict[str, object], generation: int) -> list[str]:
    """Marks the activations that Keras 3 does not have; says which they are."""
    lost = []
    for key, value in values.items():
        if not key.endswith("activation") or not isinstance(value, str):
            continue
        if value == "hard_sigmoid" and generation < 3:
            values[key] = OwnFunction(value)
        elif value not in ACTIVATIONS:
            values[key] = OwnFunction(value)
            lost.append(f"the function {value!r} of its {key} is not in the file")
    return lost


ACTIVATIONS = frozenset(
    """celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear log_sigmoid
    log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid sparsemax
    squareplus swish tanh tanh_shrink threshold""".split()
)
