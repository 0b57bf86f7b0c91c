"""Quantisation against TensorFlow."""

from __future__ import annotations

from tests.ops.oracle import Case, case, check, floats, known, table

IMAGE = floats(2, 5, 4, 3, low=-8, high=8)


def simulated(low: float, high: float, **more: object) -> Case:
    return case(
        "FakeQuantWithMinMaxVars",
        inputs=IMAGE,
        min=known(low, "float32"),
        max=known(high, "float32"),
        **more,
    )


@table(
    case("FakeQuantWithMinMaxArgs", inputs=IMAGE),
    case("FakeQuantWithMinMaxArgs", inputs=IMAGE, min=-1.5, max=3.0, num_bits=4),
    simulated(-1, 1),
    simulated(-3.3, 5.7),
    simulated(0, 6),
    simulated(-0.7, 7, num_bits=5, narrow_range=True),
    case(
        "FakeQuantWithMinMaxVars",
        inputs=IMAGE,
        min=floats(),
        max=floats(low=3, high=4),
        expect={"keras": False},
    ),
    case(
        "FakeQuantWithMinMaxVarsPerChannel",
        inputs=IMAGE,
        min=known([-1, -2, -3], "float32"),
        max=known([1, 2, 3], "float32"),
    ),
    case(
        "QuantizeV2",
        input=IMAGE,
        min_range=known(-2, "float32"),
        max_range=known(2, "float32"),
        T="quint8",
    ),
)
def test_quantisation(row: Case) -> None:
    check(row)
