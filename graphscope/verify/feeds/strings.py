"""Strings that a graph can take: what reads a string input says what it must hold (a picture, a sound, a tf.Example)."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph import Graph
from ...ops.constants import Constants

_PASSES = frozenset(
    "Identity Reshape Squeeze ExpandDims StridedSlice Pack Unpack Enter Merge Switch GatherNd Gather GatherV2".split()
)
_PICTURES = re.compile(r"Decode(Jpeg|Png|Bmp|Gif|Image|AndCropJpeg)$|ExtractJpegShape$")
_EXAMPLES = re.compile(r"Parse(Single)?Example(V2)?$")
RATE, SIDE = 16_000, 64  # samples in a second of sound; pixels of a picture's side


_LOOKS_UP = re.compile(r"LookupTableFind")


def text_for(graph: Graph, name: str, seed: int, words: Sequence[bytes] = ()) -> bytes:
    """Bytes that the readers of a string placeholder can decode; a number as text where they take anything.

    ``words`` are what the lookup tables of the graph know.
    """
    rng = np.random.default_rng(seed)
    stack, visited = [name], {name}
    while stack and len(visited) < 1000:
        for reader, _ in graph.consumers(stack.pop()):
            op = graph.op(reader)
            if op == "DecodeWav":
                return wave(rng)
            if _PICTURES.match(op):
                return picture(rng)
            if _EXAMPLES.match(op):
                return example(graph, reader, rng, words)
            if _LOOKS_UP.match(op) and words:
                return words[seed % len(words)]  # of few words, each is drawn
            if op in _PASSES and reader not in visited:
                visited.add(reader)
                stack.append(reader)
    return b"%d" % rng.integers(100)


def wave(rng: np.random.Generator) -> bytes:
    """One second of ten tones, each as loud and as noisy as it is drawn, as a WAV file: 16 kHz, one channel, 16 bit.

    Noise alone has one spectrum, whatever its seed: what listens to it hears the same.
    """
    pitch, loudness, roughness = np.repeat(rng.random((3, 10)), RATE // 10, axis=1)
    tones = np.sin(2 * np.pi * np.cumsum(100 * 40**pitch) / RATE)  # 100 to 4000 Hz
    sound = loudness * (tones + roughness * rng.uniform(-1, 1, RATE))
    samples = (9000 * sound).astype("<i2").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def picture(rng: np.random.Generator) -> bytes:
    """A noisy RGB picture as a PNG file, which every decoder of TensorFlow's reads."""
    rows = rng.integers(0, 256, (SIDE, 3 * SIDE), np.uint8)
    filtered = b"".join(b"\0" + row.tobytes() for row in rows)
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", head), (b"IDAT", zlib.compress(filtered)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data))
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def example(
    graph: Graph, parser: str, rng: np.random.Generator, words: Sequence[bytes] = ()
) -> bytes:
    """A serialized tf.Example with the features that the parser asks for, in their dtypes and shapes; strings are ``words``."""
    from ..import_tensorflow import import_tensorflow

    train = import_tensorflow().train
    features = {
        key: _feature(train, _values(rng, dtype, count, [*words, b""]), dtype)
        for key, dtype, count in _features(graph, parser)
    }
    return train.Example(features=train.Features(feature=features)).SerializeToString()


def _feature(train: Any, value: list[Any], dtype: str) -> Any:
    if dtype == "string":
        return train.Feature(bytes_list=train.BytesList(value=value))
    if dtype == "int64":
        return train.Feature(int64_list=train.Int64List(value=value))
    return train.Feature(float_list=train.FloatList(value=value))


def _values(
    rng: np.random.Generator, dtype: str, count: int, words: Sequence[bytes]
) -> list[Any]:
    if dtype == "string":
        return [words[int(n)] for n in rng.integers(len(words), size=count)]
    if dtype == "int64":
        return list(rng.integers(0, 2, count).tolist())
    return list(rng.normal(size=count).tolist())


def _features(graph: Graph, parser: str) -> list[tuple[str, str, int]]:
    """Key, dtype and number of values of each feature; one value of those that may have any number."""
    attrs = graph.attrs(parser)
    dense, sparse = attrs.get("Tdense") or (), attrs.get("sparse_types") or ()
    thin, thick = _keys(graph, parser, len(dense))
    shapes = attrs.get("dense_shapes") or ()
    counts = [int(np.prod([size or 1 for size in shape or ()])) for shape in shapes]
    return [*zip(thick, dense, counts), *((k, d, 1) for k, d in zip(thin, sparse))]


def _keys(graph: Graph, parser: str, dense: int) -> tuple[list[str], list[str]]:
    """The keys of the sparse and of the dense features, where each of the three parsers keeps them."""
    attrs, inputs, constants = (
        graph.attrs(parser),
        graph.inputs(parser),
        Constants(graph),
    )
    if graph.op(parser) == "ParseExampleV2":  # a vector of each kind
        slots = [_texts(constants.value(t)) for t in inputs[2:4]]
        thin, thick = [*slots, [], []][:2]
        return thin, thick
    if graph.op(parser) == "ParseSingleExample":
        thin = list(attrs.get("sparse_keys") or ())
        return thin, list(attrs.get("dense_keys") or ())
    first = 2 + int(attrs.get("Nsparse") or 0)  # ParseExample: an input for each key
    thin = [k for t in inputs[2:first] for k in _texts(constants.value(t))]
    last = first + dense
    return thin, [k for t in inputs[first:last] for k in _texts(constants.value(t))]


def _texts(value: np.ndarray | None) -> list[str]:
    if value is None:
        return []
    return [
        v.decode("utf-8", "replace") for v in value.reshape(-1) if isinstance(v, bytes)
    ]
