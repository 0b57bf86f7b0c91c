"""Only sources that build layers are run unasked."""

from __future__ import annotations

import ast
import functools
import inspect
import random
import re

import pytest

from graphscope.errors import FormatError, UnsafeModel
from graphscope.verify.run.allowed import is_allowed, refusals, vocabulary
from graphscope.verify.run.keras_source import check_source

IMPORTS = "import keras\nimport numpy as np\nimport tensorflow as tf\nfrom keras import layers, ops\n"

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
        "f = lambda open: open; open('x')",
        "import pathlib; pathlib.Path('a').write_text('b')",
        "__builtins__",
        # the five of the issue
        "keras.src.backend.config.os.system('x')",
        "import typing; typing.sys.modules['os'].system('x')",
        "import numpy as np; np._core.records.os.system('x')",
        "from keras.src.backend.config import os",
        "import keras.src.backend.config as config",
        # a module handed about, a name bound anew, a chain on what a call gives
        "k = keras; k.src",
        "[keras][0].src",
        "layers = 3",
        "super = layers.Dense",
        "layers.Dense.call",
        "layers.Dense(2).save('x')",
        "type(Scale).mro",
        "keras.layers.Dense = 1",
        "'{0.__class__}'.format(keras.Input)",
        "[c for c in ().__class__.__base__.__subclasses__()]",
        "keras.layers.TFSMLayer('x')",
        "keras.saving.load_model('x')",
        "import tensorflow as tf; tf.raw_ops.DatasetToTFRecord()",
        "import tensorflow as tf; tf.lookup.TextFileInitializer",
        "class A(metaclass=Scale): pass",
        "nothing_of_that_name",
        "del keras",
        # a foreign self
        "Scale.call(3)",
        "def f(self): self.kernel",
        "f = lambda self: self.kernel",
        "super(Scale, 3).call()",
        "from keras.layers import Dense as self",
        "import keras as super",
        # a class that nobody reads
        "type('A', (layers.Layer,), {'call': build_model})",
        "list(map(type, [1], [2], [3]))",
        # classes of more than Keras's
        "class A(tf.Tensor): pass",
        "class A(list): pass",
        "class A(type(Scale)): pass",
        "class keras(layers.Layer): pass",
        # any file of arrays
        "def load(path): return keras.np.load(path)",
    ],
)
def test_anything_more_is_refused(tmp_path, line):
    (tmp_path / "model.py").write_text(GOOD + line + "\n")
    with pytest.raises(UnsafeModel, match="line 14:.*--trust"):
        check_source(tmp_path / "model.py")


def test_arguments_may_be_called_what_they_like(tmp_path):
    text = GOOD.replace("(self, x)", "(self, data, input)")
    text = text.replace("multiply(x, 2.0)", "multiply(data, input)")
    (tmp_path / "model.py").write_text(text)
    check_source(tmp_path / "model.py")


FOREIGN_SELF = """
class Thief(layers.Layer):
    def {method}(self):
        self.save = 1
        self.save("x")

Thief.{method}(keras.Model)
"""


@pytest.mark.parametrize("method", ["call", "append", "lookup", "other", "__del__"])
def test_no_method_is_given_another_self(tmp_path, method):
    (tmp_path / "model.py").write_text(GOOD + FOREIGN_SELF.format(method=method))
    with pytest.raises(UnsafeModel):
        check_source(tmp_path / "model.py")


RAW_METHODS = [  # the bare function of a method, as a value: it could be called with any self
    "HELD.append(write)",
    "g = write",
    "list(map(write, HELD))",
    "def call(self, x, f=write): return f(x)",
    "f = lambda x, f=write: f(x)",
    "h = [write for _ in HELD]",
    "@write\n    def call(self, x): return x",
]
RAW = """
HELD = []
write = 3
class A(layers.Layer):
    def other(self):
        self.tofile = 1
    def write(self):
        return self.tofile("x")
    {line}
"""


@pytest.mark.parametrize("line", RAW_METHODS)
def test_no_method_is_a_value(tmp_path, line):
    (tmp_path / "model.py").write_text(GOOD + RAW.replace("{line}", line))
    with pytest.raises(UnsafeModel, match="line 2[12]: 'write'"):
        check_source(tmp_path / "model.py")


@pytest.mark.parametrize("name", ["save", "export", "save_weights", "fit", "to_json"])
def test_what_self_inherits_is_not_the_sources_own(tmp_path, name):
    """A name that is assigned somewhere, and read where it is not: what Keras's class, or numpy's, has under it."""
    from graphscope.verify.run.allowed import inherited_names

    pytest.importorskip("tensorflow")
    line = f"class A(keras.Model):\n    def call(self, x):\n        self.{name} = 1\n"
    (tmp_path / "model.py").write_text(GOOD + line)
    check_source(tmp_path / "model.py")  # without Keras's classes at hand
    with pytest.raises(UnsafeModel, match=f"self.{name}"):
        check_source(tmp_path / "model.py", inherited_names())
    (tmp_path / "model.py").write_text(GOOD + line.replace(f".{name}", "._tracker"))
    with pytest.raises(UnsafeModel, match="self._tracker"):
        check_source(tmp_path / "model.py")


def test_no_chain_of_attributes_leaves_the_vocabulary():
    """Every chain of up to three names, drawn from what modules really hold, is allowed only where the list says so."""
    draw = random.Random(1)
    words = [
        *vocabulary()["values"],
        *dir(object),
        *"os sys src io path modules".split(),
    ]
    for module in ("keras", "np", "tf", "layers", "ops"):
        for _ in range(400):
            chain = ".".join([module, *draw.choices(words, k=draw.randint(1, 3))])
            said = list(refusals(ast.parse(IMPORTS + chain)))
            full = chain.replace("np.", "numpy.").replace("tf.", "tensorflow.")
            full = re.sub(r"^(layers|ops)\.", r"keras.\1.", full)
            heads = [full.split(".")[:n] for n in range(2, 6)]
            assert said or any(is_allowed(".".join(head)) for head in heads), chain


def test_what_is_listed_is_what_keras_has():
    """Nothing in the list is a module; a class or function, and public."""
    keras = pytest.importorskip("keras")
    for module, names in vocabulary().items():
        for name in names if module.startswith("keras") else ():
            holder = functools.reduce(getattr, module.split(".")[1:], keras)
            value = getattr(holder, name, None)
            assert value is None or callable(value), (module, name)
            assert not name.startswith("_") and not inspect.ismodule(value)


def test_what_is_no_python_is_told(tmp_path):
    (tmp_path / "model.py").write_text("def (")
    with pytest.raises(FormatError, match="no Python"):
        check_source(tmp_path / "model.py")


def test_reading_the_arrays_that_are_asked_for_is_fine(tmp_path):
    line = "def load_weights(model, path='weights.npz'):\n    return np.load(path)\n"
    text = GOOD + "import numpy as np\n" + line
    (tmp_path / "model.py").write_text(text)
    check_source(tmp_path / "model.py")
    for more in ("load_weights(1, '/etc/x')", "f = load_weights"):
        (tmp_path / "model.py").write_text(text + more)
        with pytest.raises(UnsafeModel, match="np.load"):
            check_source(tmp_path / "model.py")
