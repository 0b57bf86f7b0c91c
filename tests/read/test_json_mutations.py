"""Keras configs and TensorFlow.js documents in which any one value is replaced by any other."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphscope.errors import GraphscopeError
from graphscope.read.formats import tensorflow_js
from graphscope.read.keras.model import model_of_topology
from graphscope.read.keras.slots import legacy_order, owners_of
from graphscope.read.keras.topology import read_topology
from graphscope.read.options import Options
from graphscope.render.keras import to_keras_of
from graphscope.wire.source import Source

VALUES = st.sampled_from([None, 0, -1, 1 << 70, 1.5, True, "", "x", "../x", [], [[]], {}, [1, 2, 3], ["a", 0, 0], {"class_name": "Sequential", "config": {"layers": []}}, {"config": None}])  # fmt: skip
CALM = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def places(value: object, path: tuple = ()) -> list[tuple]:
    """The path to every value within a document."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value) if isinstance(value, list) else ()
    )
    return [path, *(p for key, each in items for p in places(each, (*path, key)))]


def replaced(document: object, path: tuple, value: object) -> object:
    made = copy.deepcopy(document)
    if not path:
        return value
    here = made
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = value
    return made


KERAS_2 = [["a", 0, 0, {}]]
FUNCTIONAL = {
    "class_name": "Functional",
    "config": {
        "name": "m",
        "layers": [
            {"class_name": "InputLayer", "config": {"name": "i", "batch_shape": [None, 3]}, "inbound_nodes": []},
            {"class_name": "Dense", "name": "a", "config": {"name": "a"}, "inbound_nodes": [
                {"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": ["i", 0, 0]}}], "kwargs": {}}]},
            {"class_name": "Sequential", "name": "s", "config": {"name": "s", "layers": [
                {"class_name": "Dense", "config": {"name": "b", "dtype": {"class_name": "P", "config": {"name": "f"}}}}]},
             "inbound_nodes": [KERAS_2]},
        ],
        "input_layers": ["i", 0, 0],
        "output_layers": [["s", 0, 0]],
    },
}  # fmt: skip
SHAPE = {"dim": [{"size": "-1"}]}
JAVASCRIPT = {
    "modelTopology": {"node": [{"name": "a", "op": "Const", "attr": {"value": {"tensor": {"dtype": "DT_FLOAT"}}}}]},
    "weightsManifest": [{"paths": [], "weights": [
        {"name": "a", "shape": [0], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": 1, "min": 0}}]}],
    "signature": {"inputs": {"x": {"name": "a:0", "dtype": "DT_FLOAT", "tensorShape": SHAPE}}, "outputs": {}},
}  # fmt: skip
LAYERS = {"modelTopology": {"model_config": FUNCTIONAL}, "weightsManifest": []}


def described(config: object):
    """All that is made of a config: its model, who owns weights, the layer graph, the source."""
    topology = read_topology(config, "x")
    for owner in owners_of(topology):
        legacy_order(owner, 2)
        legacy_order(owner, 3)
    model = model_of_topology(topology, [], {}, "x", "Keras JSON", "")
    compile(to_keras_of(model).text, "model.py", "exec")
    return model.graph


def stands(call, *arguments) -> None:
    try:
        call(*arguments)
    except GraphscopeError as error:
        assert "\n" not in str(error)


@CALM
@given(data=st.data())
def test_keras_configs(data) -> None:
    path = data.draw(st.sampled_from(places(FUNCTIONAL)))
    stands(described, replaced(FUNCTIONAL, path, data.draw(VALUES)))


@pytest.mark.parametrize("document", [JAVASCRIPT, LAYERS])
@CALM
@given(data=st.data())
def test_tensorflow_js(document: dict, data) -> None:
    path = data.draw(st.sampled_from(places(document)))
    text = json.dumps(replaced(document, path, data.draw(VALUES)))
    source = Source("/nowhere/model.json", text.encode())
    stands(tensorflow_js.read, source, Options())


def test_models_within_models_that_multiply() -> None:
    """Ten levels, each called ten times: a short text for ten thousand million layers."""
    inner: dict = {"class_name": "Dense", "name": "d", "config": {"name": "d"}}
    call = [["i", 0, 0, {}]]
    for level in range(10):
        name = f"m{level}"
        inner = {
            "class_name": "Functional",
            "name": name,
            "config": {
                "name": name,
                "layers": [
                    {"class_name": "InputLayer", "name": "i", "config": {"name": "i"}},
                    {**inner, "inbound_nodes": [call] * 10},
                ],
                "input_layers": [["i", 0, 0]],
                "output_layers": [[inner["name"], k, 0] for k in range(10)],
            },
        }
    with pytest.raises(GraphscopeError, match="unfolds to more than"):
        described(inner)


def test_the_documents_themselves_are_right() -> None:
    graph = described(FUNCTIONAL)
    assert [graph.op(n) for n in graph] == ["InputLayer", "Dense", "Dense"]
    assert graph.inputs("s/b")[0].node == "a"
    source = Source("model.json", json.dumps(JAVASCRIPT).encode())
    assert list(tensorflow_js.read(source, Options()).graph) == ["a"]
    assert Path(source.name).name == "model.json"
