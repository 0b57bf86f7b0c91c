"""word2vec's skip-gram. Source: tensorflow/models' tutorials/embedding, word2vec.py and word2vec_optimized.py."""

from __future__ import annotations

from ... import family
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size, number, size


@family(
    "word2vec",
    "sm_w_t",
    "w_in",
    roles={"embeddings": ""},
    variant=lambda vocabulary, width, optimized: f"{vocabulary} words of {width}",
)
def word2vec(
    net: SequenceNet,
    vocabulary: Size = size(),
    width: Size = size(),
    optimized: Size = size("w_in"),
) -> None:
    """Of a word the scores of each word beside it."""
    table = "emb" if optimized is None else "w_in"
    x = net.embedding(net.tokens(), table, vocabulary, width)
    if optimized is not None:
        out = net.weight(net.path("", "w_out", ""), (vocabulary, width))
        weights = {"kernel": net.transposed(out)}
    else:
        out = net.weight(net.path("", "sm_w_t", ""), (vocabulary, width))
        bias = net.weight(net.path("", "sm_b", ""), (vocabulary,))
        weights = {"kernel": net.transposed(out), "bias": bias}
    config = {"units": number(vocabulary), "use_bias": optimized is None}
    net.layer("Dense", "beside", (x,), config, weights, vocabulary)
