"""``python -m tests.architectures [NAME ...] [--form F] [--source]``: a table of what is recovered of each."""

from __future__ import annotations

import argparse
import os
import tempfile
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import tensorflow as tf  # noqa: E402

from graphscope.errors import GraphscopeError  # noqa: E402

from . import architectures  # noqa: E402
from .recovered import COLUMNS, recover  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="a part of module.function")
    parser.add_argument("--form", help="pb, checkpoint, saved_model or training")
    parser.add_argument("--source", action="store_true", help="print each model.py")
    parser.add_argument("--keep", type=Path, help="a folder to leave the files in")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    tf.get_logger().setLevel("ERROR")
    print("\t".join(COLUMNS))
    for label, net in architectures().items():
        if asked.names and not any(name in label for name in asked.names):
            continue
        for form in net.forms:
            if asked.form not in (None, form):
                continue
            with tempfile.TemporaryDirectory() as scratch:
                folder = asked.keep / label / form if asked.keep else Path(scratch)
                folder.mkdir(parents=True, exist_ok=True)
                try:
                    row = recover(net, form, folder)
                except GraphscopeError as error:
                    print(label, form, "FAILED", error, sep="\t", flush=True)
                    continue
            print("\t".join([label, form, *row.cells()]), flush=True)
            if not row.proof.passed:
                print("  ", *row.proof.remarks)
            if asked.source:
                print(row.source)
                print(dict(row.layers), row.ops, row.not_portable, sep="\n")


if __name__ == "__main__":
    main()
