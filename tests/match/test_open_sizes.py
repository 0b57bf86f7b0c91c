"""What a view says of sizes that are left open: claims need proof, letters keep the sizes that they had."""

from __future__ import annotations

import pytest

from graphscope.graph import Layer, Tensor, TensorSpec
from graphscope.match import View
from graphscope.match.view.symbolic_shapes import SymbolicView
from graphscope.match.view.view import LEAST
from graphscope.ops.values.size import Size
from tests.match.small import Made


def spec(*shape: int | None) -> TensorSpec:
    return TensorSpec("float32", shape)


@pytest.mark.parametrize(
    ("sizes", "holds"),
    [
        ([4] * LEAST, True),
        ([4] * (LEAST - 1), False),  # seen too seldom
        ([4] * LEAST + [5], False),  # once it was otherwise
        ([4] * LEAST + [None], True),  # a choice that left it open says nothing
        ([4] * (LEAST - 1) + [None], False),
        ([], False),
    ],
)
def test_a_claim_holds_where_it_was_seen_often_enough_and_never_broken(
    sizes: list[int | None], holds: bool
) -> None:
    graph = Made()
    x = graph.feed(shape=(None, 4))
    view = View(graph, {x: spec(None, 4)})
    view.probes = [{x: spec(size, 4)} for size in sizes]
    assert view.always(lambda shape: shape[0] == shape[1], x) is holds


def einsum(equation: str, shape: tuple[int | None, ...], rank: int) -> SymbolicView:
    graph = Made()
    x = graph.feed(shape=shape)
    specs = (spec(*[None] * rank),)
    layer = Layer("EinsumDense", {"equation": equation}, specs, inputs={"x": x})
    graph.add("y", layer, [x])
    return SymbolicView(graph, {x: spec(*shape), Tensor("y"): specs[0]})


def test_the_letters_of_an_einsum_layer_keep_their_sizes() -> None:
    view = einsum("abc,cd->bad", (None, None, 3), 3)
    x, y = Tensor("x"), Tensor("y")
    assert view.axis_size(y, 0) == Size(1, ((x, 1),))
    assert view.axis_size(y, 1) == Size(1, ((x, 0),))
    assert view.axis_size(y, 2) == Size(1, ((y, 2),))  # the kernel's own


def test_an_einsum_layer_of_another_rank_than_its_letters_says_nothing() -> None:
    view = einsum("abc,cd->bad", (None, 3), 3)
    y = Tensor("y")
    assert view.axis_size(y, 0) == Size(1, ((y, 0),))
