"""The layers of a model as one object, which a notebook shows as a table."""

from __future__ import annotations

from ..layer import Layer, shortened
from ..tables import rows_table
from .signatures import layer_classes


class Layers(tuple[Layer, ...]):
    """The layers of a model, which a notebook shows as one table."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        """One row a layer: name, class, the config that is no default, weights."""
        return rows_table(("layer", "class", "config", "weights"), map(_row, self))


def _row(layer: Layer) -> tuple[str, ...]:
    known = layer_classes().get(layer.op)
    usual = known.arguments if known else {}
    unusual = {k: v for k, v in layer.attrs.items() if k not in usual or v != usual[k]}
    config = ", ".join(shortened(f"{k}={v}") for k, v in unusual.items())
    weights = (f"{role} {list(use.shape)}" for role, use in layer.weights.items())
    return (layer.name or layer.output.node, layer.op, config, ", ".join(weights))
