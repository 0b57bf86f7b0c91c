"""Random numbers: shapes against TensorFlow, and the Keras text draws as many."""

from __future__ import annotations

import keras
import pytest

from graphscope import ops
from tests.ops.oracle import BLURS, Case, build, case, check, floats, known, table

NOT_RUN = {"runs": False}


@table(
    case("RandomUniform", shape=known([2, 3]), dtype="float32", expect=NOT_RUN),
    case("RandomStandardNormal", shape=known([2, 3]), dtype="float32", expect=NOT_RUN),
    case("TruncatedNormal", shape=known([2, 3]), dtype="float32", expect=NOT_RUN),
    case(
        "RandomUniformInt",
        shape=known([2, 3]),
        minval=known(0),
        maxval=known(5),
        expect=NOT_RUN,
    ),
    case(
        "StatelessRandomUniform",
        shape=known([2, 3]),
        seed=known([1, 2]),
        expect=NOT_RUN,
    ),
    case(
        "StatelessRandomUniformV2",
        shape=known([2, 3]),
        key=known([1], "uint64"),
        counter=known([1, 2], "uint64"),
        alg=known(1),
        expect=NOT_RUN,
    ),
    case("RandomShuffle", value=floats(3, 2), expect=NOT_RUN),
    case("Multinomial", logits=floats(3, 4), num_samples=known(5), expect=NOT_RUN),
)
def test_random(row: Case) -> None:
    check(row)


@pytest.mark.parametrize(
    "op", ["RandomUniform", "RandomStandardNormal", "TruncatedNormal"]
)
def test_the_keras_text_draws_as_many(op: str) -> None:
    row = case(op, shape=known([2, 3]), dtype="float32")
    text = ops.keras_text(build(row, BLURS["all known"]).call, ["shape"])
    assert text is not None
    drawn = eval(text, {"keras": keras})
    assert tuple(drawn.shape) == (2, 3) and drawn.dtype.name == "float32"
