"""Signatures that compute the same: Keras's ``export`` writes each endpoint under its own name and as ``serving_default``."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import numpy as np

from ...graph import Graph, Signature, Tensor
from ...graph.order import post_order
from ...ops import spellings

_NAMED = frozenset({*spellings.VARIABLES, "HashTableV2"})
_UNTOLD = frozenset(
    {"_output_shapes", "_class", "_construction_context", "config_proto"}
)


def same_signatures(
    graph: Graph, signatures: Mapping[str, Signature]
) -> dict[str, str]:
    """Signature -> an earlier one that computes the same outputs of the same inputs by the same ops, of each that has one.

    ``graph`` is inlined.
    """
    first: dict[tuple[tuple[str, bytes], ...], str] = {}
    same = {}
    for name, signature in signatures.items():
        key = _meaning(graph, signature)
        earlier = first.setdefault(key, name)
        if earlier != name:
            same[name] = earlier
    return same


def _meaning(graph: Graph, signature: Signature) -> tuple[tuple[str, bytes], ...]:
    """What stands for each output: its op, its attributes and so its inputs, up to feeds and variables by their names."""
    fed = {tensor.node: key for key, tensor in signature.inputs.items()}
    digests: dict[str, bytes] = {}
    roots = [tensor.node for tensor in signature.outputs.values()]
    for node in post_order(roots, lambda name: [t.node for t in graph.inputs(name)]):
        digests[node] = _digest(graph, node, fed, digests)
    return tuple(
        (key, _of(graph, tensor, digests)) for key, tensor in signature.outputs.items()
    )


def _of(graph: Graph, tensor: Tensor, digests: Mapping[str, bytes]) -> bytes:
    tensor = graph.past(tensor, ("Identity", "IdentityN"))
    return b"%s:%d" % (digests.get(tensor.node, b"?"), tensor.port)


def _digest(
    graph: Graph, node: str, fed: Mapping[str, str], digests: Mapping[str, bytes]
) -> bytes:
    payload = graph.node(node)
    words = [payload.op.encode()]
    if node in fed or payload.op in _NAMED or not graph.inputs(node):
        words.append(fed.get(node, node if payload.op in _NAMED else "").encode())
    for name in sorted(payload.attrs.keys() - _UNTOLD):
        words += [name.encode(), _text(payload.attrs[name])]
    words += [_of(graph, tensor, digests) for tensor in graph.inputs(node)]
    return blake2b(b"\0".join(words), digest_size=16).digest()


def _text(value: object) -> bytes:
    """The value of an attribute: equal texts, equal values."""
    if isinstance(value, np.ndarray):
        data = repr(value.tolist()).encode() if value.dtype == object else b""
        return f"{value.dtype}{value.shape}".encode() + (data or value.tobytes())
    return repr(value).encode()
