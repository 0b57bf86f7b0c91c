"""Training -> what feeds the model, each with its kind: data, label, mode switch, noise, setting, file name."""

from __future__ import annotations

from collections.abc import Mapping

from ...graph import Model, Signature, Tensor, TensorSpec
from ..shapes.declared import is_vague_feed, spec_of
from ..training.dependence import is_switch
from ..training.op_kinds import SOURCES
from ..training.roles import Training
from .answer import INPUT_KINDS, Candidate, Evidence
from .modes import inference_value

_RANK = {kind: rank for rank, kind in enumerate(INPUT_KINDS)}
_PIPELINES = ("IteratorGetNext", "QueueDequeue", "Reader", "BarrierTakeMany")


def find_inputs(
    model: Model,
    study: Training,
    signatures: Mapping[str, Signature],
    specs: Mapping[Tensor, TensorSpec],
) -> tuple[Candidate, ...]:
    """The inputs of a model: data first, then labels and switches, what is not needed last."""
    declared: dict[Tensor, str] = {}
    for name, signature in signatures.items():
        for key, tensor in signature.inputs.items():
            declared.setdefault(
                tensor, f"signature {name!r} declares it as its input {key!r}"
            )
    inputs = [
        _candidate(model, study, t, declared, specs) for t in _tensors(study, declared)
    ]
    return tuple(sorted(inputs, key=lambda c: (_RANK[c.kind], -c.score)))


def _tensors(study: Training, declared: Mapping[Tensor, str]) -> list[Tensor]:
    flow = study.flow
    tensors = dict.fromkeys(t for t in declared if t.node in flow.index)
    tensors.update(dict.fromkeys(flow.tensor(i, p) for i, p in study.deps.sources))
    for i in flow.by_kind(SOURCES.match):
        if is_switch(flow, i) and flow.nodes[i].attrs.get("dtype") == "bool":
            tensors.setdefault(flow.tensor(i))
    return list(tensors)


def _candidate(
    model: Model,
    study: Training,
    tensor: Tensor,
    declared: Mapping[Tensor, str],
    specs: Mapping[Tensor, TensorSpec],
) -> Candidate:
    i = study.flow.index[tensor.node]
    spec = spec_of(model.graph, tensor, specs)
    node, producer = model.graph.node(tensor.node), model.versions.get("producer")
    if spec.shape == () and is_vague_feed(node, producer):
        spec = TensorSpec(spec.dtype, None)
    texts = [declared[tensor]] if tensor in declared else []
    value, why = inference_value(study, i, spec)
    if why:
        texts.append(why)
        evidence = tuple(map(Evidence, texts))
        return Candidate(tensor, spec, 0.95, "mode switch", evidence, value)
    kind = _kind(study, i, tensor, spec, texts)
    if tensor in declared and kind != "data":
        kind = "data"
    score = 1.0 if tensor in declared else 0.9
    return Candidate(tensor, spec, score, kind, tuple(map(Evidence, texts)))


def _kind(
    study: Training, i: int, tensor: Tensor, spec: TensorSpec, texts: list[str]
) -> str:
    flow = study.flow
    role = study.roles.get(i, "")
    if role in ("save", "restore"):
        texts.append("names the file to save to or restore from")
        return "file name"
    bit = _bit(study, i, tensor.port)
    if role == "label" or bit & study.losses.labels:
        texts.append(
            "no weight is applied to it, and it ends in losses and metrics only"
        )
        return "label"
    if role == "summary" and _is_weighed(study, i, tensor.port):
        role = ""  # nothing but a summary reads what is computed from it
    if role:
        texts.append(f"feeds only nodes of role {role!r}")
        return (
            "setting" if role in ("optimizer", "gradient", "summary") else "not needed"
        )
    if not flow.outputs[i]:
        texts.append("nothing reads it")
        return "not needed"
    texts.append(_how_it_feeds(study, i, tensor.port))
    if flow.ops[i].startswith(_PIPELINES):
        texts.append(
            f"part of an input pipeline: cut here and feed a placeholder of {spec.dtype or 'its dtype'} instead"
        )
    return "data"


def _is_weighed(study: Training, i: int, port: int) -> bool:
    """Whether a weight is applied to an input."""
    from ..training.measures.losses import weights_after

    return bool(weights_after(study.flow, study.deps, i, port)[0])


def _bit(study: Training, i: int, port: int) -> int:
    try:
        return 1 << study.deps.sources.index((i, port))
    except ValueError:
        return 0


def _how_it_feeds(study: Training, i: int, port: int) -> str:
    from ..training.measures.losses import weights_after

    later = weights_after(study.flow, study.deps, i, port)[0].bit_count()
    total = len(study.deps.holders)
    if not later:
        return f"{study.flow.ops[i]}: fed, and no weight is applied to it"
    return (
        f"{study.flow.ops[i]}: {later} of {total} weights are applied to what it feeds"
    )
