"""What a formula matches: order, grouping, signs, constants, attributes, roles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from graphscope.graph import Tensor
from graphscope.match import (
    ANY,
    Array,
    Attr,
    Dims,
    Input,
    Inputs,
    Match,
    Scalar,
    Size,
    Solver,
    Term,
    Value,
    View,
    Weight,
    named,
    op,
    rsqrt,
)
from tests.match.small import Made

X, Y = Input("x"), Input("y")
A, W = Scalar("a"), Weight("w")


def solve(term: Term, graph: Made, tensor: Tensor) -> list[Match]:
    return list(Solver(View(graph)).solutions(term, tensor))


def matches(term: Term, build: Callable[[Made], Tensor]) -> bool:
    graph = Made()
    return bool(solve(term, graph, build(graph)))


def relu_and_x(g: Made) -> tuple[Tensor, Tensor]:
    x = g.feed()
    return g.put("Relu", x), x


@pytest.mark.parametrize(
    "build",
    [
        lambda g, r, x, c: g.put("Add", g.put("Mul", r, c), x),
        lambda g, r, x, c: g.put("AddV2", x, g.put("Mul", c, r)),
        lambda g, r, x, c: g.put("BiasAdd", g.put("Mul", r, c), x),
        lambda g, r, x, c: g.put("AddN", x, g.put("Mul", r, c), N=2),
        lambda g, r, x, c: g.put("Sub", x, g.put("Neg", g.put("Mul", r, c))),
        lambda g, r, x, c: g.put("Sub", x, g.put("Mul", g.put("Neg", r), c)),
        lambda g, r, x, c: g.put(
            "Neg", g.put("Sub", g.put("Mul", g.put("Neg", r), c), x)
        ),
        lambda g, r, x, c: g.put("Add", x, g.put("RealDiv", r, g.const("half", 0.5))),
    ],
)
def test_sums_and_products_match_in_any_order_and_grouping(build: Any) -> None:
    graph = Made()
    relu, x = relu_and_x(graph)
    root = build(graph, relu, x, graph.const("two", 2.0))
    assert solve(X + 2.0 * op.Relu(X), graph, root)


@pytest.mark.parametrize(
    "build",
    [
        lambda g, r, x: g.put("Sub", g.put("Mul", r, g.const("c", 2.0)), x),
        lambda g, r, x: g.put("Add", x, g.put("Mul", r, g.const("c", 2.1))),
        lambda g, r, x: g.put("Add", x, g.put("RealDiv", r, g.const("c", 2.0))),
        lambda g, r, x: g.put("Add", x, g.put("RealDiv", g.const("c", 2.0), r)),
        lambda g, r, x: g.put("Add", g.feed("z"), g.put("Mul", r, g.const("c", 2.0))),
        lambda g, r, x: g.put("Add", x, r),
    ],
)
def test_other_arithmetic_does_not_match(build: Any) -> None:
    graph = Made()
    relu, x = relu_and_x(graph)
    assert not solve(X + 2.0 * op.Relu(X), graph, build(graph, relu, x))


@pytest.mark.parametrize(
    ("exponent", "build"),
    [
        (2, lambda g, x: g.put("Square", x)),
        (2, lambda g, x: g.put("Mul", x, x)),
        (2, lambda g, x: g.put("Pow", x, g.const("c", 2.0))),
        (3, lambda g, x: g.put("Mul", x, g.put("Square", x))),
        (3, lambda g, x: g.put("Mul", g.put("Mul", x, x), x)),
        (0.5, lambda g, x: g.put("Sqrt", x)),
        (-0.5, lambda g, x: g.put("Rsqrt", x)),
        (-0.5, lambda g, x: g.put("Reciprocal", g.put("Sqrt", x))),
        (-0.5, lambda g, x: g.put("RealDiv", g.const("c", 1.0), g.put("Sqrt", x))),
        (-1, lambda g, x: g.put("Inv", x)),
    ],
)
def test_powers_are_read_as_the_algebra_they_are(exponent: float, build: Any) -> None:
    assert matches(X**exponent, lambda g: build(g, g.feed()))
    assert not matches((X**exponent) * Y, lambda g: build(g, g.feed()))


def test_squared_difference_is_the_square_of_a_difference() -> None:
    def build(g: Made) -> Tensor:
        return g.put("SquaredDifference", g.feed("y"), g.feed("x"))

    assert matches((X - Y) ** 2, build)
    assert not matches((X - Y) ** 3, build)


def test_a_variable_twice_is_the_same_tensor() -> None:
    twice = X * op.Sigmoid(X)
    assert matches(
        twice, lambda g: (x := g.feed()) and g.put("Mul", x, g.put("Sigmoid", x))
    )
    assert not matches(
        twice, lambda g: g.put("Mul", g.feed(), g.put("Sigmoid", g.feed("y")))
    )


def test_identities_are_looked_through_and_explained() -> None:
    graph = Made()
    inner = graph.put("Identity", graph.put("Relu", graph.feed()), name="between")
    root = graph.put("Tanh", graph.put("CheckNumerics", inner))
    (match,) = solve(op.Tanh(op.Relu(X)), graph, root)
    assert "between" in match.members
    assert "x" not in match.members


def test_an_optional_term_may_be_missing() -> None:
    formula = op.MatMul(X, W) + Weight("b", optional=True)
    graph = Made()
    product = graph.put("MatMul", graph.feed(), graph.const("w", np.ones((4, 3))))
    (bare,) = solve(formula, graph, product)
    assert "b" not in bare.values
    root = graph.put("BiasAdd", product, graph.const("b", np.ones(3)))
    assert solve(formula, graph, root)[0].values["b"].node == "b"


def test_an_unnamed_attribute_must_hold_its_default() -> None:
    formula = op.MatMul(X, W)
    weights = np.ones((4, 4))

    def product(**attrs: Any) -> Callable[[Made], Tensor]:
        return lambda g: g.put("MatMul", g.feed(), g.const("w", weights), **attrs)

    assert matches(formula, product())
    assert matches(formula, product(transpose_a=False, T="float64", _class=["loc:@w"]))
    assert not matches(formula, product(transpose_a=True))
    assert matches(op.MatMul(X, W, transpose_a=True), product(transpose_a=True))
    assert matches(op.MatMul(X, W, transpose_a=Attr("t")), product(transpose_a=True))


def test_versions_of_one_meaning_are_one_op() -> None:
    weights = np.ones((4, 4))
    for version in ("BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"):
        found = matches(
            op.BatchMatMul(X, W),
            lambda g: g.put(version, g.feed(), g.const("w", weights)),
        )
        assert found, version


def test_concat_has_its_axis_last_in_every_version() -> None:
    formula = op.ConcatV2(Inputs("xs"), Array("axis"))

    def old(g: Made) -> Tensor:
        return g.put(
            "Concat", g.const("axis", 1, "int32"), g.feed("a"), g.feed("b"), N=2
        )

    def new(g: Made) -> Tensor:
        return g.put(
            "ConcatV2", g.feed("a"), g.feed("b"), g.const("axis", 1, "int32"), N=2
        )

    for build in (old, new):
        graph = Made()
        (match,) = solve(formula, graph, build(graph))
        assert match.values["xs"] == (Tensor("a"), Tensor("b"))
        assert match.values["axis"] == 1


def test_commuting_ops_match_either_way_round() -> None:
    assert matches(
        op.Maximum(X, 0.0), lambda g: g.put("Maximum", g.const("z", 0.0), g.feed())
    )
    assert not matches(
        op.Sub(X, 0.0), lambda g: g.put("Sub", g.const("z", 0.0), g.feed())
    )


def test_a_scalar_is_a_constant_number_in_its_shortest_form() -> None:
    graph = Made()
    root = graph.put("Add", graph.feed(), graph.const("eps", np.float32(1e-3)))
    (match,) = solve(X + A, graph, root)
    assert match.values["a"] == 0.001
    assert not matches(
        X + A, lambda g: g.put("Add", g.feed(), g.const("i", 1, "int32"))
    )
    assert not matches(
        X + A, lambda g: g.put("Add", g.feed(), g.const("v", [1.0, 2.0]))
    )


def test_a_weight_is_seen_through_what_rearranges_it() -> None:
    graph = Made()
    stored = graph.const("w", np.arange(12).reshape(3, 4))
    turned = graph.put("Transpose", stored, graph.const("perm", [1, 0], "int32"))
    wide = graph.put("Reshape", turned, graph.const("shape", [2, 6], "int32"))
    root = graph.put("MatMul", graph.feed(), wide)
    (match,) = solve(op.MatMul(X, W), graph, root)
    held = match.values["w"]
    assert (held.node, held.shape) == ("w", (2, 6))
    assert held.steps == (("transpose", (1, 0)), ("reshape", (2, 6)))


def test_two_reshapes_are_one() -> None:
    graph = Made()
    graph.const("w", np.ones((2, 6)))
    held = View(graph).weight(Tensor("w"))
    assert held is not None
    assert held.reshaped(3, 4).reshaped(12).steps == (("reshape", (12,)),)


def test_dims_are_numbers_where_they_are_known_and_sizes_where_not() -> None:
    graph = Made()
    x = graph.feed(shape=(None, 6))
    shape = graph.put("Shape", x)
    bounds = [
        graph.const(n, v, "int32") for n, v in (("b", [0]), ("e", [1]), ("s", [1]))
    ]
    batch = graph.put("StridedSlice", shape, *bounds, shrink_axis_mask=1)
    packed = graph.put("Pack", batch, graph.const("rest", -1, "int32"), N=2)
    (match,) = solve(op.Reshape(X, Dims("d")), graph, graph.put("Reshape", x, packed))
    assert match.values["d"] == (Size(1, ((x, 0),)), Size(-1))


def test_input_needs_a_feed_and_value_does_not() -> None:
    constant = np.ones(4)
    assert not matches(op.Relu(X), lambda g: g.put("Relu", g.const("c", constant)) if g.feed("z") else None)  # type: ignore[arg-type]
    assert matches(op.Relu(Value("v")), lambda g: g.put("Relu", g.const("c", constant)))


def test_shapes_do_not_depend_on_values() -> None:
    graph = Made()
    x = graph.feed()
    view = View(graph)
    shape = graph.put("Shape", x)
    cast = graph.put("Cast", shape)
    view = View(graph)
    assert not view.is_dynamic(cast)
    assert view.is_dynamic(x)


def test_a_named_part_is_bound_as_well() -> None:
    graph = Made()
    inner = graph.put("Relu", graph.feed())
    (match,) = solve(
        op.Tanh(named("middle", op.Relu(X))), graph, graph.put("Tanh", inner)
    )
    assert match.values["middle"] == inner


def test_any_binds_nothing_and_open_ends_take_what_comes() -> None:
    def build(g: Made) -> Tensor:
        return g.put("Select", g.feed("c"), g.feed("a"), g.feed("b"))

    assert matches(op.Select(X, ANY, ANY), build)
    assert matches(op.Select(X, ...), build)
    assert not matches(op.Select(X, ANY), build)


def test_a_sum_that_is_too_wide_is_refused_when_it_is_written() -> None:
    with pytest.raises(ValueError, match="at most 8"):
        sum((Input(f"x{i}") for i in range(9)), start=X)


def test_a_product_of_weights_and_a_root() -> None:
    graph = Made()
    variance = graph.const("v", np.ones(4))
    root = graph.put("Rsqrt", graph.put("Add", variance, graph.const("e", 0.001)))
    scaled = graph.put(
        "Mul", graph.feed(), graph.put("Mul", graph.const("g", np.ones(4)), root)
    )
    (match,) = solve(X * Weight("g") * rsqrt(Weight("v") + A), graph, scaled)
    assert (match.values["g"].node, match.values["v"].node) == ("g", "v")


def test_a_part_of_a_weight_is_a_weight() -> None:
    graph = Made()
    graph.put("Relu", graph.feed())
    kernel = graph.const("k", np.arange(12).reshape(2, 6))
    axis = graph.const("axis", 1, "int32")
    graph.put("Split", axis, kernel, name="split", num_split=3)
    begin, size = graph.const("b", [1, 0], "int32"), graph.const("s", [1, -1], "int32")
    graph.put("Slice", kernel, begin, size, name="cut")
    third, row = (View(graph).weight(t) for t in (Tensor("split", 2), Tensor("cut")))
    assert third is not None
    assert row is not None
    assert (third.shape, third.steps) == ((2, 2), (("slice", (1, 4, 6)),))
    assert (row.shape, row.steps) == ((1, 6), (("slice", (0, 1, 2)),))


def test_a_product_is_no_sum() -> None:
    """``(x * 2) * 3`` is not ``x * 2 + 3``: a product is a spelling of a sum only where its other terms are missing."""
    offset = Scalar("offset", optional=True)

    def twice(g: Made) -> Tensor:
        once = g.put("Mul", g.feed(), g.const("two", 2.0))
        return g.put("Mul", once, g.const("three", 3.0))

    graph = Made()
    found = solve(X * A + offset, graph, twice(graph))
    assert found and all("offset" not in match.values for match in found)
