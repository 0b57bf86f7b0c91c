"""Model -> the outputs that the file itself declares: signatures, session-bundle exports, collections that say so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ...graph import Graph, Model, Signature, Tensor
from ...wire.nodes import holds_tensor

_TELLING = re.compile(
    r"predict|output|logit|prob|score|softmax|inference|result|embedding", re.IGNORECASE
)
_OTHER = re.compile(r"loss|label|target|input|train|summar|metric|saver|init|variable")
DEFAULT = "serving_default"


def declared_signatures(model: Model) -> dict[str, Signature]:
    """The signatures with those of their outputs that the graph holds, ``serving_default`` first."""
    declared = {
        name: replace(signature, outputs=outputs)
        for name, signature in {**_bundle_signatures(model), **model.signatures}.items()
        if not name.startswith("__saved_model")
        and (outputs := _outputs_in(model.graph, signature))
    }
    return dict(sorted(declared.items(), key=lambda item: item[0] != DEFAULT))


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
    for item in model.collections.get("serving_signatures", ()):
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
