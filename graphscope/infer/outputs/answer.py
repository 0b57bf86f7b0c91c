"""The answer to "what goes in, what comes out": candidates, best first, each with its evidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...graph import Tensor, TensorSpec


@dataclass(frozen=True)
class Evidence:
    """What speaks for or against a candidate: in words, and in points (a logarithm of odds; 0 for what only explains).

    ``name`` is its kind in the table of points, ``amount`` how much of it there is.
    """

    text: str
    points: float = 0.0
    name: str = ""
    amount: float = 1.0

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Candidate:
    """One tensor that may be an input or an output of the model.

    ``score`` lies between 0 and 1 and means what it says: of the candidates with a score of 0.9, nine in ten are
    right. ``kind`` is one of INPUT_KINDS or OUTPUT_KINDS; ``evidence`` says what speaks for it. ``value`` is
    what inference feeds to a mode switch (False for ``is_training``, 1.0 for ``keep_prob``), None for any other.
    ``group`` names the set of outputs that it belongs to, ``twins`` are what computes the same of other data (the other
    towers, the copy in training): one of them is in the set.
    """

    tensor: Tensor
    spec: TensorSpec
    score: float
    kind: str
    evidence: tuple[Evidence, ...] = ()
    value: bool | int | float | None = None
    group: str = ""
    twins: tuple[Tensor, ...] = ()


INPUT_KINDS = (
    "data",
    "label",
    "mode switch",
    "noise",
    "setting",
    "file name",
    "not needed",
)
OUTPUT_KINDS = (
    "signature",
    "declared",
    "prediction",
    "scores",
    "class",
    "generator",
    "discriminator",
    "tower",
    "target network",
    "derivative",
    "state",
    "side result",
)


@dataclass(frozen=True)
class OutputSet:
    """Outputs that belong together: one signature, the heads of one model, the generator of a GAN."""

    name: str
    tensors: tuple[Tensor, ...]
    evidence: str = ""


@dataclass(frozen=True)
class Candidates:
    """Ranked inputs and outputs. ``remarks`` says why where there are none."""

    inputs: Sequence[Candidate] = ()
    outputs: Sequence[Candidate] = ()
    sets: tuple[OutputSet, ...] = ()
    remarks: tuple[str, ...] = ()

    def best(self) -> tuple[Candidate, ...]:
        """The best output and those that belong with it."""
        if not self.sets:
            return tuple(self.outputs[:1])
        chosen = set(self.sets[0].tensors)
        return tuple(c for c in self.outputs if c.tensor in chosen)

    def explain(self, name: str) -> str:
        """What speaks for and against one tensor being an output, with its points."""
        tensor = Tensor.parse(name)
        ranked = [c.tensor for c in self.outputs]
        if tensor not in ranked:
            first = f"; first is {short(ranked[0])}" if ranked else ""
            return f"{short(tensor)} is not among the {len(ranked)} candidates{first}"
        place = ranked.index(tensor)
        candidate = self.outputs[place]
        lines = [f"{short(tensor)}: {candidate.kind}, score {candidate.score:.2f}"]
        lines += [f"  {e.points:+5.2f}  {e.text}" for e in candidate.evidence]
        total = sum(e.points for e in candidate.evidence)
        lines.append(f"  {total:+5.2f}  in all: number {place + 1} of {len(ranked)}")
        return "\n".join(lines)

    def freeze_command(self, source: str) -> str:
        """The command line that freezes ``source`` with the best outputs."""
        return freeze_command(source, (short(c.tensor) for c in self.best()))


def freeze_command(
    source: str,
    outputs: Iterable[str],
    inputs: Iterable[str] = (),
    place: str = "frozen.pb",
) -> str:
    """The command that freezes a model at these outputs; names from a file are quoted for the shell."""
    import shlex

    if source.rpartition("/")[2] == place:  # not onto the model itself
        place = place.replace(".pb", "_2.pb")
    words = ["graphscope", "freeze", source, "-o", place]
    words += [w for name in outputs for w in ("--output", name)]
    return shlex.join([*words, *(w for name in inputs for w in ("--input", name))])


def short(tensor: Tensor) -> str:
    """The tensor as a person types it: ``:0`` goes without saying."""
    return str(tensor) if tensor.port else tensor.node
