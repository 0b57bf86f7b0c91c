"""Classes and arguments of Keras 1 -> Keras 2's: ``nb_filter``, ``border_mode``, ``W_regularizer`` and the like."""

from __future__ import annotations

from ....graph.named_values import Config

_ARGUMENTS = {
    "W_constraint": "kernel_constraint",
    "W_regularizer": "kernel_regularizer",
    "U_regularizer": "recurrent_regularizer",
    "atrous_rate": "dilation_rate",
    "b_constraint": "bias_constraint",
    "b_regularizer": "bias_regularizer",
    "beta_init": "beta_initializer",
    "bias": "use_bias",
    "border_mode": "padding",
    "dim_ordering": "data_format",
    "dropout_U": "recurrent_dropout",
    "dropout_W": "dropout",
    "filter_length": "kernel_size",
    "gamma_init": "gamma_initializer",
    "init": "kernel_initializer",
    "inner_activation": "recurrent_activation",
    "inner_init": "recurrent_initializer",
    "length": "size",
    "nb_filter": "filters",
    "p": "rate",
    "pool_length": "pool_size",
    "sigma": "stddev",
    "stride": "strides",
    "subsample": "strides",
    "subsample_length": "strides",
}
_UNITS = frozenset(
    "Dense GRU Highway LSTM MaxoutDense SimpleRNN TimeDistributedDense".split()
)
_CLASSES = {
    "AtrousConvolution1D": "Conv1D",
    "AtrousConvolution2D": "Conv2D",
    "TimeDistributedDense": "Dense",
}
_MERGES = {
    "ave": "Average",
    "max": "Maximum",
    "mul": "Multiply",
    "sum": "Add",
}
_FORMATS = {"tf": "channels_last", "th": "channels_first"}


def in_keras_2(class_name: str, config: Config) -> tuple[str, dict[str, object]]:
    """Class and config of Keras 1 in Keras 2's words.

    >>> in_keras_2("Convolution2D", {"nb_filter": 8, "nb_row": 3, "nb_col": 3, "border_mode": "same"})
    ('Convolution2D', {'filters': 8, 'padding': 'same', 'kernel_size': [3, 3]})
    """
    renamed = {_argument(class_name, key): value for key, value in config.items()}
    sizes = [
        renamed.pop(k)
        for k in ("kernel_dim1", "nb_row", "nb_col", "kernel_dim2", "kernel_dim3")
        if k in renamed
    ]
    if sizes:
        renamed["kernel_size"] = sizes
    if renamed.get("data_format") in _FORMATS:
        renamed["data_format"] = _FORMATS[renamed["data_format"]]
    if "forget_bias_init" in renamed:
        renamed["unit_forget_bias"] = renamed.pop("forget_bias_init") in ("one", "ones")
    if class_name == "Embedding":
        renamed["embeddings_initializer"] = renamed.pop("kernel_initializer", "uniform")
    if class_name == "Merge":
        return _merge(config)
    if class_name == "UpSampling1D" and "size" not in renamed and "length" in config:
        renamed["size"] = config["length"]
    return _CLASSES.get(class_name, class_name), renamed


def _merge(config: Config) -> tuple[str, dict[str, object]]:
    """The class of what a Merge does, by its mode."""
    mode, name = str(config.get("mode", "sum")), {"name": config.get("name")}
    if mode == "concat":
        return "Concatenate", {**name, "axis": config.get("concat_axis", -1)}
    if mode in ("dot", "cos"):
        axes = config.get("dot_axes", -1)
        if isinstance(axes, list):
            axes = [
                each[0] if isinstance(each, list) and each else each for each in axes
            ]
        return "Dot", {**name, "axes": axes, "normalize": mode == "cos"}
    return _MERGES.get(mode, "Merge"), name


def _argument(class_name: str, key: str) -> str:
    if key == "output_dim" and class_name in _UNITS:
        return "units"
    if key == "p" and class_name == "SpatialDropout2D":
        return "rate"
    return _ARGUMENTS.get(key, key)
