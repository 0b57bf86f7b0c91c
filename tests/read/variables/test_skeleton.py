"""Checkpoints without a graph: the layers that names and shapes speak of."""

from __future__ import annotations

import pytest

from graphscope.graph import Layer, Variable
from graphscope.read.variables.guess import kind_of, likely_layer
from graphscope.read.variables.skeleton import skeleton


def guess(words: str = "", **shapes: tuple[int, ...]):
    found = likely_layer(tuple(shapes.items()), words)
    return (found.op, found.config) if found else None


def test_convolutions() -> None:
    config = {"filters": 8, "kernel_size": (3, 3), "use_bias": True}
    assert guess(kernel=(3, 3, 4, 8), bias=(8,)) == ("Conv2D", config)
    assert guess(kernel=(3, 3, 4, 8), bias=(4,))[0] == "Conv2DTranspose"
    assert guess(kernel=(3, 3, 4, 8), bias=(5,)) is None
    assert guess(kernel=(5, 4, 8))[0] == "Conv1D"
    assert guess(kernel=(2, 3, 3, 4, 8))[0] == "Conv3D"
    assert guess(depthwise_kernel=(3, 3, 4, 2))[1]["depth_multiplier"] == 2
    assert guess("depthwise", kernel=(3, 3, 4, 1))[0] == "DepthwiseConv2D"
    both = guess("depthwise", depthwise_kernel=(3, 3, 4, 2), kernel=(1, 1, 8, 6))
    assert both[1]["depth_multiplier"] == 2  # its own kernel comes first
    both = guess(depthwise_kernel=(3, 3, 4, 2), pointwise_kernel=(1, 1, 8, 6))
    assert both[0] == "SeparableConv2D" and both[1]["filters"] == 6


def test_normalisations() -> None:
    moving = {"moving_mean": (8,), "moving_variance": (8,)}
    assert guess(gamma=(8,), beta=(8,), **moving)[0] == "BatchNormalization"
    assert guess(beta=(8,), **moving)[1] == {"scale": False, "center": True}
    assert guess(gamma=(8,), beta=(8,))[0] == "LayerNormalization"
    assert guess(gamma=(8,), beta=(9,)) is None
    assert guess(gamma=(8,)) is None


@pytest.mark.parametrize("gates, op", [(4, "LSTM"), (3, "GRU"), (1, "SimpleRNN")])
def test_recurrent_layers(gates: int, op: str) -> None:
    shapes = {"kernel": (10, 6 * gates), "recurrent_kernel": (6, 6 * gates)}
    assert guess(**shapes)[0] == op and guess(**shapes)[1]["units"] == 6
    assert guess(kernel=(10, 12), recurrent_kernel=(6, 12)) is None


def test_tensorflow_1_cells_need_their_name() -> None:
    assert guess("lstm", kernel=(16, 24), bias=(24,))[0] == "LSTM"
    assert guess(kernel=(16, 24), bias=(24,))[0] == "Dense"


def test_dense_and_embedding() -> None:
    assert guess(kernel=(4, 8)) == ("Dense", {"units": 8, "use_bias": False})
    assert guess(embeddings=(100, 8))[1] == {"input_dim": 100, "output_dim": 8}
    assert guess("embed", kernel=(100, 8))[0] == "Embedding"
    assert guess(kernel=(4, 2, 8), bias=(2, 8))[0] == "EinsumDense"


@pytest.mark.parametrize(
    "name, kind",
    [
        ("kernel", ("kernel", "")),
        ("weights_1", ("kernel", "_1")),
        ("b_conv1", ("bias", "conv1")),
        ("W2", ("kernel", "2")),
        ("wc1", ("kernel", "c1")),
        ("conv1_w", ("kernel", "conv1")),
        ("moving_variance", ("moving_variance", "")),
        ("Variable_3", ("", "Variable_3")),
        ("window", ("", "window")),
        ("batch_stats", ("", "batch_stats")),
    ],
)
def test_names(name: str, kind: tuple[str, str]) -> None:
    assert kind_of(name)[0] == kind[0]


def variables(**shapes: tuple[int, ...]) -> list[Variable]:
    return [
        Variable(name.replace("__", "/"), "float32", shape, 0)
        for name, shape in shapes.items()
    ]


def layers(**shapes: tuple[int, ...]) -> dict[str, tuple]:
    graph = skeleton(variables(**shapes))
    return {
        name: (node.op, sorted(node.members)) if isinstance(node, Layer) else node.op
        for name, node in ((n, graph.node(n)) for n in graph)
    }


def test_one_node_a_layer() -> None:
    found = layers(
        net__conv10__kernel=(3, 3, 4, 8), net__conv9__kernel=(3, 3, 3, 4),
        net__conv9__bias=(4,), net__odd=(7, 7, 7),
    )  # fmt: skip
    assert list(found)[-2:] == ["net/conv9", "net/conv10"]
    assert found["net/conv9"] == ("Conv2D", ["net/conv9/bias", "net/conv9/kernel"])


def test_weights_that_share_a_scope_by_their_stems() -> None:
    found = layers(W_conv1=(5, 5, 1, 8), b_conv1=(8,), W_fc=(32, 4), b_fc=(4,))
    assert {name: op for name, (op, _) in found.items()} == {
        "conv1": "Conv2D",
        "fc": "Dense",
    }


def test_nameless_kernels_find_their_biases() -> None:
    alternating = layers(
        Variable=(5, 4), Variable_1=(4,), Variable_2=(4, 4), Variable_3=(4,)
    )
    assert alternating["Variable_2"] == ("Dense", ["Variable_2", "Variable_3"])
    apart = layers(Variable=(5, 4), Variable_1=(4, 3), Variable_2=(4,), Variable_3=(3,))
    assert apart["Variable"] == ("Dense", ["Variable", "Variable_2"])
    assert apart["Variable_1"] == ("Dense", ["Variable_1", "Variable_3"])


def test_what_nothing_explains_stays_itself() -> None:
    assert layers(net__temperature=(3,)) == {"net/temperature": "VariableV2"}


def test_slots_are_left_out_and_inferred_layers_hold_values(corpus) -> None:
    from graphscope.read import load

    folder = "dotnet+machinelearning-testdata/Microsoft.ML.TensorFlow.TestModels/mnist_conv_model"
    model = load(corpus / folder / "variables/variables.index")
    assert model.inferred and model.layered
    ops = [model.graph.op(n) for n in model.graph]
    assert ops == ["Conv2D"] * 3 + ["Dense"] * 2
    layer = model.graph.node(next(iter(model.graph)))
    assert layer.evidence and layer.weights["kernel"].array(model).shape == (6, 6, 1, 6)


KERNEL, MOVING = (3, 3, 4, 8), {"moving_mean": (8,), "moving_variance": (8,)}


@pytest.mark.parametrize(
    ("words", "shapes", "op"),
    [
        # depthwise: said by the scope, or by a bias of one number a channel
        ("depthwise", {"kernel": (3, 3, 8, 1)}, "DepthwiseConv2D"),
        ("", {"kernel": (3, 3, 8, 1), "bias": (8,)}, "DepthwiseConv2D"),
        ("", {"kernel": (3, 3, 8, 1)}, "Conv2D"),
        ("", {"kernel": (3, 3, 8, 1), "bias": (1,)}, "Conv2D"),
        ("transpose", {"kernel": (3, 3, 8, 1), "bias": (8,)}, "Conv2DTranspose"),
        ("", {"kernel": (3, 3, 1, 1), "bias": (1,)}, "Conv2D"),
        ("depthwise", {"kernel": (8, 1)}, "Dense"),
        ("", {"depthwise_kernel": (3, 4, 2)}, "DepthwiseConv1D"),
        ("", {"depthwise_kernel": (4, 2)}, None),
        (
            "depthwise",
            {"kernel": KERNEL, "pointwise_kernel": (1, 1, 8, 6)},
            None,
        ),
        # normalisations: of one width, with moving statistics or both of gamma and beta
        ("", {"gamma": (8,), **MOVING}, "BatchNormalization"),
        ("", {"gamma": (4,), **MOVING}, None),
        ("", {"gamma": (8,), "kernel": (8,), **MOVING}, None),
        ("", {"beta": (8,)}, None),
        # recurrent kernels: both, of as many columns, a whole number of gates
        ("", {"kernel": (10, 24), "recurrent_kernel": (6, 24)}, "LSTM"),
        ("", {"kernel": (10, 24), "recurrent_kernel": (6, 18)}, None),
        ("", {"kernel": (10, 25), "recurrent_kernel": (6, 25)}, None),
        ("", {"kernel": (10, 30), "recurrent_kernel": (6, 30)}, None),
        ("", {"kernel": (10, 20), "recurrent_kernel": (6, 24)}, None),
        ("", {"kernel": (2, 24, 3), "recurrent_kernel": (6, 24)}, None),
        ("", {"kernel": (10, 24), "recurrent_kernel": (6, 24, 1)}, None),
        # cells of TensorFlow 1: the inputs above the state
        ("basic_rnn", {"kernel": (10, 6), "bias": (6,)}, "SimpleRNN"),
        ("simple_rnn", {"kernel": (10, 6)}, "SimpleRNN"),
        ("", {"kernel": (10, 6), "bias": (6,)}, "Dense"),
        ("basic_rnn", {"kernel": (6, 6), "bias": (6,)}, "Dense"),
        ("lstm", {"kernel": (16, 24), "bias": (24,)}, "LSTM"),
        ("lstm", {"kernel": (16, 24)}, "LSTM"),
        ("lstm", {"kernel": (16, 22), "bias": (22,)}, "Dense"),
        ("lstm", {"kernel": (6, 24), "bias": (24,)}, "Dense"),
        ("lstm", {"kernel": (7, 24), "bias": (24,)}, "LSTM"),
        (
            "gru",
            {"gates/kernel": (10, 12), "candidate/kernel": (10, 6)},
            "GRU",
        ),
        ("gru", {"gates/kernel": (10, 18), "candidate/kernel": (10, 6)}, None),
        ("gru", {"gates/kernel": (6, 12), "candidate/kernel": (6, 6)}, None),
        # tables, and kernels as they are or transposed
        ("", {"embeddings": (100,)}, None),
        ("", {"embeddings": (100, 8, 2)}, None),
        ("", {"embeddings": (100, 8), "bias": (8,)}, None),
        ("embed", {"kernel": (100, 8), "bias": (8,)}, "Dense"),
        ("", {"kernel": (8, 4), "bias": (3,)}, None),
        ("", {"kernel": (8, 4), "gamma": (4,)}, None),
        ("", {"alpha": (4,)}, "PReLU"),
        ("", {"alpha": (4,), "beta": (4,)}, None),
        ("", {"kernel": (4, 2, 8), "bias": (2, 7)}, None),
        # a layer and its like backward
        (
            "",
            {
                f"{way}_layer/cell/{name}": shape
                for way in ("forward", "backward")
                for name, shape in (("kernel", (10, 24)), ("recurrent_kernel", (6, 24)))
            },
            "Bidirectional",
        ),
        (
            "",
            {
                f"{way}_layer/cell/{name}": (rows, 24)
                for way, rows in (("forward", 10), ("backward", 11))
                for name in ("kernel", "recurrent_kernel")
            },
            None,
        ),
    ],
)
def test_near_misses_of_each_class(
    words: str, shapes: dict[str, tuple[int, ...]], op: str | None
) -> None:
    layer = likely_layer(tuple(shapes.items()), words)
    assert (layer.op if layer else None) == op


def test_how_wide_a_layer_is_and_why() -> None:
    def told(words: str = "", **shapes: tuple[int, ...]) -> tuple[int, str]:
        layer = likely_layer(tuple(shapes.items()), words)
        assert layer is not None
        return layer.config["units"], layer.evidence[0]

    assert told(kernel=(8, 4), bias=(4,)) == (4, "kernel 8x4, bias 4: 8 -> 4")
    assert told(kernel=(8, 4), bias=(8,)) == (
        8,
        "kernel 8x4, bias 8: 4 -> 8, stored transposed",
    )
    assert told("basic_rnn", kernel=(10, 6)) == (
        6,
        "kernel 10x6: 6 units over 4 inputs and the state",
    )
    assert told("lstm", kernel=(16, 24)) == (
        6,
        "kernel 16x24: 4 gates of 6 units over 10 inputs and the state",
    )
