"""The textbook mistakes with output names, each with a near miss."""

from __future__ import annotations

from itertools import pairwise

import pytest
import tensorflow.compat.v1 as tf

from graphscope.graph import Model
from graphscope.infer.finding import Finding
from tests.infer.training.training_zoo import BUILDERS
from tests.infer.training.training_zoo import model_of as training_model
from tests.infer.traps import found, model_of, network


def regression() -> Model:
    return training_model(BUILDERS["linear_regression_with_label_called_output"])[0]


def proposed(finding: Finding) -> set[str]:
    """The outputs that the command of a remedy freezes."""
    command, *words = finding.remedy.split()
    assert (command, words[0]) == ("graphscope", "freeze")
    return {b for a, b in pairwise(words) if a == "--output"}


def test_the_label_called_output_is_a_placeholder() -> None:
    (finding,) = found(regression(), "output-is-placeholder", "output")
    assert finding.severity == "error" and finding.node == "output"
    assert "label" in finding.message
    assert proposed(finding) == {"Add"}


def test_the_unnamed_prediction_is_none() -> None:
    assert not found(regression(), "output-is-placeholder", "Add")
    assert not found(regression(), "output-unclear")


def test_two_unnamed_heads_are_found_in_place_of_the_labels() -> None:
    model, known = training_model(BUILDERS["regression_with_two_unnamed_heads"])
    (finding,) = found(model, "output-is-placeholder", "y1")
    assert proposed(finding) == known.whole


@pytest.mark.parametrize("wrong", ["y_hat", "import/layer1/y", "model/layer1/y:0"])
def test_a_name_that_does_not_exist_brings_the_nearest(wrong: str) -> None:
    model, _ = training_model(BUILDERS["prediction_in_a_scope"])
    (finding,) = found(model, "output-missing", wrong)
    if wrong != "y_hat":
        assert proposed(finding) == {"layer1/y"}
        assert "'layer1/y' (Add" in finding.message


def test_the_label_y_is_told_from_the_prediction_in_a_scope() -> None:
    model, _ = training_model(BUILDERS["prediction_in_a_scope"])
    assert not found(model, "output-missing", "layer1/y")
    (finding,) = found(model, "output-is-placeholder", "y")
    assert proposed(finding) == {"layer1/y"}


def test_a_port_may_be_given() -> None:
    model, _ = training_model(BUILDERS["prediction_in_a_scope"])
    assert not found(model, "output-missing", "layer1/y:0")


@pytest.mark.parametrize(
    "name, id, severity",
    [
        ("save/SaveV2", "output-is-save", "error"),
        ("save/restore_all", "output-is-restore", "error"),
        ("init", "output-is-initialiser", "error"),
        ("Adam", "output-is-optimizer", "error"),
        ("gradients/dense_1/BiasAdd_grad/BiasAddGrad", "output-is-gradient", "error"),
        ("Merge/MergeSummary", "output-is-summary", "error"),
        ("Mean", "output-is-loss", "warning"),
        ("Mean_1", "output-is-metric", "warning"),
        ("dense/kernel", "output-is-weight", "error"),
    ],
)
def test_what_serves_training_is_no_output(name: str, id: str, severity: str) -> None:
    model, known = training_model(BUILDERS["classifier"])
    (finding,) = found(model, id, name)
    assert finding.severity == severity
    assert proposed(finding) == {next(iter(known.best))}


def test_the_prediction_of_a_training_graph_is_an_output() -> None:
    from graphscope.infer.findings import diagnose

    model, known = training_model(BUILDERS["classifier"])
    ids = {f.id for f in diagnose(model, outputs=known.best)}
    assert not any(id.startswith("output-") for id in ids)


def test_a_graph_that_only_fills_variables_has_no_clear_output() -> None:
    def build() -> None:
        tf.get_variable("v", [3])
        tf.train.Saver()

    (finding,) = found(model_of(build), "output-unclear")
    assert "no output stands out" in finding.message
    assert not found(model_of(network), "output-unclear")
