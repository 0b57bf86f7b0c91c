"""graphscope: a decompiler for TensorFlow models.

The pipeline in five lines::

    analysis = graphscope.analyse("model.ckpt-1000")  # read, infer: no TensorFlow needed
    analysis.outputs, analysis.layers            # what it is, and what is wrong with it
    analysis.render("model.svg")                    # .dot .svg .png .html .md .csv .json .txt
    analysis.write_keras("model-keras")             # model.py and model.weights.h5
    analysis.freeze("frozen.pb")                    # variables become constants

>>> analysis = graphscope.analyse("model.pb")
>>> [layer.op for layer in analysis.layers]
['Dense', 'Activation', 'Dense', 'Activation']
>>> analysis.render("model.svg")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .analysis.results import Analysis, analyse
    from .errors import GraphscopeError
    from .graph import Graph, Layer, Model, Node, Tensor, TensorSpec
    from .read import load

__version__ = "0.1.0"

# Where each public name lives. They are imported when first used: the command line answers
# --help without loading networkx.
_HOMES = {
    "Analysis": "analysis",
    "analyse": "analysis",
    "GraphscopeError": "errors",
    "Graph": "graph",
    "Layer": "graph",
    "Model": "graph",
    "Node": "graph",
    "Tensor": "graph",
    "TensorSpec": "graph",
    "load": "read",
}
__all__ = [  # written out: type checkers do not compute it
    "Analysis",
    "analyse",
    "GraphscopeError",
    "Graph",
    "Layer",
    "Model",
    "Node",
    "Tensor",
    "TensorSpec",
    "load",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'graphscope' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
