"""Random Keras functional models: every layer class that the patterns know, in configurations nobody would write by hand.

A model grows from its inputs: at each turn one tensor is taken and a layer that fits its rank is called on it, two
tensors of one shape are merged, or a layer is called once more. What no other layer reads is an output.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

L = keras.layers
Rng = np.random.Generator
ACTIVATIONS = (
    "relu relu6 elu selu tanh sigmoid softplus softsign silu gelu hard_sigmoid hard_silu leaky_relu mish "
    "exponential softmax log_softmax linear linear linear linear"
).split()
INPUTS = ((9, 8, 3), (7, 7, 4), (12, 4), (6,), (None, None, 2), (None, 3), (5, 6, 5, 2))
MOST_ELEMENTS = 20_000


def pick(rng: Rng, choices: Any) -> Any:
    """One of a sequence, as it stands there."""
    return choices[int(rng.integers(len(choices)))]


def chance(rng: Rng, share: float = 0.5) -> bool:
    return bool(rng.random() < share)


def width(rng: Rng) -> int:
    return int(rng.integers(2, 7))


def several(rng: Rng, rank: int, low: int, high: int) -> int | tuple[int, ...]:
    """One size for all dimensions, or one for each."""
    if chance(rng):
        return int(rng.integers(low, high + 1))
    return tuple(int(n) for n in rng.integers(low, high + 1, rank))


def kernel(rng: Rng, rank: int) -> dict[str, Any]:
    """Kernel size, strides or dilation (never both: Keras takes one), padding, bias, activation."""
    made: dict[str, Any] = {"kernel_size": several(rng, rank, 1, 3)}
    if chance(rng, 0.3):
        made["strides"] = several(rng, rank, 1, 3)
    elif chance(rng, 0.3):
        made["dilation_rate"] = several(rng, rank, 1, 2)
    made["padding"] = pick(rng, ["valid", "same"])
    made["use_bias"] = chance(rng, 0.7)
    made["activation"] = pick(rng, ACTIVATIONS)
    return made


def convolution(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    rank = len(shape) - 1
    options = kernel(rng, rank)
    if rank == 1 and chance(rng, 0.3):
        options["padding"] = "causal"
    if shape[-1] % 2 == 0 and chance(rng, 0.2):
        return getattr(L, f"Conv{rank}D")(2 * width(rng), groups=2, **options)
    return getattr(L, f"Conv{rank}D")(width(rng), **options)


def transposed(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    rank = len(shape) - 1
    options = kernel(rng, rank)
    options.pop("dilation_rate", None)
    return getattr(L, f"Conv{rank}DTranspose")(width(rng), **options)


def _square(options: dict[str, Any], rank: int) -> dict[str, Any]:
    """TensorFlow's depthwise kernels take one stride for height and width."""
    strides = options.get("strides", 1)
    options["strides"] = strides if isinstance(strides, int) else strides[0]
    return options


def depthwise(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    rank = len(shape) - 1
    options = _square(kernel(rng, rank), rank)
    made = getattr(L, f"DepthwiseConv{rank}D")
    return made(depth_multiplier=int(rng.integers(1, 3)), **options)


def separable(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    rank = len(shape) - 1
    options = _square(kernel(rng, rank), rank)
    return getattr(L, f"SeparableConv{rank}D")(width(rng), **options)


def pooling(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    rank = len(shape) - 1
    made = getattr(L, f"{pick(rng, ['Max', 'Average'])}Pooling{rank}D")
    strides = several(rng, rank, 1, 3) if chance(rng) else None
    return made(several(rng, rank, 1, 3), strides, padding=pick(rng, ["valid", "same"]))


def global_pooling(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    rank = len(shape) - 1
    made = getattr(L, f"Global{pick(rng, ['Max', 'Average'])}Pooling{rank}D")
    return made(keepdims=chance(rng))


def padding(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    rank = len(shape) - 1
    pairs = tuple(tuple(int(n) for n in rng.integers(0, 3, 2)) for _ in range(rank))
    return getattr(L, f"ZeroPadding{rank}D")(pairs[0] if rank == 1 else pairs)


def cropping(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    rank = len(shape) - 1
    pairs = tuple(tuple(int(n) for n in rng.integers(0, 2, 2)) for _ in range(rank))
    return getattr(L, f"Cropping{rank}D")(pairs[0] if rank == 1 else pairs)


def upsampling(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    rank = len(shape) - 1
    if rank != 2:
        return getattr(L, f"UpSampling{rank}D")(int(rng.integers(1, 4)))
    size = several(rng, 2, 1, 3)
    kinds = ["nearest"] if None in shape else ["nearest", "bilinear"]
    return L.UpSampling2D(size, interpolation=pick(rng, kinds))


def resizing(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    height, wide = (int(n) for n in rng.integers(3, 12, 2))
    return L.Resizing(height, wide, interpolation=pick(rng, ["nearest", "bilinear"]))


def normalisation(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    epsilon = float(pick(rng, [1e-3, 1e-5, 1e-6, 1e-2]))
    kind = int(rng.integers(5))
    flags = {"center": chance(rng, 0.8), "scale": chance(rng, 0.8)}
    if kind == 0:
        return L.LayerNormalization(epsilon=epsilon, **flags)
    if kind == 1:
        return L.RMSNormalization(epsilon=epsilon)
    if kind == 2 and len(shape) > 1:
        groups = pick(rng, [n for n in range(1, shape[-1] + 1) if shape[-1] % n == 0])
        return L.GroupNormalization(groups, epsilon=epsilon, **flags)
    if kind == 3:
        return L.UnitNormalization()
    return L.BatchNormalization(epsilon=epsilon, **flags)


def activation(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    kind = int(rng.integers(6))
    if kind == 0:
        return L.LeakyReLU(float(pick(rng, [0.1, 0.2, 0.3])))
    if kind == 1 and None not in shape:
        shared = list(range(1, len(shape))) if chance(rng) else None
        return L.PReLU(shared_axes=shared)
    if kind == 2:
        return L.ELU(float(pick(rng, [1.0, 0.5])))
    if kind == 3:
        return L.ReLU(*pick(rng, [(None,), (6.0,), (3.0, 0.1), (None, 0.2)]))
    if kind == 4:
        return L.Softmax(int(pick(rng, [-1, 1])))
    return L.Activation(pick(rng, ACTIVATIONS))


def dense(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    return L.Dense(
        width(rng), activation=pick(rng, ACTIVATIONS), use_bias=chance(rng, 0.7)
    )


def einsum_dense(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    if len(shape) == 1:
        return L.EinsumDense("ab,bc->ac", width(rng), bias_axes="c")
    if len(shape) == 2:
        equation, out = pick(
            rng,
            [
                ("abc,cde->abde", (None, 2, 3)),
                ("abc,cd->abd", (None, width(rng))),
            ],
        )
        return L.EinsumDense(equation, out, bias_axes=pick(rng, [None, equation[-1]]))
    return dense(rng, shape)


def rescaling(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    return L.Rescaling(*pick(rng, [(1 / 255,), (2.0, -1.0), (1 / 127.5, -1.0)]))


def attention(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    made = L.MultiHeadAttention(
        int(rng.integers(1, 4)), int(rng.integers(1, 5)), use_bias=chance(rng, 0.7)
    )
    return lambda x: made(x, x, use_causal_mask=chance(rng, 0.3))


def permute(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    return L.Permute(tuple(int(n) + 1 for n in rng.permutation(len(shape))))


def reshape(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    if None in shape or chance(rng, 0.3):
        return L.Flatten() if None not in shape else rescaling(rng, shape)
    size = int(np.prod(shape))
    divisors = [n for n in range(2, 7) if size % n == 0] or [1]
    first = pick(rng, divisors)
    return L.Reshape(
        pick(rng, [(first, -1), (size // first, first), (-1, first), (1, size)])
    )


def nothing(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    """A layer that does nothing at inference."""
    return pick(rng, [L.Dropout(0.3), L.GaussianNoise(0.2), L.Identity()])


def repeat(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    return L.RepeatVector(int(rng.integers(2, 4)))


def arithmetic(rng: Rng, shape: tuple[int | None, ...]) -> Any:
    """What belongs to no layer."""
    ops = keras.ops
    factor = float(rng.normal())
    axis = int(rng.integers(1, len(shape) + 1))
    return pick(
        rng,
        [
            lambda x: x * factor,
            lambda x: x + factor,
            lambda x: factor - x,
            lambda x: ops.square(x) / (1.0 + ops.abs(x)),
            lambda x: ops.mean(x, axis=axis, keepdims=True) + x,
            lambda x: ops.max(x, axis=axis),
            lambda x: x - ops.max(x, axis=-1, keepdims=True),
            lambda x: ops.concatenate([x, -x], axis=-1),
            lambda x: x[:, 1:] if len(x.shape) > 1 else x,
            lambda x: x[..., ::-1],
            lambda x: ops.flip(x, axis=axis),
            lambda x: ops.expand_dims(x, axis),
            lambda x: ops.maximum(x, 0.1),
            lambda x: ops.clip(x, -0.5, 0.7),
            lambda x: ops.cumsum(x, axis=axis),
            lambda x: ops.where(x > 0, x, ops.tanh(x)),
            lambda x: ops.stack([x, 2.0 * x], axis=axis),
            lambda x: ops.split(x, 1, axis=-1)[0],
            lambda x: ops.swapaxes(x, -1, axis),
        ],
    )


Maker = Callable[[Rng, tuple[int | None, ...]], Any]
ANY: tuple[Maker, ...] = (
    dense, dense, normalisation, normalisation, activation, rescaling, permute, reshape, nothing, arithmetic,
    arithmetic,
)  # fmt: skip
SPATIAL: tuple[Maker, ...] = (
    convolution, convolution, convolution, transposed, pooling, pooling, global_pooling, padding, cropping, upsampling,
)  # fmt: skip
FLAT: tuple[Maker, ...] = (depthwise, separable)  # one or two spatial dimensions
BY_RANK: dict[int, tuple[Maker, ...]] = {
    1: (*ANY, einsum_dense, repeat),
    2: (*ANY, *SPATIAL, *FLAT, einsum_dense, attention, attention),
    3: (*ANY, *SPATIAL, *FLAT, resizing),
    4: (*ANY, *SPATIAL),
}
MERGES = ("Add", "Add", "Multiply", "Subtract", "Maximum", "Minimum", "Average")


class Growing:
    """A model under way."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.inputs: list[Any] = []
        self.tensors: list[Any] = []
        self.used: set[int] = set()
        self.called: list[tuple[Any, tuple[int | None, ...]]] = []

    def add_input(self) -> None:
        if chance(self.rng, 0.15):
            ids = keras.Input(pick(self.rng, [(5,), (None,)]), dtype="int32")
            self.inputs.append(ids)
            rows, columns = int(self.rng.integers(4, 30)), width(self.rng)
            self.tensors.append(L.Embedding(rows, columns)(ids))
            return
        x = keras.Input(pick(self.rng, INPUTS))
        self.inputs.append(x)
        self.tensors.append(x)

    def take(self) -> Any:
        """A tensor to go on from: mostly the last."""
        if chance(self.rng, 0.7):
            return self.tensors[-1]
        return pick(self.rng, self.tensors)

    def put(self, made: Any, *read: Any) -> None:
        if not isinstance(made, keras.KerasTensor) or 0 in made.shape:
            return
        if np.prod([size or 8 for size in made.shape[1:]]) > MOST_ELEMENTS:
            return
        self.tensors.append(made)
        self.used |= {id(x) for x in read}

    def call(self) -> None:
        x = self.take()
        shape = tuple(x.shape[1:])
        makers = BY_RANK.get(len(shape), ANY if shape else ())
        if not makers or (None,) == shape[-1:]:
            return
        layer = pick(self.rng, makers)(self.rng, shape)
        self.put(layer(x), x)
        if isinstance(layer, L.Layer) and layer.weights:
            self.called.append((layer, shape))

    def merge(self) -> None:
        x = self.take()
        mates = [y for y in self.tensors if y.shape == x.shape and y is not x]
        if not mates or None in x.shape[1:]:  # sizes may differ that are not known
            return
        y = pick(self.rng, mates)
        kind = int(self.rng.integers(4))
        if kind == 0:
            axis = -1 if None in x.shape[1:] or chance(self.rng) else 1
            self.put(L.Concatenate(axis)([x, y]), x, y)
        elif kind == 1 and len(x.shape) == 3:
            made = L.MultiHeadAttention(2, width(self.rng))
            self.put(made(x, y), x, y)
        else:
            self.put(getattr(L, pick(self.rng, MERGES))([x, y]), x, y)

    def share(self) -> None:
        """A layer that was called before, called on another tensor."""
        if not self.called:
            return
        layer, shape = pick(self.rng, self.called)
        mates = [x for x in self.tensors if tuple(x.shape[1:]) == shape]
        x = pick(self.rng, mates)
        self.put(layer(x), x)

    def grow(self) -> None:
        for _ in range(int(pick(self.rng, [1, 1, 1, 2, 3]))):
            self.add_input()
        for _ in range(int(self.rng.integers(3, 12))):
            step = pick(self.rng, [self.call] * 6 + [self.merge] * 3 + [self.share])
            try:
                step()
            except (ValueError, TypeError, IndexError):
                continue  # Keras does not take this layer here: another one then

    def model(self) -> Any:
        self.grow()
        first = len(self.inputs)
        made = self.tensors[first:] or [L.Identity()(self.tensors[0])]
        outputs = [x for x in made if id(x) not in self.used][-3:]
        model = keras.Model(self.inputs, outputs)
        randomise(model, self.rng)
        return model


def randomise(model: Any, rng: Rng) -> None:
    """Weights that show a mistake in wiring, epsilon or statistics."""
    for variable in model.weights:
        shape = tuple(variable.shape)
        if variable.path.endswith("variance"):
            variable.assign(rng.uniform(0.5, 1.5, shape))
        elif variable.path.endswith(("gamma", "scale")):
            variable.assign(rng.normal(1, 0.2, shape))
        elif "seed" not in variable.path:
            fan_in = max(1, int(np.prod(shape[:-1])))
            variable.assign(
                rng.normal(0, fan_in**-0.5 if len(shape) > 1 else 0.3, shape)
            )


def random_model(seed: int) -> Any:
    """A Keras model that the seed determines, its weights random."""
    keras.backend.clear_session()
    return Growing(seed).model()
