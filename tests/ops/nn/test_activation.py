"""Activations against TensorFlow."""

from __future__ import annotations

import numpy as np

from tests.ops.oracle import Case, case, check, floats, ints, table

X, SAME = floats(2, 3, 4), floats(2, 3, 4)


@table(
    case("Relu", features=X),
    case("Relu6", features=X * 5),
    case("LeakyRelu", features=X),
    case("LeakyRelu", features=X, alpha=0.05),
    case("Elu", features=X),
    case("Selu", features=X),
    case("Sigmoid", x=X),
    case("Tanh", x=X),
    case("Softplus", features=X),
    case("Softsign", features=X),
    case("Softmax", logits=floats(3, 5)),
    case("Softmax", logits=X),
    case("LogSoftmax", logits=floats(3, 5)),
    case("ReluGrad", gradients=X, features=SAME),
    case(
        "ReluGrad", gradients=ints(4, low=-5, high=5), features=ints(4, low=-5, high=5)
    ),
    case(
        "Relu6Grad", gradients=ints(4).astype("uint8"), features=np.uint8([0, 3, 6, 9])
    ),
    case("Relu6Grad", gradients=X, features=SAME),
    case("EluGrad", gradients=X, outputs=SAME),
    case("SigmoidGrad", y=X, dy=SAME),
    case("TanhGrad", y=X, dy=SAME),
    case("RsqrtGrad", y=X, dy=SAME),
    case("SoftplusGrad", gradients=X, features=SAME),
    case("SoftsignGrad", gradients=X, features=SAME),
    case("LeakyReluGrad", gradients=X, features=SAME, alpha=0.3),
    case("SeluGrad", gradients=X, outputs=SAME),
    case("SqrtGrad", y=X, dy=SAME),
    case("ReciprocalGrad", y=X, dy=SAME),
    case("InvGrad", y=X, dy=SAME),
)
def test_activation(row: Case) -> None:
    check(row)
