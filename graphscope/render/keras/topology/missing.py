"""What a Keras file names and does not hold, or Keras 3 has no more -> small classes and functions in the source."""

from __future__ import annotations

import builtins
from keyword import iskeyword
from typing import Any

from ....graph import TensorSpec
from ....graph.keras import KerasLayer
from ....graph.keras.nouns import OwnFunction
from ..program.literals import Code
from ..program.names import class_identifier, identifier

_MISSING = '''
@keras.saving.register_keras_serializable(package="recovered")
class Missing(layers.Layer):
    """Stands for a layer whose code is not in the file: its settings, weights and output shape are kept."""

    def __init__(self, settings=None, held=(), yields=None, **kwargs):
        super().__init__(**kwargs)
        self.settings, self.held, self.yields = settings, tuple(held), yields

    def build(self, input_shape):
        self.kept = [
            self.add_weight(shape=tuple(shape), name=name, initializer="zeros")
            for name, shape in self.held
        ]

    def compute_output_spec(self, inputs, *args, **kwargs):
        first = inputs[0] if isinstance(inputs, (list, tuple)) else inputs
        shape = first.shape if self.yields is None else tuple(self.yields)
        return keras.KerasTensor(shape, self.compute_dtype)

    def call(self, inputs, *args, **kwargs):
        raise NotImplementedError(f"{self.name}: its code is not in the file: write it here")

    def get_config(self):
        own = {"settings": self.settings, "held": self.held, "yields": self.yields}
        return {**super().get_config(), **own}
'''
_SUBCLASS = '''
@keras.saving.register_keras_serializable(package="recovered")
class {name}(Missing):
    """To do: {class_name} computes something that the file does not say; write its call."""
'''
_LOCAL = '''
@keras.saving.register_keras_serializable(package="recovered")
class LocallyConnected{rank}D(layers.Layer):
    """Keras 2's: a convolution whose kernel is another at each place."""

    def __init__(self, filters, kernel_size, strides=1, activation="linear", use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.use_bias = filters, use_bias
        self.size, self.steps = {size}, {steps}
        self.activation, self.activated = activation, layers.Activation(activation)

    def compute_output_shape(self, input_shape):
        {places}
        return (input_shape[0], *places, self.filters)

    def build(self, input_shape):
        *places, _ = self.compute_output_shape(input_shape)[1:]
        count, width = 1, input_shape[-1]
        for place in places:
            count = count * place
        for size in self.size:
            width = width * size
        self.kernel = self.add_weight(shape=(count, width, self.filters), name="kernel")
        if self.use_bias:
            self.bias = self.add_weight(shape=(*places, self.filters), name="bias")

    def call(self, inputs):
        shape = self.compute_output_shape(inputs.shape)
        patches = ops.image.extract_patches({patches}, padding="valid")
        patches = ops.reshape(patches, (-1, self.kernel.shape[0], self.kernel.shape[1]))
        outputs = ops.einsum("bnk,nkf->bnf", patches, self.kernel)
        outputs = ops.reshape(outputs, (-1, *shape[1:]))
        return self.activated(outputs + self.bias if self.use_bias else outputs)

    def get_config(self):
        own = {{"filters": self.filters, "kernel_size": self.size, "strides": self.steps}}
        own = {{**own, "activation": self.activation, "use_bias": self.use_bias}}
        return {{**super().get_config(), **own}}
'''
_RANKS = {
    1: {
        "size": "tuple(kernel_size)[:1] if isinstance(kernel_size, (list, tuple)) else (kernel_size,)",
        "steps": "tuple(strides)[:1] if isinstance(strides, (list, tuple)) else (strides,)",
        "patches": "ops.expand_dims(inputs, axis=2), (*self.size, 1), (*self.steps, 1)",
        "places": "places = [(input_shape[1] - self.size[0]) // self.steps[0] + 1]",
    },
    2: {
        "size": "tuple(kernel_size) if isinstance(kernel_size, (list, tuple)) else (kernel_size,) * 2",
        "steps": "tuple(strides) if isinstance(strides, (list, tuple)) else (strides,) * 2",
        "patches": "inputs, self.size, self.steps",
        "places": "pairs = zip(input_shape[1:3], self.size, self.steps)\n"
        "        places = [(size - kernel) // step + 1 for size, kernel, step in pairs]",
    },
}
_TAKEN = frozenset({"Missing", "keras", "layers", "np", "ops"})
_RETIRED_ARGUMENTS = frozenset(
    "filters kernel_size strides activation use_bias".split()
)
_HARD_SIGMOID = '''
@keras.saving.register_keras_serializable(package="recovered")
def keras_2_hard_sigmoid(x):
    """Keras 2's hard sigmoid, which rises by a fifth; that of Keras 3 rises by a sixth."""
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)
'''
_FUNCTION = '''
@keras.saving.register_keras_serializable(package="recovered")
def {name}(x):
    """To do: a function that the file names and does not hold; write it."""
    return x
'''


def missing_class(layer: KerasLayer, classes: dict[str, str]) -> str:
    """The name of the class that stands for the layer's, entered into ``classes``."""
    classes.setdefault("Missing", _MISSING)
    name = class_identifier(layer.class_name)
    if layer.class_name == "Lambda":
        name = "MissingLambda"
    if iskeyword(name) or hasattr(builtins, name) or name in _TAKEN:
        name = f"{name}Layer"
    classes.setdefault(name, _SUBCLASS.format(name=name, class_name=name))
    return name


def missing_arguments(layer: KerasLayer, spec: TensorSpec | None) -> dict[str, Any]:
    """What a stub is given: the file's config, the names and shapes of the weights, the shape of what it yields."""
    settings = {
        key: _data(value)
        for key, value in layer.config.items()
        if key not in ("name", "dtype", "trainable") and value is not None
    }
    made: dict[str, Any] = {}
    if settings and layer.class_name != "Lambda":
        made["settings"] = settings
    held = tuple(
        (path.replace("/", "_"), tuple(layer.weights[path].shape))
        for path in layer.stored
    )
    if held:
        made["held"] = held
    shape = spec.shape if spec is not None else None
    if shape is not None:
        made["yields"] = tuple(shape)
    return made


def _data(value: object) -> Any:
    """A value of a config as literals can say it."""
    if isinstance(value, dict):
        return {str(key): _data(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_data(each) for each in value]
    if isinstance(value, KerasLayer):
        return {"class_name": value.class_name, "config": _data(dict(value.config))}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def retired_class(layer: KerasLayer, classes: dict[str, str]) -> str:
    """The name of a class that Keras 3 lost, entered into ``classes``."""
    rank = 1 if layer.class_name.endswith("1D") else 2
    name = f"LocallyConnected{rank}D"
    classes.setdefault(name, _LOCAL.format(rank=rank, **_RANKS[rank]))
    return name


def retired_arguments(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key in _RETIRED_ARGUMENTS}


def own_function(name: OwnFunction, classes: dict[str, str]) -> Code:
    """The name of the function that the source defines."""
    if name == "hard_sigmoid":
        classes.setdefault("keras_2_hard_sigmoid", _HARD_SIGMOID)
        return Code("keras_2_hard_sigmoid")
    called = identifier(str(name))
    classes.setdefault(called, _FUNCTION.format(name=called))
    return Code(called)
