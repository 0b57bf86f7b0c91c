"""Kim's convolutions over words (arXiv 1408.5882). Source: dennybritz/cnn-text-classification-tf, text_cnn.py."""

from __future__ import annotations

from ... import family
from ...notation.sequences import SequenceNet
from ...notation.unknowns import Size, number, one_of, size

_SIZES = ((3, 4, 5), (2, 3, 4), (3, 4), (2, 3, 4, 5), (3, 4, 5, 6), (1, 2, 3, 5))


@family(
    "TextCNN",
    "conv-maxpool-3/W",
    "conv-maxpool-4/W",
    "embedding/W",
    roles={"embeddings": "W", "kernel": "W", "bias": "b"},
    variant=lambda sizes, vocabulary, width, filters, classes: f"{filters} filters of {', '.join(map(str, sizes))} words, "
    f"{vocabulary} words of {width}, {classes} classes",
)
def text_cnn(
    net: SequenceNet,
    sizes: tuple[int, ...] = one_of(*_SIZES),
    vocabulary: Size = size(),
    width: Size = size(),
    filters: Size = size(),
    classes: Size = size(),
) -> None:
    x = net.embedding(net.tokens(), "embedding", vocabulary, width)
    parts = [
        net.largest(net.phrases(x, f"conv-maxpool-{words}", words, filters))
        for words in sizes
    ]
    joint = net.concatenate(*parts)
    kernel = net.weight(net.path("", "W", ""), (joint.channels, classes))
    bias = net.weight(net.path("", "output/b", ""), (classes,))
    weights = {"kernel": kernel, "bias": bias}
    net.layer("Dense", "scores", (joint,), {"units": number(classes)}, weights, classes)
