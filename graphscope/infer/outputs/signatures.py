"""Model -> the outputs that the file itself declares: signatures, session-bundle exports, collections that say so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ...errors import GraphError
from ...graph import Graph, Model, Signature, Tensor, did_you_mean
from ...ops import spellings
from ...ops.effects import effect_of
from ...wire.nodes import holds_tensor

_TELLING = re.compile(
    r"predict|output|logit|prob|score|softmax|inference|result|embedding", re.IGNORECASE
)
_OTHER = re.compile(r"loss|label|target|input|train|summar|metric|saver|init|variable")
DEFAULT = "serving_default"
_INTERNAL = "__saved_model"  # what loads and initialises
_WRITER = re.compile(r"Assign|(Resource)?(Sparse)?Apply|(Resource)?Scatter")
_FEEDS = frozenset(spellings.PLACEHOLDERS)
_BUNDLE = "serving_signatures"


def declared_signatures(model: Model) -> dict[str, Signature]:
    """The signatures with those of their outputs that the graph holds, ``serving_default`` first."""
    declared = {
        name: replace(signature, outputs=outputs)
        for name, signature in {**_bundle_signatures(model), **model.signatures}.items()
        if not name.startswith(_INTERNAL)
        and (outputs := _outputs_in(model.graph, signature))
    }
    return dict(sorted(declared.items(), key=lambda item: item[0] != DEFAULT))


def with_signature(model: Model, name: str) -> Model:
    """The model as if it declared that signature alone; raises GraphError with those that there are."""
    declared = {
        key: signature
        for key, signature in {**_bundle_signatures(model), **model.signatures}.items()
        if not key.startswith(_INTERNAL)
    }
    if name not in declared:
        known = ", ".join(map(repr, sorted(declared))) or "none"
        raise GraphError(
            f"no signature {name!r} in {model.source}{did_you_mean(name, declared)}; it declares {known}"
        )
    others = {k: v for k, v in model.collections.items() if k != _BUNDLE}
    return replace(model, signatures={name: declared[name]}, collections=others)


def no_models(graph: Graph, signatures: Mapping[str, Signature]) -> dict[str, str]:
    """Signatures that compute nothing from what is fed, or change the weights that others compute with; each with why."""
    ends = {n: [t.node for t in s.outputs.values()] for n, s in signatures.items()}
    reads = {name: graph.upstream(nodes) for name, nodes in ends.items()}
    unfit = {}
    for name, nodes in ends.items():
        others = set().union(*(reads[n] for n in reads if n != name))
        run = graph.upstream(nodes, control=True)
        files = [n for n in run if effect_of(graph.op(n)) == "files"]
        writers = (n for n in run if _WRITER.match(graph.op(n)) and graph.inputs(n))
        written = [n for n in writers if graph.inputs(n)[0].node in others]
        if not any(graph.op(n) in _FEEDS for n in reads[name]):
            unfit[name] = "it depends on no input"
        elif files:
            unfit[name] = f"{graph.op(files[0])} {files[0]!r} touches files"
        elif written:
            variable = graph.inputs(written[0])[0].node
            unfit[name] = f"it changes the weight {variable!r}"
    return unfit


def _outputs_in(graph: Graph, signature: Signature) -> dict[str, Tensor]:
    return {k: t for k, t in signature.outputs.items() if holds_tensor(graph, t)}


def declared_collections(model: Model) -> Iterator[tuple[str, Tensor]]:
    """``(collection, tensor)`` for node lists whose name says that they hold results (``predictions``, ``logits``)."""
    for name, items in model.collections.items():
        if not _TELLING.search(name) or _OTHER.search(name.lower()):
            continue
        for item in items:
            if isinstance(item, str) and holds_tensor(model.graph, Tensor.parse(item)):
                yield name, Tensor.parse(item)


def _bundle_signatures(model: Model) -> dict[str, Signature]:
    """What TensorFlow 0.x's ``session_bundle`` exporter wrote into the collection ``serving_signatures``.

    Its generic signatures ``inputs`` and ``outputs`` were what callers used, its default one what served examples.
    """
    signatures: dict[str, Signature] = {}
    for item in model.collections.get(_BUNDLE, ()):
        if not isinstance(item, Mapping):
            continue
        named = item.get("named_signatures", {})
        outputs = _bindings(named.get("outputs", {}), inward=False)
        if outputs:
            inputs = _bindings(named.get("inputs", {}), inward=True)
            signatures["outputs"] = Signature(inputs, outputs, method="session_bundle")
        for name, body in {
            **named,
            "default": item.get("default_signature", {}),
        }.items():
            ends = _bindings(body, inward=False)
            if ends and name not in ("inputs", "outputs"):
                signatures[name] = Signature(
                    _bindings(body, inward=True), ends, method="session_bundle"
                )
    return signatures


def _bindings(body: Mapping[str, Any], inward: bool) -> dict[str, Tensor]:
    """The inputs or the outputs of a manifest.proto Signature (regression, classification or generic)."""
    bindings: dict[str, Any] = {}
    for kind in ("regression_signature", "classification_signature"):
        bindings.update(
            (name, binding)
            for name, binding in body.get(kind, {}).items()
            if (name == "input") is inward
        )
    bindings.update(body.get("generic_signature", {}).get("map", {}))
    return {
        name: Tensor.parse(binding["tensor_name"])
        for name, binding in bindings.items()
        if binding.get("tensor_name")
    }
