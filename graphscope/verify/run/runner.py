"""What can be run, behind one face; and a TensorFlow graph in a session as the first that has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from ...errors import GraphError, NotRunnable
from ...graph import Model, Shape, Tensor, did_you_mean
from ...infer.lookup_tables import table_contents
from ...ops import spellings
from ..differences import elements
from ..feeds.draw import Port, is_mask, looked_up
from ..feeds.noise import Noise, fed_noise
from ..feeds.ranks import admitted_shapes
from ..feeds.states import States
from ..feeds.strings import text_for
from ..import_tensorflow import Session, Symbol
from .limits import scratch_folder
from .safety import check_sizes

LONGEST = 120  # seconds for one run: what is drawn can keep a loop going for ever


class TooSlow(NotRunnable):
    """A run that was given up."""


class Runner(Protocol):
    """A model that runs: names of tensors in, arrays out."""

    source: str
    model: Model | None
    remarks: list[str]

    def outputs(self) -> tuple[str, ...]:
        """What the model itself says its outputs are."""

    def resolve(self, name: str) -> str | None:
        """What another model calls ``name``, in this one; None where there is no such thing."""

    def needed(
        self, outputs: Sequence[str], fed: Iterable[str] = ()
    ) -> tuple[Port, ...]:
        """The inputs that these outputs depend on, when ``fed`` are given."""

    def port(self, name: str) -> Port:
        """Dtype and shape of something that can be fed."""

    def run(
        self,
        feeds: Mapping[str, object],
        outputs: Sequence[str],
        noise: Noise | None = None,
    ) -> list[np.ndarray]:
        """Compute the outputs; raises GraphscopeError with TensorFlow's reason where it cannot.

        What the model draws at random it takes from ``noise``, where that is given.
        """


def fitting(port: Port, model: Model | None) -> Port:
    """The same input with what its readers in the graph make of it: texts that they know, ids below a size, a mask."""
    node = Tensor.parse(port.name).node
    if model is None or node not in model.graph:
        return replace(port, texts=(b"",)) if port.dtype == "string" else port
    if port.dtype == "string":
        return replace(port, texts=_texts(node, model))
    below, mask = looked_up(model.graph, node), is_mask(model.graph, node)
    return replace(port, below=below, is_mask=mask)


def _texts(node: str, model: Model) -> tuple[bytes, ...]:
    """A few strings that a placeholder may hold."""
    tables = table_contents(model.graph, model).values()
    words = [w for keys, _ in tables for w in keys.tolist() if isinstance(w, bytes)]
    return tuple(text_for(model.graph, node, seed, words) for seed in range(5))


class GraphRunner:
    """A graph in a session; names are those of tensors (``"node:0"``), aliases those of signatures."""

    def __init__(
        self,
        session: Session,
        source: str,
        outputs: Sequence[str],
        model: Model | None = None,
        signatures: Sequence[Mapping[str, str]] = (),
    ) -> None:
        self.session, self.source, self.model = session, source, model
        self.signatures = tuple(signatures)
        self.aliases = dict(self.signatures[0]) if signatures else {}
        self.remarks: list[str] = []
        self._outputs = tuple(outputs)
        self._known = {op.name for op in session.graph.get_operations()}
        self._states: States | None = None
        self.folder: Any = None  # of files that the session maps
        self._sizes: set[object] = set()
        self._shapes: dict[str, tuple[Shape, ...]] = {}  # of feeds of no known rank

    def outputs(self) -> tuple[str, ...]:
        return self._outputs

    def choose(self, names: Iterable[str]) -> None:
        """Of several signatures, speak by the one that has most of these names."""
        plain_names = {name.removesuffix(":0") for name in names}
        if self.signatures:
            best = max(
                self.signatures,
                key=lambda candidate: len(plain_names & candidate.keys()),
            )
            self.aliases = dict(best)

    def resolve(self, name: str) -> str | None:
        for text in (name, name.removesuffix(":0")):
            if text in self.aliases:
                return self.aliases[text]
        tensor = self._cut(Tensor.parse(name))
        if tensor.node not in self._known:
            return None
        ports = len(self.session.graph.get_operation_by_name(tensor.node).outputs)
        return str(tensor) if tensor.port < ports else None

    def _cut(self, tensor: Tensor) -> Tensor:
        """Where a freeze cut several ports of one node, ``node_1`` is what ``node:1`` was."""
        node, _, port = tensor.node.rpartition("_")
        if tensor.node in self._known or node not in self._known or not port.isdigit():
            return tensor
        return Tensor(node, int(port))

    def tensor(self, name: str) -> Symbol:
        name_ = self.resolve(name)
        if name_ is None:
            hint = did_you_mean(Tensor.parse(name).node, self._known)
            raise GraphError(f"no tensor {name!r} in {self.source}{hint}")
        tensor: Symbol = self.session.graph.get_tensor_by_name(name_)
        return tensor

    def add(self, tensor: Symbol) -> str:
        """Make known what was added to the graph; returns its name."""
        self._known.add(tensor.op.name)
        return str(tensor.name)

    def needed(
        self, outputs: Sequence[str], fed: Iterable[str] = ()
    ) -> tuple[Port, ...]:
        names = {self.tensor(name).op.name for name in fed}
        stack = [self.tensor(name).op for name in outputs]
        visited, needed = set(), []
        while stack:
            op = stack.pop()
            if op.name in visited or op.name in names:
                continue
            visited.add(op.name)
            if op.type in spellings.FEEDS:
                needed.append(op.name)
            stack += [tensor.op for tensor in op.inputs] + list(op.control_inputs)
        order = {op.name: i for i, op in enumerate(self.session.graph.get_operations())}
        return tuple(
            self.port(f"{name}:0") for name in sorted(needed, key=order.__getitem__)
        )

    def port(self, name: str) -> Port:
        tensor = self.tensor(name)
        dtype = tensor.dtype.base_dtype.name
        port = Port(tensor.name, dtype, shape_of(tensor.shape))
        if port.shape is None and self.model is not None:
            port = replace(port, likely=self._admitted(tensor.op.name, self.model))
        return fitting(port, self.model)

    def _admitted(self, feed: str, model: Model) -> tuple[Shape, ...]:
        if feed not in self._shapes and feed in model.graph:
            self._shapes[feed] = admitted_shapes(self.session.graph, model, feed)
        return self._shapes.get(feed, ())

    def _check_sizes(self, feeds: Mapping[str, np.ndarray]) -> None:
        """Refuse feeds of shapes from which the graph makes gigabytes; those seen before are not looked at again."""
        shapes = {name.partition(":")[0]: np.shape(v) for name, v in feeds.items()}
        key = tuple(sorted(shapes.items()))
        if self.model is not None and key not in self._sizes:
            check_sizes(self.model, shapes)
            self._sizes.add(key)

    def run(
        self,
        feeds: Mapping[str, Any],
        outputs: Sequence[str],
        noise: Noise | None = None,
    ) -> list[np.ndarray]:
        from ..import_tensorflow import import_tensorflow

        tf = import_tensorflow()
        fetches = [self.tensor(name) for name in outputs]
        feeds_ = {self.tensor(name): value for name, value in feeds.items()}
        self._check_sizes(feeds)
        try:
            if noise is not None:
                feeds_ |= fed_noise(self.session, fetches, feeds_, noise)
            options = tf.compat.v1.RunOptions(timeout_in_ms=1000 * LONGEST)
            self._states = self._states or States(tf, self.session)
            self._states.remember(fetches)
            with scratch_folder(self.remarks, self.source):
                answer = self.session.run(fetches, feeds_, options)
            self._states.restore()
            return [elements(value) for value in answer]
        except tf.errors.DeadlineExceededError:
            raise TooSlow(
                f"{self.source} cannot be run: no answer within {LONGEST} s"
            ) from None
        except (tf.errors.OpError, ValueError, TypeError) as error:
            raise NotRunnable(
                f"{self.source} cannot be run: {first_line(error)}"
            ) from None


def shape_of(shape: Any) -> Shape:
    """A TensorShape as a Shape."""
    return None if shape.rank is None else tuple(shape.as_list())


_NOISE = (
    "Graph execution error",
    "Detected at",
    "Original stack",
    "[[",
    "File ",
    "node '",
)


def first_line(error: Exception) -> str:
    """TensorFlow's reason, without the stacks of Python frames that surround it."""
    text = getattr(error, "message", None) or str(error)
    lines = [line.strip() for line in text.splitlines()]
    telling = [line for line in lines if " " in line and not line.startswith(_NOISE)]
    if not telling:
        return (lines or [type(error).__name__])[0][:400]
    return telling[-1 if "Detected at" in text else 0][:400]
