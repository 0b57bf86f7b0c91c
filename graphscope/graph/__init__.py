"""The nouns: Tensor, Node, Graph; Layer; Model. Each analysis returns something new that is keyed by the graph as read."""

from .graph import (
    CONTROL,
    Extent,
    FunctionRef,
    Graph,
    Node,
    Shape,
    Tensor,
    TensorSpec,
    did_you_mean,
)
from .keras.layer_list import Layers
from .layer import RNN, Layer, Loop, WeightUse, above
from .model import Function, Model, Signature, Variable, Weights

__all__ = [
    "CONTROL",
    "Extent",
    "Function",
    "FunctionRef",
    "Graph",
    "Layer",
    "Layers",
    "Loop",
    "Model",
    "Node",
    "RNN",
    "Shape",
    "Signature",
    "Tensor",
    "TensorSpec",
    "Variable",
    "WeightUse",
    "Weights",
    "above",
    "did_you_mean",
]
