"""graphscope: a decompiler for TensorFlow models.

The pipeline in five lines::

    found = graphscope.analyse("model.ckpt-1000")   # read, infer: no TensorFlow needed
    found.outputs, found.layers, found.findings     # what it is, and what is wrong with it
    found.render("model.svg")                       # .dot .svg .png .html .md .csv .json .txt
    found.write_keras("model-keras")                # model.py and model.weights.h5
    found.freeze("frozen.pb")                       # variables become constants
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
__all__ = [*_HOMES, "__version__"]  # noqa: F822


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'graphscope' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
