"""Only sources that build layers are run unasked."""

from __future__ import annotations

import pytest

from graphscope.errors import FormatError, UnsafeModel
from graphscope.verify.run.keras_source import check_source

GOOD = '''"""A model."""
from __future__ import annotations
import keras
from keras import layers, ops

@keras.saving.register_keras_serializable()
class Scale(keras.layers.Layer):
    def call(self, x):
        return ops.multiply(x, 2.0)

def build_model() -> keras.Model:
    x = keras.Input((3,), name="x")
    return keras.Model(x, layers.Dense(2)(x))
'''


def test_a_source_that_builds_layers_is_fine(tmp_path):
    (tmp_path / "model.py").write_text(GOOD)
    check_source(tmp_path / "model.py")


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "from subprocess import run",
        "import keras; keras.utils.get_file('a', 'http://x')",
        "open('x')",
        "exec('1')",
        "().__class__.__bases__",
        "import tensorflow as tf; tf.py_function(print, [], [])",
        "import tensorflow as tf; tf.io.write_file('a', 'b')",
        "import tensorflow as tf; tf.raw_ops.WriteFile(filename='a', contents='b')",
        "import numpy; numpy.load('a', allow_pickle=True)",
        "from tensorflow import io; io.gfile.remove('a')",
        "from tensorflow import *",
        "from tensorflow import data",
        "f = lambda open=open: open('x')",
        "import pathlib; pathlib.Path('a').write_text('b')",
        "__builtins__",
    ],
)
def test_anything_more_is_refused(tmp_path, line):
    (tmp_path / "model.py").write_text(GOOD + line + "\n")
    with pytest.raises(UnsafeModel, match="line 14.*--trust"):
        check_source(tmp_path / "model.py")


def test_arguments_may_be_called_what_they_like(tmp_path):
    text = GOOD.replace("(self, x)", "(self, data, input)")
    text = text.replace("multiply(x, 2.0)", "multiply(data, input)")
    (tmp_path / "model.py").write_text(text)
    check_source(tmp_path / "model.py")


def test_what_is_no_python_is_told(tmp_path):
    (tmp_path / "model.py").write_text("def (")
    with pytest.raises(FormatError, match="no Python"):
        check_source(tmp_path / "model.py")


def test_reading_the_arrays_that_are_asked_for_is_fine(tmp_path):
    line = "def load(path):\n    return np.load(path)\n"
    (tmp_path / "model.py").write_text(GOOD + "import numpy as np\n" + line)
    check_source(tmp_path / "model.py")
