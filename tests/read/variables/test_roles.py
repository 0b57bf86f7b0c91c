"""Roles of variables from names, objects and graphs."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphscope.read import load
from graphscope.read.variables.roles import roles_by_name

FLOAT, INT = "float32", "int64"
KNOWN = {
    "conv/kernel": (FLOAT, (3, 3, 1, 8)),
    "conv/kernel/Adam": (FLOAT, (3, 3, 1, 8)),
    "train/conv/kernel/Momentum_1": (FLOAT, (3, 3, 1, 8)),
    "conv/kernel/ExponentialMovingAverage": (FLOAT, (3, 3, 1, 8)),
    "conv/kernel/my_own_slot": (FLOAT, (3, 3, 1, 8)),
    "conv/kernel_slot_vr": (FLOAT, (3, 3, 1)),
    "head_slot_v": (FLOAT, (8,)),
    "bn/moving_mean": (FLOAT, (8,)),
    "bn/moving_variance": (FLOAT, (8,)),
    "global_step": (INT, ()),
    "beta1_power": (FLOAT, ()),
    "training/Ftrl/learning_rate": (FLOAT, ()),
    "metrics/true_positives": (FLOAT, (5,)),
    "table/hash_table-keys": ("string", (4,)),
    "vocabulary": ("string", (4,)),
    "iterator": ("variant", ()),
    "temperature": (FLOAT, ()),
    "Adam": (FLOAT, (4,)),
}
EXPECTED = {
    "conv/kernel": ("weight", ""),
    "conv/kernel/Adam": ("optimizer slot", "conv/kernel"),
    "train/conv/kernel/Momentum_1": ("optimizer slot", "conv/kernel"),
    "conv/kernel/ExponentialMovingAverage": ("moving average", "conv/kernel"),
    "conv/kernel/my_own_slot": ("optimizer slot", "conv/kernel"),
    "conv/kernel_slot_vr": ("optimizer slot", "conv/kernel"),
    "head_slot_v": ("weight", ""),
    "bn/moving_mean": ("batch statistics", ""),
    "bn/moving_variance": ("batch statistics", ""),
    "global_step": ("step counter", ""),
    "beta1_power": ("optimizer slot", ""),
    "training/Ftrl/learning_rate": ("optimizer slot", ""),
    "metrics/true_positives": ("metric", ""),
    "table/hash_table-keys": ("lookup table", ""),
    "vocabulary": ("other", ""),
    "iterator": ("other", ""),
    "temperature": ("weight", ""),
    "Adam": ("weight", ""),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_by_name(name: str) -> None:
    role = roles_by_name(KNOWN)[name]
    assert (role.role, role.of) == EXPECTED[name]


def test_the_optimizer_of_a_slot_by_name() -> None:
    found = {name: role.optimizer for name, role in roles_by_name(KNOWN).items()}
    told = {name: optimizer for name, optimizer in found.items() if optimizer}
    assert told == {
        "conv/kernel/Adam": "Adam",
        "conv/kernel_slot_vr": "Adafactor",
        "train/conv/kernel/Momentum_1": "Momentum",
        "training/Ftrl/learning_rate": "Ftrl",
    }


def test_by_objects(corpus: Path) -> None:
    folder = "LucaCappelletti94+repairing_genomic_gaps/_history/0e4c51361f"
    model = load(corpus / folder / "variables/variables.index")
    found = {v.path: v for v in model.variables}
    kernel = found["layer_with_weights-0/kernel"]
    assert kernel.role == "weight"
    slots = [v for v in model.variables if v.of == kernel.name]
    assert {v.role for v in slots} == {"optimizer slot"} and len(slots) == 2
    assert {v.optimizer for v in slots} == {"optimizer"}
    assert found["optimizer/iter"].role == "step counter"
    assert found["optimizer/learning_rate"].role == "optimizer slot"
    assert found["keras_api/metrics/0/total"].role == "metric"
    assert found["layer_with_weights-2/moving_mean"].role == "batch statistics"


def test_batch_statistics_and_slots_by_use_alone(tmp_path: Path) -> None:
    """Names that say nothing: the graph does."""
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [2, 4, 4, 3])
        a, b, c, d = (v1.get_variable(n, [3], use_resource=True) for n in "abcd")
        y = v1.nn.fused_batch_norm(x, a, b, c, d, is_training=False)[0]
        w = v1.get_variable("w", [3, 5])
        m, v = v1.get_variable("p", [3, 5]), v1.get_variable("q", [3, 5])
        loss = tf.reduce_sum(tf.matmul(tf.reshape(y, [-1, 3]), w))
        (gradient,) = tf.gradients(loss, [w])
        tf.raw_ops.ResourceApplyAdam(
            var=w.handle, m=m.handle, v=v.handle, beta1_power=0.9, beta2_power=0.9,
            lr=0.1, beta1=0.9, beta2=0.9, epsilon=0.1, grad=gradient,
        ) if hasattr(w, "handle") else tf.raw_ops.ApplyAdam(
            var=w._ref(), m=m._ref(), v=v._ref(), beta1_power=0.9, beta2_power=0.9,
            lr=0.1, beta1=0.9, beta2=0.9, epsilon=0.1, grad=gradient,
        )  # fmt: skip
    path = tmp_path / "g.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    found = load(path).variables
    roles = {v.name: (v.role, v.of) for v in found}
    assert {v.optimizer for v in found if v.name in "pq"} == {"Adam"}
    assert roles["c"][0] == roles["d"][0] == "batch statistics"
    assert roles["a"][0] == "weight"
    assert roles["p"] == roles["q"] == ("optimizer slot", "w")


def test_tables_and_queues_of_a_graph(tmp_path: Path) -> None:
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64, name="t")
        tf.raw_ops.FIFOQueueV2(component_types=[tf.float32], name="q")
    path = tmp_path / "g.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    roles = {v.name: v.role for v in load(path).variables}
    assert roles == {"t": "lookup table", "q": "queue"}
