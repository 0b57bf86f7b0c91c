"""Values of a block's occurrences -> parameters: names above all."""

from __future__ import annotations

import pytest

from graphscope.render.keras.blocks.unify import COUNTED, IDLE, NAME, Field, Unifier


def said(*columns: tuple[str, ...], role: str = NAME) -> tuple[list[str], list[tuple]]:
    """What each column of names is written as, and the values of the parameters."""
    unifier = Unifier(())
    fields = [Field(at, "name", column, role) for at, column in enumerate(columns)]
    found = unifier.unify(fields)
    values = [parameter.values for parameter in unifier.parameters]
    return [str(found[at]) for at in range(len(columns))], values


@pytest.mark.parametrize(
    "columns, texts, values",
    [
        # what all begin with
        (
            [("a1_conv", "b2_conv"), ("a1_bn", "b2_bn")],
            ['f"{name}_conv"', 'f"{name}_bn"'],
            [("a1", "b2")],
        ),
        # what stands at the end (NASNet)
        (
            [
                ("conv_1_normal_left1_3", "conv_1_reduce_right2_stem_1"),
                ("conv_1_bn_normal_left1_3", "conv_1_bn_reduce_right2_stem_1"),
            ],
            ['f"conv_1_{name}"', 'f"conv_1_bn_{name}"'],
            [("normal_left1_3", "reduce_right2_stem_1")],
        ),
        # in the midst
        (
            [("net.up_a.conv", "net.b.conv"), ("bn.up_a", "bn.b")],
            ['f"net.{name}.conv"', 'f"bn.{name}"'],
            [("up_a", "b")],
        ),
        # nothing in common
        ([("x", "y"), ("u_v", "w")], ["name", "name_1"], [("x", "y"), ("u_v", "w")]),
        # something is left of each name
        ([("conv", "conv_1")], ["name"], [("conv", "conv_1")]),
    ],
)
def test_names_share_a_template(columns, texts, values) -> None:
    assert said(*columns) == (texts, values)


def test_numbers_are_numbers() -> None:
    texts, values = said(("mixed9_0", "mixed9_1"), role=COUNTED)
    assert texts == ['f"mixed9_{n}"'] and values == [(0, 1)]


def test_a_shape_is_said_with_the_filters_that_it_follows() -> None:
    unifier = Unifier(())
    fields = [
        Field("shape", "target_shape", ((2, 64), (2, 128))),
        Field("conv", "filters", (32, 64)),
        Field("odd", "target_shape", ((3, 7), (2, 9))),
    ]
    found = unifier.unify(fields)
    assert str(found["shape"]) == "(2, 2 * filters)"
    assert [p.name for p in unifier.parameters] == ["filters", "target_shape"]


@pytest.mark.parametrize(
    "columns, texts, count",
    [
        # an element that another parameter says already, and one for all tuples alike
        ([(2, 4), ((2, 2, 8), (4, 4, 8))], ["size", "(size, size, 8)"], 1),
        (
            [((1, 2, 16), (1, 4, 16)), ((2, 9), (4, 9))],
            ["(1, size, 16)", "(size, 9)"],
            1,
        ),
        # two sizes of two tuples
        (
            [((2, 3), (4, 9)), ((3, 2, 2), (9, 4, 4))],
            ["(size, size_1)", "(size_1, size, size)"],
            2,
        ),
        # two sizes of one tuple are no shorter than the tuple
        ([((2, 3), (4, 9))], ["target_shape"], 1),
        # what is left open in one of them
        ([((-1, 8), (4, 8))], ["(size, 8)"], 1),
        # sizes that a run alone knows
        ([((None, 2), (None, 4))], ["target_shape"], 1),
    ],
)
def test_tuples_of_sizes_share_their_elements(columns, texts, count) -> None:
    """As the shapes of Swin's windows."""
    unifier = Unifier(())
    labels = [
        "target_shape" if isinstance(each[0], tuple) else "size" for each in columns
    ]
    fields = [Field(at, labels[at], each) for at, each in enumerate(columns)]
    said_ = unifier.unify(fields)
    assert [str(said_[at]) for at in range(len(columns))] == texts
    assert len(unifier.parameters) == count


SOFTMAXES = ("layer_0_own_softmax", "layer_1_own_softmax_1", "layer_2_own_softmax_2")


@pytest.mark.parametrize(
    "role, names, parameters",
    [
        (IDLE, SOFTMAXES, 1),
        (NAME, SOFTMAXES, 2),
        (IDLE, ("layer_0_a", "layer_1_b", "layer_2_c"), 2),
    ],
)
def test_a_name_that_only_counts_is_left_to_keras(
    role: str, names: tuple[str, ...], parameters: int
) -> None:
    """Where nothing is stored under it, and all other names begin alike: the softmax of a layer that Keras 2 numbered."""
    unifier = Unifier(())
    kernels = tuple(f"layer_{n}_dense" for n in range(3))
    said = unifier.unify(
        [Field(0, "name", kernels, NAME), Field(1, "name", names, role)]
    )
    assert len(unifier.parameters) == parameters
    assert (said[1] == "") == (parameters == 1)
