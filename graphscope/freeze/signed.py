"""The names of a signature as the names of a frozen graph's inputs and outputs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..graph import Graph, Node, Signature, Tensor
from ..graph.edit import put
from ..wire import opdefs

_NAME = re.compile(
    r"[A-Za-z0-9.][A-Za-z0-9_./>-]*$"
)  # what TensorFlow takes for a node


def name_outputs(
    graph: Graph, outputs: Sequence[Tensor], signatures: Mapping[str, Signature]
) -> tuple[Graph, list[Tensor]]:
    """The graph, changed in place, with an Identity for each output that a signature names; and the outputs as they are called now."""
    signature = _signature(outputs, signatures)
    keys = {t: key for key, t in signature.outputs.items()} if signature else {}
    named = []
    for tensor in outputs:
        key = keys.get(tensor, "")
        if not _NAME.match(key) or key in graph:
            named.append(tensor)
            continue
        node = graph.node(tensor.node)
        dtypes = opdefs.output_dtypes(node.op, node.attrs)
        if tensor.port >= len(dtypes):
            named.append(tensor)
            continue
        put(graph, key, Node("Identity", {"T": dtypes[tensor.port]}), [tensor])
        named.append(Tensor(key))
    return graph, named


def input_names(
    graph: Graph, outputs: Sequence[Tensor], signatures: Mapping[str, Signature]
) -> dict[str, str]:
    """Placeholder -> its name in the signature that these outputs belong to."""
    signature = _signature(outputs, signatures)
    return {
        tensor.node: key
        for key, tensor in (signature.inputs.items() if signature else ())
        if tensor.node in graph
        and graph.op(tensor.node).startswith("Placeholder")
        and _NAME.match(key)
    }


def _signature(
    outputs: Sequence[Tensor], signatures: Mapping[str, Signature]
) -> Signature | None:
    """The first signature that has all these outputs."""
    for signature in signatures.values():
        if set(outputs) <= set(signature.outputs.values()):
            return signature
    return None
