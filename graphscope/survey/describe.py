"""One unit -> its row in the catalogue: what ``inspect`` tells of a model, and what makes it comparable. Nothing is run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..analysis.results import Analysis
from ..errors import FormatError, GraphscopeError, UnknownFormat
from ..export.frozen import freeze_signatures
from ..export.registry import all_targets
from ..graph import Shape
from ..graph.named_values import Row
from ..read import load
from ..wire.attrs import numpy_dtype
from ..wire.remote import Traffic
from .hashes import (
    shapes_hash,
    structure_hash,
    tensor_hashes,
    weight_names,
    weights_hash,
)
from .options import Limits
from .units import Unit

_LONGEST, _MOST = 300, 64  # characters of a text from a file, entries of a list
_LARGEST = (1 << 63) - 1  # a damaged file may claim more
_CLAIMS = ".pb .pbtxt .h5 .hdf5 .keras .tflite .index .meta .ckpt".split()


def empty_row(unit: Unit) -> Row:
    """What is known of a unit before it is read."""
    return {
        "place": plain(unit.place, 4096),
        "size": unit.size,
        "stamp": unit.stamp,
        "modified": unit.modified,
        "read_at": time.time(),
        "model": True,
        "error": "",
        "seconds": 0.0,
    }


def describe(unit: Unit, limits: Limits) -> Row:
    """The row of a unit; with ``error`` where it cannot be read, with ``model`` false where it is none and does not claim to be one."""
    begin, row = time.process_time(), empty_row(unit)
    with Traffic() as traffic:
        try:
            row |= _facts(unit, limits)
        except GraphscopeError as error:
            claims = unit.place.endswith(tuple(_CLAIMS))
            row["model"] = claims or not isinstance(error, UnknownFormat)
            row["error"] = plain(str(error).replace(unit.path, unit.place), 1000)
    row["fetched"] = traffic.bytes
    row["seconds"] = round(time.process_time() - begin, 4)
    return row


def _facts(unit: Unit, limits: Limits) -> Row:
    if not unit.size:
        raise FormatError(f"{unit.place}: an empty file: copy it again")
    model = load(unit.path)
    analysis = Analysis(model)
    names = weight_names(analysis)
    tensors = tensor_hashes(analysis, names, limits.hashed)
    claim = analysis.family.claim
    return {
        "format": plain(model.format),
        "producer": plain(model.producer),
        "nodes": model.graph.number_of_nodes(),
        "variables": len(model.variables),
        "inferred": model.inferred,
        "parameters": min(_LARGEST, sum(map(_count, names.values()))),
        "bytes": min(_LARGEST, _bytes(analysis, names)),
        "family": plain(claim.family.title) if claim is not None else "",
        "inputs": [_endpoint(c) for c in analysis.candidates.inputs[:_MOST]],
        "outputs": [
            _endpoint(c) | {"score": round(c.score, 3)}
            for c in analysis.candidates.outputs[:_MOST]
        ],
        "layers": _layers(analysis),
        "findings": [_finding(f) for f in analysis.structural_findings[:_MOST]],
        "targets": _targets(analysis),
        "structure": structure_hash(analysis),
        "shapes": shapes_hash(names.values()),
        "weights": weights_hash(tensors),
        "tensors": tensors,
    }


def _count(shape: Shape) -> int:
    count = 1
    for size in (None,) if shape is None else shape:
        count *= size or 0
    return count


def _bytes(analysis: Analysis, names: Mapping[str, Shape]) -> int:
    """The bytes of the weights as they are stored."""
    graph, total = analysis.flat.graph, 0
    sizes = {variable.name: variable.nbytes for variable in analysis.model.variables}
    for name, shape in names.items():
        if name in sizes:
            total += sizes[name]
        elif name in graph:
            dtype = numpy_dtype(str(graph.attrs(name).get("dtype", "float32")))
            total += _count(shape) * (dtype.itemsize if dtype is not None else 0)
    return total


def _endpoint(candidate: Any) -> Row:
    return {
        "tensor": plain(str(candidate.tensor)),
        "dtype": plain(candidate.spec.dtype),
        "shape": _shape(candidate.spec.shape),
    }


def _shape(shape: Shape) -> str:
    if shape is None:
        return "?"
    return "[" + ", ".join("?" if s is None else str(s) for s in shape[:16]) + "]"


def _layers(analysis: Analysis) -> list[Row]:
    counts = Counter(layer.op for layer in analysis.layers).most_common(_MOST)
    return [{"class": plain(name), "count": count} for name, count in counts]


def _finding(finding: Any) -> Row:
    return {
        "id": finding.id,
        "severity": finding.severity,
        "message": plain(finding.message),
    }


def _targets(analysis: Analysis) -> Sequence[str]:
    """The targets of ``graphscope export`` that lack none of the model's ops; none where it cannot be frozen."""
    model = analysis.flat
    if model.layered or model.inferred or not analysis.outputs:
        return ()
    options = {"roles": analysis.roles}
    try:
        is_guessed = not model.signatures
        frozen = freeze_signatures(model, analysis.outputs, is_guessed, **options)
        targets = all_targets().items()
        return [name for name, target in targets if not target.unsupported(frozen)]
    except GraphscopeError:
        return ()


def plain(text: object, longest: int = _LONGEST) -> str:
    """A text of a file's as every program can store and show it: no surrogates, no control characters, not too long."""
    data = str(text)[:longest].encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in data)[:longest]


def total(rows: Iterable[Row], column: str) -> int:
    """The sum of a column over some rows."""
    return sum(row.get(column) or 0 for row in rows)
