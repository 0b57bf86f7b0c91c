"""Linear algebra against TensorFlow."""

from __future__ import annotations

import numpy as np

from tests.ops.oracle import Case, case, check, floats, ints, known, table

A, B = floats(3, 4), floats(4, 5)
X, Y = floats(2, 6, 3, 4), floats(2, 6, 4, 5)
SQUARE = np.eye(4, dtype=np.float32) * 3 + floats(4, 4) / 4
POSITIVE = (SQUARE @ SQUARE.T).astype(np.float32)
LOOSE = {"tolerance": 1e-4}
BY_IT = {"keras": False}
SIGNS = {"elsewhere": (0,)}  # vectors may point the other way


@table(
    case("MatMul", a=A, b=B, expect=LOOSE),
    case("MatMul", a=A.T.copy(), b=B, transpose_a=True, expect=LOOSE),
    case("MatMul", a=A, b=B.T.copy(), transpose_b=True, expect=LOOSE),
    case("BatchMatMul", x=X, y=Y, expect=LOOSE),
    case("BatchMatMulV2", x=X, y=Y, expect=LOOSE),
    case("BatchMatMulV3", x=X, y=Y, Tout=np.float32, expect=LOOSE),
    case("BiasAddV1", value=A, bias=A[0].copy()),
    case(
        "SparseTensorDenseMatMul",
        a_indices=known([[0, 1], [2, 0]], "int64"),
        a_values=floats(2),
        a_shape=known([3, 2], "int64"),
        b=floats(2, 4),
        expect=LOOSE,
    ),
    case("BatchMatMulV2", x=X, y=B, expect=LOOSE),
    case("BatchMatMulV2", x=X, y=floats(2, 6, 5, 4), adj_y=True, expect=LOOSE),
    case("BatchMatMulV2", x=floats(2, 6, 4, 3), y=Y, adj_x=True, expect=LOOSE),
    case("Einsum", inputs=[X, Y], equation="abij,abjk->abik", expect=LOOSE),
    case(
        "Einsum",
        inputs=[floats(2, 5, 8), floats(8, 3, 4)],
        equation="abc,cde->abde",
        expect=LOOSE,
    ),
    case(
        "Einsum",
        inputs=[floats(2, 5, 8), floats(8, 3)],
        equation="...c,cd->...d",
        expect=LOOSE,
    ),
    case("Einsum", inputs=[floats(2, 5)], equation="ij->ji", expect=LOOSE),
    case("Einsum", inputs=[floats(2), floats(5)], equation="i,d->id", expect=LOOSE),
    case("Einsum", inputs=[floats(2), floats(5)], equation="i,d->di", expect=LOOSE),
    case("Einsum", inputs=[floats(3), floats(3)], equation="i,i->i", expect=LOOSE),
    case("SparseMatMul", a=A, b=B.T.copy(), transpose_b=True, expect=LOOSE),
    case("Cholesky", input=POSITIVE, expect=LOOSE),
    case("MatrixInverse", input=SQUARE, expect=LOOSE),
    case("MatrixDeterminant", input=SQUARE, expect=LOOSE),
    case("MatrixBandPart", input=floats(4, 5), num_lower=known(-1), num_upper=known(0)),
    case("MatrixBandPart", input=floats(4, 5), num_lower=known(0), num_upper=known(-1)),
    case("MatrixBandPart", input=floats(4, 5), num_lower=known(1), num_upper=known(2)),
    case(
        "MatrixBandPart", input=floats(4, 5), num_lower=known(-1), num_upper=known(-1)
    ),
    case(
        "MatrixBandPart",
        input=floats(2, 4, 3),
        num_lower=np.array(1),
        num_upper=np.array(-2),
        expect={"fold": False},
    ),
    case(
        "MatrixBandPart",
        input=ints(4, 5),
        num_lower=known(1, "int64"),
        num_upper=np.array(0),
        expect={"fold": False},
    ),
    case("Diag", diagonal=floats(3)),
    case("Diag", diagonal=floats(2, 1, 3), expect={"fold": False}),
    case("Diag", diagonal=ints(2, 2), expect={"fold": False}),
    case("DiagPart", input=floats(3, 3)),
    case("Svd", input=floats(4, 3), expect=SIGNS),
    case("Svd", input=floats(4, 3), full_matrices=True, expect=SIGNS),
    case("Qr", input=floats(4, 3)),
    case("Qr", input=floats(2, 4, 3), full_matrices=True),
    case(
        "Svd",
        input=floats(2, 4, 3),
        compute_uv=False,
        expect={**LOOSE, "ports": (0,), "less": True},
    ),
    case("LogMatrixDeterminant", input=np.stack([SQUARE, -SQUARE]), expect=LOOSE),
    case("MatrixInverse", input=SQUARE, adjoint=True, expect=LOOSE),
    case(
        "MatrixTriangularSolve",
        matrix=SQUARE,
        rhs=floats(4, 2),
        adjoint=True,
        expect=LOOSE,
    ),
    case("SelfAdjointEigV2", input=POSITIVE, expect=SIGNS),
    case("Cross", a=floats(4, 3), b=floats(4, 3)),
    case("MatrixSolve", matrix=SQUARE, rhs=floats(4, 2), expect=LOOSE),
    case("MatrixSolve", matrix=SQUARE, rhs=floats(4, 2), adjoint=True, expect=BY_IT),
    case("MatrixTriangularSolve", matrix=SQUARE, rhs=floats(4, 2), expect=LOOSE),
    case("LogMatrixDeterminant", input=SQUARE, expect=LOOSE),
)
def test_linear(row: Case) -> None:
    check(row)
