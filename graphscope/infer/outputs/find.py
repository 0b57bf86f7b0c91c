"""Model -> its outputs and inputs, ranked, with evidence.

What a file declares (signatures) is certain and comes first. Then dataflow: drop what trains, saves and measures; what
is left and feeds nothing, and what feeds the loss without depending on a label, are the candidates. They are ranked
by the weights behind them, by the op that they end in, by what reads them; names break ties only.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...graph import Model, Tensor, TensorSpec
from ..shapes.declared import spec_of
from ..training.op_kinds import SOURCES
from ..training.roles import Training, study_training
from .answer import Candidate, Candidates, Evidence, OutputSet, short
from .heads.candidates import Head, base_of, find_heads
from .inputs import find_inputs
from .points import POINTS
from .ranking import score_heads
from .signatures import declared_signatures

__all__ = ["Candidate", "Candidates", "OutputSet", "find_outputs"]


_SURE = 0.5  # below it a candidate is shown, and no more
_CLOSE = 0.15  # of 55 first answers that led by less at first sight 27 were wrong, of the others one in three


def find_outputs(
    model: Model,
    roles: Mapping[str, str] | None = None,
    *,
    training: Training | None = None,
    specs: Mapping[Tensor, TensorSpec] | None = None,
    points: Mapping[str, float] = POINTS,
) -> Candidates:
    """The candidate inputs and outputs of a model, best first.

    ``roles`` are accepted for symmetry with the other stages; ``training`` (``study_training``'s result) spares
    computing what it holds once more. ``specs`` adds shapes that the file itself does not give, ``points`` weighs each
    kind of evidence. A model that was inferred from a variable list alone has no candidates, and ``remarks`` says so.
    """
    if model.inferred and not len(model.graph):
        return Candidates(
            remarks=("the file stores no weight: there is nothing to tell a model by",)
        )
    if model.inferred:
        return Candidates(
            remarks=(
                "the graph was inferred from the names of variables: it says which weights there are, "
                "not what is computed from them; give the .meta file or the source that built it",
            )
        )
    study = training or study_training(model.graph, model.collections, model.functions)
    declared = _declared_outputs(model, study, specs or {})
    heads = [
        head
        for head in find_heads(model, study)
        if head.tensor not in {c.tensor for c in declared}
    ]
    guessed = score_heads(model, study, heads, specs or {}, bool(declared), points)
    outputs = tuple(declared) + tuple(guessed)
    return Candidates(
        find_inputs(model, study, declared_signatures(model), specs or {}),
        outputs,
        _sets(model, guessed),
        _remarks(study, [] if declared else heads, outputs),
    )


def _declared_outputs(
    model: Model, study: Training, specs: Mapping[Tensor, TensorSpec]
) -> list[Candidate]:
    declared: dict[Tensor, Candidate] = {}
    for name, signature in declared_signatures(model).items():
        for key, tensor in sorted(signature.outputs.items()):
            if tensor in declared:
                continue
            spec = signature.specs.get(tensor) or spec_of(model.graph, tensor, specs)
            text = f"signature {name!r} declares it as its output {key!r}"
            declared[tensor] = Candidate(
                tensor, spec, 1.0, "signature", (Evidence(text),), group=name
            )
    return list(declared.values())


def _sets(model: Model, guessed: list[Candidate]) -> tuple[OutputSet, ...]:
    sets = [
        OutputSet(name, tuple(dict.fromkeys(s.outputs.values())), f"signature {name!r}")
        for name, s in declared_signatures(model).items()
    ]
    groups: dict[str, list[Tensor]] = {}
    for candidate in guessed:
        if candidate.group:
            groups.setdefault(candidate.group, []).append(candidate.tensor)
    sets += [OutputSet(name, tuple(tensors)) for name, tensors in groups.items()]
    return tuple(sets)


def _remarks(
    study: Training, heads: list[Head], outputs: tuple[Candidate, ...]
) -> tuple[str, ...]:
    if not outputs:
        return (_why_none(study),)
    reasons = dict.fromkeys(head.reason for head in heads if head.reason)
    first = outputs[0]
    stands = f"{short(first.tensor)!r} is the output for want of another"
    text = stands if first.score >= _SURE else "no output stands out"
    remarks = [f"{text}: {reason}" for reason in reasons]
    remarks += [] if reasons else _close(study, outputs)
    for bit in study.deps.bits(study.losses.transitions):
        name = study.flow.names[study.deps.holders[bit]]
        remarks.append(f"Viterbi decoding also needs the variable {name!r}")
    return tuple(remarks)


def _close(study: Training, outputs: tuple[Candidate, ...]) -> list[str]:
    """A word about other predictions that are nearly as likely as the first, and not of its set."""
    first, *rest = outputs
    if first.kind in ("signature", "declared"):
        return []
    own = {_base(study, c) for c in outputs if c.group}
    near = [c for c in rest if not c.group and first.score - c.score < _CLOSE]
    near = [
        c for c in near if _base(study, c) not in own and c.tensor not in first.twins
    ]
    if not near:
        return []
    names = ", ".join(
        f"{short(c.tensor)!r} ({c.score:.2f})" for c in (first, *near[:3])
    )
    return [f"several answers stand close: {names}"]


def _base(study: Training, candidate: Candidate) -> int:
    return base_of(study, study.flow.index[candidate.tensor.node])


def _why_none(study: Training) -> str:
    if not len(study.flow):
        return "the graph is empty"
    if all(SOURCES.match(op) for op in study.flow.ops):
        names = ", ".join(map(repr, study.flow.names[:3]))
        return (
            f"the file holds nothing but what is fed ({names}): its freeze named a label or an input as output, and all that is "
            "computed was cut away"
        )
    if not study.deps.sources:
        return (
            "nothing in the graph is fed: it only computes constants or fills variables"
        )
    return "all that is computed serves to train, save, initialise or measure"


def heads_of(model: Model) -> list[Head]:
    """The tensors among which the outputs are sought, unranked."""
    return find_heads(
        model, study_training(model.graph, model.collections, model.functions)
    )
