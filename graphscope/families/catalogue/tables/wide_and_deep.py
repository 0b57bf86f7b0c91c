"""Wide & deep (arXiv 1606.07792) and its halves, as canned estimators save them.

Source: tensorflow/estimator, canned/dnn_linear_combined.py, dnn.py and linear.py, with the layers of tensorflow/feature_column.
"""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, count, names, number, size

_COLUMNS = "dnn/input_from_feature_columns/input_layer"
_WIDE = "linear/linear_model"
_BIAS = "bias_weights"


def _embedded(net: Net, columns: tuple[str, ...]) -> Handle:
    """What columns of words are looked up to, side by side; nothing says where other columns come between them."""
    ends = []
    for column in columns:
        path = net.path("", f"{_COLUMNS}/{column}/embedding_weights", "")
        table = net.weight(path, (None, None))
        rows, width = (*table.shape, 0, 0)[:2]
        config = {"units": width, "use_bias": False}
        x = net.input(rows, rank=2)
        ends.append(net.layer("Dense", column, (x,), config, {"kernel": table}, width))
    return net.concatenate(*ends) if len(ends) > 1 else ends[0]


def _deep(net: Net, columns: tuple[str, ...], layers: int, classes: Size) -> Handle:
    here = net.stored_size("dnn/hiddenlayer_0/kernel", 0)
    x = _embedded(net, columns) if columns else net.input(here, rank=2)
    net.need(
        number(x.channels) == here,
        f"dnn/hiddenlayer_0 takes {here} numbers, its embeddings give {number(x.channels)}: "
        "the order of the columns between them is not in the file",
    )
    for place in range(layers):
        x = net.dense(x, f"dnn/hiddenlayer_{place}", None, activation="relu")
    return net.dense(x, "dnn/logits", classes)


def _wide(net: Net, columns: list[str], classes: Size) -> list[Handle]:
    """Of each column a weight a value, summed; the last one has the bias of all."""
    ends = []
    for column in columns:
        path = net.path("", f"{_WIDE}/{column}/weights", "")
        kernel = net.weight(path, (None, classes))
        weights = {"kernel": kernel}
        if column == columns[-1]:
            bias = net.path("", f"{_WIDE}/{_BIAS}", "")
            weights["bias"] = net.weight(bias, (classes,))
        config = {"units": kernel.shape[-1], "use_bias": "bias" in weights}
        x = net.input(kernel.shape[0], rank=2)
        ends.append(net.layer("Dense", column, (x,), config, weights, classes))
    return ends


@family(
    "Wide & deep (canned estimator)",
    "dnn/hiddenlayer_0/kernel",
    f"{_WIDE}/{_BIAS}",
    "dnn/logits/kernel",
    variant=lambda layers, embedded, wide, classes: ", ".join(
        filter(
            None,
            [
                f"{layers} hidden layers" if layers else "wide alone",
                f"{len(wide) - 1} columns beside" if wide else "deep alone",
                f"{classes} output{'s' * (classes != 1)}",
            ],
        )
    ),
)
def wide_and_deep(
    net: Net,
    layers: int = count("dnn/hiddenlayer_{}", start=0),
    embedded: tuple[str, ...] = names(_COLUMNS),
    wide: tuple[str, ...] = names(_WIDE),
    classes: Size = size(),
) -> None:
    """Scores of each class."""
    net.note(
        "a column of words is fed as how often each word is there, "
        "divided by how many there are where it is embedded"
    )
    ends = [_deep(net, embedded, layers, classes)] if layers else []
    ends += _wide(net, [name for name in wide if name != _BIAS], classes)
    if len(ends) > 1:
        net.add(*ends)
