"""What files declare of their outputs: signatures, session bundles, collections."""

from __future__ import annotations

from graphscope.graph import Graph, Model, Node, Signature, Tensor
from graphscope.infer.outputs.same_signatures import same_signatures
from graphscope.infer.outputs.signatures import (
    declared_collections,
    declared_signatures,
)


def model(**fields: object) -> Model:
    made = Graph()
    for name in ("x", "y", "z"):
        made.add(name, Node("Placeholder"))
    return Model(made, **fields)  # type: ignore[arg-type]


def test_serving_default_comes_first() -> None:
    signatures = {
        "other": Signature({}, {"out": Tensor("y")}),
        "serving_default": Signature({}, {"out": Tensor("z")}),
        "lost": Signature({}, {"out": Tensor("nowhere")}),
        "__saved_model_init_op": Signature({}, {"init": Tensor("x")}),
    }
    assert list(declared_signatures(model(signatures=signatures))) == [
        "serving_default",
        "other",
    ]


def test_session_bundles() -> None:
    bundle = {
        "default_signature": {
            "regression_signature": {
                "input": {"tensor_name": "x:0"},
                "output": {"tensor_name": "z:0"},
            }
        },
        "named_signatures": {
            "inputs": {"generic_signature": {"map": {"x": {"tensor_name": "x:0"}}}},
            "outputs": {"generic_signature": {"map": {"y": {"tensor_name": "y:0"}}}},
        },
    }
    found = declared_signatures(model(collections={"serving_signatures": (bundle,)}))
    assert found["outputs"].outputs == {"y": Tensor("y")}
    assert found["outputs"].inputs == {"x": Tensor("x")}
    assert found["default"].outputs == {"output": Tensor("z")}
    assert list(found) == ["outputs", "default"]


def test_damaged_bundles_say_nothing() -> None:
    odd = {"serving_signatures": ("text", b"bytes", {"named_signatures": {}})}
    assert declared_signatures(model(collections=odd)) == {}


def test_collections_whose_name_tells() -> None:
    lists = {
        "predictions": ("y:0", "nowhere:0", 3),
        "train_predictions_loss": ("z:0",),
        "logits": ("z:0",),
        "summaries": ("x:0",),
    }
    found = dict(declared_collections(model(collections=lists)))
    assert found == {"predictions": Tensor("y"), "logits": Tensor("z")}


def test_signatures_that_end_in_a_circle_are_compared() -> None:
    graph = Graph()
    graph.add("x", Node("Placeholder"))
    graph.add("same", Node("Identity"), [Tensor("same")])
    ends = {"round": Tensor("same"), "plain": Tensor("x"), "again": Tensor("x")}
    inputs = {"x": Tensor("x")}
    signatures = {k: Signature(inputs, {"y": end}) for k, end in ends.items()}
    assert same_signatures(graph, signatures) == {"again": "plain"}
