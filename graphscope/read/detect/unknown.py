"""Bytes that no reader knows -> what they are instead, in words."""

from __future__ import annotations

import json

from ...errors import FormatError
from ...wire.source import Source
from .sniff import fields_of

LFS_POINTER = b"version https://git-lfs"
_MAGIC = (
    (
        LFS_POINTER,
        "a Git LFS pointer: fetch the file itself (git lfs pull)",
    ),
    (b"<!DOCTYPE", "a web page, not a model: the download went wrong"),
    (b"<html", "a web page, not a model: the download went wrong"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"%PDF", "a PDF document"),
    (b"\x89HDF", "an HDF5 file that is no Keras model"),
    (b"\x93NUMPY", "a numpy array"),
    (b"BZh", "bzip2 data: unpack it first"),
    (b"\xfd7zXZ", "xz data: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "zstd data: unpack it first"),
)
_SHOWN = 6
_PICKLES = tuple(bytes((0x80, protocol)) for protocol in range(2, 6))
_TORCH = (
    "a PyTorch checkpoint ({}), no TensorFlow model: graphscope never unpickles; "
    "export it from PyTorch (torch.onnx.export), or load it there"
)
_ZIPPED = (
    (b"data.pkl", _TORCH.format("a zip of a pickle and its tensors")),
    (b"constants.pkl", _TORCH.format("TorchScript")),
    (b".npy", "a numpy archive (.npz): arrays without a model"),
    (b"META-INF/", "a Java archive: unpack the model in it first"),
)
_ONNX_FIELDS = {1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25}  # of ModelProto


def describe(source: Source) -> str:
    """One clause that says what a file seems to be."""
    head = source.head(1 << 16)
    for magic, description in _MAGIC:
        if head.startswith(magic):
            return description
    kind = _archive(source, head) or _pickle(head) or _safetensors(source, head)
    if kind:
        return kind
    if head[257:262] == b"ustar":
        return "a tar archive: unpack it first"
    if head.lstrip()[:1] in (b"{", b"["):
        return _json(source)
    if _is_onnx(source):
        return "an ONNX model: for TensorFlow convert it first (onnx2tf)"
    suspected = _truncated(source)
    if suspected:
        return suspected
    if b"\0" not in head and head.isascii():
        return f"text that begins {head[:40].decode()!r}, not a model"
    return f"{source.size} bytes of an unknown kind (they begin {head[:8].hex(' ')})"


def _archive(source: Source, head: bytes) -> str:
    """What a zip holds, by the names in its directory, which stands at its end."""
    if not head.startswith(b"PK\x03\x04"):
        return ""
    names = bytes(source[max(0, source.size - (1 << 16)) : source.size])
    for mark, description in _ZIPPED:
        if mark in head or mark in names:
            return description
    return "a zip archive that is no Keras file: unpack it first"


def _pickle(head: bytes) -> str:
    if not head.startswith(_PICKLES):
        return ""
    if b"torch" in head or head.startswith(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."):
        return _TORCH.format("a pickle")
    return "a Python pickle: graphscope never unpickles; load it in the program that wrote it and save a TensorFlow model"


def _safetensors(source: Source, head: bytes) -> str:
    """Eight bytes that say how long the JSON after them is: its keys are tensors."""
    size = int.from_bytes(head[:8], "little")
    if head[8:9] != b"{" or not 2 <= size <= source.size - 8:
        return ""
    try:
        listed = json.loads(source.read(8, min(size, 1 << 24)))
    except (ValueError, RecursionError):
        return ""
    names = [name for name in listed if name != "__metadata__"]
    shown = ", ".join(map(repr, names[:3]))
    return (
        f"safetensors: {len(names)} tensors ({shown}) without a graph, most likely of a PyTorch or Hugging Face model; "
        "load it there and save a TensorFlow model"
    )


def _is_onnx(source: Source) -> bool:
    """A ModelProto begins with its ir_version and then names producer, opset or graph; no GraphDef has these fields."""
    try:
        fields = list(fields_of(source, 0, source.size))
    except FormatError:
        return False
    if len(fields) < 2 or (fields[0].number, fields[0].kind) != (1, 0):
        return False
    numbers = {field.number for field in fields}
    return numbers <= _ONNX_FIELDS and bool(numbers & {7, 8})


def _json(source: Source) -> str:
    try:
        document = json.loads(source.head(1 << 24))
    except (ValueError, RecursionError):
        return "text that begins like JSON and is not"
    if not isinstance(document, dict):
        return "a JSON document that holds no model"
    if "nbformat" in document:
        return "a Jupyter notebook, not a model: run it, or take the file that it saves"
    if "architectures" in document or "model_type" in document:
        return "the config of a Hugging Face model: the weights lie beside it (tf_model.h5)"
    keys = ", ".join(map(repr, list(document)[:_SHOWN]))
    return f"a JSON document about a model (keys {keys}), not the model itself: it holds no graph and no weights"


def _truncated(source: Source) -> str:
    if source.name.endswith(".index"):
        return "named .index, but the table's footer is not at its end: a truncated checkpoint index"
    return ""
