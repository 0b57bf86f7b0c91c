"""Small graphs written out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphscope.graph import Graph, Node, Tensor


class Made(Graph):
    """A Graph with one-line builders; each returns the tensor that it adds."""

    def feed(self, name: str = "x", shape: Any = (None, 4)) -> Tensor:
        self.add(name, Node("Placeholder", {"dtype": "float32", "shape": shape}))
        return Tensor(name)

    def const(self, name: str, value: Any, dtype: str = "float32") -> Tensor:
        array = np.asarray(value, dtype)
        self.add(name, Node("Const", {"dtype": dtype, "value": array}))
        return Tensor(name)

    def put(self, op: str, *inputs: Tensor, name: str = "", **attrs: Any) -> Tensor:
        name = name or f"{op}_{len(self)}"
        self.add(name, Node(op, {"T": "float32", **attrs}), inputs)
        return Tensor(name)
