"""``python -m tests.generated.op_graphs.write FOLDER SEED [OP ...]``: a GraphDef and its numbers for every op and style, in a folder.

Each op is drawn in a process of its own: some of what is tried ends TensorFlow's.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from graphscope import ops  # noqa: E402
from graphscope.ops.effects import PURE, effects  # noqa: E402

from .styles import STYLES  # noqa: E402
from .tf_graph import Case, case, styled  # noqa: E402

SECONDS = 25
APART = ("FakeParam", "Fact", "KernelLabel", "Stateless", "PlaceholderWithDefault")
"""Not of TensorFlow's kernels' own making, drawn at random, or fed by default."""
OFTEN, SELDOM, STYLED = 6, 2, 8


def names() -> Iterator[str]:
    """The ops that give the same for the same and that ``tf.raw_ops`` calls, less those of other devices and parts of loops."""
    for op, effect in sorted(effects().items()):
        foreign = op.startswith(("_", "Xla", "TPU", "Risc", "Experimental", "Cudnn"))
        framed = "control-flow" in ops.traits(op) or op.startswith(APART)
        callable_ = hasattr(tf.raw_ops, op)
        if effect == PURE and callable_ and not (foreign or framed or "Dataset" in op):
            yield op


def count(op: str) -> int:
    """How often an op is drawn: those that nets are made of more often."""
    known = ops.meaning(op)
    return OFTEN if known is not None and known.keras is not None else SELDOM


def save(made: Case, folder: Path) -> None:
    (folder / f"{made.name}.pb").write_bytes(made.graph)
    arrays = {f"in_{k}": v for k, v in made.feeds.items()}
    arrays |= {f"out_{k}": v for k, v in made.results.items()}
    arrays = {
        k: v.astype(object) if v.dtype.kind == "S" else v for k, v in arrays.items()
    }
    np.savez(
        folder / f"{made.name}.npz",
        **{k.replace("/", "|"): v for k, v in arrays.items()},
    )


def apart(work: Callable[[], None]) -> None:
    """Do it in a child, for so many seconds at most."""
    child = os.fork()
    if not child:
        signal.alarm(SECONDS)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            work()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def write_op(op: str, seed: int, folder: Path) -> None:
    for number in range(count(op)):
        made = case(op, seed * 1000 + number)
        if made is not None:
            save(made, folder)


def write_style(name: str, seed: int, folder: Path) -> None:
    for number in range(STYLED):
        made = styled(name, seed * 1000 + number)
        if made is not None:
            save(made, folder)


def main() -> None:
    folder, seed = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[3:] or [*STYLES, *names()]:
        write = write_style if name in STYLES else write_op
        apart(lambda: write(name, seed, folder))
    print(len(list(folder.glob("*.pb"))))


if __name__ == "__main__":
    main()
