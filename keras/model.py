"""m, recovered by graphscope from m.keras.

0 layers with 0 parameters.

Assumed:
- 'l0' is a Lambda: its Python code is in the file and is never run
"""

import keras


def build_model() -> keras.Model:
    """The model, without its weights."""
    inputs = keras.Input((4,), name="l0")
    return keras.Model(inputs, inputs, name="m")
