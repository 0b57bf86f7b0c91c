"""ELECTRA (arXiv 2003.10555). Sources: google-research/electra, model/modeling.py and run_pretraining.py."""

from __future__ import annotations

from ....graph import WeightUse
from ... import family
from ...notation.net import Handle
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size, Width, count, free, has, number, size
from .encoder import EPSILON, embedded, encoded


def _tower(
    net: SequenceNet,
    scope: str,
    x: Handle,
    layers: int,
    hidden: Size,
    heads: int | None,
) -> Handle:
    """The encoder below a scope; a Dense before it where embeddings have another width."""
    with net[scope]:
        if net.stored_size(f"{scope}/embeddings_project/kernel", 0) is not None:
            x = net.dense(x, "embeddings_project", hidden)
        width = number(hidden) or number(x.channels) or 64
        return encoded(net, x, layers, width, Width("inner"), heads)


def _words(net: SequenceNet, x: Handle, table: WeightUse, narrow: Size) -> None:
    """Scores of each word for each place: by the table of the embeddings itself."""
    with net["generator_predictions"]:
        x = net.gelu(net.dense(x, "dense", narrow))
        x = net.layer_norm(x, "LayerNorm", EPSILON)
        bias = net.weight(net.path("", "output_bias", ""), (table.shape[0],))
    config = {"units": table.shape[0]}
    weights = {"kernel": net.transposed(table), "bias": bias}
    net.layer("Dense", "words", (x,), config, weights, table.shape[0])


@family(
    "ELECTRA",
    "electra/encoder/layer_0/attention/self/query/kernel",
    "electra/embeddings/word_embeddings",
    "discriminator_predictions/dense/kernel",
    roles={"embeddings": ""},
    variant=lambda layers, hidden, narrow, heads, **_: f"{layers} layers of {hidden or narrow}, "
    f"{heads or max(1, (hidden or narrow) // 64)} heads",
)
def electra(
    net: SequenceNet,
    layers: int = count("electra/encoder/layer_{}", start=0),
    drawing: int = count("generator/encoder/layer_{}", start=0),
    vocabulary: Size = size(),
    narrow: Size = size(),
    hidden: Size = size("electra/embeddings_project/kernel"),
    places: Size = size(),
    types: Size = size(),
    heads: int | None = free(None),
    drawing_heads: int | None = free(None),
    judges: bool = has("discriminator_predictions/dense/kernel"),
) -> None:
    """Whether each word was replaced (a score), and of the generator scores of each word; embeddings are shared."""
    inputs = (net.tokens(), net.tokens())
    rows = (vocabulary, types)
    shared = embedded(net, inputs, rows, places, narrow, "electra/embeddings")
    x = _tower(net, "electra", shared, layers, hidden, heads)
    if judges:
        with net["discriminator_predictions"]:
            x = net.gelu(net.dense(x, "dense", x.channels))
            net.dense(x, "dense_1", 1)
    if drawing:
        first = net.trace["electra/embeddings/word_embeddings"]
        width: Size = Width("drawn")
        y = _tower(net, "generator", shared, drawing, width, drawing_heads)
        _words(net, y, first.weights["embeddings"], narrow)
