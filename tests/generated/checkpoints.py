"""Random checkpoints without a graph, by every writer: the layers that made them, and how far graphscope comes back.

``python -m tests.generated.checkpoints FIRST LAST`` prints a line a checkpoint and the shares at the end.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tf_keras

from graphscope import analyse
from graphscope.errors import GraphscopeError
from graphscope.verify.run.keras_source import run_source
from tests.architectures.legacy import layers as tf_layers
from tests.architectures.legacy import slim, tensorflow_1

v1 = tf.compat.v1
Row = tuple[str, tuple[tuple[int, ...], ...]]  # class, its weights' sorted shapes
WEIGHTS = ("weight", "batch statistics")


@dataclass(frozen=True)
class Saved:
    """A file and the truth of it: its layers with weights in the order of their making, and the numbers they hold."""

    path: Path | str
    rows: tuple[Row, ...]
    numbers: int


@dataclass(frozen=True)
class Score:
    """What came back of one checkpoint."""

    layers: bool
    order: bool
    count: bool
    loads: bool
    remark: str = ""


# -- random nets --------------------------------------------------------------------------------------------------------


def _image(k: Any, rng: random.Random) -> list[Any]:
    layers: list[Any] = []
    for _ in range(rng.randint(1, 4)):
        width = rng.choice([3, 5, 8, 12])
        kind = rng.choice(["conv", "conv", "separable", "depthwise", "transpose"])
        size, bias = rng.choice([1, 3, 5]), rng.random() < 0.7
        if kind == "conv":
            layers.append(k.layers.Conv2D(width, size, padding="same", use_bias=bias))
        elif kind == "separable":
            layers.append(
                k.layers.SeparableConv2D(width, size, padding="same", use_bias=bias)
            )
        elif kind == "depthwise":
            layers.append(k.layers.DepthwiseConv2D(size, padding="same", use_bias=bias))
        else:
            layers.append(
                k.layers.Conv2DTranspose(width, size, padding="same", use_bias=bias)
            )
        if rng.random() < 0.5:
            layers.append(k.layers.BatchNormalization(scale=rng.random() < 0.7))
        layers.append(k.layers.ReLU())
    layers.append(k.layers.GlobalAveragePooling2D())
    return [*layers, *_head(k, rng)]


def _sequence(k: Any, rng: random.Random) -> list[Any]:
    layers: list[Any] = []
    for _ in range(rng.randint(1, 3)):
        kind = rng.choice(["LSTM", "GRU", "SimpleRNN", "bidirectional", "conv"])
        units = rng.choice([3, 4, 6])
        if kind == "conv":
            layers.append(k.layers.Conv1D(units, 3, padding="same"))
        elif kind == "bidirectional":
            cell = getattr(k.layers, rng.choice(["LSTM", "GRU"]))
            layers.append(k.layers.Bidirectional(cell(units, return_sequences=True)))
        else:
            layers.append(getattr(k.layers, kind)(units, return_sequences=True))
        if rng.random() < 0.4:
            layers.append(k.layers.LayerNormalization())
    layers.append(k.layers.GlobalAveragePooling1D())
    return [*layers, *_head(k, rng)]


def _words(k: Any, rng: random.Random) -> list[Any]:
    width = rng.choice([4, 6, 8])
    return [
        k.layers.Embedding(rng.randint(11, 40), width),
        *_sequence(k, rng),
    ]


def _table(k: Any, rng: random.Random) -> list[Any]:
    layers: list[Any] = []
    for _ in range(rng.randint(1, 4)):
        layers.append(
            k.layers.Dense(rng.choice([3, 7, 16]), use_bias=rng.random() < 0.8)
        )
        layers += [k.layers.BatchNormalization()] if rng.random() < 0.4 else []
        layers += [k.layers.PReLU()] if rng.random() < 0.2 else []
        layers += [k.layers.Dropout(0.3)] if rng.random() < 0.3 else []
    return [*layers, *_head(k, rng)]


def _head(k: Any, rng: random.Random) -> list[Any]:
    hidden = [k.layers.Dense(9, activation="relu")] if rng.random() < 0.5 else []
    return [*hidden, k.layers.Dense(rng.choice([1, 2, 10]))]


NETS: dict[str, tuple[Callable[[Any, random.Random], list[Any]], tuple[int, ...]]] = {
    "image": (_image, (12, 12, 3)),
    "sequence": (_sequence, (7, 5)),
    "words": (_words, (7,)),
    "table": (_table, (6,)),
}


def row(layer: Any) -> Row:
    shapes = tuple(sorted(tuple(w.shape) for w in layer.weights if _is_float(w)))
    return type(layer).__name__, shapes


def _is_float(weight: Any) -> bool:
    return "float" in str(weight.dtype)


def _randomise(model: Any, rng: random.Random) -> None:
    numbers = np.random.default_rng(rng.randrange(1 << 30))
    for weight in model.weights:
        if _is_float(weight):
            weight.assign(numbers.normal(0, 1, tuple(weight.shape)).astype("float32"))


def _keras_net(k: Any, rng: random.Random) -> tuple[Any, list[Any]]:
    k.utils.set_random_seed(rng.randrange(1 << 20))
    if rng.random() < 0.5:
        k.backend.clear_session()
    kind = rng.choice(list(NETS))
    build, shape = NETS[kind]
    layers = build(k, rng)
    inputs = k.Input(shape, dtype="int32" if kind == "words" else "float32")
    style = rng.choice(["sequential", "functional", "residual", "subclass"])
    if style == "sequential":
        model = k.Sequential(
            [
                (
                    inputs
                    if k is keras
                    else k.layers.InputLayer(
                        input_shape=shape,
                        dtype="int32" if kind == "words" else "float32",
                    )
                ),
                *layers,
            ]
        )
    elif style == "subclass":
        model = _subclass(k, layers, rng)
        model(np.zeros((2, *shape), "int32" if kind == "words" else "float32"))
    else:
        x = inputs
        for layer in layers:
            y = layer(x)
            same = style == "residual" and tuple(x.shape) == tuple(y.shape)
            x = k.layers.Add()([x, y]) if same and kind != "words" else y
        model = k.Model(inputs, x)
    _randomise(model, rng)
    return model, [layer for layer in layers if layer.weights]


def _subclass(k: Any, parts: list[Any], rng: random.Random) -> Any:
    as_list = rng.random() < 0.4

    class Net(k.Model):
        def __init__(self) -> None:
            super().__init__()
            if as_list:
                self.parts = list(parts)
            else:
                for place, part in enumerate(parts):
                    setattr(self, f"part_{place}", part)

        def call(self, x: Any) -> Any:
            for part in parts:
                x = part(x)
            return x

    return Net()


def _saved(model: Any, layers: list[Any], path: Path | str) -> Saved:
    rows = tuple(row(layer) for layer in layers)
    count = sum(
        int(np.prod(w.shape)) for la in layers for w in la.weights if _is_float(w)
    )
    return Saved(path, rows, count)


# -- writers ------------------------------------------------------------------------------------------------------------


def keras_3_weights(rng: random.Random, folder: Path) -> Saved:
    model, layers = _keras_net(keras, rng)
    path = folder / "m.weights.h5"
    _trained(keras, model, rng)
    model.save_weights(path)
    return _saved(model, layers, path)


def keras_2_hdf5(rng: random.Random, folder: Path) -> Saved:
    model, layers = _keras_net(tf_keras, rng)
    _trained(tf_keras, model, rng)
    path = folder / "weights.h5"
    model.save_weights(str(path))
    return _saved(model, layers, path)


def keras_2_v3_weights(rng: random.Random, folder: Path) -> Saved:
    model, layers = _keras_net(tf_keras, rng)
    path = folder / "m.weights.h5"
    model.save_weights(str(path))
    return _saved(model, layers, path)


def keras_2_checkpoint(rng: random.Random, folder: Path) -> Saved:
    model, layers = _keras_net(tf_keras, rng)
    _trained(tf_keras, model, rng)
    path = folder / "cp.ckpt"
    model.save_weights(str(path), save_format="tf")
    return _saved(model, layers, path)


def _trained(k: Any, model: Any, rng: random.Random) -> Any:
    """An optimizer with slots for what the model trains, compiled in or beside it."""
    make = rng.choice(["Adam", "SGD", "RMSprop", "Adagrad", "AdamW", None])
    if make is None:
        return None
    options = {"momentum": 0.9} if make == "SGD" else {}
    if rng.random() < 0.3:
        options["use_ema"] = True
    optimizer = getattr(k.optimizers, make)(**options)
    model.compile(optimizer, "mse")
    optimizer.build(model.trainable_variables)
    return optimizer


def object_checkpoint(rng: random.Random, folder: Path) -> Saved:
    k = rng.choice([keras, tf_keras])
    model, layers = _keras_net(k, rng)
    optimizer = _trained(k, model, rng)
    names = rng.choice([("model", "optimizer"), ("net", "opt"), ("generator", "adam")])
    objects = {names[0]: model}
    if optimizer is not None:
        objects[names[1]] = optimizer
    if rng.random() < 0.5:
        objects["step"] = tf.Variable(7, dtype=tf.int64)
    checkpoint = tf.train.Checkpoint(**objects)
    save = checkpoint.save if rng.random() < 0.5 else checkpoint.write
    return _saved(model, layers, save(str(folder / "ckpt")))


def module_checkpoint(rng: random.Random, folder: Path) -> Saved:
    """A tf.Module of own layers, in lists or as attributes."""
    rows: list[Row] = []
    names = rng.choice(
        [("w", "b"), ("kernel", "bias"), ("weights", "biases"), ("W", "b")]
    )

    class Linear(tf.Module):
        def __init__(self, a: int, b: int) -> None:
            super().__init__()
            setattr(self, f"{names[0]}", tf.Variable(_normal((a, b))))
            setattr(self, f"{names[1]}", tf.Variable(_normal((b,))))
            rows.append(("Dense", tuple(sorted([(a, b), (b,)]))))

    class Conv(tf.Module):
        def __init__(self, a: int, b: int) -> None:
            super().__init__()
            setattr(self, f"{names[0]}", tf.Variable(_normal((3, 3, a, b))))
            setattr(self, f"{names[1]}", tf.Variable(_normal((b,))))
            rows.append(("Conv2D", tuple(sorted([(3, 3, a, b), (b,)]))))

    class Net(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            width, parts = 3, []
            for _ in range(rng.randint(0, 3)):
                out = rng.choice([4, 8])
                parts.append(Conv(width, out))
                width = out
            for _ in range(rng.randint(1, 3)):
                out = rng.choice([5, 7])
                parts.append(Linear(width, out))
                width = out
            if rng.random() < 0.5:
                self.layers = parts
            else:
                for place, part in enumerate(parts):
                    setattr(self, f"layer{place}", part)

    path = tf.train.Checkpoint(model=Net()).save(str(folder / "ck"))
    return Saved(path, tuple(rows), _numbers(rows))


def _numbers(rows: Sequence[Row]) -> int:
    return sum(int(np.prod(shape)) for _, shapes in rows for shape in shapes)


def _normal(shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(sum(shape)).normal(0, 1, shape).astype("float32")


RAW: tuple[Callable[[str, int], tuple[str, str]], ...] = (
    lambda kind, n: (f"w{n}", f"b{n}"),
    lambda kind, n: (f"W_{kind}{n}", f"b_{kind}{n}"),
    lambda kind, n: (f"{kind}{n}/weights", f"{kind}{n}/biases"),
    lambda kind, n: (f"layer{n}/w", f"layer{n}/b"),
    lambda kind, n: (f"{kind}{n}_w", f"{kind}{n}_b"),
    lambda kind, n: (f"weights/w{kind[0]}{n}", f"biases/b{kind[0]}{n}"),
    lambda kind, n: (f"{kind}{n}/W", f"{kind}{n}/b"),
    lambda kind, n: (f"net/{kind}_{n}/kernel", f"net/{kind}_{n}/bias"),
    lambda kind, n: (f"h{n}_lin/Matrix", f"h{n}_lin/bias"),
    lambda kind, n: (f"model/{kind}{n}/weight", f"model/{kind}{n}/bias"),
    lambda kind, n: (f"Variable_{2 * n}", f"Variable_{2 * n + 1}"),
)


def raw_variables(rng: random.Random, folder: Path) -> Saved:
    """Variables by hand, in the spellings of tutorials and repositories."""
    style = rng.choice(RAW)
    rows: list[Row] = []
    with tensorflow_1(), v1.Session() as session:
        width, n = rng.choice([1, 3]), 0
        for kind in ["conv"] * rng.randint(0, 3) + ["fc"] * rng.randint(1, 3):
            n, out = n + 1, rng.choice([6, 10, 16])
            shape = (5, 5, width, out) if kind == "conv" else (width, out)
            names = style(kind, n)
            v1.get_variable(names[0], initializer=_normal(shape))
            v1.get_variable(names[1], initializer=_normal((out,)))
            rows.append(
                (
                    "Conv2D" if kind == "conv" else "Dense",
                    tuple(sorted([shape, (out,)])),
                )
            )
            width = out
        _with_slots(rng)
        return _v1_saved(session, folder, rows, rng)


def _with_slots(rng: random.Random) -> None:
    """An optimizer's slots and, sometimes, averages of what it trains."""
    weights = v1.trainable_variables()
    if not weights:
        return
    loss = tf.add_n([tf.reduce_sum(w * w) for w in weights])
    make = rng.choice(["Adam", "Momentum", "RMSProp", "Adagrad", "Ftrl", ""])
    if make:
        extra = (0.9,) if make == "Momentum" else ()
        step = v1.train.get_or_create_global_step()
        with v1.name_scope(rng.choice(["", "training", "optim"]) or None):
            getattr(v1.train, f"{make}Optimizer")(0.01, *extra).minimize(loss, step)
    if rng.random() < 0.3:
        tf.train.ExponentialMovingAverage(0.99).apply(weights)


def _v1_saved(
    session: Any, folder: Path, rows: Sequence[Row], rng: random.Random
) -> Saved:
    session.run(v1.global_variables_initializer())
    numbers = np.random.default_rng(rng.randrange(1 << 30))
    for variable in v1.trainable_variables():
        session.run(variable.assign(numbers.normal(0, 1, variable.shape.as_list())))
    version = rng.choice([1, 2, 2, 2])
    saver = v1.train.Saver(write_version=version)
    path = saver.save(
        session, str(folder / "model.ckpt"), global_step=3, write_meta_graph=False
    )
    return Saved(path, tuple(rows), _numbers(rows))


def _v1_net(rng: random.Random, conv: Any, dense: Any, norm: Any) -> None:
    x = v1.placeholder(tf.float32, [None, 12, 12, 3])
    for _ in range(rng.randint(1, 4)):
        x = conv(x, rng.choice([4, 8]), rng.choice([1, 3]))
        x = norm(x) if rng.random() < 0.4 else x
    x = tf.reduce_mean(x, [1, 2])
    for _ in range(rng.randint(1, 3)):
        x = dense(x, rng.choice([5, 10]))


def _rows_by_scope() -> list[Row]:
    """Classes by what ``tf.layers`` and slim name a variable; a scope is a layer."""
    scopes: dict[str, list[Any]] = {}
    for variable in v1.global_variables():
        scope, _, name = variable.op.name.rpartition("/")
        scopes.setdefault(scope, []).append((name, tuple(variable.shape.as_list())))
    rows = []
    for parts in scopes.values():
        names, shapes = {n for n, _ in parts}, tuple(sorted(s for _, s in parts))
        ranks = {len(s) for s in shapes}
        if "moving_mean" in names:
            op = "BatchNormalization"
        elif "depthwise_weights" in names:
            op = (
                "SeparableConv2D" if "pointwise_weights" in names else "DepthwiseConv2D"
            )
        else:
            op = "Conv2D" if 4 in ranks else "Dense"
        rows.append((op, shapes))
    return rows


def tf_layers_checkpoint(rng: random.Random, folder: Path) -> Saved:
    with tensorflow_1(), v1.Session() as session:
        scope = rng.choice(["net", "model/encoder", "tower"])
        with v1.variable_scope(scope):
            _v1_net(
                rng,
                lambda x, f, k: tf_layers.conv2d(x, f, k, padding="same"),
                tf_layers.dense,
                lambda x: tf_layers.batch_normalization(x, training=False),
            )
        rows = _rows_by_scope()
        _with_slots(rng)
        return _v1_saved(session, folder, rows, rng)


def slim_checkpoint(rng: random.Random, folder: Path) -> Saved:
    with tensorflow_1(), v1.Session() as session:
        normed = rng.random() < 0.6
        options = {"normalizer_fn": slim.batch_norm} if normed else {}
        with v1.variable_scope(rng.choice(["Net", "InceptionLike", "vgg"])):
            _v1_net(
                rng,
                lambda x, f, k: slim.conv2d(x, f, k, **options),
                slim.fully_connected,
                lambda x: slim.separable_conv2d(x, None, 3, depth_multiplier=1),
            )
        rows = _rows_by_scope()
        _with_slots(rng)
        return _v1_saved(session, folder, rows, rng)


def rnn_cells(rng: random.Random, folder: Path) -> Saved:
    """TensorFlow 1's cells as ``dynamic_rnn`` names them; the truth in Keras's classes."""
    rows: list[Row] = []
    with tensorflow_1(), v1.Session() as session:
        width = rng.choice([4, 6])
        if rng.random() < 0.6:
            v1.get_variable(
                rng.choice(["embedding", "word_embeddings", "emb/W"]),
                initializer=_normal((20, width)),
            )
            rows.append(("Embedding", ((20, width),)))
        kind = rng.choice(
            ["basic_lstm_cell", "lstm_cell", "gru_cell", "basic_rnn_cell"]
        )
        count = rng.randint(1, 3)
        for cell in range(count):
            units = rng.choice([3, 5])
            scope = (
                f"rnn/multi_rnn_cell/cell_{cell}/{kind}" if count > 1 else f"rnn/{kind}"
            )
            rows.append(_cell(scope, kind, width, units))
            width = units
        v1.get_variable("softmax_w", initializer=_normal((width, 7)))
        v1.get_variable("softmax_b", initializer=_normal((7,)))
        rows.append(("Dense", ((width, 7), (7,))))
        _with_slots(rng)
        return _v1_saved(session, folder, rows, rng)


def _cell(scope: str, kind: str, width: int, units: int) -> Row:
    with v1.variable_scope(scope):
        if kind == "gru_cell":
            shapes = {
                "gates/kernel": (width + units, 2 * units),
                "gates/bias": (2 * units,),
                "candidate/kernel": (width + units, units),
                "candidate/bias": (units,),
            }
        else:
            gates = 1 if "rnn" in kind else 4
            shapes = {
                "kernel": (width + units, gates * units),
                "bias": (gates * units,),
            }
        for name, shape in shapes.items():
            v1.get_variable(name, initializer=_normal(shape))
    op = {"gru_cell": "GRU", "basic_rnn_cell": "SimpleRNN"}.get(kind, "LSTM")
    return op, tuple(sorted(shapes.values()))


WRITERS: tuple[Callable[[random.Random, Path], Saved], ...] = (
    keras_3_weights,
    keras_2_hdf5,
    keras_2_v3_weights,
    keras_2_checkpoint,
    object_checkpoint,
    module_checkpoint,
    raw_variables,
    tf_layers_checkpoint,
    slim_checkpoint,
    rnn_cells,
)


# -- score --------------------------------------------------------------------------------------------------------------


def score(saved: Saved, folder: Path) -> Score:
    """How far a checkpoint came back: its layers, their order, what counts as a weight, a source that loads them all."""
    analysis = analyse(saved.path)
    weights = [
        v for v in analysis.model.variables if v.role in WEIGHTS and "float" in v.dtype
    ]
    count = sum(int(np.prod(v.shape or ())) for v in weights)
    shapes = {v.name: tuple(v.shape or ()) for v in weights}
    rows = tuple(
        (layer.op, tuple(sorted(shapes[n] for n in layer.members if n in shapes)))
        for layer in analysis.layers
        if layer.weights
    )
    remark = "" if rows == saved.rows else f"{_difference(rows, saved.rows)}"
    try:
        loads = _loads(analysis, folder, [analysis.model.weights[n] for n in shapes])
    except (GraphscopeError, ValueError, TypeError, KeyError) as error:
        loads, remark = False, f"{remark} source: {type(error).__name__} {error}"
    if not loads and "source" not in remark:
        remark += " source holds other numbers"
    return Score(
        Counter(rows) == Counter(saved.rows),
        rows == saved.rows,
        count == saved.numbers,
        loads,
        remark,
    )


def _difference(rows: Sequence[Row], truth: Sequence[Row]) -> str:
    less, more = Counter(truth) - Counter(rows), Counter(rows) - Counter(truth)
    if not less and not more:
        return f"order {[r[0] for r in rows]} for {[r[0] for r in truth]}"
    return f"lacks {dict(less)}, has {dict(more)}"


def _loads(analysis: Any, folder: Path, arrays: Sequence[Any]) -> bool:
    analysis.write_keras(folder)
    model = run_source(folder)
    loaded = [w.numpy() for w in model.weights if _is_float(w)]
    flat = [
        np.sort(np.concatenate([a.ravel() for a in each])) for each in (arrays, loaded)
    ]
    return flat[0].shape == flat[1].shape and bool(np.array_equal(*flat))


def checkpoint(seed: int, folder: Path) -> tuple[str, Saved]:
    """The checkpoint of a seed; the writers take turns."""
    rng = random.Random(seed)
    write = WRITERS[seed % len(WRITERS)]
    return write.__name__, write(rng, folder)


def main() -> None:
    """Print what falls short, and the shares."""
    totals: Counter[str] = Counter()
    first, last = int(sys.argv[1]), int(sys.argv[2])
    for seed in range(first, last):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            writer, saved = checkpoint(seed, folder)
            try:
                result = score(saved, folder / "keras")
            except Exception as error:  # noqa: B902 (a bug, to be looked into)
                result = Score(
                    False, False, False, False, f"BUG {type(error).__name__} {error}"
                )
        for field in ("layers", "order", "count", "loads"):
            totals[field] += getattr(result, field)
        if not (result.layers and result.order and result.count and result.loads):
            marks = "".join(
                f[0] if getattr(result, f) else "-"
                for f in ("layers", "order", "count")
            )
            print(
                seed,
                writer,
                marks + ("L" if result.loads else "-"),
                result.remark[:600],
                flush=True,
            )
    print({field: f"{n} of {last - first}" for field, n in totals.items()})


if __name__ == "__main__":
    main()
