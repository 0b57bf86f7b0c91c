"""``model.json`` of TensorFlow.js -> Model: graph models (a GraphDef) and layers models (Keras).

Source: github.com/tensorflow/tfjs, tfjs-core/src/io/types.ts and tfjs-converter.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...errors import FormatError
from ...graph import Model, Signature, Tensor, TensorSpec
from ...graph.named_values import Message, Row
from ...wire import messages as proto
from ...wire.source import Source
from ..graphdef.model import model_of_graph
from ..keras.model import parse_json, remarks_of
from ..keras.topology import read_topology
from ..keras.unfold import Unfolded
from ..keras.weights import match_names
from .tfjs_manifest import Manifest, read_manifest

_FORMAT = "TensorFlow.js"
_TENSORFLOW_NAMES = {"FusedDepthwiseConv2dNative": "_FusedDepthwiseConv2dNative"}


def read_document(source: Source) -> Model:
    """The model; raises FormatError where the document holds none."""
    document = parse_json(source.text(), source.name)
    if not isinstance(document, dict):
        raise FormatError(f"{source.name}: a JSON document that holds no model")
    topology = document.get("modelTopology") or {}
    groups = document.get("weightsManifest") or []
    if not isinstance(topology, dict) or not isinstance(groups, list):
        raise FormatError(f"{source.name}: a TensorFlow.js model without a topology")
    manifest = read_manifest(groups, source.name)
    producer = str(document.get("convertedBy") or document.get("generatedBy") or "")
    if "node" in topology:
        start = document.get("modelInitializer")
        start = start if isinstance(start, dict) else {}
        model = _graph_model(topology, start, manifest, source)
        signature = _signature(document)
        named = {"serving_default": signature} if signature else {}
        return replace(model, signatures=named, producer=producer or model.producer)
    return replace(_layers_model(topology, manifest, source), producer=producer)


def _graph_model(
    topology: Row,
    start: Row,
    manifest: Manifest,
    source: Source,
) -> Model:
    """``start`` is the graph that fills the model's tables, run once: its nodes stand among the others, as in TensorFlow."""
    message = _parsed(topology, source)
    names = {node.name for node in message.node}
    message.node.extend(
        node for node in _parsed(start, source).node if node.name not in names
    )
    for node in message.node:
        _settle(node, manifest)
    for function in message.library.function:
        for node in function.node_def:
            _settle(node, manifest)
    model = model_of_graph(
        message, manifest.source, f"{_FORMAT} graph model", source.name
    )
    versions = {name: number for name, number in model.versions.items() if number}
    model = replace(model, versions=versions)  # where it has none, () is a scalar
    return replace(model, weights=manifest.weights) if manifest.shortages else model


def _settle(node: Message, manifest: Manifest) -> None:
    """Give a constant its values (the converter calls those of a function after it), a fused op TensorFlow's name."""
    if node.op == "Const" and node.name in manifest.shortages:
        _as_variable(node, manifest.entries[node.name].shape)
    elif node.op == "Const" and node.name in manifest.entries:
        dtype = proto.DATA_TYPES.get(node.attr["dtype"].type, "")
        manifest.fill(node.attr["value"].tensor, node.name, dtype)
    elif "Fused" in node.op:
        _in_tensorflow_words(node)


def _parsed(topology: Row, source: Source) -> Any:
    from google.protobuf import json_format

    message = proto.GraphDef()
    try:
        json_format.ParseDict(topology, message, ignore_unknown_fields=True)
    except (json_format.ParseError, RecursionError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise FormatError(
            f"{source.name}: its topology is no GraphDef ({reason})"
        ) from None
    return message


def _as_variable(node: Message, shape: tuple[int, ...]) -> None:
    """A constant whose values are not at hand is what a variable without its checkpoint is."""
    node.op = "VariableV2"
    node.attr.pop("value", None)
    node.attr["shape"].shape.ClearField("dim")
    for size in shape:
        node.attr["shape"].shape.dim.add(size=size)


def _in_tensorflow_words(node: Message) -> None:
    """TensorFlow.js's fused ops under TensorFlow's names, with the types of their arguments (tfjs-converter leaves them out)."""
    node.op = _TENSORFLOW_NAMES.get(node.op, node.op)
    if "num_args" in node.attr and "TArgs" not in node.attr:
        count = min(max(node.attr["num_args"].i, 0), len(node.input))
        node.attr["TArgs"].list.type.extend([node.attr["T"].type] * count)


def _signature(document: dict[str, object]) -> Signature | None:
    more = document.get("userDefinedMetadata")
    declared = document.get("signature")
    if declared is None and isinstance(more, dict):
        declared = more.get("signature")
    if not isinstance(declared, dict):
        return None
    specs: dict[Tensor, TensorSpec] = {}
    sides = [_side(declared.get(side), specs) for side in ("inputs", "outputs")]
    return Signature(sides[0], sides[1], specs)


def _side(declared: object, specs: dict[Tensor, TensorSpec]) -> dict[str, Tensor]:
    tensors = {}
    for key, info in (declared if isinstance(declared, dict) else {}).items():
        if not isinstance(info, dict) or not isinstance(info.get("name"), str):
            continue
        tensor = tensors[key] = Tensor.parse(info["name"])
        declared_shape = info.get("tensorShape")
        dims = declared_shape.get("dim") if isinstance(declared_shape, dict) else None
        shape = None
        if isinstance(dims, list):
            shape = tuple(_size(dim) for dim in dims)
        number = proto.enum_number("DataType", info.get("dtype"))
        specs[tensor] = TensorSpec(
            proto.DATA_TYPES.get(number, "") if number else "", shape
        )
    return tensors


def _size(dim: object) -> int | None:
    text = str(dim.get("size", "0")) if isinstance(dim, dict) else "-1"
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _layers_model(
    topology: dict[str, object], manifest: Manifest, source: Source
) -> Model:
    config = topology.get("model_config", topology)
    version = str(topology.get("keras_version") or "2")
    described = read_topology(config, source.name, version)
    names = [(name, entry.shape) for name, entry in manifest.entries.items()]
    match_names(described, names, described.generation)
    unfolded = Unfolded(described, source.name)
    weights = manifest.weights
    variables = manifest.variables()
    return Model(
        graph=unfolded.graph,
        source=source.name,
        format=f"{_FORMAT} layers model",
        weights=weights,
        variables=variables,
        keys={variable.name: variable.name for variable in variables},
        signatures={"call": unfolded.signature},
        layered=True,
        topology=described,
        remarks=tuple(remarks_of(described)),
    )
