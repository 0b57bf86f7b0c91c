"""What of Keras's layer classes a recovered layer may say, and which weights it owns in which order.

The classes are those of ``graph.keras.signatures``. How weights begin and what holds them in bounds is not in a file of
values: ``*_initializer`` and ``*_constraint`` are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from ....graph.keras.signatures import REQUIRED, LayerClass, layer_classes

__all__ = ["MERGES", "REQUIRED", "signature_of", "signatures"]

MERGES = frozenset(
    "Add Average Concatenate Dot HashedCrossing Maximum Minimum Multiply Subtract".split()
)
"""The classes that are called with one list of tensors."""

_NOT_STORED = ("_initializer", "_constraint")
# the layers that a wrapper makes of the one that it is given
_WRAPPED = {
    "Bidirectional": tuple(
        f"{way}_layer/cell/{weight}"
        for way in ("forward", "backward")
        for weight in ("kernel", "recurrent_kernel", "bias")
    )
}


@cache
def signatures() -> Mapping[str, LayerClass]:
    """Every class, by the name under which ``keras.layers`` exports it."""
    return {each.name: _recovered(each) for each in layer_classes().values()}


def _recovered(each: LayerClass) -> LayerClass:
    arguments = {
        name: default
        for name, default in each.arguments.items()
        if not name.endswith(_NOT_STORED)
    }
    weights = _WRAPPED.get(each.name, each.weights)
    return replace(each, arguments=arguments, weights=weights)


def signature_of(constructor: str) -> LayerClass | None:
    """The signature of a constructor as a source writes it; that of its Keras class for a subclass of it."""
    name = constructor.removeprefix("layers.")
    for prefix in ("Shared", "Biased", "Position"):
        name = name.removeprefix(prefix)
    return signatures().get(name)
