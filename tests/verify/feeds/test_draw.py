"""Random inputs fit what placeholders say and what reads them."""

from __future__ import annotations

import numpy as np
import pytest

from graphscope.graph import Graph, Node, Tensor
from graphscope.verify.feeds.draw import (
    Manner,
    Port,
    Round,
    draw,
    is_mask,
    looked_up,
    shape_of,
    trials,
)


def test_the_first_unknown_size_is_the_batch():
    port = Port("x", "float32", (None, 28, None, 3))
    assert shape_of(port, (None,), 2, (32,)) == (2, 28, 32, 3)
    assert shape_of(port, (None,), 2, (64, 96)) == (2, 28, 96, 3)
    assert shape_of(Port("x", "float32"), (None, 8), 3, (32,)) == (3, 8)


@pytest.mark.parametrize(
    "dtype", ["float32", "float16", "bfloat16", "int64", "uint8", "bool", "complex64"]
)
def test_values_are_of_the_dtype(dtype):
    found = draw(np.random.default_rng(0), Port("x", dtype), (4, 5), Manner(10))
    assert found.shape == (4, 5) and found.dtype.name == dtype


def test_a_quantised_input_is_drawn_around_its_zero_and_in_its_steps():
    def drawn(step: tuple[float, int] | None) -> np.ndarray:
        port = Port("x", "int8", step=step)
        return draw(np.random.default_rng(0), port, (4096,), Manner(10))

    low, high = drawn((0.5, -100)), drawn((0.5, 100))
    assert low.mean() < -90 and high.mean() > 90
    wide, narrow = drawn((0.02, 0)), drawn((0.5, 0))
    assert wide.std() > 5 * narrow.std() > 0
    assert abs(narrow.mean()) < 1


def test_trials_repeat_with_the_seed_and_vary_what_is_unknown():
    ports = {"x": Port("x", "float32", (None, None))}
    first, again = (next(trials(ports, Round(2, 1.0), [0]))["x"] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    shapes = [trial["x"].shape for trial in trials(ports, Round(2, 1.0), [0])]
    assert len(set(shapes)) > 3 and all(shape[0] == 2 for shape in shapes[:8])
    assert {shape[0] for shape in shapes} == {1, 2, 4, 8}


def test_what_served_before_is_tried_second():
    ports = {"x": Port("x", "float32", (None, None))}
    found = list(trials(ports, Round(2, 1.0), [0], {"x": (5, 7)}))
    assert [each["x"].shape for each in found[:2]] == [(2, 32), (5, 7)]


def test_indices_stay_within_the_smallest_table():
    graph = Graph()
    graph.add("ids", Node("Placeholder", {"dtype": "int32"}))
    graph.add("cast", Node("Cast", {}), [Tensor("ids")])
    for rows in (50, 7):
        table = {"dtype": "float32", "shape": (rows, 4)}
        graph.add(f"t{rows}", Node("VarHandleOp", table))
        graph.add(
            f"g{rows}", Node("ResourceGather", {}), [Tensor(f"t{rows}"), Tensor("cast")]
        )
    assert looked_up(graph, "ids") == 7
    port = Port("ids", "int32", (None,), looked_up(graph, "ids"))
    assert draw(np.random.default_rng(0), port, (1000,), Manner(10)).max() == 6
    assert looked_up(graph, "t50") is None


@pytest.mark.parametrize("factor, found", [(-10000.0, True), (2.0, False)])
def test_a_mask_of_scores_holds_nothing_but_0_and_1(factor, found):
    graph = Graph()
    graph.add("mask", Node("Placeholder", {"dtype": "int32"}))
    graph.add("cast", Node("Cast", {}), [Tensor("mask")])
    for name, value in (("one", 1.0), ("large", factor)):
        graph.add(name, Node("Const", {"value": np.array(value, "f")}))
    graph.add("ones", Node("Fill", {}), [Tensor("size"), Tensor("one")])
    graph.add("rows", Node("Mul", {}), [Tensor("ones"), Tensor("cast")])
    graph.add("turned", Node("Sub", {}), [Tensor("one"), Tensor("rows")])
    graph.add("y", Node("Mul", {}), [Tensor("turned"), Tensor("large")])
    assert is_mask(graph, "mask") == found
    port = Port("mask", "int32", (None,), is_mask=found)
    drawn = draw(np.random.default_rng(0), port, (20, 9), Manner(10))
    assert (set(drawn.flat) == {0, 1} and drawn[:, 0].all()) == found


def test_floats_come_in_several_scales():
    ports = {"x": Port("x", "float32", (None, 1000))}
    small = next(trials(ports, Round(1, 1e-3), [0]))["x"]
    unit = next(trials(ports, Round(1, 0.0), [0]))["x"]
    assert abs(small).max() < 0.01 and unit.min() >= 0 and unit.max() <= 1


def test_truth_values_are_the_opposite_in_the_next_round():
    ports = {"x": Port("x", "bool", (None, 3)), "y": Port("y", "bool", ())}
    first, second = (next(trials(ports, Round(2, 1.0), [0, n])) for n in range(2))
    assert (first["x"] != second["x"]).all() and first["y"] != second["y"]
    assert first["x"].dtype == bool and first["y"].shape == ()
