"""Keras 2 (``tf.keras`` up to TensorFlow 2.15, ``tf_keras`` since), its layers frozen one by one."""

from __future__ import annotations

from typing import Any

from .cell import Column
from .keras_3 import fill

COLUMN = Column("Keras 2", eager=True)


def keras() -> Any:
    """Imported late: it is slow."""
    import tf_keras

    return tf_keras


fill(COLUMN, keras, three=False)
