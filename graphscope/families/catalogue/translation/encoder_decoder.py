"""What Transformers of two texts share: attention without biases, what keeps it off the padding, shared tables."""

from __future__ import annotations

from ....graph import WeightUse
from ...notation.net import Handle
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size


def padding_bias(net: SequenceNet, tokens: Handle) -> Handle:
    """What keeps attention off token 0: (batch, 1, 1, places)."""
    return net.layer("PaddingBias", "padding", (tokens,), {}, {}, None)


def without_padding(net: SequenceNet, x: Handle, tokens: Handle) -> Handle:
    """Zeros where the token is 0."""
    return net.layer("ClearPadding", "cleared", (x, tokens), {}, {}, x.channels)


def looked_up(net: SequenceNet, tokens: Handle, table: WeightUse) -> Handle:
    """An Embedding by a table that other layers share."""
    rows, width = table.shape
    config = {"input_dim": rows, "output_dim": width}
    weights = {"embeddings": table}
    return net.layer("Embedding", "embedding", (tokens,), config, weights, width)


def attended(
    net: SequenceNet,
    ends: tuple[Handle, Handle],
    names: tuple[str, str, str, str],
    width: int,
    heads: int,
    bias: Handle | None,
    unscaled: bool = False,
) -> Handle:
    """Attention of the first of ``ends`` to the second; ``names`` of the kernels of query, key, value and output.

    ``bias`` is added to the scores; None: each place sees what came before it.
    """
    inner = net.stored_size("/".join((*net.scopes, names[0])), -1) or width
    net.need(inner % heads == 0, f"{heads} heads do not divide {inner}")
    size = max(1, inner // heads)
    weights = {}
    for role, name in zip(("query", "key", "value"), names):
        kernel = net.weight(net.path("", name, ""), (width, inner))
        shape = (width, heads, size)
        use = WeightUse(kernel.node, shape, (("reshape", shape),))
        weights[f"{role}_dense/kernel"] = use
    kernel = net.weight(net.path("", names[3], ""), (inner, width))
    shape = (heads, size, width)
    use = WeightUse(kernel.node, shape, (("reshape", shape),))
    weights["output_dense/kernel"] = use
    config = {"num_heads": heads, "key_dim": size, "use_bias": False}
    if bias is None:
        config["use_causal_mask"] = True
    else:
        config["additive_mask"] = True
    if unscaled:
        config["unscaled"] = True
    inputs = ends if bias is None else (*ends, bias)
    arguments = ("query", "value", "attention_mask")[: len(inputs)]
    op = "MultiHeadAttention"
    return net.layer(op, "attention", inputs, config, weights, width, arguments)


def scores(net: SequenceNet, x: Handle, table: WeightUse) -> Handle:
    """The score of each word by the table that it is looked up in."""
    size: Size = table.shape[0]
    config = {"units": size, "use_bias": False}
    weights = {"kernel": net.transposed(table)}
    return net.layer("Dense", "logits", (x,), config, weights, size)
