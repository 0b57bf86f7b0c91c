"""The source of the small layers that a recovered model may need of its own."""

from __future__ import annotations

from collections.abc import Sequence

from ....graph import TensorSpec
from ..program.literals import literal

_WEIGHT = '''
@keras.saving.register_keras_serializable(package="recovered")
class Weight(layers.Layer):
    """Yields a weight that no other layer owns, whatever it is called on."""

    def __init__(self, shape, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.shape = tuple(shape)

    def build(self, input_shape):
        self.value = self.add_weight(self.shape, initializer="zeros", name="value")

    def call(self, inputs):
        return ops.convert_to_tensor(self.value)

    def get_config(self):
        return {**super().get_config(), "shape": self.shape}
'''

_TYPED_WEIGHT = '''
@keras.saving.register_keras_serializable(package="recovered")
class Weight(layers.Layer):
    """Yields a weight that no other layer owns, whatever it is called on."""

    def __init__(self, shape, dtype="float32", **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.shape, self.value_dtype = tuple(shape), dtype

    def build(self, input_shape):
        self.value = self.add_weight(
            shape=self.shape,
            initializer="zeros",
            dtype=self.value_dtype,
            trainable="float" in self.value_dtype,
            name="value",
        )

    def call(self, inputs):
        return ops.convert_to_tensor(self.value)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(self.shape, self.value_dtype)

    def get_config(self):
        own = {"shape": self.shape, "dtype": self.value_dtype}
        return {**super().get_config(), **own}
'''


LOADER = '''
def load_weights(model: keras.Model, path: str = "weights.npz") -> keras.Model:
    """Give the model its weights, which lie in the order of ``model.weights``."""
    with np.load(path) as stored:
        model.set_weights([stored[name] for name in stored.files])
    return model
'''
"""For weights that had to be written without h5py, which Keras's own loading needs."""

_OP_CLASS = '''
@keras.saving.register_keras_serializable(package="recovered")
class {class_name}(layers.Layer):
    """TensorFlow's {op}: keras.ops {reason}."""

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.supports_jit = False

    def call(self, {inputs}):
        return {body}
'''


_LENDER = '''
@keras.saving.register_keras_serializable(package="recovered")
class Shared{base}(layers.{base}):
    """A {base} that also yields what it shares with other layers: {names}."""

    def call(self, inputs, weight=None):
        if weight is None:
            return super().call(inputs)
        return ops.convert_to_tensor({held}[weight])

    def compute_output_spec(self, inputs, weight=None):
        if weight is None:
            return super().compute_output_spec(inputs)
        return keras.KerasTensor({held}[weight].shape, self.compute_dtype)
'''


def weight_class(dtype: str, before: str | None) -> str:
    """The source of the class that yields weights: with an argument for the dtype where this or an earlier one is not float32."""
    if before == _TYPED_WEIGHT or dtype != "float32":
        return _TYPED_WEIGHT
    return _WEIGHT


def lender_class(base: str, lent: list[str], weight: str) -> tuple[str, str]:
    """The name and the source of the class that lends ``weight`` beside those that it ``lent`` before."""
    lent.extend([weight] if weight not in lent else [])
    entries = "{" + ", ".join(f'"{name}": self.{name}' for name in lent) + "}"
    source = _LENDER.format(base=base, names=", ".join(lent), held=entries)
    return f"Shared{base}", source


_SPEC = """
    def compute_output_spec(self, {inputs}):
        return {specs}
"""
"""Where Keras cannot tell the rank of what the layer gives."""


def spec_method(inputs: Sequence[str], outputs: Sequence[TensorSpec]) -> str:
    """A method that tells the symbolic outputs; "" where a dtype is not known. Of a rank that is not known a vector is said."""
    if not all(each.dtype for each in outputs):
        return ""
    specs = [_symbolic(each) for each in outputs]
    text = specs[0] if len(specs) == 1 else f"[{', '.join(specs)}]"
    return _SPEC.format(inputs=", ".join(inputs), specs=text)


def _symbolic(spec: TensorSpec) -> str:
    shape = (None,) if spec.shape is None else tuple(spec.shape)
    dtype = spec.dtype.removesuffix("_ref")
    return f"keras.KerasTensor({literal(shape)}, {literal(dtype)})"


def op_class(
    classes: dict[str, str],
    name: str,
    op: str,
    inputs: Sequence[str],
    body: str,
    reason: str,
    outputs: Sequence[TensorSpec] = (),
) -> str:
    """The name of the class that computes ``body`` of ``inputs``, entered into ``classes`` where it is new.

    ``reason`` is what ``keras.ops`` lacks for it, ``outputs`` what the symbolic outputs are said to be, where Keras could not tell.
    """
    number = 1
    while True:
        apart = "_" if name[-1].isdigit() else ""
        candidate = name if number == 1 else f"{name}{apart}{number}"
        source = _OP_CLASS.format(
            class_name=candidate,
            op=name,
            reason=reason,
            inputs=", ".join(inputs),
            body=body,
        )
        source += spec_method(inputs, outputs) if outputs else ""
        if classes.setdefault(candidate, source) == source:
            return candidate
        number += 1
