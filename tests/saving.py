"""A model of keras.applications -> the files that its users have of it, and what it computes: what the zoo tests recover.

Each function saves one model into a folder: Keras 3 and Keras 2 (tf_keras), as a SavedModel and as the checkpoint of a
TensorFlow 1 session (``.meta``, ``.index``, ``.data``), of evaluation and of training with its optimizer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from .architectures.legacy import tensorflow_1
from .recovery import random_weight, randomised

v1 = tf.compat.v1
# what a class of keras.applications itself, which is no layer of Keras, comes back as
STANDS_FOR = {"LayerScale": "EinsumDense"}


@dataclass(frozen=True)
class Saved:
    """A file or folder, what the model in it says to ``given``, and what it is made of."""

    path: str
    given: np.ndarray
    expected: np.ndarray
    parameters: int
    classes: Counter[str]


def saved_model(name: str, folder: Path, **options: Any) -> Saved:
    """``tf.saved_model.save`` of a Keras 3 model."""
    model = _keras_3(name, **options)
    tf.saved_model.save(model, str(folder / "saved"))
    return _saved(model, str(folder / "saved"))


def exported(name: str, folder: Path, **options: Any) -> Saved:
    """``model.export`` of Keras 3."""
    model = _keras_3(name, **options)
    model.export(str(folder / "saved"), verbose=False)
    return _saved(model, str(folder / "saved"))


def keras_2_saved_model(name: str, folder: Path, **options: Any) -> Saved:
    """``model.save`` of Keras 2."""
    import tf_keras

    model = getattr(tf_keras.applications, name)(weights=None, **options)
    values = random_values([v.name for v in model.weights], model.weights)
    for variable, value in zip(model.weights, values):
        variable.assign(value)
    model.save(str(folder / "saved"))
    return _saved(model, str(folder / "saved"))


def checkpoint(
    name: str, folder: Path, training: bool = False, **options: Any
) -> Saved:
    """A Keras 3 model called in a graph of TensorFlow 1, in training mode with the optimizer's part of the graph."""
    import keras

    with tf.Graph().as_default(), v1.Session() as session:
        images = v1.placeholder(tf.float32, [None, *options["input_shape"]], "images")
        made = getattr(keras.applications, name)(weights=None, **options)
        again = type(made).from_config(made.get_config())  # its variables in this graph
        scores = tf.identity(again(images, training=training), "scores")
        variables = [v.value for v in again.weights]
        values = random_values([v.path for v in again.weights], variables)
        path = _save(session, scores, variables, values, folder, training)
    keras.backend.clear_session()
    model = getattr(keras.applications, name)(weights=None, **options)
    model.set_weights(values)
    return _saved(model, path)


def training_checkpoint(name: str, folder: Path, **options: Any) -> Saved:
    return checkpoint(name, folder, training=True, **options)


def keras_2_checkpoint(
    name: str, folder: Path, training: bool = False, **options: Any
) -> Saved:
    """A Keras 2 model in a session of TensorFlow 1: ``keras_learning_phase`` switches between the modes."""
    import tf_keras
    from tf_keras.src import backend

    with tensorflow_1(), v1.Session() as session:
        backend.set_session(session)
        model = getattr(tf_keras.applications, name)(weights=None, **options)
        values = random_values([v.op.name for v in model.weights], model.weights)
        scores = tf.identity(model.output, "scores")
        path = _save(session, scores, model.weights, values, folder, training)
        given = _images(options["input_shape"])
        expected = session.run(scores, {model.input: given})
        count = sum(int(np.prod(v.shape)) for v in model.weights)
        made = Saved(path, given, expected, count, layer_classes(model))
    backend.clear_session()
    return made


def keras_2_training_checkpoint(name: str, folder: Path, **options: Any) -> Saved:
    return keras_2_checkpoint(name, folder, training=True, **options)


FORMS: dict[str, Callable[..., Saved]] = {
    "savedmodel": saved_model,
    "export": exported,
    "keras 2 savedmodel": keras_2_saved_model,
    "checkpoint": checkpoint,
    "training checkpoint": training_checkpoint,
    "keras 2 checkpoint": keras_2_checkpoint,
    "keras 2 training checkpoint": keras_2_training_checkpoint,
}


def _keras_3(name: str, **options: Any) -> Any:
    import keras

    return randomised(getattr(keras.applications, name), **options)


def _images(shape: Sequence[int]) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(2, *shape)).astype("float32")


def _saved(model: Any, path: str) -> Saved:
    given = _images(model.input_shape[1:])
    expected = np.array(model(given, training=False))
    return Saved(path, given, expected, model.count_params(), layer_classes(model))


def layer_classes(model: Any) -> Counter[str]:
    """How many layers of each class hold weights; what is nested in others is counted in their place."""
    return Counter(each.__class__.__name__ for each in _leaves(model) if each.weights)


def _leaves(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        yield from _leaves(layer) if hasattr(layer, "layers") else [layer]


def random_values(names: Sequence[str], variables: Sequence[Any]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [
        random_weight(name.split(":")[0], tuple(variable.shape), rng)
        for name, variable in zip(names, variables, strict=True)
    ]


def _save(
    session: Any,
    scores: Any,
    variables: Sequence[Any],
    values: Sequence[np.ndarray],
    folder: Path,
    training: bool,
) -> str:
    """Save the session, after it has got what a training script adds to a model."""
    if training:
        labels = v1.placeholder(tf.int64, [None], "labels")
        likely = tf.gather(scores, labels, axis=1, batch_dims=1)
        loss = -tf.reduce_mean(tf.math.log(likely + 1e-8))
        moved = [v for v in variables if "moving" not in v.name]
        step = v1.train.get_or_create_global_step()
        v1.train.MomentumOptimizer(0.1, 0.9).minimize(loss, step, moved)
        v1.summary.scalar("loss", loss)
    session.run(v1.global_variables_initializer())
    fed = {
        variable.initializer.inputs[1]: value
        for variable, value in zip(variables, values, strict=True)
    }
    session.run([variable.initializer for variable in variables], fed)
    return str(v1.train.Saver().save(session, str(folder / "model.ckpt")))
