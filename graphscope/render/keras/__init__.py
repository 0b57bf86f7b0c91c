"""Layer graph -> a Keras 3 model that a person would have written: ``model.py`` and ``model.weights.h5``.

Keras is not imported: what its classes take and how it stores their weights is known to this package and held
against Keras by its tests.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...graph import Graph, Layer, Model, Tensor, TensorSpec, WeightUse
from .. import View
from .lower import lower
from .naming import with_names
from .parts import arrange, flat
from .program import Program
from .reader import Values
from .source import to_source
from .weights import write_weights

__all__ = ["KerasReport", "KerasSource", "to_keras", "write_keras"]


@dataclass(frozen=True)
class KerasSource:
    """``text`` is ``model.py``; ``layers`` maps each layer's name to its weights in Keras's words.

    ``unexplained`` are the op nodes that became ``keras.ops`` calls, ``not_portable`` those that run in TensorFlow
    only, ``remarks`` what was assumed.
    """

    text: str
    program: Program
    layers: Mapping[str, Mapping[str, WeightUse]]
    unexplained: tuple[str, ...]
    not_portable: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def lines_of_code(self) -> int:
        """The lines that are not blank, comment or docstring."""
        return count_lines(self.text)


@dataclass(frozen=True)
class KerasReport:
    """What ``write_keras`` wrote: the folder, the number of layers and of weight elements, what stayed an op."""

    path: str
    layers: int
    parameters: int
    unexplained: tuple[str, ...]
    not_portable: tuple[str, ...]
    remarks: tuple[str, ...]
    source: KerasSource

    def document(self) -> dict[str, Any]:
        """The report as JSON has it; ``verified`` is for those who run the two."""
        return {
            "path": self.path,
            "layers": self.layers,
            "parameters": self.parameters,
            "unexplained": list(self.unexplained),
            "not_portable": list(self.not_portable),
            "remarks": list(self.remarks),
            "verified": None,
        }


def to_keras(
    layer_graph: Graph,
    *,
    inputs: Iterable[Tensor],
    outputs: Iterable[Tensor],
    name: str = "model",
    specs: Mapping[Tensor, TensorSpec] = {},
    values: Values | None = None,
    blocks: Sequence[Any] = (),
    origin: str = "",
) -> KerasSource:
    """The source of a model that computes the outputs from the inputs (tensors of the op graph).

    ``values`` gives the elements of an op tensor that no input reaches, where they are known; ``blocks`` are the parts
    that ``infer.blocks`` found, for functions and loops; ``origin`` says where the graph comes from. Raises OutputsUnknown for an output inside a layer, NotExpressible for a loop.
    """
    program = lower(layer_graph, inputs, outputs, name, specs, values)
    parts = arrange(program, blocks) if blocks else program.steps
    program = with_names(replace(program, steps=tuple(flat(parts))))
    layers = {step.name: dict(step.weights) for step in program.steps if step.name}
    ops = tuple(
        step.node
        for step in program.steps
        if step.node in layer_graph
        and not isinstance(layer_graph.node(step.node), Layer)
    )
    foreign = tuple(step.node for step in program.steps if not step.portable)
    text = to_source(program, _docstring(program, ops, foreign, origin), blocks)
    return KerasSource(text, program, layers, ops, foreign, program.remarks)


def _docstring(
    program: Program, ops: tuple[str, ...], foreign: tuple[str, ...], origin: str
) -> str:
    counted = sum(1 for step in program.steps if step.class_name)
    head = f"{program.name}, recovered by graphscope" + (
        f" from {origin}" if origin else ""
    )
    counts = f"{counted} layers"
    if ops:
        counts += f"; {len(ops)} ops that belong to no layer are written with keras.ops"
    lines = [f"{head}.", "", f"{counts}."]
    lines += ["Weights: build_model().load_weights('model.weights.h5')."]
    if foreign:
        lines += ["", f"Not portable: {len(foreign)} ops run in TensorFlow only."]
    if program.remarks:
        lines += ["", "Assumed:", *(f"- {remark}" for remark in program.remarks[:20])]
        if len(program.remarks) > 20:
            lines.append(f"- and {len(program.remarks) - 20} more")
    return "\n".join(lines) + ("\n" if len(lines) > 1 else "")


def write_keras(
    model: Model,
    layer_graph: Graph,
    folder: str | Path,
    *,
    inputs: Iterable[Tensor],
    outputs: Iterable[Tensor],
    name: str = "",
    specs: Mapping[Tensor, TensorSpec] = {},
    values: Values | None = None,
    blocks: Sequence[Any] = (),
) -> KerasReport:
    """Write ``model.py`` and ``model.weights.h5`` into a folder, which is made; both appear whole or not at all.

    Raises MissingWeight for a layer whose weight has no value in the model.
    """
    origin = Path(model.source).name
    source = to_keras(
        layer_graph,
        inputs=inputs,
        outputs=outputs,
        name=name or Path(origin).stem or "model",
        specs=specs,
        values=values,
        blocks=blocks,
        origin=origin,
    )
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with _beside(target / "model.weights.h5") as unfinished:
        count = write_weights(source.program, model, unfinished)
        with _beside(target / "model.py") as text:
            text.write_text(source.text, encoding="utf-8")
    return KerasReport(
        str(target),
        sum(1 for step in source.program.steps if step.class_name),
        count,
        source.unexplained,
        source.not_portable,
        source.remarks,
        source,
    )


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A path in the same folder to write to, renamed to ``path`` when all went well and removed when not."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    try:
        yield Path(name)
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def count_lines(source: str) -> int:
    """Lines of code: not blank, not a comment, not in a docstring.

    >>> count_lines('\"\"\"About.\"\"\"\\n\\nx = 1  # one\\n# two\\n')
    1
    """
    import ast

    silent: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                silent |= set(range(first.lineno, (first.end_lineno or 0) + 1))
    lines = enumerate(source.splitlines(), 1)
    return sum(
        1
        for number, line in lines
        if line.strip() and not line.strip().startswith("#") and number not in silent
    )


def render_source(view: View) -> str:
    """Keras source: ``build_model()``, without its weights (``graphscope keras`` writes both)."""
    fed = [Tensor.parse(str(each)) for each in view.inputs]
    source = to_keras(
        view.graph,
        inputs=[tensor for tensor in fed if tensor.node in view.graph],
        outputs=[Tensor.parse(str(each)) for each in view.outputs],
        name=Path(view.title).stem or "model",
        specs=view.specs,
        values=view.values,
        blocks=view.blocks,
        origin=view.title,
    )
    return source.text


SUFFIXES = {".py": render_source}
