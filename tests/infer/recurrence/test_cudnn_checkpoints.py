"""A checkpoint of cuDNN's layers holds their canonical weights, which the restore packs: plain layers come of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import graphscope
from tests.infer.recurrence.cudnn_graphs import FEATURES, GATES, STEPS, UNITS, _run
from tests.infer.recurrence.test_settle import classes
from tests.render.keras.loop_models import load

v1 = tf.compat.v1
RNG = np.random.default_rng(5)
Arrays = dict[str, np.ndarray]


def lstm(width: int, of: Any) -> tuple[list[Any], list[Any]]:
    """As CudnnLSTMSaveable restores: gates i c f o of one kernel, half of the bias twice."""
    kernel, bias = of("kernel", width + UNITS, 4 * UNITS), of("bias", 4 * UNITS)
    i, c, f, o = tf.split(tf.transpose(kernel), 4, axis=0)
    parts = [tf.split(gate, [width, UNITS], axis=1) for gate in (i, f, c, o)]
    bi, bc, bf, bo = tf.split(bias, 4, axis=0)
    halves = [part * 0.5 for part in (bi, bf, bc, bo)]
    return [p[0] for p in parts] + [p[1] for p in parts], halves * 2


def gru(width: int, of: Any) -> tuple[list[Any], list[Any]]:
    """As CudnnGRUSaveable does: two gates of one kernel, the candidate's two products apart."""
    gates = of("gates/kernel", width + UNITS, 2 * UNITS)
    own = "candidate/{}_projection/{}".format
    w_h = of(own("input", "kernel"), width, UNITS)
    r_h = of(own("hidden", "kernel"), UNITS, UNITS)
    both = tf.split(tf.transpose(gates), 2, axis=0)
    (w_i, r_i), (w_r, r_r) = (tf.split(g, [width, UNITS], axis=1) for g in both)
    b_i, b_r = tf.split(of("gates/bias", 2 * UNITS) * 0.5, 2, axis=0)
    b_w, b_h = of(own("input", "bias"), UNITS), of(own("hidden", "bias"), UNITS)
    weights = [w_i, w_r, tf.transpose(w_h), r_i, r_r, tf.transpose(r_h)]
    return weights, [b_i, b_r, b_w, b_i, b_r, b_h]


KINDS = {"lstm": lstm, "gru": gru}


def saved(folder: Path, mode: str, layers: int) -> tuple[str, list[np.ndarray]]:
    """The checkpoint's prefix, and what the restore packs of it."""
    prefix, stored = str(folder / "m.ckpt"), Arrays()
    v1.disable_control_flow_v2()
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, (STEPS, None, FEATURES), "x")
        names: list[str] = []
        weights: list[Any] = []
        biases: list[Any] = []
        place = tf.constant(prefix)
        for layer in range(layers):
            scope = f"rnn/multi_rnn_cell/cell_{layer}/cudnn_compatible_{mode}_cell/"

            def of(name: str, *shape: int, scope: str = scope) -> Any:
                stored[scope + name] = RNG.normal(0, 0.5, shape).astype("f")
                names.append(scope + name)
                (tensor,) = tf.raw_ops.RestoreV2(
                    prefix=place,
                    tensor_names=[scope + name],
                    shape_and_slices=[""],
                    dtypes=[tf.float32],
                )
                return tf.ensure_shape(tensor, shape)

            more = KINDS[mode](UNITS if layer else FEATURES, of)
            weights += more[0]
            biases += more[1]
        told = {"rnn_mode": mode, "direction": "unidirectional"}
        sizes = {"num_layers": layers, "num_units": UNITS, "input_size": FEATURES}
        packed = tf.raw_ops.CudnnRNNCanonicalToParams(
            **sizes, **told, weights=weights, biases=biases
        )
        buffer = tf.raw_ops.VariableV2(
            shape=tf.TensorShape(None), dtype=tf.float32, name="cudnn/opaque_kernel"
        )
        tf.raw_ops.Assign(ref=buffer, value=packed, validate_shape=False)
        zero = tf.zeros((layers, tf.shape(x)[1], UNITS))
        run = tf.raw_ops.CudnnRNN(
            input=x,
            input_h=zero,
            input_c=zero if mode == "lstm" else tf.constant(0.0),
            params=tf.identity(buffer, name="cudnn/opaque_kernel/read"),
            is_training=False,
            **told,
        )
        tf.identity(run.output, name="y")
        v1.train.export_meta_graph(f"{prefix}.meta")
        ends = [tensor.op.name for tensor in weights + biases]
        packing = v1.graph_util.extract_sub_graph(graph.as_graph_def(), ends)
        fetches = [tensor.name for tensor in weights + biases]
    with tf.Graph().as_default(), v1.Session() as session:  # no CPU runs the rest
        save = tf.raw_ops.SaveV2(
            prefix=prefix,
            tensor_names=names,
            shape_and_slices=[""] * len(names),
            tensors=[tf.constant(stored[name]) for name in names],
        )
        session.run(save)
        tf.import_graph_def(packing, name="")
        return prefix, session.run(fetches)


@pytest.mark.parametrize("mode, layers", [("lstm", 1), ("gru", 1), ("lstm", 2)])
def test_a_checkpoint_of_cudnn_is_plain_layers(
    mode: str, layers: int, tmp_path: Path
) -> None:
    prefix, parts = saved(tmp_path, mode, layers)
    analysis = graphscope.analyse(prefix, outputs=["y"])
    analysis.write_keras(tmp_path / "keras")
    assert classes(analysis) == {mode.upper(): layers}
    x = np.random.default_rng(3).normal(size=(STEPS, 3, FEATURES)).astype("f")
    expected, count = x, 2 * GATES[mode]
    matrices, biases = parts[: count * layers], parts[count * layers :]
    for layer in range(layers):
        own = slice(layer * count, (layer + 1) * count)
        expected = _run(mode, matrices[own], biases[own], expected)
    answer = load(tmp_path / "keras")(x)
    np.testing.assert_allclose(np.asarray(answer), expected, atol=1e-5)
