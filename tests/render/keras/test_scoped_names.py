"""Names of weights that no layer of Keras's owns, beside those of the layers around them."""

from __future__ import annotations

from graphscope.graph import Graph, Layer, Tensor, WeightUse
from graphscope.render.keras.lower.scoped_names import scoped
from graphscope.render.keras.program.program import Step, hole

OUTER = "net/encoder"


def norms() -> Graph:
    """A graph of layers of which all names begin after the same scopes."""
    graph = Graph()
    for number in range(3):
        name = f"layer_._{number}_norm"
        output = Tensor(f"{OUTER}/layer_._{number}/norm/add_1")
        graph.add(name, Layer("LayerNormalization", {}, output=output))
    return graph


def weight(node: str, name: str) -> Step:
    use = WeightUse(node, (4,))
    return Step(
        node,
        hole(0),
        (Tensor("x"),),
        "Weight",
        "Weight",
        {},
        name,
        weights={"value": use},
    )


def test_numbered_names_are_told_by_their_scopes() -> None:
    paths = [f"{OUTER}/layer_._{n}/einsum/ReadVariableOp/resource" for n in range(3)]
    steps = [weight(path, f"einsum_resource_{n}") for n, path in enumerate(paths)]
    names = [step.name for step in scoped(steps, norms())]
    assert names == ["layer_0_einsum", "layer_1_einsum", "layer_2_einsum"]


def test_a_name_loses_the_scopes_that_all_others_leave_out() -> None:
    (step,) = scoped([weight(f"{OUTER}/layer_._0/add", "encoder_layer_0_add")], norms())
    assert step.name == "layer_0_add"


def test_other_names_stay() -> None:
    alone = weight(f"{OUTER}/layer_._0/attention/einsum/resource", "einsum_resource")
    outside = weight("other/layer_._0/add", "other_layer_0_add")
    twins = [weight(f"{OUTER}/a/b/read", "b_1"), weight(f"{OUTER}/a/b/resource", "b_2")]
    steps = [alone, outside, *twins]
    assert scoped(steps, norms()) == tuple(steps)
    assert scoped([alone], Graph()) == (alone,)
