"""Which Keras layer a handful of weights most likely belongs to, from their names and shapes, with the evidence.

Without a graph there is nothing else to go by. What names and shapes cannot tell (strides, padding, activation) is
left out of the config, not assumed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from ...graph.named_values import Arguments

Shapes = Mapping[str, tuple[int, ...]]  # Keras's weight name -> shape
Weights = tuple[tuple[str, tuple[int, ...]], ...]  # the same, as what can be a key


class Guess(NamedTuple):
    """A layer class, what of its config the shapes determine, and why."""

    op: str
    config: Arguments
    evidence: tuple[str, ...]


_ALIASES = {
    "kernel": "kernel w weight weights filter filters conv_weight matrix",
    "bias": "bias biases b conv_bias",
    "gamma": "gamma g scale layer_norm_scale",
    "beta": "beta offset shift layer_norm_bias",
    "moving_mean": "moving_mean running_mean pop_mean mean moving_avg",
    "moving_variance": "moving_variance moving_var running_var running_variance pop_var pop_variance variance var",
    "depthwise_kernel": "depthwise_kernel depthwise_weights depthwise_filter",
    "pointwise_kernel": "pointwise_kernel pointwise_weights pointwise_filter",
    "recurrent_kernel": "recurrent_kernel recurrent_weights",
    "embeddings": "embeddings embedding embedding_table embedding_matrix word_embeddings token_embeddings lookup_table "
    "position_embeddings token_type_embeddings char_emb bigram_emb word_emb emb wte wpe embedding_weights",
    "alpha": "alpha alphas prelu_alpha",
}
_KINDS = {
    alias: kind for kind, aliases in _ALIASES.items() for alias in aliases.split()
}
_TELLING = re.compile(
    r"lstm|gru_cell|basic_rnn|simple_rnn|depthwise|transpose|embed|(?<![a-z])emb(?![a-z])"
)
NO_LAYER = re.compile(r"(crf_)?(transitions?|transition_(params|matrix))\Z")  # of a CRF
_NUMBER = re.compile(r"_\d+\Z")
_STEMMED = (
    re.compile(
        r"(?P<kind>[wb]|weights?|bias(?:es)?|kernel|filters?)_?(?P<stem>[a-z]*\d\w*|_\w+|(?:conv|fc|out|hidden|dense)\w*)\Z",
        re.I,
    ),
    # encoder_h1, encoder_b1: a hidden layer's matrix and its bias
    re.compile(r"(?P<before>[a-z]+)_(?P<kind>[whb])(?P<stem>\d+)\Z", re.I),
    re.compile(
        r"(?P<stem>\w+?)_(?P<kind>w|b|weights?|bias(?:es)?|kernel|filters?)\Z", re.I
    ),
)


@lru_cache(1 << 14)
def kind_of(name: str) -> tuple[str, str]:
    """``(Keras weight name, stem)`` of a variable's last name; the kind is "" where the name says nothing.

    >>> kind_of("weights"), kind_of("b_conv1"), kind_of("Variable_3")
    (('kernel', ''), ('bias', 'conv1'), ('', 'Variable_3'))
    """
    name = name.lstrip("_") or name  # Keras 3 keeps a kernel as ``_kernel``
    plain = name.lower()
    if NO_LAYER.match(plain):
        return "", name
    for spelled in (plain, _NUMBER.sub("", plain)):
        if spelled in _KINDS:
            return _KINDS[spelled], name[len(spelled) :]
    for pattern in _STEMMED:
        match = pattern.match(name)
        if match:
            before = match.groupdict().get("before") or ""
            kind = "kernel" if match["kind"].lower() == "h" else match["kind"].lower()
            return _KINDS.get(kind, kind), before + match["stem"].strip("_")
    return "", name


def telling(scope: str) -> str:
    """The words of a scope that tell something of the layer in it.

    >>> telling("tower_0/basic_lstm_cell")
    'lstm'
    """
    return " ".join(dict.fromkeys(_TELLING.findall(scope.lower())))


@lru_cache(1 << 12)
def likely_layer(weights: Weights, words: str) -> Guess | None:
    """The layer that weights of these Keras names and shapes are, None where nothing fits.

    ``words`` are what ``telling`` layer in the scope where they stand.
    """
    shapes = dict(weights)
    for rule in _RULES:
        layer = rule(shapes, words)
        if layer is not None:
            return layer
    return None


def _listed(shapes: Shapes) -> str:
    listed = (f"{name} {_sizes(shape)}" for name, shape in shapes.items())
    return ", ".join(listed)


def _sizes(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"


def _normalization(shapes: Shapes, words: str) -> Guess | None:
    moving = {"moving_mean", "moving_variance"} & set(shapes)
    affine = {"gamma", "beta"} & set(shapes)
    if set(shapes) - moving - affine or not (moving or len(affine) == 2):
        return None
    if len(set(shapes.values())) > 1:
        return None
    config = {"scale": "gamma" in shapes, "center": "beta" in shapes}
    if moving:
        return Guess(
            "BatchNormalization", config, (f"moving statistics: {_listed(shapes)}",)
        )
    why = (_listed(shapes), "no moving statistics, so not BatchNormalization")
    return Guess("LayerNormalization", config, why)


def _recurrent(shapes: Shapes, words: str) -> Guess | None:
    if not {"kernel", "recurrent_kernel"} <= set(shapes):
        return None
    kernel, recurrent = shapes["kernel"], shapes["recurrent_kernel"]
    if len(kernel) != 2 or len(recurrent) != 2 or kernel[1] != recurrent[1]:
        return None
    units, rest = recurrent[0], recurrent[1] % max(1, recurrent[0])
    op = {4: "LSTM", 3: "GRU", 1: "SimpleRNN"}.get(recurrent[1] // max(1, units))
    if op is None or rest:
        return None
    gates = recurrent[1] // units
    why = (f"{_listed(shapes)}: {gates} gates of {units} units",)
    return Guess(op, {"units": units, "use_bias": "bias" in shapes}, why)


def _bidirectional(shapes: Shapes, words: str) -> Guess | None:
    """Keras's wrapper: the weights of a layer forward, and those of its like backward."""
    halves: list[dict[str, tuple[int, ...]]] = [{}, {}]
    for path, shape in shapes.items():
        direction, _, inside = path.partition("_layer/")
        if direction not in ("forward", "backward"):
            return None
        halves[direction == "backward"][inside.rpartition("/")[2]] = shape
    inner = _recurrent(halves[0], words)
    if inner is None or halves[0] != halves[1]:
        return None
    config = {"layer": inner.op, "layer_config": inner.config, "merge_mode": "concat"}
    why = ("the same weights forward and backward", *inner.evidence)
    return Guess("Bidirectional", config, why)


def _plain_cell(shapes: Shapes, words: str) -> Guess | None:
    """TensorFlow 1's BasicRNNCell, and its GRUCell, whose two scopes stand together here: inputs above the state."""
    kernel, candidate = shapes.get("kernel", ()), shapes.get("candidate/kernel")
    gates = shapes.get("gates/kernel")
    if gates is not None and candidate is not None and len(candidate) == 2:
        units = candidate[1]
        if gates != (candidate[0], 2 * units) or candidate[0] <= units:
            return None
        config = {"units": units, "use_bias": "candidate/bias" in shapes}
        why = f"{_listed(shapes)}: two gates and a candidate of {units} units"
        return Guess("GRU", {**config, "reset_after": False}, (why,))
    is_cell = "basic_rnn" in words or "simple_rnn" in words
    if not is_cell or len(kernel) != 2 or kernel[0] <= kernel[1]:
        return None
    inputs = f"{_listed(shapes)}: {kernel[1]} units over {kernel[0] - kernel[1]} inputs and the state"
    config = {"units": kernel[1], "use_bias": "bias" in shapes}
    return Guess("SimpleRNN", config, (inputs, "the scope says so"))


def _cell(shapes: Shapes, words: str) -> Guess | None:
    """TensorFlow 1's LSTM cells keep both kernels in one, the inputs above the state."""
    kernel = shapes.get("kernel", ())
    if len(kernel) != 2 or "lstm" not in words or kernel[1] % 4:
        return None
    units = kernel[1] // 4
    if kernel[0] <= units or shapes.get("bias", (kernel[1],)) != (kernel[1],):
        return None
    why = (
        f"{_listed(shapes)}: 4 gates of {units} units over {kernel[0] - units} inputs and the state",
        "the scope says lstm",
    )
    return Guess("LSTM", {"units": units, "use_bias": "bias" in shapes}, why)


def _depthwise(shapes: Shapes, words: str) -> Guess | None:
    depthwise, kernel = shapes.get("depthwise_kernel"), shapes.get("kernel")
    if (
        depthwise is None
        and kernel is not None
        and ("depthwise" in words or _is_one_a_channel(kernel, shapes, words))
        and "pointwise_kernel" not in shapes
    ):
        depthwise = kernel
    if depthwise is None or len(depthwise) not in (3, 4):
        return None
    rank = len(depthwise) - 2
    config: Arguments = {
        "kernel_size": depthwise[:-2],
        "depth_multiplier": depthwise[-1],
        "use_bias": "bias" in shapes,
    }
    pointwise = shapes.get("pointwise_kernel")
    if pointwise is None:
        return Guess(f"DepthwiseConv{rank}D", config, (_listed(shapes),))
    config["filters"] = pointwise[-1]
    return Guess(f"SeparableConv{rank}D", config, (_listed(shapes),))


def _is_one_a_channel(kernel: tuple[int, ...], shapes: Shapes, words: str) -> bool:
    """(3, 3, 8, 1) with a bias of 8: no convolution's, and a transposed one from a single channel says so by its name."""
    is_single = len(kernel) == 4 and kernel[-1] == 1 < kernel[-2]
    return (
        is_single and shapes.get("bias") == kernel[-2:-1] and "transpose" not in words
    )


def _convolution(shapes: Shapes, words: str) -> Guess | None:
    kernel, bias = shapes.get("kernel", ()), shapes.get("bias")
    if len(kernel) not in (3, 4, 5) or set(shapes) - {"kernel", "bias"}:
        return None
    if bias is not None and len(bias) > 1:
        return _einsum(kernel, bias, shapes)
    config: Arguments = {"filters": kernel[-1], "kernel_size": kernel[:-2]}
    config["use_bias"] = bias is not None
    why = (f"{_listed(shapes)}: {_sizes(kernel[:-2])}, {kernel[-2]} -> {kernel[-1]}",)
    rank = len(kernel) - 2
    if "transpose" in words and bias in (None, kernel[-2:-1]):
        swapped = {**config, "filters": kernel[-2]}
        return Guess(
            f"Conv{rank}DTranspose", swapped, (*why, "the scope says transpose")
        )
    if bias is not None and bias != kernel[-1:]:
        if bias != kernel[-2:-1]:
            return None
        why = (
            f"{_listed(shapes)}: the bias is as long as the kernel's last but one size",
        )
        return Guess(f"Conv{rank}DTranspose", {**config, "filters": kernel[-2]}, why)
    return Guess(f"Conv{rank}D", config, why)


def _einsum(
    kernel: tuple[int, ...], bias: tuple[int, ...], shapes: Shapes
) -> Guess | None:
    if kernel[-len(bias) :] != bias:
        return None
    return Guess("EinsumDense", {"output_shape": bias}, (_listed(shapes),))


def _embedding(shapes: Shapes, words: str) -> Guess | None:
    table = shapes.get("embeddings")
    if table is None and "emb" in words and set(shapes) == {"kernel"}:
        table = shapes["kernel"]
    if table is None or len(table) != 2 or len(shapes) > 1:
        return None
    config = {"input_dim": table[0], "output_dim": table[1]}
    return Guess("Embedding", config, (f"{_listed(shapes)}: {table[0]} rows",))


def _dense(shapes: Shapes, words: str) -> Guess | None:
    kernel, bias = shapes.get("kernel", ()), shapes.get("bias")
    if len(kernel) != 2 or set(shapes) - {"kernel", "bias"}:
        return None
    if bias is not None and bias == kernel[:1] != kernel[1:]:
        swapped = f"{_listed(shapes)}: {kernel[1]} -> {kernel[0]}, stored transposed"
        return Guess("Dense", {"units": kernel[0], "use_bias": True}, (swapped,))
    if bias is not None and bias != kernel[1:]:
        return None
    config = {"units": kernel[1], "use_bias": bias is not None}
    return Guess("Dense", config, (f"{_listed(shapes)}: {kernel[0]} -> {kernel[1]}",))


def _prelu(shapes: Shapes, words: str) -> Guess | None:
    if set(shapes) != {"alpha"}:
        return None
    return Guess("PReLU", {}, (_listed(shapes),))


_RULES: tuple[Callable[[Shapes, str], Guess | None], ...] = (
    _normalization,
    _bidirectional,
    _recurrent,
    _plain_cell,
    _cell,
    _depthwise,
    _convolution,
    _embedding,
    _dense,
    _prelu,
)
