"""A functional model drawn by a seed: vectors, sequences and pictures, merged, shared, nested, wrapped, with several outputs."""

from __future__ import annotations

import random
from typing import Any

ACTIVATIONS = ("relu", "tanh", "elu", "softmax", "hard_sigmoid", "selu", "linear")


class Drawing:
    """One model in the making: the tensors that there are, and what can be done to each."""

    def __init__(self, K: Any, seed: int, depth: int = 0) -> None:
        self.K, self.L, self.depth = K, K.layers, depth
        self.rng = random.Random(f"{seed} {depth}")
        self.seed = seed
        self.inputs: list[Any] = []
        self.tensors: list[Any] = []
        self.shared: dict[Any, list[Any]] = {}

    def model(self, name: str | None = None) -> Any:
        for number in range(self.rng.choice((1, 1, 2, 3))):
            self.add_input(number)
        for _ in range(self.rng.randint(4, 12 if not self.depth else 5)):
            self.step()
        count = self.rng.choice((1, 1, 2, 3))
        ends = [
            self.tensors[-1],
            *self.rng.sample(self.tensors, min(count, len(self.tensors))),
        ]
        outputs = list({id(t): t for t in ends}.values())
        outputs = [
            t for t in outputs if all(t is not i for i in self.inputs)
        ] or outputs[:1]
        given = self.inputs if len(self.inputs) > 1 else self.inputs[0]
        keywords = {"name": name} if name else {}
        return self.K.Model(
            given, outputs if len(outputs) > 1 else outputs[0], **keywords
        )

    def add_input(self, number: int) -> None:
        shape: tuple[int, ...] = self.rng.choice(((6,), (5, 4), (8, 8, 3), (8, 8, 3)))
        self.inputs.append(
            self.K.Input(shape, name=f"in_{number}" if not self.depth else None)
        )
        self.tensors.append(self.inputs[-1])

    def step(self) -> None:
        x = self.rng.choice(self.tensors)
        rank = len(x.shape)
        kinds = {2: self.on_vector, 3: self.on_sequence, 4: self.on_picture}
        choice = self.rng.random()
        if choice < 0.15:
            self.merge(x)
        elif choice < 0.27 and not self.depth:
            self.nest(x)
        elif choice < 0.35:
            self.again(x)
        elif choice < 0.42:
            self.tensors.append(
                self.rng.choice(
                    (lambda t: t * 0.5, lambda t: 1.0 - t, lambda t: t + x)
                )(x)
            )
        else:
            kinds[rank](x)

    def called(self, layer: Any, x: Any) -> None:
        self.shared.setdefault(tuple(x.shape), []).append(layer)
        self.tensors.append(layer(x))

    def on_vector(self, x: Any) -> None:
        L, rng = self.L, self.rng
        self.called(
            rng.choice(
                (
                    lambda: L.Dense(
                        rng.randint(2, 6), activation=rng.choice(ACTIVATIONS)
                    ),
                    lambda: L.Dense(
                        rng.randint(2, 6), use_bias=False, kernel_regularizer="l2"
                    ),
                    lambda: L.BatchNormalization(scale=rng.random() < 0.5),
                    lambda: L.LayerNormalization(epsilon=1e-5),
                    lambda: L.Dropout(0.25),
                    lambda: L.RepeatVector(rng.randint(2, 4)),
                    lambda: L.Reshape((int(x.shape[1]), 1)),
                    lambda: L.PReLU(),
                    lambda: L.GaussianNoise(0.1),
                )
            )(),
            x,
        )

    def on_sequence(self, x: Any) -> None:
        L, rng = self.L, self.rng
        whole, units = rng.random() < 0.5, rng.randint(2, 5)
        self.called(
            rng.choice(
                (
                    lambda: L.LSTM(units, return_sequences=whole),
                    lambda: L.GRU(
                        units, return_sequences=whole, reset_after=rng.random() < 0.5
                    ),
                    lambda: L.SimpleRNN(units, go_backwards=True),
                    lambda: L.Bidirectional(
                        rng.choice((L.LSTM, L.GRU))(units, return_sequences=whole),
                        merge_mode=rng.choice(("concat", "sum", "ave", "mul")),
                    ),
                    lambda: L.RNN(
                        [L.GRUCell(units), L.LSTMCell(3)], return_sequences=whole
                    ),
                    lambda: L.TimeDistributed(L.Dense(units, activation="tanh")),
                    lambda: L.TimeDistributed(
                        self.K.Sequential([L.Dense(units), L.LayerNormalization()])
                    ),
                    lambda: L.Conv1D(units, 2, padding="causal"),
                    lambda: L.SeparableConv1D(units, 2, padding="same"),
                    lambda: L.GlobalMaxPooling1D(),
                    lambda: L.Flatten(),
                    lambda: L.Masking(0.25),
                )
            )(),
            x,
        )

    def on_picture(self, x: Any) -> None:
        L, rng = self.L, self.rng
        filters = rng.randint(2, 4)
        self.called(
            rng.choice(
                (
                    lambda: L.Conv2D(filters, 3, padding="same", activation="relu"),
                    lambda: L.Conv2D(
                        filters, 3, strides=2, padding="same", use_bias=False
                    ),
                    lambda: L.DepthwiseConv2D(3, padding="same", depth_multiplier=2),
                    lambda: L.SeparableConv2D(filters, 3, padding="same"),
                    lambda: L.Conv2DTranspose(filters, 3, padding="same"),
                    lambda: L.BatchNormalization(momentum=0.9),
                    lambda: L.LeakyReLU(),
                    lambda: L.ReLU(6.0),
                    lambda: L.GlobalAveragePooling2D(),
                    lambda: L.MaxPooling2D(2, padding="same"),
                    lambda: L.ZeroPadding2D(((1, 0), (0, 2))),
                    lambda: L.SpatialDropout2D(0.2),
                    lambda: L.Flatten(),
                    lambda: L.TimeDistributed(L.Dense(2)),
                )
            )(),
            x,
        )

    def merge(self, x: Any) -> None:
        alike = [t for t in self.tensors if tuple(t.shape) == tuple(x.shape)]
        beside = [t for t in self.tensors if tuple(t.shape[:-1]) == tuple(x.shape[:-1])]
        other = self.rng.choice(alike)
        self.tensors.append(
            self.rng.choice(
                (
                    lambda: self.L.Add()([x, other]),
                    lambda: self.L.Multiply()([x, other]),
                    lambda: self.L.Maximum()([x, other]),
                    lambda: self.L.Concatenate()([x, self.rng.choice(beside)]),
                )
            )()
        )

    def again(self, x: Any) -> None:
        """A layer that has been called is called once more."""
        known = self.shared.get(tuple(x.shape))
        if known:
            self.tensors.append(self.rng.choice(known)(x))

    def nest(self, x: Any) -> None:
        """A model of its own, called on all that it wants; sometimes twice."""
        self.seed += 1
        inner = Drawing(self.K, self.seed * 1000, self.depth + 1)
        model = inner.model()
        given = []
        for i in model.inputs:
            fitting = [t for t in self.tensors if tuple(t.shape) == tuple(i.shape)]
            if not fitting:
                return
            given.append(self.rng.choice(fitting))
        for _ in range(self.rng.choice((1, 1, 2))):
            made = model(given if len(given) > 1 else given[0])
            self.tensors += made if isinstance(made, list | tuple) else [made]
            given = given[::-1] if len({tuple(t.shape) for t in given}) == 1 else given


def random_model(K: Any, seed: int) -> Any:
    return Drawing(K, seed).model()
