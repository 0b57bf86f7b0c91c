"""Everyday compositions of layers, in either Keras: models within models, shared layers, several inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Builder = Callable[[Any], Any]
COMPOSITIONS: dict[str, Builder] = {}


def composition(function: Builder) -> Builder:
    COMPOSITIONS[function.__name__] = function
    return function


def _inner(K: Any, name: str = "t", width: int = 3) -> Any:
    i = K.Input((4,))
    x = K.layers.Dense(width, name="first", activation="relu")(i)
    return K.Model(i, K.layers.Dense(width, name="dense")(x), name=name)


def _sequence(K: Any, name: str = "s") -> Any:
    L = K.layers
    return K.Sequential([K.Input((4,)), L.Dense(3), L.BatchNormalization()], name=name)


def _ab(K: Any) -> tuple[Any, Any]:
    return K.Input((4,), name="a"), K.Input((4,), name="b")


@composition
def once(K: Any) -> Any:
    a = K.Input((4,), name="a")
    return K.Model(a, K.layers.Dense(2)(_inner(K)(a)))


@composition
def siamese(K: Any) -> Any:
    (a, b), inner = _ab(K), _inner(K)
    return K.Model([a, b], K.layers.Subtract()([inner(a), inner(b)]))


@composition
def two_towers(K: Any) -> Any:
    a, b = _ab(K)
    merged = K.layers.Concatenate()([_inner(K, "t")(a), _inner(K, "u")(b)])
    return K.Model([a, b], K.layers.Dense(1)(merged))


@composition
def shared_layer(K: Any) -> Any:
    (a, b), dense = _ab(K), K.layers.Dense(3, name="d")
    return K.Model([a, b], K.layers.Add()([dense(a), dense(b)]))


@composition
def sequential_in_functional(K: Any) -> Any:
    a = K.Input((4,), name="a")
    return K.Model(a, K.layers.Dense(2)(_sequence(K)(a)))


@composition
def sequential_twice(K: Any) -> Any:
    (a, b), inner = _ab(K), _sequence(K)
    return K.Model([a, b], K.layers.Multiply()([inner(a), inner(b)]))


@composition
def functional_in_sequential(K: Any) -> Any:
    return K.Sequential([K.Input((4,)), _inner(K), K.layers.Dense(2, name="o")])


@composition
def sequential_with_input_shape(K: Any) -> Any:
    L = K.layers
    return K.Sequential([L.Dense(3, input_shape=(4,)), L.Dropout(0.5), L.Dense(2)])


@composition
def sequential_built(K: Any) -> Any:
    model = K.Sequential([K.layers.Dense(3), K.layers.Dense(2)])
    model.build((None, 4))
    return model


@composition
def three_deep(K: Any) -> Any:
    i = K.Input((4,))
    middle = K.Model(
        i, K.layers.Dense(4, name="m")(_inner(K, "deepest", 4)(i)), name="middle"
    )
    j = K.Input((4,))
    outer = K.Sequential([K.Input((4,)), middle, K.layers.Dense(5)], name="outer")
    return K.Model(j, K.layers.Dense(2)(outer(j)))


@composition
def several_outputs(K: Any) -> Any:
    a, b = _ab(K)
    shared = K.layers.Concatenate()([a, b])
    first = K.layers.Dense(2, name="z_first")(shared)
    second = K.layers.Dense(3, name="a_second")(shared)
    return K.Model([b, a], [first, second, shared])


@composition
def model_of_two_outputs(K: Any) -> Any:
    i, j = K.Input((4,)), K.Input((3,))
    x = K.layers.Concatenate()([i, j])
    inner = K.Model([i, j], [K.layers.Dense(2)(x), K.layers.Dense(5)(x)], name="both")
    a, b = K.Input((4,), name="a"), K.Input((3,), name="b")
    one, other = inner([a, b])
    return K.Model([a, b], [K.layers.Dense(1)(other), one])


@composition
def wrapped_model(K: Any) -> Any:
    a = K.Input((5, 4), name="a")
    x = K.layers.TimeDistributed(_inner(K), name="each")(a)
    return K.Model(a, K.layers.GRU(2)(x))


@composition
def wrapped_sequential(K: Any) -> Any:
    a = K.Input((5, 4), name="a")
    return K.Model(a, K.layers.TimeDistributed(_sequence(K))(a))


@composition
def bidirectional_of_cells(K: Any) -> Any:
    L, a = K.layers, K.Input((5, 4), name="a")
    cells = L.RNN([L.LSTMCell(3), L.GRUCell(2)], return_sequences=True)
    return K.Model(
        a, L.Bidirectional(L.SimpleRNN(2), merge_mode="sum")(L.Bidirectional(cells)(a))
    )


@composition
def bidirectional_with_backward(K: Any) -> Any:
    L, a = K.layers, K.Input((5, 4), name="a")
    wrapped = L.Bidirectional(L.LSTM(3), backward_layer=L.GRU(3, go_backwards=True))
    return K.Model(a, wrapped(a))


@composition
def masked_embedding(K: Any) -> Any:
    L, a = K.layers, K.Input((6,), dtype="int32", name="tokens")
    x = L.Embedding(9, 4, mask_zero=True)(a)
    return K.Model(a, L.Dense(2)(L.LSTM(3)(L.LSTM(3, return_sequences=True)(x))))


@composition
def masking(K: Any) -> Any:
    L, a = K.layers, K.Input((6, 3), name="a")
    return K.Model(a, L.Bidirectional(L.GRU(3))(L.Masking(0.25)(a)))


@composition
def returned_states(K: Any) -> Any:
    L, a, b = K.layers, K.Input((6, 3), name="a"), K.Input((4, 2), name="b")
    _, h, c = L.LSTM(3, return_state=True, name="encoder")(a)
    y = L.LSTM(3, return_sequences=True, name="decoder")(b, initial_state=[h, c])
    return K.Model([a, b], [L.Dense(2)(y), h])


@composition
def self_attention(K: Any) -> Any:
    L, a = K.layers, K.Input((6, 8), name="a")
    x = L.MultiHeadAttention(2, 4, name="mha")(a, a)
    x = L.LayerNormalization(epsilon=1e-6)(L.Add()([a, x]))
    x, scores = L.MultiHeadAttention(2, 4)(x, a, return_attention_scores=True)
    return K.Model(a, [L.GlobalAveragePooling1D()(x), scores])


@composition
def causal_attention(K: Any) -> Any:
    L, a = K.layers, K.Input((6, 8), name="a")
    x = L.MultiHeadAttention(2, 4)(query=a, value=a, key=a, use_causal_mask=True)
    return K.Model(a, L.Attention()([x, a, x]))


@composition
def operators(K: Any) -> Any:
    a, b = _ab(K)
    x = a * 2.0 + b / 3.0 - 1.5
    return K.Model([a, b], K.layers.Dense(2)(-x + 1.0))


@composition
def sliced(K: Any) -> Any:
    a = K.Input((6, 4), name="a")
    return K.Model(a, K.layers.Dense(2)(a[:, -1, 1:]))


@composition
def frozen_within(K: Any) -> Any:
    L, a = K.layers, K.Input((8, 8, 3), name="a")
    i = K.Input((8, 8, 3))
    x = L.BatchNormalization(name="bn")(L.Conv2D(4, 3, name="conv")(i))
    base = K.Model(i, L.Conv2D(2, 1, name="last")(x), name="base")
    base.layers[1].trainable = False
    x = L.GlobalAveragePooling2D()(base(a))
    return K.Model(a, L.Dense(2)(x))


@composition
def frozen_base(K: Any) -> Any:
    model = frozen_within(K)
    model.get_layer("base").trainable = False
    return model


@composition
def separable_net(K: Any) -> Any:
    L, a = K.layers, K.Input((12, 12, 3), name="image")
    x = L.ReLU(6.0)(
        L.BatchNormalization()(L.Conv2D(4, 3, 2, "same", use_bias=False)(a))
    )
    y = L.BatchNormalization()(L.SeparableConv2D(4, 3, padding="same")(x))
    x = L.Add()([x, L.LeakyReLU(0.2)(y)])
    x = L.Flatten()(L.MaxPooling2D()(L.DepthwiseConv2D(3, activation="elu")(x)))
    return K.Model(a, L.Softmax()(L.Dense(3, kernel_initializer="he_normal")(x)))


@composition
def mixed_precision(K: Any) -> Any:
    L, a = K.layers, K.Input((6, 6, 3), name="a")
    x = L.Conv2D(4, 3, dtype="mixed_float16")(a)
    x = L.GlobalMaxPooling2D(dtype="mixed_float16")(x)
    return K.Model(a, L.Dense(2, dtype="float32")(x))


@composition
def trained(K: Any) -> Any:
    import numpy as np

    model = K.Sequential([K.Input((4,)), K.layers.Dense(3), K.layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(np.ones((8, 4)), np.ones((8, 1)), verbose=0)
    return model


@composition
def arguments_kept(K: Any) -> Any:
    L, a = K.layers, K.Input((8,), name="a")
    x = L.Dense(
        4,
        kernel_initializer=K.initializers.TruncatedNormal(stddev=0.02),
        kernel_regularizer=K.regularizers.L1L2(0.01, 0.02),
        kernel_constraint=K.constraints.MaxNorm(2.0),
        bias_initializer=K.initializers.Constant(0.5),
        activity_regularizer=K.regularizers.L2(0.1),
    )(a)
    return K.Model(a, L.Dense(2, kernel_constraint="non_neg")(x), name="kept")


@composition
def input_is_an_output(K: Any) -> Any:
    a, b = _ab(K)
    return K.Model([a, b], [a, K.layers.Dense(2)(b)])


@composition
def fixed_batch(K: Any) -> Any:
    a = K.Input((5, 3), batch_size=2, name="a")
    return K.Model(a, K.layers.LSTM(3, stateful=True)(a))
