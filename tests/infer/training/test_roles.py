"""Roles of training-only nodes. TensorFlow is the oracle: it names what it makes to train, which roles() never reads."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import tensorflow.compat.v1 as tf

from graphscope.graph import Graph, Model, Node, Tensor
from graphscope.infer.training.arrays import Flow
from graphscope.infer.training.roles import ROLES, drop_training, roles, study_training
from tests.infer.training.training_zoo import BUILDERS, model_of

PLUMBING = ("accumulator", "_count", "b_sync")
"""What while_loop's gradient adds to the forward loop: it runs forward, and goes with the loop when pruned."""


def roles_of(model: Model) -> dict[str, str]:
    return roles(model.graph, functions=model.functions)


@pytest.mark.parametrize("name", BUILDERS)
def test_gradients_are_what_tensorflow_put_under_gradients(name: str) -> None:
    model, _ = model_of(BUILDERS[name])
    found = roles_of(model)
    missed = [
        n
        for n in model.graph
        if n.split("/")[0].startswith("gradients")
        and n not in found
        and model.graph.inputs(n)
        and not any(word in n for word in PLUMBING)
    ]
    assert not missed
    forward = [
        n
        for n, role in found.items()
        if role == "gradient"
        and not n.startswith("gradients")
        and model.graph.op(n) in ("MatMul", "Conv2D", "BiasAdd", "Relu", "Softmax")
    ]
    assert not forward


@pytest.mark.parametrize("name", BUILDERS)
def test_what_the_outputs_need_has_no_role(name: str) -> None:
    model, known = model_of(BUILDERS[name])
    found = roles_of(model)
    outputs = [Tensor.parse(text).node for text in known.whole]
    needed = model.graph.upstream(outputs)
    wrong = {n: found[n] for n in needed if n in found}
    if (
        name == "word2vec"
    ):  # its normalised table is read from the variable, not from data
        wrong = {n: r for n, r in wrong.items() if n in known.best}
    pipeline = {n: r for n, r in wrong.items() if r == "input pipeline"}
    assert set(wrong) == set(pipeline)


@pytest.mark.parametrize("name", ["batch_normalised_network", "gan", "estimator_like"])
def test_names_are_never_looked_at(name: str) -> None:
    """Every node renamed and the file's order shuffled: the same roles."""
    model, _ = model_of(BUILDERS[name])
    named = roles_of(model)
    order = list(model.graph)
    random.Random(0).shuffle(order)
    alias = {n: f"n{i}" for i, n in enumerate(order)}
    hidden = Graph()
    for n in order:
        node = model.graph.node(n)
        controls = tuple(alias[c] for c in node.controls)
        inputs = [Tensor(alias[t.node], t.port) for t in model.graph.inputs(n)]
        hidden.add(alias[n], Node(node.op, node.attrs, node.outputs, controls), inputs)
    found = roles(hidden, functions=model.functions)
    assert {alias[n] for n in named} == set(found)
    assert sum(found[alias[n]] == named[n] for n in named) > 0.97 * len(named)


def named_roles(build) -> dict[str, str]:
    with tf.Graph().as_default():
        pass
    return roles_of(model_of(build)[0])


def test_each_role_where_it_belongs() -> None:
    found = named_roles(BUILDERS["classifier"])
    expected = {
        "y": "label",
        "Mean": "loss",
        "Mean_1": "metric",
        "Equal": "metric",
        "gradients/grad_ys_0": "gradient",
        "Adam": "optimizer",
        "dense/kernel/Adam": "optimizer",
        "dense/kernel/Adam/read": "optimizer",
        "beta1_power": "optimizer",
        "Merge/MergeSummary": "summary",
        "save/SaveV2": "save",
        "save/RestoreV2": "restore",
        "save/Assign": "restore",
        "save/restore_all": "restore",
        "dense/kernel/Assign": "initialiser",
        "dense/kernel/Initializer/random_uniform": "initialiser",
        "init": "initialiser",
    }
    assert {n: found.get(n) for n in expected} == expected
    assert set(found.values()) <= set(ROLES)


def test_the_model_itself_has_no_role() -> None:
    found = named_roles(BUILDERS["classifier"])
    part = [
        "Placeholder",
        "keep_prob",
        "dense/kernel",
        "dense/kernel/read",
        "dense/Relu",
    ]
    assert not [n for n in part if n in found]


def test_moving_averages_are_updates_and_their_variables_the_layers() -> None:
    for name in ("batch_normalised_network", "batch_norm_in_training_mode_at_the_end"):
        model, _ = model_of(BUILDERS[name])
        found = roles_of(model)
        updates = [n for n in model.graph.by_op("AssignSub") if found[n] == "update"]
        assert updates
        for update in updates:
            moving = model.graph.inputs(update)[0].node
            assert moving not in found


def test_streaming_metrics_and_their_variables() -> None:
    found = named_roles(BUILDERS["estimator_like"])
    assert {found[n] for n in found if n.startswith("auc/true_positives")} == {
        "metric",
        "initialiser",
    }
    assert found["accuracy/total"] == "metric"


def test_exponential_moving_averages_of_weights() -> None:
    model, _ = model_of(BUILDERS["iterator_fed_with_moving_averages"])
    found = roles_of(model)
    updates = [n for n in model.graph.by_op("AssignSub") if "Moving" in n]
    assert updates and {found[n] for n in updates} == {"update"}


def test_a_target_network_is_updated_not_initialised() -> None:
    found = named_roles(BUILDERS["deep_q_network"])
    assert found["Assign"] == found["Assign_3"] == "update"


def test_gradients_for_their_own_sake_have_no_role() -> None:
    """A saliency map: nothing is trained, so its gradients are what the graph is for; not the dead ends beside them."""

    def build():
        from tests.infer.training.training_graphs import data, dense, known

        x = data(None, 4)
        tf.gradients(dense(dense(x, 3, tf.nn.relu), 2), x)
        return known([])

    model, _ = model_of(build)
    saliency = "gradients/dense/MatMul_grad/MatMul"
    assert not model.graph.upstream([saliency]) & set(roles_of(model))
    assert "gradients/dense/MatMul_grad/MatMul_1" in roles_of(model)


def test_gradients_that_are_only_summarised_are_gradients() -> None:
    found = named_roles(BUILDERS["segmentation"])
    assert found["conv/kernel/gradient"] == "summary"
    assert found["gradients/conv/Relu_grad/ReluGrad"] == "gradient"


def test_assertions_and_prints() -> None:
    def build():
        from tests.infer.training.training_graphs import data, dense, known

        x = data(None, 4)
        check = tf.debugging.assert_positive(x)
        with tf.control_dependencies([check]):
            return known([dense(tf.identity(x), 2).op.name])

    model, answer = model_of(build)
    found = roles_of(model)
    asserts = [n for n in model.graph if model.graph.op(n) == "Assert"]
    assert all(found[n] == "assertion" for n in asserts)
    assert not set(answer.best) & set(found)


def test_a_frozen_graph_has_no_roles(corpus) -> None:
    from graphscope.read import load

    model = load(
        str(corpus / "ARM-software+ML-KWS-for-MCU/Pretrained_models/CNN/CNN_S.pb")
    )
    assert roles(model.graph) == {}


def test_drop_training_keeps_the_model_and_its_wiring() -> None:
    model, known = model_of(BUILDERS["softmax_beside_logits"])
    found = roles_of(model)
    left = drop_training(model.graph, found)
    assert set(left) == {n for n in model.graph if n not in found}
    (best,) = known.best
    assert left.inputs(best) == model.graph.inputs(best)


def test_cycles_of_a_hostile_file_end() -> None:
    made = Graph()
    made.add("a", Node("Add"), [Tensor("b"), Tensor("c")])
    made.add("b", Node("Relu"), [Tensor("a")])
    made.add("c", Node("ApplyAdam"), [Tensor("c"), Tensor("a")])
    assert roles(made)["c"] == "optimizer"


def test_depth_is_no_recursion() -> None:
    made = Graph()
    made.add("n0", Node("Placeholder", {"dtype": "float32"}))
    for i in range(1, 20_000):
        made.add(f"n{i}", Node("Relu"), [Tensor(f"n{i - 1}")])
    assert roles(made) == {}


def test_flow_orders_every_node_after_its_inputs() -> None:
    model, _ = model_of(BUILDERS["actor_critic"])
    flow = Flow(model.graph)
    place = {i: at for at, i in enumerate(flow.order)}
    assert sorted(flow.order) == list(range(len(flow)))
    assert all(
        place[source] < place[i]
        for i in range(len(flow))
        for source, _ in flow.inputs[i]
    )


def test_optimizers_with_weights_of_their_own_are_told_apart() -> None:
    study = study_training(model_of(BUILDERS["gan"])[0].graph)
    sizes = Counter(mask.bit_count() for mask in study.weight_groups)
    assert sizes == {4: 2}
    assert (
        len(study_training(model_of(BUILDERS["classifier"])[0].graph).weight_groups)
        == 1
    )
