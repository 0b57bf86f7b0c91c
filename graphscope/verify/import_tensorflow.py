"""TensorFlow, imported without what it says on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from ..errors import GraphscopeError


class Symbol(Protocol):
    """A tensor of a TensorFlow graph, as far as it is asked here: TensorFlow declares no types."""

    name: str
    op: Operation
    dtype: Any
    shape: Any

    def consumers(self) -> list[Operation]: ...
    def __lt__(self, other: object) -> Symbol: ...
    def __gt__(self, other: object) -> Symbol: ...
    def __and__(self, other: Symbol) -> Symbol: ...


class Operation(Protocol):
    """An op of a TensorFlow graph."""

    name: str
    type: str
    inputs: Sequence[Symbol]
    outputs: Sequence[Symbol]
    control_inputs: Sequence[Operation]
    graph: Any
    node_def: Any
    _id: int
    _control_outputs: Sequence[Operation]

    def __hash__(self) -> int: ...
    def get_attr(self, name: str) -> Any: ...
    def _get_control_flow_context(self) -> object: ...


class Session(Protocol):
    """A session of TensorFlow 1's."""

    graph: Any

    def run(
        self, fetches: object, feeds: object = ..., options: object = ...
    ) -> Any: ...


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
