"""Calls as a file may describe them: whatever it holds becomes an expression, a stub, or nothing; never code of its own."""

from __future__ import annotations

import ast
from itertools import product
from typing import Any

import pytest

from graphscope.graph.keras import KerasCall, KerasLayer, LayerOutput
from graphscope.graph.keras.operations import FUNCTIONS
from graphscope.render.keras.program.literals import literal
from graphscope.render.keras.program.program import filled
from graphscope.render.keras.topology import tensorflow_functions
from graphscope.render.keras.topology.calls import call_of, expression_of

X = LayerOutput("x")
EVIL = "1);__import__('os').system('id');("
ODD = (X, None, -1, "a'b", (X, X), ("a", 2), {"start": 1}, (), {EVIL: [EVIL]}, ..., 2.5)
WORDS = (*tensorflow_functions._FUNCTIONS, *tensorflow_functions._ARGUMENTS)
WORDS += (*tensorflow_functions._AXES, "getitem", "top_k", "nobody_knows")


def operations() -> list[KerasLayer]:
    classes = {"".join(w.capitalize() for w in f.split("_")) for f in FUNCTIONS}
    classes |= {"GetItem", "Add", "Negative", "Einsum", "Softmax", "Mine"}
    evil = {"axis": None, EVIL: 1, "name": "n", "subscripts": EVIL}
    layers = [KerasLayer("l", c, evil, kind="operation") for c in sorted(classes)]
    return layers + [
        KerasLayer("l", "TFOpLambda", {"function": f"tf.{word}"}, kind="function")
        for word in WORDS
    ]


def odd_calls() -> list[KerasCall]:
    calls = [KerasCall(args) for n in range(3) for args in product(ODD, repeat=n)]
    names = ("values", "axis", "slice_spec", "num_or_size_splits", EVIL)
    calls += [KerasCall((X,), {name: value}) for name, value in product(names, ODD)]
    return calls + [KerasCall((X,) * 9), KerasCall((), {EVIL: X})]


def is_one_expression(text: str) -> bool:
    """Whether the text is one expression in which nothing but ``x`` and what hangs on ``ops`` is named."""
    tree = ast.parse(filled(text, ["x"] * 99), mode="eval")
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} <= {
        *("x", "ops", "regularizers", "float", "slice")
    }


@pytest.mark.parametrize("layer", operations(), ids=lambda layer: layer.class_name)
def test_any_operands_give_one_expression_or_none(layer: KerasLayer) -> None:
    """A call that lacks its operands, or has others than its function takes, is no file of Keras's and no traceback either."""
    for call in odd_calls():
        text, _ = expression_of(layer, call)
        assert text is None or is_one_expression(text), (layer, call)


@pytest.mark.parametrize("name", ["Dense", "LSTM", "Bidirectional", "Mine"])
def test_any_arguments_of_a_layer_are_a_list_of_values(name: str) -> None:
    for call in odd_calls():
        text, _ = call_of(KerasLayer("l", name), call)
        assert is_one_expression(f"x({text})"), call


REGULARIZER = {"class_name": "L1L2", "config": {"l2": 0.5}}


@pytest.mark.parametrize(
    "config",
    [{EVIL: 1.0, "l1": 2.0}, {EVIL: 1.0}, {}, [EVIL], EVIL, None, {"l1": {EVIL: EVIL}}],
)
def test_the_arguments_of_a_regularizer_are_a_closed_list(config: Any) -> None:
    """Their names become source: a config with others is written as the plain value that it is."""
    for value in ({**REGULARIZER, "config": config}, {"class_name": "L2"}):
        assert is_one_expression(literal([value])), value
    assert literal(REGULARIZER) == "regularizers.L1L2(l2=0.5)"
