"""BiLSTM with a CRF for tags. Source: guillaumegenthial/sequence_tagging, model/ner_model.py."""

from __future__ import annotations

from ... import family
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size, one_of, size

_SCOPE = "bi-lstm/bidirectional_rnn"


@family(
    "BiLSTM-CRF",
    "bi-lstm/bidirectional_rnn/fw/lstm_cell/kernel",
    "bi-lstm/bidirectional_rnn/fw/basic_lstm_cell/kernel",
    "proj/W",
    roles={"embeddings": ""},
    variant=lambda cell, vocabulary, width, units, tags: f"{vocabulary} words of {width}, LSTM of {units}, {tags} tags",
)
def bilstm_crf(
    net: SequenceNet,
    cell: str = one_of("lstm_cell", "basic_lstm_cell"),
    vocabulary: Size = size(),
    width: Size = size(),
    units: Size = size(),
    tags: Size = size("transitions", "crf/transitions"),
) -> None:
    """Scores of each tag for each word; where the model was trained with a CRF, the scores of one tag after another too."""
    x = net.embedding(net.tokens(), "words/_word_embeddings", vocabulary, width)
    names = (f"{_SCOPE}/fw/{cell}", f"{_SCOPE}/bw/{cell}")
    x = net.bidirectional_lstm(x, names, units)
    kernel = net.weight(net.path("", "proj/W", ""), (x.channels, tags))
    bias = net.weight(net.path("", "proj/b", ""), (tags,))
    weights = {"kernel": kernel, "bias": bias}
    config = {"units": kernel.shape[-1]}
    net.layer("Dense", "scores", (x,), config, weights, tags)
    scope = "crf/" if net.stored_size("crf/transitions", 0) else ""
    if tags is not None:
        net.loose(f"{scope}transitions", (tags, tags))
