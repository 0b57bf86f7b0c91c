"""Random recurrent models of every origin: Keras 3, tf_keras, TensorFlow 1's cells and loops, cells by hand, fused ops.

Each maker writes one file and tells the Keras classes that it was made of, in order; ``None`` stands for a layer that no class computes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from ..render.keras.loop_models import frozen_v1, frozen_v2
from .raw_graphs import chance, pick

v1 = tf.compat.v1
Rng = np.random.Generator


class Written(NamedTuple):
    """One file: where it is, its outputs (none: as they are found), and the classes."""

    path: Path
    outputs: Sequence[str]
    classes: Sequence[str]
    lengths: str = ""


Maker = Callable[[Rng, Path], Written]


class Sizes(NamedTuple):
    """The sizes of one model."""

    time: int
    features: int
    units: int

    @classmethod
    def draw(cls, rng: Rng) -> Sizes:
        time, features, units = rng.integers([2, 2, 2], [8, 7, 9])
        return cls(int(time), int(features), int(units))


ACTIVATIONS = ("tanh", "tanh", "tanh", "relu", "sigmoid", "elu", "softsign")
GATES = ("sigmoid", "sigmoid", "sigmoid", "hard_sigmoid", "tanh")


# -- Keras ----------------------------------------------------------------------------------
def _options(rng: Rng, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {"activation": pick(rng, ACTIVATIONS)}
    if kind != "SimpleRNN":
        found["recurrent_activation"] = pick(rng, GATES)
    if kind == "GRU":
        found["reset_after"] = chance(rng)
    if chance(rng, 0.3):
        found["use_bias"] = False
    if chance(rng, 0.3):
        found["go_backwards"] = True
    if chance(rng, 0.15):
        found["unroll"] = True
    return found


def _keras_stack(rng: Rng, keras: Any) -> tuple[Any, list[str]]:
    """One to three recurrent layers, some of them bidirectional, and a head."""
    layers, sizes = keras.layers, Sizes.draw(rng)
    inputs = keras.Input((sizes.time, sizes.features), name="x")
    x, classes = inputs, []
    count = int(rng.integers(1, 4))
    for number in range(count):
        kind = pick(rng, ("LSTM", "GRU", "SimpleRNN"))
        sequences = number < count - 1 or chance(rng)
        layer = getattr(layers, kind)(
            sizes.units + number, return_sequences=sequences, **_options(rng, kind)
        )
        if chance(rng, 0.3):
            layer.go_backwards = False
            mode = pick(rng, ("concat", "sum", "mul", "ave"))
            layer = layers.Bidirectional(layer, merge_mode=mode)
            classes.append(kind)
        x = layer(x)
        classes.append(kind)
        if chance(rng, 0.3):
            x = layers.Dropout(0.3)(x)
    if chance(rng, 0.5):
        x = layers.Dense(3, activation="softmax")(x)
    return keras.Model(inputs, x), classes


def _keras_states(rng: Rng, keras: Any) -> tuple[Any, list[str]]:
    """A layer that is given its first state, and gives its last."""
    layers, sizes = keras.layers, Sizes.draw(rng)
    kind = pick(rng, ("LSTM", "GRU", "SimpleRNN"))
    inputs = keras.Input((sizes.time, sizes.features), name="x")
    count = 2 if kind == "LSTM" else 1
    first = [keras.Input((sizes.units,), name=f"state_{n}") for n in range(count)]
    layer = getattr(layers, kind)(
        sizes.units,
        return_sequences=chance(rng),
        return_state=True,
        **_options(rng, kind),
    )
    outputs = layer(inputs, initial_state=first)
    outputs = [layers.Dense(2)(each) for each in outputs]
    return keras.Model([inputs, *first], outputs), [kind]


def _keras_words(rng: Rng, keras: Any) -> tuple[Any, list[str]]:
    """A sentiment classifier: words, of which zeros are none, and recurrent layers that skip these."""
    layers, sizes = keras.layers, Sizes.draw(rng)
    inputs = keras.Input((sizes.time,), dtype="int32", name="words")
    x = layers.Embedding(11, sizes.features, mask_zero=chance(rng, 0.7))(inputs)
    kind = pick(rng, ("LSTM", "GRU", "SimpleRNN"))
    classes = [kind]
    if chance(rng):
        x = getattr(layers, kind)(sizes.units, return_sequences=True)(x)
        classes.append(kind)
    layer = getattr(layers, kind)(sizes.units)
    if chance(rng):
        layer = layers.Bidirectional(layer)
        classes.append(kind)
    x = layer(x)
    x = layers.Dense(2, activation="sigmoid")(x)
    return keras.Model(inputs, x), classes


def _keras_speech(rng: Rng, keras: Any) -> tuple[Any, list[str]]:
    """A speech net: convolutions, two directions, a dense layer at each step."""
    layers, sizes = keras.layers, Sizes.draw(rng)
    inputs = keras.Input((4 * sizes.time, sizes.features), name="spectrogram")
    x = layers.Conv1D(6, 3, padding="same", use_bias=False)(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.MaxPooling1D(2)(layers.ReLU()(x))
    kind = pick(rng, ("LSTM", "GRU"))
    for _ in range(2):
        x = layers.Bidirectional(
            getattr(layers, kind)(sizes.units, return_sequences=True)
        )(x)
    x = layers.TimeDistributed(layers.Dense(5, activation="softmax"))(x)
    return keras.Model(inputs, x), [kind] * 4


def _keras_translation(rng: Rng, keras: Any) -> tuple[Any, list[str]]:
    """Encoder and decoder, the one's last state the other's first; attention between the two."""
    layers, sizes = keras.layers, Sizes.draw(rng)
    source = keras.Input((sizes.time,), dtype="int32", name="source")
    target = keras.Input((sizes.time + 1,), dtype="int32", name="target")
    kind = pick(rng, ("LSTM", "GRU"))
    make = getattr(layers, kind)
    x = layers.Embedding(9, sizes.features)(source)
    x, *states = make(sizes.units, return_sequences=True, return_state=True)(x)
    y = layers.Embedding(9, sizes.features)(target)
    y = make(sizes.units, return_sequences=True)(y, initial_state=states)
    if chance(rng):
        y = layers.Concatenate()([y, layers.Attention()([y, x])])
    y = layers.Dense(9, activation="softmax")(y)
    return keras.Model([source, target], y), [kind, kind]


def _keras_pictures(rng: Rng, keras: Any) -> tuple[Any, list[str]]:
    """ConvLSTM2D over pictures."""
    layers, sizes = keras.layers, Sizes.draw(rng)
    inputs = keras.Input((sizes.time, 5, 6, sizes.features), name="x")
    layer = layers.ConvLSTM2D(
        sizes.units,
        pick(rng, (1, 3, (2, 3))),
        padding=pick(rng, ("same", "valid")),
        return_sequences=chance(rng),
    )
    return keras.Model(inputs, layer(inputs)), ["ConvLSTM2D"]


def _keras_cells(rng: Rng, keras: Any) -> tuple[Any, list[str]]:
    """Cells in one RNN layer, one upon the other."""
    layers, sizes = keras.layers, Sizes.draw(rng)
    kinds = [pick(rng, ("LSTM", "GRU", "SimpleRNN")) for _ in range(rng.integers(1, 3))]
    cells = [getattr(layers, f"{kind}Cell")(sizes.units) for kind in kinds]
    inputs = keras.Input((sizes.time, sizes.features), name="x")
    x = layers.RNN(cells, return_sequences=chance(rng))(inputs)
    return keras.Model(inputs, x), kinds


KERAS = {
    "stack": _keras_stack,
    "states": _keras_states,
    "words": _keras_words,
    "speech": _keras_speech,
    "translation": _keras_translation,
    "pictures": _keras_pictures,
    "cells": _keras_cells,
}


def keras_maker(name: str, keras_name: str, form: str) -> Maker:
    """A model of one Keras, frozen with its loops as functions or as frames, or as a SavedModel."""

    def make(rng: Rng, folder: Path) -> Written:
        from importlib import import_module

        keras = import_module(keras_name)
        keras.utils.set_random_seed(int(rng.integers(1 << 30)))
        model, classes = KERAS[name](rng, keras)
        for variable in model.weights:
            if "seed" not in (
                variable.path if keras_name == "keras" else variable.name
            ):
                value = np.asarray(variable)
                variable.assign(rng.normal(0, 0.4, value.shape).astype(value.dtype))
        specs = [
            tf.TensorSpec((None, *i.shape[1:]), i.dtype, name=i.name.split(":")[0])
            for i in model.inputs
        ]
        if form == "saved":
            if keras_name == "keras":
                model.export(folder / "saved", verbose=False)
            else:
                model.save(folder / "saved", save_format="tf")
            return Written(folder / "saved", (), classes)
        path = folder / "model.pb"

        def function(*xs: Any) -> Any:
            return model(xs if len(xs) > 1 else xs[0], training=False)

        _frozen(function, specs, path, lower=form == "frames")
        return Written(path, (), classes)

    return make


def _frozen(function: Any, specs: Sequence[Any], path: Path, lower: bool) -> None:
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    if not lower:
        frozen_v2(function, specs, path)
        return
    concrete = tf.function(function).get_concrete_function(*specs)
    frozen = convert_variables_to_constants_v2(concrete, lower_control_flow=True)
    path.write_bytes(frozen.graph.as_graph_def().SerializeToString())


# -- TensorFlow 1 ---------------------------------------------------------------------------
def _cell(rng: Rng, units: int) -> tuple[Any, str]:
    """A cell of TensorFlow 1 and the class that computes it."""
    from tf_keras.src.layers.rnn import legacy_cells as cells

    return pick(
        rng,
        (
            lambda: (cells.BasicLSTMCell(units), "LSTM"),
            lambda: (cells.LSTMCell(units), "LSTM"),
            lambda: (
                cells.LSTMCell(units, forget_bias=0.3, activation=tf.nn.relu),
                "LSTM",
            ),
            lambda: (cells.GRUCell(units), "GRU"),
            lambda: (cells.BasicRNNCell(units), "SimpleRNN"),
            lambda: (cells.BasicRNNCell(units, activation=tf.nn.relu), "SimpleRNN"),
        ),
    )()


def _wrapped(rng: Rng, cell: Any, same: bool) -> Any:
    from tf_keras.src.layers.rnn import legacy_cell_wrappers as cells

    if chance(rng, 0.2):
        cell = cells.DropoutWrapper(cell, 1.0, 1.0)
    if chance(rng, 0.2):
        cell = cells.DeviceWrapper(cell, "/cpu:0")
    if same and chance(rng, 0.3):
        cell = cells.ResidualWrapper(cell)
    return cell


def _v1_cells(rng: Rng, units: int, features: int) -> tuple[Any, list[str]]:
    from tf_keras.src.layers.rnn import legacy_cells as cells

    if chance(rng, 0.65):
        cell, kind = _cell(rng, units)
        return _wrapped(rng, cell, units == features), [kind]
    many = [_cell(rng, units) for _ in range(2)]
    wrapped = [_wrapped(rng, many[0][0], False), _wrapped(rng, many[1][0], True)]
    return cells.MultiRNNCell(wrapped), [kind for _, kind in many]


def _head(rng: Rng, sequence: Any, units: int) -> Any:
    """What is made of a sequence of outputs: itself, its last step, a product at each step."""
    kind = pick(rng, ("all", "last", "mean", "dense"))
    if kind == "all":
        return v1.identity(sequence, name="y")
    if kind == "mean":
        return v1.reduce_mean(sequence, 1, name="y")
    kernel = v1.get_variable("head/kernel", (units, 3))
    if kind == "last":
        return v1.matmul(sequence[:, -1], kernel, name="y")
    time = v1.shape(sequence)[1]
    flat = v1.matmul(v1.reshape(sequence, (-1, units)), kernel)
    return v1.reshape(flat, (-1, time, 3), name="y")


def _dynamic(rng: Rng) -> Callable[[Any], Any]:
    sizes = Sizes.draw(rng)

    def build(_: Any) -> tuple[Any, list[str]]:
        time = sizes.time if chance(rng) else None
        cell, classes = _v1_cells(rng, sizes.units, sizes.features)
        major = chance(rng, 0.3)
        shape = (time, None) if major else (None, time)
        x = v1.placeholder(v1.float32, (*shape, sizes.features), "x")
        lengths = (
            v1.placeholder(v1.int32, (None,), "lengths") if chance(rng, 0.4) else None
        )
        initial = None
        batch = v1.shape(x)[1 if major else 0]
        if chance(rng, 0.4):
            initial = cell.zero_state(batch, v1.float32)
            if chance(rng) and classes == ["GRU"]:
                learned = v1.get_variable("first", (1, sizes.units))
                initial = v1.tile(learned, (batch, 1))
        y, state = v1.nn.dynamic_rnn(
            cell, x, lengths, initial, v1.float32, time_major=major
        )
        y = v1.transpose(y, (1, 0, 2)) if major else y
        if chance(rng, 0.3):
            states = tf.nest.flatten(state)
            return v1.identity(states[-1], name="y"), classes
        return _head(rng, y, sizes.units), classes

    return build


def _both(rng: Rng) -> Callable[[Any], Any]:
    sizes = Sizes.draw(rng)

    def build(_: Any) -> tuple[Any, list[str]]:
        time = sizes.time if chance(rng) else None
        (forward, one), (back, other) = (_cell(rng, sizes.units) for _ in range(2))
        x = v1.placeholder(v1.float32, (None, time, sizes.features), "x")
        lengths = (
            v1.placeholder(v1.int32, (None,), "lengths") if chance(rng, 0.5) else None
        )
        (a, b), states = v1.nn.bidirectional_dynamic_rnn(
            forward, back, x, lengths, dtype=v1.float32
        )
        if chance(rng, 0.3):
            ends = [tf.nest.flatten(state)[-1] for state in states]
            return v1.concat(ends, 1, name="y"), [one, other]
        y = pick(rng, (lambda: v1.concat([a, b], 2), lambda: a + b))()
        return _head(rng, y, int(y.shape[-1])), [one, other]

    return build


def _static(rng: Rng) -> Callable[[Any], Any]:
    sizes = Sizes.draw(rng)
    sizes = sizes._replace(time=sizes.time + 1)

    def build(_: Any) -> tuple[Any, list[str]]:
        cell, classes = _v1_cells(rng, sizes.units, sizes.features)
        x = v1.placeholder(v1.float32, (None, sizes.time, sizes.features), "x")
        steps = v1.unstack(x, axis=1)
        if chance(rng, 0.3):
            steps = [v1.squeeze(s, [1]) for s in v1.split(x, sizes.time, 1)]
        ys, _ = v1.nn.static_rnn(cell, steps, dtype=v1.float32)
        if chance(rng):
            kernel = v1.get_variable("head/kernel", (sizes.units, 3))
            return v1.matmul(ys[-1], kernel, name="y"), classes
        return v1.stack(ys, 1, name="y"), classes

    return build


def v1_maker(kind: Callable[[Rng], Callable[[Any], Any]], functions: bool) -> Maker:
    """A graph of TensorFlow 1, its loops frames or functions."""

    def make(rng: Rng, folder: Path) -> Written:
        classes: list[str] = []
        grown = kind(rng)

        def build(module: Any) -> Any:
            v1.set_random_seed(1)
            y, known = grown(module)
            classes.extend(known)
            return y

        names = frozen_v1(build, folder / "model.pb", v2_control_flow=functions)
        return Written(folder / "model.pb", names, classes)

    return make


# -- by hand --------------------------------------------------------------------------------
class Own:
    """A cell that somebody wrote: gates of their own or one matrix for all, in one of many orders and spellings."""

    def __init__(self, rng: Rng, kind: str, features: int, units: int) -> None:
        self.rng, self.kind = rng, kind
        self.features, self.units, self.count = features, units, 0
        self.joined, self.biased = chance(rng), chance(rng, 0.8)
        self.order = list(rng.permutation(4))
        self.known: dict[str, Any] = {}
        self.swapped = chance(rng)
        self.inverted = chance(rng)

    def weight(self, name: str, *shape: int) -> Any:
        if name not in self.known:
            self.known[name] = v1.get_variable(f"cell/{name}", shape)
        return self.known[name]

    def linear(self, name: str, x: Any, h: Any, count: int = 1) -> Any:
        width = self.units * count
        if self.joined:
            parts = (h, x) if self.swapped else (x, h)
            kernel = self.weight(f"{name}_w", self.features + self.units, width)
            found = v1.matmul(v1.concat(parts, 1), kernel)
        else:
            found = v1.matmul(x, self.weight(f"{name}_w", self.features, width))
            found += v1.matmul(h, self.weight(f"{name}_u", self.units, width))
        return found + self.weight(f"{name}_b", width) if self.biased else found

    def gates(self, names: str, x: Any, h: Any) -> dict[str, Any]:
        if self.joined:
            parts = v1.split(self.linear("gates", x, h, len(names)), len(names), 1)
            order = [n for n in self.order if n < len(names)]
            return {name: parts[order[n]] for n, name in enumerate(names)}
        return {name: self.linear(name, x, h) for name in names}

    def step(self, x: Any, states: Sequence[Any]) -> list[Any]:
        return getattr(self, self.kind.lower())(x, *states)

    def lstm(self, x: Any, h: Any, c: Any) -> list[Any]:
        z = self.gates("ifgo", x, h)
        i, f, o = (tf.sigmoid(z[name]) for name in "ifo")
        new = tf.tanh(z["g"])
        c = c * f + i * new if self.swapped else new * i + f * c
        return [o * tf.tanh(c), c]

    def gru(self, x: Any, h: Any) -> list[Any]:
        z = self.gates("zr", x, h)
        z, r = tf.sigmoid(z["z"]), tf.sigmoid(z["r"])
        n = tf.tanh(self.linear("new", x, r * h))
        if self.inverted:
            z, h, n = z, n, h
        return [z * h + (1.0 - z) * n if self.swapped else n + z * (h - n)]

    def simplernn(self, x: Any, h: Any) -> list[Any]:
        return [tf.tanh(self.linear("new", x, h))]

    @property
    def states(self) -> int:
        return 2 if self.kind == "LSTM" else 1


def _own_loop(rng: Rng) -> Callable[[Any], Any]:
    sizes = Sizes.draw(rng)
    kind = pick(rng, ("LSTM", "GRU", "SimpleRNN"))
    cell = Own(rng, kind, sizes.features, sizes.units)

    def build(_: Any) -> tuple[Any, list[str]]:
        x = v1.placeholder(v1.float32, (None, sizes.time, sizes.features), "x")
        items = v1.transpose(x, (1, 0, 2))
        steps = sizes.time if chance(rng) else v1.shape(items)[0]
        zero = v1.zeros((v1.shape(x)[0], sizes.units))
        read = v1.TensorArray(v1.float32, steps).unstack(items)
        write = v1.TensorArray(v1.float32, steps)

        def body(t: Any, out: Any, *states: Any) -> Any:
            item = v1.ensure_shape(read.read(t), (None, sizes.features))
            states = cell.step(item, states)
            return (t + 1, out.write(t, states[0]), *states)

        _, out, h, *_rest = v1.while_loop(
            lambda t, *_: t < steps, body, (0, write, *[zero] * cell.states)
        )
        if chance(rng):
            return v1.identity(h, name="y"), [kind]
        return v1.transpose(out.stack(), (1, 0, 2), name="y"), [kind]

    return build


def _own_scan(rng: Rng) -> Callable[[Any], Any]:
    sizes = Sizes.draw(rng)
    kind = pick(rng, ("LSTM", "GRU", "SimpleRNN"))
    cell = Own(rng, kind, sizes.features, sizes.units)

    def build(_: Any) -> tuple[Any, list[str]]:
        x = v1.placeholder(v1.float32, (None, sizes.time, sizes.features), "x")
        zero = v1.zeros((v1.shape(x)[0], sizes.units))
        found = v1.scan(
            lambda states, item: cell.step(item, states),
            v1.transpose(x, (1, 0, 2)),
            initializer=[zero] * cell.states,
            reverse=chance(rng, 0.3),
        )
        if chance(rng):
            return v1.identity(found[0][-1], name="y"), [kind]
        return v1.transpose(found[0], (1, 0, 2), name="y"), [kind]

    return build


def _own_unrolled(rng: Rng) -> Callable[[Any], Any]:
    sizes = Sizes.draw(rng)
    kind = pick(rng, ("LSTM", "GRU", "SimpleRNN"))
    cell = Own(rng, kind, sizes.features, sizes.units)

    def build(_: Any) -> tuple[Any, list[str]]:
        time = sizes.time + 2
        x = v1.placeholder(v1.float32, (None, time, sizes.features), "x")
        states = [v1.zeros((v1.shape(x)[0], sizes.units))] * cell.states
        outputs = []
        for t in range(time):
            states = cell.step(x[:, t], states)
            outputs.append(states[0])
        if chance(rng):
            return v1.identity(outputs[-1], name="y"), [kind]
        return v1.stack(outputs, 1, name="y"), [kind]

    return build


# -- fused ----------------------------------------------------------------------------------
def _fused(rng: Rng) -> Callable[[Any], Any]:
    sizes = Sizes.draw(rng)
    op = pick(rng, ("BlockLSTM", "BlockLSTMV2"))

    def build(_: Any) -> tuple[Any, list[str]]:
        units, raw = sizes.units, tf.raw_ops
        x = v1.placeholder(v1.float32, (sizes.time, None, sizes.features), "x")
        kernel = v1.get_variable("w", (sizes.features + units, 4 * units))
        bias = v1.get_variable("b", (4 * units,))
        peephole = v1.zeros((units,))
        zero = v1.zeros((v1.shape(x)[1], units))
        more = {"forget_bias": 1.0} if op == "BlockLSTM" else {}
        found = getattr(raw, op)(
            seq_len_max=tf.constant(sizes.time, tf.int64),
            x=x,
            cs_prev=zero,
            h_prev=zero,
            w=kernel,
            wci=peephole,
            wcf=peephole,
            wco=peephole,
            b=bias,
            cell_clip=0.0 if op == "BlockLSTMV2" else -1.0,
            use_peephole=False,
            **more,
        )
        if chance(rng):
            return v1.identity(found.h[-1], name="y"), ["LSTM"]
        return v1.identity(found.h, name="y"), ["LSTM"]

    return build


def _block_cells(rng: Rng) -> Callable[[Any], Any]:
    sizes = Sizes.draw(rng)
    kind = pick(rng, ("LSTM", "GRU"))

    def build(_: Any) -> tuple[Any, list[str]]:
        units = sizes.units
        x = v1.placeholder(v1.float32, (None, sizes.time, sizes.features), "x")
        zero = v1.zeros((v1.shape(x)[0], units))
        peephole = v1.zeros((units,))
        rows = sizes.features + units
        make = v1.get_variable
        if kind == "LSTM":
            w, b = make("w", (rows, 4 * units)), make("b", (4 * units,))

            def step(states: Any, item: Any) -> Any:
                found = tf.raw_ops.LSTMBlockCell(
                    x=item,
                    cs_prev=states[1],
                    h_prev=states[0],
                    w=w,
                    wci=peephole,
                    wcf=peephole,
                    wco=peephole,
                    b=b,
                    forget_bias=0.5,
                    cell_clip=-1.0,
                    use_peephole=False,
                )
                return [found.h, found.cs]

        else:
            ru, c = make("w_ru", (rows, 2 * units)), make("w_c", (rows, units))
            b_ru, b_c = make("b_ru", (2 * units,)), make("b_c", (units,))

            def step(states: Any, item: Any) -> Any:
                found = tf.raw_ops.GRUBlockCell(
                    x=item, h_prev=states[0], w_ru=ru, w_c=c, b_ru=b_ru, b_c=b_c
                )
                return [found.h]

        found = v1.scan(
            step,
            v1.transpose(x, (1, 0, 2)),
            initializer=[zero] * (2 if kind == "LSTM" else 1),
        )
        return v1.transpose(found[0], (1, 0, 2), name="y"), [kind]

    return build


GRAPHS = {
    "dynamic": _dynamic,
    "both": _both,
    "static": _static,
    "own_loop": _own_loop,
    "own_scan": _own_scan,
    "own_unrolled": _own_unrolled,
    "fused": _fused,
    "block_cells": _block_cells,
}
MAKERS: dict[str, Maker] = {
    **{
        f"{library}_{name}_{form}": keras_maker(name, library, form)
        for library in ("keras", "tf_keras")
        for name in KERAS
        for form in ("functions", "frames", "saved")
    },
    **{
        f"v1_{name}_{form}": v1_maker(kind, form == "functions")
        for name, kind in GRAPHS.items()
        for form in ("frames", "functions")
    },
}
