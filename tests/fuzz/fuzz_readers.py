"""An atheris target for every reader of read/formats: whatever the bytes, a Model or a GraphscopeError.

``pip install atheris``, then ``python tests/fuzz/fuzz_readers.py READER [SEEDS FOLDER ...] [-max_total_time=60 ...]``
with READER a module of graphscope/read/formats (``graphdef``, ``checkpoint_v2``, ...), or ``load`` for all of them
behind what tells them apart. What it finds becomes a test in tests/read/test_hostile.py.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from graphscope.errors import GraphscopeError
from graphscope.graph import Model
from graphscope.read.checkpoint.sstable import Table
from graphscope.read.loading import load, readers
from graphscope.read.options import Options
from graphscope.wire.source import Source

Target = Callable[[bytes], None]
MOST_VALUES = 1 << 20  # of larger weights only the description is looked at


def look_at(model: Model) -> None:
    """Every attribute of every node, every weight that is not huge."""
    for graph in (model.graph, *(f.graph for f in model.functions.values())):
        for name in graph:
            dict(graph.attrs(name))
    for variable in model.variables:
        if variable.name in model.weights and variable.nbytes < MOST_VALUES:
            model.weights[variable.name]


def target_of(name: str) -> Target:
    """The target of one reader; raises KeyError where there is no such reader."""
    if name == "load":
        return _load
    by_module = {r.__name__.rpartition(".")[2]: r for r in readers()}
    reader = by_module[name]

    def target(data: bytes) -> None:
        source = Source("fuzz", data)
        try:
            reader.recognises(source)
            look_at(reader.read(source, Options()))
        except GraphscopeError as error:
            assert "\n" not in str(error)

    return target


def _load(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m"
        path.write_bytes(data)
        try:
            look_at(load(path))
        except GraphscopeError as error:
            assert "\n" not in str(error)


def main() -> None:
    import atheris

    name = sys.argv.pop(1)
    target = target_of(name)
    # a mutation would hardly ever get past a checksum, and what lies behind must stand it too
    Table._compare = lambda self, found, stored, offset: None
    atheris.instrument_all()
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
