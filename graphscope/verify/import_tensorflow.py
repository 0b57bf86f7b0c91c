"""TensorFlow, imported without what it says on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import GraphscopeError


def import_tensorflow() -> Any:
    """The tensorflow module; raises GraphscopeError where it is not installed."""
    if "tensorflow" in sys.modules:
        return sys.modules["tensorflow"]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with silence():
        try:
            import tensorflow
        except ImportError:
            raise GraphscopeError(
                "running a model needs TensorFlow: pip install tf-graphscope[tensorflow]"
            ) from None
        tensorflow.get_logger().setLevel("ERROR")
    return tensorflow


@contextmanager
def silence() -> Iterator[None]:
    """Nothing reaches stderr, not even from C++ (absl says what it likes before it is initialised)."""
    sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # no stderr at all
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
