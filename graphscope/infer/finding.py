"""What every family of findings is given, and what it yields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..errors import GraphscopeError
from ..graph import Function, Layer, Model, Tensor
from ..wire.nodes import holds_tensor
from .outputs.answer import Candidate, Candidates, freeze_command, short
from .training.op_kinds import SOURCES, VARIABLES

if TYPE_CHECKING:
    from .training.roles import Training

SEVERITIES = ("info", "warning", "error")
NAMED = 3  # nodes named in a message; the rest are counted, and listed by --json


@dataclass(frozen=True)
class Finding:
    """One thing that would break or falsify a freeze, or that a user should know before one.

    ``id`` is stable; ``severity`` one of SEVERITIES; ``nodes`` what it is about; ``message`` a sentence for a
    newcomer; ``remedy`` a command or a line of code, ``""`` where there is none.
    """

    id: str
    severity: str
    message: str
    nodes: tuple[str, ...] = ()
    remedy: str = ""

    @property
    def node(self) -> str | list[str]:
        """The node it is about, or a list of them."""
        return self.nodes[0] if len(self.nodes) == 1 else list(self.nodes)


def listed(names: Iterable[str], most: int = NAMED) -> str:
    """``'a', 'b' and 3 more``."""
    all_names = list(names)
    shown = ", ".join(map(repr, all_names[:most]))
    rest = len(all_names) - most
    return f"{shown} and {rest} more" if rest > 0 else shown


@dataclass(frozen=True)
class Case:
    """A model, the outputs that the user named (maybe none), and what the findings share."""

    model: Model
    wanted: tuple[str, ...] = ()
    read_weights: bool = True
    inlined: Model | None = None
    training: Training | None = None
    ranking: Callable[[], Candidates] | None = None
    layers: Callable[[], Iterable[Layer]] | None = tuple

    @cached_property
    def flat(self) -> Model:
        """The model with its function calls inlined, or as it is where that cannot be done."""
        from ..simplify.inline import inline

        if self.inlined is not None:
            return self.inlined
        if not self.model.functions:
            return self.model
        try:
            return inline(self.model)
        except GraphscopeError:
            return self.model

    @cached_property
    def study(self) -> Training:
        flat = self.flat
        if self.training is not None:
            return self.training
        from .training.roles import study_training

        return study_training(flat.graph, flat.collections, flat.functions)

    @cached_property
    def roles(self) -> Mapping[str, str]:
        return {self.study.flow.names[i]: r for i, r in self.study.roles.items()}

    @cached_property
    def candidates(self) -> Candidates:
        if self.ranking is not None:
            return self.ranking()
        from .outputs.find import find_outputs

        return find_outputs(self.flat, training=self.study)

    @cached_property
    def outputs(self) -> tuple[Tensor, ...]:
        """The outputs asked for that exist, else the likely ones."""
        if self.wanted:
            tensors = map(Tensor.parse, self.wanted)
            return tuple(t for t in tensors if holds_tensor(self.flat.graph, t))
        return tuple(c.tensor for c in self.candidates.best() if c.score >= 0.5)

    @cached_property
    def path(self) -> frozenset[str]:
        """The nodes that the outputs are computed from; every node without a role where no output is known."""
        graph = self.flat.graph
        if self.outputs:
            return frozenset(graph.upstream(t.node for t in self.outputs))
        return frozenset(name for name in graph if name not in self.roles)

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """``path`` as node numbers of ``study.flow``, in the file's order."""
        names, path = self.study.flow.names, self.path
        return tuple(i for i, name in enumerate(names) if name in path)

    def on_path(self, *ops: str) -> list[str]:
        """The nodes of these ops that the outputs need, in the file's order."""
        return [
            self.study.flow.names[i] for i in self.places(frozenset(ops).__contains__)
        ]

    def places(self, claim: Callable[[str], object]) -> list[int]:
        """The node numbers of those that the outputs need whose op the claim is true of, in the file's order."""
        names, path = self.study.flow.names, self.path
        return [i for i in self.study.flow.by_kind(claim) if names[i] in path]

    def switches(self) -> Iterator[Candidate]:
        """The mode placeholders that the outputs depend on."""
        for candidate in self.candidates.inputs:
            if candidate.kind == "mode switch" and candidate.tensor.node in self.path:
                yield candidate

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """The graph's variables that the outputs need."""
        return tuple(self.on_path(*VARIABLES))

    @cached_property
    def library(self) -> Mapping[str, Function]:
        return self.model.functions

    def freeze_command(self, inputs: Iterable[str] = ()) -> str:
        """The command that freezes the model at its outputs, fed at ``inputs``."""
        source, names = self.model.source, list(inputs)
        if not self.outputs:
            return freeze_command(source, ("NAME",), names)
        if not self.wanted:
            best = [short(c.tensor) for c in self.candidates.best()]
            return freeze_command(source, best, names)
        return freeze_command(source, self.wanted, names)

    def cut_commands(self, nodes: Iterable[str]) -> str:
        """The commands that freeze what comes before nodes that cannot run and what comes after, a line each."""
        graph, bad = self.flat.graph, set(nodes) & self.path
        after = {t for n in self.path - bad for t in graph.inputs(n) if t.node in bad}
        before = {t for n in bad for t in graph.inputs(n) if self._is_computed(t, bad)}
        commands = []
        if before:
            outputs = sorted(map(short, before))
            commands.append(freeze_command(self.model.source, outputs, (), "before.pb"))
        if after:
            commands.append(self.freeze_command(sorted(map(short, after))))
        return "\n".join(commands)

    def _is_computed(self, tensor: Tensor, beyond: set[str]) -> bool:
        """Whether a tensor is computed from a feed, before any of the nodes ``beyond``."""
        graph, study = self.flat.graph, self.study
        if SOURCES.match(graph.op(tensor.node)):
            return False
        above = graph.upstream([tensor.node])
        return not above & beyond and bool(
            study.deps.feeds[study.flow.index[tensor.node]]
        )
