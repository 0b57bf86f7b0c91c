"""``x + b`` and ``alpha * x``, where a variable belongs to no layer of Keras's -> a small layer that adds or multiplies.

A bias after something that has none, a learned temperature, a table of positions: readable, trainable, and the same on
every backend. A number for each user or item, gathered from a vector, is an Embedding of width one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from ....graph import Node, Tensor, WeightUse
from ....ops import spellings
from ....ops.constants import is_computed, is_written
from ..program.names import op_name
from ..program.program import Step, hole
from .call_texts import LARGE
from .context import Context

_CLASS = '''
@keras.saving.register_keras_serializable(package="recovered")
class {name}(layers.Layer):
    """{says} a trained tensor."""

    def __init__(self, shape, **kwargs):
        super().__init__(**kwargs)
        self.shape = tuple(shape)

    def build(self, input_shape):
        self.{weight} = self.add_weight(shape=self.shape, initializer="{start}", name="{weight}")

    def call(self, inputs):
        return inputs {sign} self.{weight}

    def get_config(self):
        return {{**super().get_config(), "shape": self.shape}}
'''
_BIAS = {
    "name": "Bias",
    "says": "Adds",
    "weight": "bias",
    "start": "zeros",
    "sign": "+",
}
BIAS_CLASS = _CLASS.format(**_BIAS)
_SCALE = {
    "name": "Scale",
    "says": "Multiplies by",
    "weight": "scale",
    "start": "ones",
    "sign": "*",
}
_OPS = {"Add": _BIAS, "AddV2": _BIAS, "BiasAdd": _BIAS, "Mul": _SCALE}
TRAINED = frozenset(says["name"] for says in _OPS.values())  # the layers made here
_GATHERS = frozenset({*spellings.GATHERS, "ResourceGather"})
_FLOATS = frozenset({"float32", "float16", "bfloat16", "float64"})
_MAKING = frozenset("Range LinSpace Fill Tile BroadcastTo OneHot Sin Cos".split())
FEW = 4  # numbers of a constant that more likely are written than trained (the mean color, say)


def trained_step(lowering: Context, node: str, payload: Node) -> Step | None:
    """The layer of a sum or a product with a variable, or with what was one before the graph was frozen; else None."""
    if payload.op in _GATHERS:
        return _number_for_each(lowering, node, payload)
    says = _OPS.get(payload.op)
    operands = lowering.arguments(node)
    if says is None or len(operands) != 2 or payload.attrs.get("data_format") == "NCHW":
        return None
    weights = [_held(lowering, tensor, payload.op) for tensor in operands]
    if (weights[0] is None) == (weights[1] is None):
        return None
    use, other = (weights[0] or weights[1]), operands[weights[0] is not None]
    spec = lowering.spec_or_none(other)
    if use is None or spec.shape is None or len(use.shape) > len(spec.shape):
        return None
    arguments: dict[str, Any] = {"shape": tuple(use.shape)}
    if spec.dtype != "float32":
        arguments["dtype"] = spec.dtype
    if is_fixed(use, lowering.read_through) or _is_made(
        lowering, operands[weights[0] is None]
    ):
        arguments["trainable"] = False
    source = lowering.operand(other)
    if not isinstance(source, Tensor):
        return None
    lowering.classes[says["name"]] = _CLASS.format(**says)
    return Step(
        node,
        hole(0),
        (source,),
        says["name"],
        says["name"],
        arguments,
        lowering.names.unique(op_name(node)),
        weights={says["weight"]: use},
        stored=(says["weight"],),
    )


def _number_for_each(lowering: Context, node: str, payload: Node) -> Step | None:
    """An Embedding of width one, squeezed, for entries of a vector; else None."""
    params, ids, *axis = lowering.arguments(node)
    at = lowering.value(axis[0]) if axis else np.zeros(())
    spec = lowering.spec_or_none(ids)
    use = _held(lowering, params, payload.op)
    if use is None or len(use.shape) != 1 or at is None or at.item() != 0:
        return None
    source = lowering.operand(ids)
    if not isinstance(source, Tensor) or spec.shape is None:
        return None
    wide = (*use.shape, 1)
    table = replace(use, shape=wide, steps=(*use.steps, ("reshape", wide)))
    step = Step(
        f"{node}/rows",
        hole(0),
        (source,),
        "layers.Embedding",
        "Embedding",
        {"input_dim": wide[0], "output_dim": 1},
        lowering.names.unique(op_name(node)),
        weights={"embeddings": table},
        stored=("embeddings",),
    )
    lowering.put(step)
    return Step(node, f"ops.squeeze({hole(0)}, axis=-1)", (Tensor(step.node),))


def _held(lowering: Context, tensor: Tensor, op: str) -> WeightUse | None:
    """The weight that a tensor is, where nothing else reads it."""
    if tensor in lowering.inputs or tensor.node in lowering.steps:
        return None
    if len(lowering.graph.consumers(tensor.node)) != 1:
        return None
    variable = lowering.weight_of(tensor)
    if variable:
        spec = lowering.weight_spec(tensor, variable)
        if spec.shape is None or None in spec.shape:
            return None
        shape = tuple(size or 0 for size in spec.shape)
        use = WeightUse(variable, shape)
        if spec.dtype.removesuffix("_ref") not in _FLOATS:
            return None
        return None if lowering.ties.borrowed({"weight": use}) else use
    return _frozen(lowering, tensor, op)


def _frozen(lowering: Context, tensor: Tensor, op: str) -> WeightUse | None:
    """A constant that was a variable: it is read through an Identity, is a bias by its op, or is more than a few numbers.

    What is made of constants (a table of positions, gathered and moved) counts where it is too large to be written.
    """
    value = lowering.value(tensor)
    if value is None or value.dtype.name not in _FLOATS:
        return None
    if lowering.graph.op(tensor.node) != "Const":
        if lowering.has_variables or value.size <= LARGE:
            return None
        return WeightUse("", value.shape, (), np.asarray(value))
    was_read = tensor.node in lowering.read_through
    few = LARGE if is_written(value) else FEW
    if not was_read and (
        lowering.has_variables or value.size <= few and op != "BiasAdd"
    ):
        return None
    return WeightUse(tensor.node, value.shape, (), np.asarray(value))


def _is_made(lowering: Context, tensor: Tensor) -> bool:
    """Whether numbers are counted or repeated by the graph itself, of nothing that was a variable."""
    graph = lowering.graph
    if lowering.has_variables or graph.op(tensor.node) == "Const":
        return False
    above = graph.upstream([tensor.node])
    if lowering.read_through & {name for name in above if graph.op(name) == "Const"}:
        return False
    return any(graph.op(name) in _MAKING for name in above)


def is_fixed(use: WeightUse, read_through: Collection[str]) -> bool:
    """Whether a constant that is too large to be a literal is no trained weight: somebody wrote or computed it.

    ``read_through`` were variables.
    """
    if use.value is None or use.node in read_through:
        return False
    return is_written(use.value) or is_computed(use.value)
