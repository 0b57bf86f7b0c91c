"""Outputs: found, ranked, explained, on training graphs of many kinds, frozen graphs, functions, nothing at all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow.compat.v1 as tf

from graphscope.graph import Graph, Model, Node, Signature, Tensor
from graphscope.infer.outputs.answer import OUTPUT_KINDS, Candidates
from graphscope.infer.outputs.find import find_outputs
from graphscope.read import load
from graphscope.simplify.inline import inline
from graphscope.wire import messages as proto
from graphscope.wire.nodes import graph_from_nodes
from tests.infer.training.training_zoo import BUILDERS, Known, build_model, model_of

ROOT = Path(__file__).parents[3]


def spelled(tensor: Tensor) -> str:
    return str(tensor) if tensor.port else tensor.node


def ranked(found: Candidates) -> list[str]:
    return [spelled(c.tensor) for c in found.outputs]


def check(found: Candidates, known: Known) -> None:
    names = ranked(found)
    assert names and names[0] in known.best
    assert set(names[: len(known.whole)]) == known.whole or len(known.whole) == 1


@pytest.fixture(params=["v1", "v2"])
def control_flow(request):
    tf.disable_control_flow_v2() if request.param == "v1" else None
    yield
    tf.enable_control_flow_v2()


@pytest.mark.parametrize("name", BUILDERS)
def test_training_graphs(name: str) -> None:
    model, known = model_of(BUILDERS[name])
    check(find_outputs(model), known)


@pytest.mark.parametrize(
    "name", ["rnn_classifier", "ctc_speech", "batch_normalised_network"]
)
def test_control_flow_of_both_versions(name: str, control_flow) -> None:
    model, known = build_model(BUILDERS[name])
    found = find_outputs(model)
    check(found, known)
    switches = {c.tensor.node: c.value for c in found.inputs if c.kind == "mode switch"}
    assert switches == known.switches


@pytest.mark.parametrize("name", BUILDERS)
def test_what_one_would_freeze_is_one_form_of_each_prediction(name: str) -> None:
    model, known = model_of(BUILDERS[name])
    best = {spelled(c.tensor) for c in find_outputs(model).best()}
    assert best <= known.best | {"CTCGreedyDecoder:3"}
    if known.best == known.whole:
        assert best == known.whole


PIPED = ("queue_fed", "iterator_fed_with_moving_averages", "word2vec")
FROZEN = [n for n in BUILDERS if n not in PIPED][::2]


@pytest.mark.parametrize("name", FROZEN)
def test_the_same_graphs_frozen(name: str) -> None:
    with tf.Graph().as_default() as made, tf.Session() as session:
        tf.disable_resource_variables()
        known = BUILDERS[name]()
        session.run(tf.global_variables_initializer())
        outputs = [spelled(Tensor.parse(n)).split(":")[0] for n in known.whole]
        frozen = tf.graph_util.convert_variables_to_constants(
            session, made.as_graph_def(), outputs
        )
    nodes = proto.GraphDef.FromString(frozen.SerializeToString()).node
    check(find_outputs(Model(graph_from_nodes(nodes))), known)


def test_the_label_called_output_never_comes_first() -> None:
    model, _ = model_of(BUILDERS["linear_regression_with_label_called_output"])
    found = find_outputs(model)
    assert ranked(found) == ["Add"]
    assert [c.tensor.node for c in found.inputs if c.kind == "label"] == ["output"]


def test_every_candidate_says_why_and_has_a_known_kind() -> None:
    for name in ("gan", "softmax_beside_logits", "detector", "segmentation"):
        for candidate in find_outputs(model_of(BUILDERS[name])[0]).outputs:
            assert candidate.evidence and all(map(str, candidate.evidence))
            assert candidate.kind in OUTPUT_KINDS
            assert 0 <= candidate.score <= 1


def _sequence_tagger() -> None:
    x = tf.placeholder(tf.float32, [None, 6], "x")
    weights = tf.get_variable("w", [6, 5]), tf.get_variable("b", [5])
    scores = tf.nn.bias_add(tf.matmul(x, weights[0]), weights[1], name="scores")
    norm = tf.cond(
        tf.equal(tf.shape(x)[0], 1),
        lambda: tf.reduce_logsumexp(scores, [1]),
        lambda: tf.reduce_logsumexp(scores * 2.0, [1]),
    )
    tag = tf.placeholder(tf.float32, [None], "tag")
    loss = tf.reduce_mean(norm - tag * tf.reduce_sum(scores, 1))
    tf.train.AdamOptimizer().minimize(loss)


def test_what_one_branch_computes_is_no_output() -> None:
    """A CRF's normalisation is one formula for a single step and another for more: the scores before the condition are the model's."""
    tf.disable_control_flow_v2()
    model, _ = build_model(_sequence_tagger)
    tf.enable_control_flow_v2()
    assert ranked(find_outputs(model)) == ["scores"]


def test_evidence_in_words() -> None:
    model, _ = model_of(BUILDERS["classifier"])
    best = find_outputs(model).outputs[0]
    said = "; ".join(map(str, best.evidence))
    assert "feeds the loss SparseSoftmaxCrossEntropyWithLogits" in said
    assert "4 of 4 trainable weights upstream" in said
    assert "with no label upstream" in said and "last op BiasAdd" in said


def test_generator_and_discriminator_are_told_apart() -> None:
    found = find_outputs(model_of(BUILDERS["gan"])[0])
    kinds = {c.tensor.node: c.kind for c in found.outputs}
    assert kinds["G/Tanh"] == "generator"
    assert "discriminator" in kinds.values()


def test_a_target_network_is_told_from_the_network_it_copies() -> None:
    found = find_outputs(model_of(BUILDERS["deep_q_network"])[0])
    copies = {
        c.tensor.node: c.score for c in found.outputs if c.kind == "target network"
    }
    assert list(copies) == ["target/2/add"] and copies["target/2/add"] < 0.1
    assert all(c.tensor.node.startswith(("main", "ArgMax")) for c in found.best())


def test_towers_are_named() -> None:
    found = find_outputs(model_of(BUILDERS["towers"])[0])
    assert {c.kind for c in found.best()} == {"tower"}


def test_a_signature_is_certain_and_comes_first() -> None:
    model, _ = model_of(BUILDERS["classifier"])
    signature = Signature({"x": Tensor("Placeholder")}, {"y": Tensor("dense/Relu")})
    with_it = Model(model.graph, signatures={"serving_default": signature})
    found = find_outputs(with_it)
    assert ranked(found)[0] == "dense/Relu"
    assert found.outputs[0].score == 1 and found.outputs[0].kind == "signature"
    assert [spelled(c.tensor) for c in found.best()] == ["dense/Relu"]
    assert all(c.score < 0.6 for c in found.outputs[1:])


def test_a_signature_of_tensors_that_are_not_there_says_nothing() -> None:
    model, known = model_of(BUILDERS["classifier"])
    wrong = {"s": Signature({}, {"y": Tensor("nowhere")})}
    check(find_outputs(Model(model.graph, signatures=wrong)), known)


def test_collections_of_predictions_speak_for_their_tensors() -> None:
    model, _ = model_of(BUILDERS["classifier"])
    lists = {"predictions": ("dense/Relu:0",), "losses": ("Mean:0",), "x": (3,)}
    found = find_outputs(Model(model.graph, collections=lists))
    said = {spelled(c.tensor): "; ".join(map(str, c.evidence)) for c in found.outputs}
    assert "dense/Relu" not in said or "collection 'predictions'" in said["dense/Relu"]


def chain(*ops: str, first: str = "Placeholder") -> Graph:
    made = Graph()
    made.add("n0", Node(first, {"dtype": "float32"}))
    for i, op in enumerate(ops, 1):
        made.add(f"n{i}", Node(op), [Tensor(f"n{i - 1}")])
    return made


def test_a_graph_without_weights() -> None:
    assert ranked(find_outputs(Model(chain("Relu", "Softmax"))))[0] == "n2"


def test_a_graph_of_constants_only() -> None:
    assert ranked(find_outputs(Model(chain("Neg", "Exp", first="Const"))))[0] == "n2"


def test_ops_that_nobody_registers() -> None:
    assert ranked(find_outputs(Model(chain("MyOwnOp", "YourOwnOp"))))[0] == "n2"


@pytest.mark.parametrize("graph", [Graph(), chain(), chain(first="VariableV2")])
def test_nothing_to_answer_is_said(graph: Graph) -> None:
    found = find_outputs(Model(graph))
    assert not found.outputs and found.remarks and found.best() == ()


def test_a_checkpoint_without_a_graph_has_no_outputs_and_says_why(corpus) -> None:
    from dataclasses import replace

    path = "MADscientist314+tensorflow_basecaller/training_10/cp.ckpt"
    model = load(str(corpus / path))
    found = find_outputs(replace(model, inferred=True))
    assert not found.outputs
    assert "not what is computed" in found.remarks[0]


def test_functions_before_and_after_inlining() -> None:
    @tf.function
    def layer(x, w):
        return tf.nn.relu(tf.matmul(x, w)), x + 1.0

    with tf.Graph().as_default() as made:
        tf.disable_resource_variables()
        x = tf.placeholder(tf.float32, [None, 4], name="x")
        w = tf.get_variable("w", [4, 4])
        y, z = layer(x, w)
        tf.identity(y, name="first")
        tf.identity(z, name="second")
        data = made.as_graph_def().SerializeToString()
    from graphscope.wire.nodes import function_from_def

    message = proto.GraphDef.FromString(data)
    library = {f.signature.name: function_from_def(f) for f in message.library.function}
    model = Model(graph_from_nodes(message.node), functions=library)
    assert set(ranked(find_outputs(model))[:2]) == {"first", "second"}
    assert ranked(find_outputs(inline(model)))[0] == "first"


def test_all_ports_of_a_call_are_candidates() -> None:
    made = chain()
    made.add(
        "call",
        Node("StatefulPartitionedCall", {"Tout": ("float32", "int64")}),
        [Tensor("n0")],
    )
    assert set(ranked(find_outputs(Model(made)))) == {"call", "call:1"}


def test_an_auxiliary_classifier_is_not_frozen_with_the_main_one() -> None:
    from tests.infer.training.training_graphs import (
        data,
        dense,
        finish,
        known,
        name,
        train,
    )

    def build():
        x, y = data(None, 6), data(None, name="y", dtype=tf.int64)
        h = dense(x, 6, tf.nn.relu)
        aux = dense(h, 3)
        for _ in range(6):
            h = dense(h, 6, tf.nn.relu)
        main = dense(h, 3)
        loss = tf.losses.sparse_softmax_cross_entropy(y, main)
        train(loss + 0.3 * tf.losses.sparse_softmax_cross_entropy(y, aux))
        finish()
        return known([name(main)])

    model, answer = model_of(build)
    found = find_outputs(model)
    assert [spelled(c.tensor) for c in found.best()] == list(answer.best)


def test_the_ready_command() -> None:
    model, _ = model_of(BUILDERS["regression_with_two_unnamed_heads"])
    command = find_outputs(model).freeze_command("my model.ckpt")
    assert command.startswith(
        "graphscope freeze 'my model.ckpt' -o frozen.pb --output "
    )
    assert command.count("--output") == 2


def test_the_corpus_is_answered_as_its_index_says(corpus) -> None:
    """top-1 97 %, set 92 %, on training graphs too: issue 4's bar."""
    run = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "outputs.py"), str(corpus), "-v"],
        capture_output=True,
        text=True,
        check=True,
    )
    rates = {
        line.split()[0]: line.split()[2:4]
        for line in run.stdout.splitlines()
        if len(line.split()) == 8 and "%" in line
    }
    for kind in ("metagraph", "frozen_pb", "all"):
        top, whole = (float(rate.rstrip("%")) for rate in rates[kind])
        assert top >= 97 and whole >= 92, run.stdout
