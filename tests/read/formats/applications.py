"""One network of each family of ``keras.applications``, as LiteRT's converter writes it, small and with random weights.

``python -m tests.read.formats.applications MobileNet VGG16 ...`` prints a table: what of each comes back as Keras.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

KINDS = ("float", "dynamic", "int8")
SIDES = {
    "VGG16": 32,
    "ResNet50": 64,
    "ResNet50V2": 64,
    "InceptionV3": 80,
    "InceptionResNetV2": 80,
    "Xception": 80,
    "MobileNet": 64,
    "MobileNetV2": 64,
    "MobileNetV3Small": 64,
    "DenseNet121": 64,
    "NASNetMobile": 64,
    "EfficientNetB0": 64,
    "EfficientNetV2B0": 64,
    "ConvNeXtTiny": 64,
}


def network(name: str) -> Any:
    """A network without its pretrained weights, its moving averages those of noise, its end without a softmax."""
    import keras

    side = SIDES[name]
    keras.utils.set_random_seed(0)
    net = getattr(keras.applications, name)(
        weights=None,
        input_shape=(side, side, 3),
        classes=10,
        classifier_activation=None,
    )
    return settled(net)


def settled(net: Any) -> Any:
    """The same network, the moving averages of its normalisations those of noise."""
    import keras

    for layer in net.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    noise = np.random.default_rng(1).normal(size=(8, *net.inputs[0].shape[1:]))
    net(noise, training=True)
    return net


def convert(net: Any, kind: str) -> bytes:
    """The flatbuffer: floats, weights of eight bits, or integers alone, calibrated on noise."""
    import tensorflow as tf

    def examples() -> Iterator[list[np.ndarray]]:
        rng = np.random.default_rng(0)
        for _ in range(8):
            yield [rng.normal(size=(1, *i.shape[1:])).astype("f") for i in net.inputs]

    converter = tf.lite.TFLiteConverter.from_keras_model(net)
    if kind != "float":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "int8":
        converter.representative_dataset = examples
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    with contextlib.redirect_stdout(io.StringIO()):
        return converter.convert()  # type: ignore[no-any-return]


def row(name: str, kind: str, net: Any) -> str:
    """One line of the table: verdict, difference, steps, the farthest operator, layers, seconds."""
    from graphscope.analysis import analyse

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.tflite"
        path.write_bytes(convert(net, kind))
        start = time.process_time()
        model = analyse(str(path))
        report = model.write_keras(Path(folder) / "keras")
        proof = model.prove(Path(folder) / "keras")
        (output,) = proof.outputs
        parts = [f"{proof.verdict} {proof.max_rel:.1e}"]
        parts += [f"{output['steps']:.0f} steps"] if "steps" in output else []
        parts += [str(output.get("operators", ""))]
        parts += [f"{report.layers} layers, {len(report.unexplained)} ops beside them"]
        seconds = time.process_time() - start
        return " | ".join([name, kind, *parts, *proof.remarks, f"{seconds:.0f} s"])


def main(names: list[str]) -> None:
    for name in names or list(SIDES):
        net = network(name)
        for kind in KINDS:
            sys.stdout.write(row(name, kind, net) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
