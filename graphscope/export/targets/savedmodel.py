"""SavedModel, written without TensorFlow: a meta graph, variables in a bundle of their own, every signature."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...verify.run.opening import open_runner
from ...verify.run.runner import Runner
from ...wire import op_registry
from ..bundle.saved import SAVED_MODEL, write_saved_model
from ..frozen import Frozen
from ..options import Options
from ..report import Lack

NAME = "savedmodel"
SUMMARY = "a SavedModel for TensorFlow 2, v1 loaders and TensorFlow Serving"
RUNTIME = "TensorFlow"
EXTRA = ""
NEEDS: tuple[str, ...] = ()
IS_FOLDER = True
MARK = SAVED_MODEL  # the file by which such a folder is known
WISHES = frozenset({"constants"})
QUANTIZE: tuple[str, ...] = ()
ONE_SIGNATURE = False


def unsupported(frozen: Frozen) -> list[Lack]:
    """Nothing: an op that stock TensorFlow does not know runs where its library is loaded."""
    return []


def write(frozen: Frozen, place: Path, options: Options) -> list[str]:
    """Write the folder ``place``; what there is to say of it."""
    write_saved_model(frozen, place, options.constants)
    return list(_custom(frozen))


def _custom(frozen: Frozen) -> list[str]:
    graph = frozen.graph
    ops = {graph.op(name) for name in graph}
    unknown = sorted(
        op for op in ops - set(frozen.functions) if op_registry.find(op) is None
    )
    return (
        [f"it needs the library of the custom ops {', '.join(unknown)}"]
        if unknown
        else []
    )


def run(place: Path, frozen: Frozen, signature: str) -> Runner:
    """The folder in a session of TensorFlow, as a v1 loader opens it."""
    runner: Any = open_runner(place, trust=True)
    named = frozen.signatures[signature]
    ends = (*named.inputs.values(), *named.outputs.values())
    runner.signatures = ({frozen.origin(t): str(t) for t in ends},)
    runner.choose(())
    return runner  # type: ignore[no-any-return]
