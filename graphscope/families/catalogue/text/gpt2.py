"""GPT-2. Source: openai/gpt-2's src/model.py."""

from __future__ import annotations

from ... import family
from ...notation.net import Handle
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size, count, free, number, size

_EPSILON = 1e-5


@family(
    "GPT-2",
    "wte",
    "h0/attn/c_attn/w",
    "ln_f/g",
    roles={"kernel": "w", "bias": "b", "gamma": "g", "beta": "b", "embeddings": ""},
    variant=lambda layers, width, heads, **_: f"{layers} layers of {width}, {heads or width // 64} heads",
)
def gpt2(
    net: SequenceNet,
    layers: int = count("h{}", start=0),
    width: Size = size(),
    vocabulary: Size = size(),
    places: Size = size(),
    heads: int | None = free(None),
) -> None:
    x = net.embedding(net.tokens(), "wte", vocabulary, width)
    table = net.trace[x.layer].weights["embeddings"]
    x = net.positions(x, "wpe", places)
    hidden = number(width) or 64
    count_ = heads or max(1, hidden // 64)
    net.need(hidden % count_ == 0, f"{count_} heads do not divide {hidden}")
    for place in range(layers):
        with net[f"h{place}"]:
            x = _block(net, x, hidden, count_)
    x = net.layer_norm(x, "ln_f", _EPSILON)
    config = {"units": number(vocabulary), "use_bias": False}
    weights = {"kernel": net.transposed(table)}  # tied to the tokens' own table
    net.layer("Dense", "logits", (x,), config, weights, vocabulary)


def _block(net: SequenceNet, x: Handle, width: int, heads: int) -> Handle:
    before = net.layer_norm(x, "ln_1", _EPSILON)
    joint = net.flat_rows(
        net.weight(net.path("", "attn/c_attn", "kernel"), (1, width, 3 * width))
    )
    biases = net.weight(net.path("", "attn/c_attn", "bias"), (3 * width,))
    weights = {}
    for begin, role in enumerate(("query", "key", "value")):
        weights[f"{role}_dense/kernel"] = net.heads(joint, heads, begin)
        weights[f"{role}_dense/bias"] = net.head_bias(biases, heads, width, begin)
    kernel = net.weight(net.path("", "attn/c_proj", "kernel"), (1, width, width))
    weights["output_dense/kernel"] = net.from_heads(net.flat_rows(kernel), heads)
    weights["output_dense/bias"] = net.weight(
        net.path("", "attn/c_proj", "bias"), (width,)
    )
    x = net.add(x, net.attention(before, weights, heads, causal=True))
    y = net.layer_norm(x, "ln_2", _EPSILON)
    y = net.gelu(net.dense(y, "mlp/c_fc", 4 * width, stored="of one place"))
    return net.add(x, net.dense(y, "mlp/c_proj", width, stored="of one place"))
