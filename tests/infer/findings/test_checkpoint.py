"""Checkpoint against graph, and the values of the weights: each trap with a near miss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from graphscope.infer.findings import diagnose
from tests.infer.traps import WeightRef, filled, found, model_of, network, variables_of


def whole() -> dict[str, np.ndarray]:
    return filled(network)


def test_a_checkpoint_that_fits_has_no_findings_of_this_kind() -> None:
    ids = {f.id for f in diagnose(model_of(network, whole()))}
    assert ids == set()


def test_no_weights() -> None:
    assert found(model_of(network), "no-weights")


def test_a_variable_that_is_missing() -> None:
    weights = whole()
    del weights["layer1/b"]
    (finding,) = found(model_of(network, weights), "variable-missing")
    assert finding.node == "layer1/b" and finding.severity == "error"


def test_a_missing_variable_that_the_outputs_do_not_need() -> None:
    import tensorflow.compat.v1 as tf

    def build() -> None:
        network()
        tf.get_variable("unused", [2])

    model = model_of(build, whole())
    assert not found(model, "variable-missing")
    (finding,) = found(model, "variable-missing-elsewhere")
    assert finding.node == "unused" and finding.severity == "info"


def test_variables_left_over() -> None:
    weights = whole() | {"other/w": np.ones((2, 2), np.float32)}
    (finding,) = found(model_of(network, weights), "checkpoint-extra")
    assert finding.node == "other/w"


def test_another_shape_or_dtype() -> None:
    weights = whole()
    weights["layer0/w"] = weights["layer0/w"].T.copy()
    (finding,) = found(model_of(network, weights), "variable-differs")
    assert "[6, 5]" in finding.message and "[5, 6]" in finding.message
    double = {name: value.astype(np.float64) for name, value in whole().items()}
    (finding,) = found(model_of(network, double), "variable-differs")
    assert len(finding.nodes) == 4


def test_a_prefix_in_the_checkpoint() -> None:
    weights = {"model/" + name: value for name, value in whole().items()}
    model = model_of(network, weights)
    (finding,) = found(model, "prefix-differs")
    assert (
        finding.remedy == "tf.train.init_from_checkpoint(CHECKPOINT, {'model/': '/'})"
    )
    assert not found(model, "variable-missing") and not found(model, "another-model")


def test_a_prefix_in_the_graph() -> None:
    import tensorflow.compat.v1 as tf

    def build() -> None:
        with tf.variable_scope("tower_0"):
            network()

    (finding,) = found(model_of(build, whole()), "prefix-differs")
    assert (
        finding.remedy == "tf.train.init_from_checkpoint(CHECKPOINT, {'/': 'tower_0/'})"
    )


def test_another_prefix() -> None:
    import tensorflow.compat.v1 as tf

    def build() -> None:
        with tf.variable_scope("student"):
            network()

    weights = {"teacher/" + name: value for name, value in whole().items()}
    (finding,) = found(model_of(build, weights), "prefix-differs")
    assert finding.remedy.endswith("{'teacher/': 'student/'})")


def test_another_model() -> None:
    weights = {f"conv{i}/kernel": np.ones((3, 3), np.float32) for i in range(6)}
    model = model_of(network, weights)
    assert found(model, "another-model") and not found(model, "prefix-differs")
    assert not found(model_of(network, whole()), "another-model")


def test_optimizer_slots_only() -> None:
    slots = {
        f"{name}/{slot}": value
        for name, value in whole().items()
        for slot in ("Adam", "Adam_1")
    }
    model = replace(model_of(network, slots), inferred=True)
    assert found(model, "optimizer-slots-only")
    both = replace(model_of(network, slots | whole()), inferred=True)
    assert not found(both, "optimizer-slots-only")


def test_moving_averages_and_how_far_apart_they_are() -> None:
    weights = whole()
    averages = {n + "/ExponentialMovingAverage": v.copy() for n, v in weights.items()}
    averages["layer0/w/ExponentialMovingAverage"][0, 0] += 1
    (finding,) = found(model_of(network, weights | averages), "moving-averages-stored")
    assert "'layer0/w'" in finding.message and "%" in finding.message
    assert not found(model_of(network, weights), "moving-averages-stored")


def test_values_that_are_not_finite() -> None:
    weights = whole()
    weights["layer0/w"][1, 1] = np.nan
    weights["layer1/b"][0] = np.inf
    (finding,) = found(model_of(network, weights), "weights-not-finite")
    assert set(finding.nodes) == {"layer0/w", "layer1/b"}
    weights = whole()
    weights["layer0/w"][1, 1] = 3e38
    assert not found(model_of(network, weights), "weights-not-finite")


def test_values_that_are_zero_or_constant() -> None:
    weights = whole()
    weights["layer0/w"][:] = 0
    weights["layer1/w"][:] = 0.5
    model = model_of(network, weights)
    assert [f.node for f in found(model, "weights-all-zero")] == ["layer0/w"]
    assert [f.node for f in found(model, "weights-constant")] == ["layer1/w"]
    weights["layer0/w"][0, 0] = weights["layer1/w"][0, 0] = 1
    model = model_of(network, weights)
    assert not found(model, "weights-all-zero") and not found(model, "weights-constant")


def test_dead_channels() -> None:
    weights = whole()
    weights["layer0/w"][:, 2] = 0
    (finding,) = found(model_of(network, weights), "dead-channels")
    assert finding.node == "layer0/w" and finding.message.startswith("1 channel has")
    weights["layer0/w"][3, 2] = 1e-6
    assert not found(model_of(network, weights), "dead-channels")


def test_an_untrained_model() -> None:
    weights = whole()
    for name in ("layer0/b", "layer1/b"):
        weights[name][:] = 0
    assert found(model_of(network, weights), "weights-untrained")
    weights["layer1/b"][0] = 0.01
    assert not found(model_of(network, weights), "weights-untrained")


def test_weights_stored_twice() -> None:
    import tensorflow.compat.v1 as tf

    def build(shared: bool = True) -> None:
        x = tf.placeholder(tf.float32, [None, 10], name="x")
        for scope in ("a", "b"):
            with tf.variable_scope(scope):
                x = tf.matmul(x, tf.get_variable("w", [10, 10]))

    weights = filled(build)
    assert not found(model_of(build, weights), "weights-duplicated")
    weights["b/w"] = weights["a/w"].copy()
    (finding,) = found(model_of(build, weights), "weights-duplicated")
    assert finding.nodes == ("a/w", "b/w")


def test_weights_are_left_unread_when_asked() -> None:
    class Closed(WeightRef):
        def __getitem__(self, name: str) -> np.ndarray:
            raise AssertionError("read")

        def __contains__(self, name: object) -> bool:
            return name in self.arrays

        def spec(self, name: str):
            return WeightRef(self.arrays).spec(name)

    weights = whole()
    model = replace(
        model_of(network, weights),
        weights=Closed(weights),
        variables=variables_of(weights),
    )
    diagnose(model, weights=False)
