"""TensorFlow Lite flatbuffers (``.tflite``): their operators become the TensorFlow ops that they mean.

Integers become the real numbers that they stand for, fused activations stand apart, kernels are laid out as
TensorFlow has them; subgraphs are functions. A node is named after the tensor that it makes. Constants stay in the file.
"""

from __future__ import annotations

from ...graph import Model
from ...wire.source import Source
from ..options import Options

NAME = "TensorFlow Lite"
_IDENTIFIER = b"TFL3"
_SMALLEST = 8


def recognises(source: Source) -> bool:
    return source.size > _SMALLEST and source.head(_SMALLEST)[4:8] == _IDENTIFIER


def read(source: Source, options: Options) -> Model:
    from ..deployment.lite.file import LiteFile
    from ..deployment.lite.lower import lower

    return lower(LiteFile(source))
