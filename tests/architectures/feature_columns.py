"""Feature columns as TensorFlow 1's estimators wire them: strings hashed, sparse rows looked up, one linear and one deep part."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from . import architecture
from .legacy import layers, v1


@architecture(
    "feature columns",
    "tf1",
    layers={"Hashing": 2, "Dense": 2, "Embedding": 3, "Discretization": 1},
    lines=70,
    ops=25,
    not_portable=frozenset({"NotEqual"}),
    share=0.99,
)
def wide_and_deep() -> Any:
    """What DNNLinearCombinedClassifier builds of dense placeholders; Keras has no comparison of strings."""
    column = tf.feature_column
    given = {
        "age": v1.placeholder(tf.float32, [None, 1], name="age"),
        "occupation": v1.placeholder(tf.string, [None, 1], name="occupation"),
        "id": v1.placeholder(tf.int64, [None, 1], name="id"),
    }
    age = column.numeric_column("age")
    buckets = column.bucketized_column(age, [18.0, 25.0, 40.0])
    occupation = column.categorical_column_with_hash_bucket("occupation", 20)
    identity = column.categorical_column_with_identity("id", 12, default_value=0)
    deep = [age, column.embedding_column(occupation, 4)]
    deep.append(column.indicator_column(identity))
    x = v1.feature_column.input_layer(given, deep)
    x = layers.dense(x, 8, activation=tf.nn.relu)
    x = layers.dense(x, 1)
    wide = v1.feature_column.linear_model(given, [occupation, buckets])
    return tf.sigmoid(x + wide)
