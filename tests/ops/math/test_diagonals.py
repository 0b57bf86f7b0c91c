"""Diagonals of matrices against TensorFlow."""

from __future__ import annotations

import numpy as np

from tests.ops.oracle import Case, case, check, floats, ints, known, table


def banded(
    op: str, k: object, padding: float = 0, rows: int = -1, **expect: object
) -> Case:
    """A matrix from the diagonal ``k``."""
    return case(
        op,
        diagonal=floats(2, 3, 4),
        k=known(k),
        num_rows=known(rows),
        num_cols=known(-1),
        padding_value=known(padding, "float32"),
        expect=expect,
    )


@table(
    case("MatrixDiag", diagonal=floats(3, 4)),
    banded("MatrixDiagV3", 0),
    banded("MatrixDiagV3", 2, fold=False),
    banded("MatrixDiagV2", -1, fold=False),
    banded("MatrixDiagV3", 0, padding=1, fold=False),
    banded("MatrixDiagV3", 0, rows=6, fold=False),
    banded("MatrixDiagV2", 1, padding=2, fold=False),
    banded("MatrixDiagV3", -2, padding=-1, rows=8, fold=False),
    case(
        "MatrixDiagV3",
        diagonal=floats(2, 3),
        k=known(1),
        num_rows=known(-1),
        num_cols=known(-1),
        padding_value=floats(),
        expect={"fold": False},
    ),
    case(
        "MatrixDiagV3",
        diagonal=floats(2, 3),
        k=known(0),
        num_rows=ints(low=5, high=6),
        num_cols=known(3),
        padding_value=known(0, "float32"),
        expect={"fold": False, "keras": False, "less": True},
    ),
    case("MatrixSetDiagV3", input=floats(2, 4, 5), diagonal=floats(2, 4), k=known(1)),
    case("MatrixSetDiagV2", input=floats(2, 4, 5), diagonal=floats(2, 3), k=known(2)),
    case("MatrixSetDiagV3", input=floats(5, 4), diagonal=floats(3), k=known(-2)),
    case("MatrixSetDiagV2", input=floats(5, 5), diagonal=floats(4), k=known([1, 1])),
    case(
        "MatrixSetDiagV3",
        input=floats(5, 5),
        diagonal=floats(4),
        k=np.array(-1, np.int32),
    ),
    case("MatrixDiagPart", input=floats(3, 4, 5)),
    case(
        "MatrixDiagPartV3",
        input=floats(3, 4, 5),
        k=known(1),
        padding_value=known(0, "float32"),
    ),
    case("MatrixSetDiag", input=floats(3, 4), diagonal=floats(3)),
    case("MatrixSetDiagV2", input=floats(2, 3, 3), diagonal=floats(2, 3), k=known(0)),
    case(
        "MatrixDiagPartV2",
        input=floats(2, 3, 3),
        k=known(0),
        padding_value=known(0.0, "float32"),
    ),
    case("MatrixSetDiag", input=floats(2, 5, 4), diagonal=floats(2, 4)),
    case("MatrixSetDiagV3", input=floats(4, 4), diagonal=floats(4), k=known(0)),
)
def test_diagonals(row: Case) -> None:
    check(row)
