"""List a checkpoint's variables in a cold process: graphscope against TensorFlow, then how graphscope grows.

``python benchmarks/list_variables.py [--large]``: a ResNet-50-sized checkpoint (320 variables, 102 MB) made in a temporary
folder; ``--large`` adds a million variables.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from side_by_side import compare, run

MAKE = """
import sys, numpy as np, tensorflow as tf
prefix, count, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
names = [f"resnet/block{i // 64}/unit_{i // 8 % 8}/conv{i % 8}/weights" for i in range(count)]
names = [f"{name}_{i}" for i, name in enumerate(names)]
value = np.zeros(size, "f")
tf.raw_ops.SaveV2(prefix=prefix, tensor_names=names, shape_and_slices=[""] * count, tensors=[value] * count)
"""
GRAPHSCOPE = """
import sys
from graphscope.read import load
found = load(sys.argv[1]).variables
print(len(found), "variables")
"""
TENSORFLOW = """
import sys, tensorflow as tf
found = tf.train.list_variables(sys.argv[1])
print(len(found), "variables")
"""


def main(large: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        prefix = str(Path(folder) / "resnet50")
        run(MAKE, prefix, "320", "80000")
        compare(
            "list the variables of a 102 MB checkpoint, cold process",
            {"graphscope": GRAPHSCOPE, "TensorFlow": TENSORFLOW},
            prefix,
        )
        print("\ngraphscope by number of variables")
        for count in [1_000, 10_000, 100_000] + [1_000_000] * large:
            prefix = str(Path(folder) / f"n{count}")
            run(MAKE, prefix, str(count), "1")
            cost = run(GRAPHSCOPE, prefix)
            print(f"  {count:9,} {cost.seconds:7.2f} s {cost.megabytes:8.0f} MB")
        print("\ngraphscope by bytes of weights, 100 variables")
        for size in [1_000, 100_000, 1_000_000]:
            prefix = str(Path(folder) / f"b{size}")
            run(MAKE, prefix, "100", str(size))
            cost = run(GRAPHSCOPE, prefix)
            print(
                f"  {size // 2500:5} MB {cost.seconds:7.2f} s {cost.megabytes:8.0f} MB"
            )


if __name__ == "__main__":
    main("--large" in sys.argv[1:])
