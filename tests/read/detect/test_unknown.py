"""What is no TensorFlow model is named for what it is."""

import json
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from graphscope.errors import UnknownFormat
from graphscope.read import load


def _zipped(path: Path, *names: str) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, b"x" * 50)


def _safetensors(path: Path) -> None:
    head = {"__metadata__": {}, "a.weight": {"dtype": "F32", "shape": [1]}}
    text = json.dumps(head).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(4))


def _onnx(path: Path) -> None:
    """ModelProto: ir_version, producer_name, graph {name}, opset_import {version}."""
    graph = b"\x12\x01g"
    path.write_bytes(b"\x08\x07\x12\x07pytorch\x3a\x03" + graph + b"\x42\x02\x10\x0d")


@pytest.mark.parametrize(
    "write,said",
    [
        (lambda p: _zipped(p, "archive/data.pkl", "archive/data/0"), "PyTorch.*zip"),
        (lambda p: _zipped(p, "m/code/x.py", "m/constants.pkl"), "TorchScript"),
        (lambda p: np.savez(p.open("wb"), a=np.ones(3)), "numpy archive"),
        (lambda p: _zipped(p, "readme.txt"), "zip archive that is no Keras file"),
        (lambda p: p.write_bytes(pickle.dumps({"a": 1})), "never unpickles"),
        (lambda p: p.write_bytes(pickle.dumps({"a": 1}, 2)), "never unpickles"),
        (lambda p: p.write_bytes(b"\x80\x02ctorch._utils\n" + bytes(9)), "PyTorch"),
        (_safetensors, "safetensors: 1 tensors.*'a.weight'"),
        (_onnx, "an ONNX model"),
        (lambda p: p.write_text('{"nbformat": 4, "cells": []}'), "Jupyter notebook"),
        (lambda p: p.write_text('{"model_type": "bert"}'), "Hugging Face"),
    ],
)
def test_other_formats(write, said: str, tmp_path: Path) -> None:
    path = tmp_path / "model.pb"
    write(path)
    with pytest.raises(UnknownFormat, match=said):
        load(path)
