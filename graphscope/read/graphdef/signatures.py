"""SignatureDefs, and TensorFlow Serving's older manifest (``serving_signatures``), -> Signatures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...graph import Signature, Tensor, TensorSpec
from ...graph.named_values import Document, Message
from ...wire import messages as proto
from ...wire.attrs import shape_of

DEFAULT = "serving_default"
_KINDS = ("regression_signature", "classification_signature")


def signatures_of(messages: Mapping[str, object]) -> dict[str, Signature]:
    """SignatureDefs by key; composite tensors are left out, sparse ones give their values tensor."""
    return {key: _signature(messages[key]) for key in sorted(messages)}


def _signature(message: Message) -> Signature:
    specs: dict[Tensor, TensorSpec] = {}
    inputs = _tensors(message.inputs, specs)
    outputs = _tensors(message.outputs, specs)
    return Signature(inputs, outputs, specs, message.method_name)


def _tensors(
    messages: Mapping[str, Message], specs: dict[Tensor, TensorSpec]
) -> dict[str, Tensor]:
    tensors = {}
    for key in sorted(messages):
        info = messages[key]
        name = info.name or info.coo_sparse.values_tensor_name
        if not name:
            continue
        tensor = tensors[key] = Tensor.parse(name)
        dtype = proto.DATA_TYPES.get(info.dtype, "") if info.dtype else ""
        specs[tensor] = TensorSpec(dtype, shape_of(info.tensor_shape))
    return tensors


def manifest_signatures(
    collections: Mapping[str, tuple[object, ...]],
) -> dict[str, Signature]:
    """The signatures of a session bundle (TensorFlow 0.x and 1.x exporters), decoded with the collections."""
    for manifest in collections.get("serving_signatures", ()):
        if isinstance(manifest, Mapping):
            return _of_manifest(manifest)
    return {}


def _of_manifest(manifest: Document) -> dict[str, Signature]:
    named = dict(manifest.get("named_signatures", {}))
    default = manifest.get("default_signature")
    sides = [_bound(named.pop(side, {})) for side in ("inputs", "outputs")]
    signatures = {}
    if any(sides):
        signatures[DEFAULT] = Signature(sides[0], sides[1])
    elif default:
        signatures[DEFAULT] = _called(default)
    for key, value in sorted(named.items()):
        signatures.setdefault(key, _called(value))
    return {key: s for key, s in signatures.items() if s.inputs or s.outputs}


def _bound(tensors: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors of a generic signature."""
    bindings = tensors.get("generic_signature", {}).get("map", {})
    return {k: _tensor(v) for k, v in sorted(bindings.items()) if v.get("tensor_name")}


def _called(signature: Mapping[str, Any]) -> Signature:
    for kind in _KINDS:
        if kind in signature:
            parts = {
                k: _tensor(v)
                for k, v in signature[kind].items()
                if v.get("tensor_name")
            }
            inputs = {k: t for k, t in parts.items() if k == "input"}
            outputs = {k: t for k, t in parts.items() if k != "input"}
            return Signature(inputs, outputs, method=kind.partition("_")[0])
    return Signature({}, _bound(signature))


def _tensor(binding: Mapping[str, object]) -> Tensor:
    return Tensor.parse(str(binding.get("tensor_name", "")))
