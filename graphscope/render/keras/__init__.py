"""Layer graph -> a Keras 3 model that a person would have written: ``model.py`` and ``model.weights.h5``.

Keras is not imported: what its classes take and how it stores their weights is known to this package and held
against Keras by its tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...errors import MissingWeight, NotExpressible
from ...graph import (
    Graph,
    Layer,
    Model,
    Shape,
    Signature,
    Tensor,
    TensorSpec,
    WeightUse,
)
from ...wire.beside import beside
from .. import Drawing
from .blocks.statements import Finder
from .blocks.variants import shortest
from .classes.any_rank import of_any_rank
from .lower.derivatives import GRADIENT
from .lowering import lower
from .operands.bias_and_scale import TRAINED
from .operands.reader import Values
from .program.names import layer_name
from .program.program import Program
from .source.archive import write_archive
from .source.backends import backend_gaps
from .source.docstring import (
    count_layers,
    count_lines,
    count_parameters,
    describe,
    evidence,
    kept_loops,
    reasons,
)
from .source.module import to_source
from .source.settings import with_settings
from .source.signatures import SignatureEnds, ends_of
from .topology import cut_to, program_of
from .weights import write_arrays, write_weights

__all__ = ["KerasReport", "KerasSource", "to_keras", "write_keras"]

H5, NPZ = "model.weights.h5", "weights.npz"


@dataclass(frozen=True)
class KerasSource:
    """``text`` is ``model.py``; ``layers`` maps each layer's name to its weights in Keras's words.

    ``unexplained`` are the op nodes that became ``keras.ops`` calls, ``not_portable`` those that run in TensorFlow
    only, each with the reason, ``remarks`` what was assumed, ``signatures`` those that have a model each; ``shapes`` are
    those of the steps' tensors.
    """

    text: str
    program: Program
    layers: Mapping[str, Mapping[str, WeightUse]]
    unexplained: tuple[str, ...]
    not_portable: Mapping[str, str]
    remarks: tuple[str, ...]
    signatures: tuple[SignatureEnds, ...] = ()
    shapes: Mapping[Tensor, Shape] = field(default_factory=dict)

    @property
    def lines_of_code(self) -> int:
        """The lines that are not blank, comment or docstring."""
        return count_lines(self.text)


@dataclass(frozen=True)
class KerasReport:
    """What ``write_keras`` wrote: the folder and the file of the weights, what the model holds, what stayed an op.

    ``parameters`` counts weight elements, ``in_layers`` those of them that Keras's own layers hold; ``choice_of_weights`` is ``"ema"``
    where they are moving averages of the weights that the graph reads, else ``"raw"``.
    """

    path: str
    weights: str
    layers: int
    parameters: int
    in_layers: int
    unexplained: tuple[str, ...]
    not_portable: Mapping[str, str]
    remarks: tuple[str, ...]
    source: KerasSource
    choice_of_weights: str = "raw"

    def document(self) -> dict[str, Any]:
        """The report as JSON has it; ``verified`` is for those who run the two."""
        share = 100 * self.in_layers / self.parameters if self.parameters else 100.0
        return {
            "path": self.path,
            "weights": self.weights,
            "choice_of_weights": self.choice_of_weights,
            "layers": self.layers,
            "parameters": self.parameters,
            "weights_in_layers": round(share, 2),
            "lines_of_code": self.source.lines_of_code,
            "unexplained": list(self.unexplained),
            "not_portable": dict(self.not_portable),
            "signatures": [each.name for each in self.source.signatures],
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
    blocks: Sequence[object] = (),
    find: Finder | None = None,
    origin: str = "",
    weights: str = H5,
    guesses: Iterable[str] = (),
    names: Mapping[Tensor, str] = {},
    signatures: Mapping[str, Signature] = {},
    any_rank: bool = False,
) -> KerasSource:
    """The source of a model that computes the outputs from the inputs (tensors of the op graph).

    ``values`` gives the elements of an op tensor that no input reaches, where they are known; ``blocks`` are the parts
    that ``infer.blocks`` found, for functions and loops, ``find`` looks for more among the statements; ``origin`` says where the graph comes from, ``weights`` is the
    file that the weights lie in, ``guesses`` what was assumed before, ``names`` are what outputs and inputs
    are called, ``signatures`` those that get a model each; ``any_rank``: nothing depends on the rank of the inputs. Raises OutputsUnknown for an output inside a layer, NotExpressible for a loop.
    """
    outputs = tuple(outputs)
    several = len(signatures) > 1
    program = lower(
        layer_graph, inputs, outputs, name, specs, values, names, several=several
    )
    program = of_any_rank(program) if any_rank else program
    called = tuple(
        names.get(t) or docstring for t, docstring in zip(outputs, program.output_names)
    )
    program = replace(program, output_names=called)
    program = shortest(program, blocks, find)
    layers = {step.name: dict(step.weights) for step in program.all_steps if step.name}
    ops = tuple(
        step.node
        for step in program.all_steps
        if step.node in layer_graph
        and not isinstance(layer_graph.node(step.node), Layer)
        and step.constructor not in TRAINED
        and layer_graph.op(step.node) != GRADIENT
    )
    remarks = (*guesses, *program.remarks, *evidence(program, layer_graph))
    shapes = _shapes(program, layer_graph, specs)
    about = (*kept_loops(program, layer_graph), *backend_gaps(program, shapes))
    ends = ends_of(program, outputs, signatures)
    docstring = describe(program, origin, weights, ops, remarks, about, ends)
    text = to_source(program, docstring, weights, ends)
    foreign = reasons(program, layer_graph)
    return KerasSource(text, program, layers, ops, foreign, remarks, ends, shapes)


def _shapes(
    program: Program, graph: Graph, specs: Mapping[Tensor, TensorSpec]
) -> dict[Tensor, Shape]:
    """What is known of the shape of each tensor of the program."""
    shapes = {}
    for tensor in (t for step in program.all_steps for t in step.outputs()):
        payload = graph.node(tensor.node) if tensor.node in graph else None
        op_tensor = payload.output if isinstance(payload, Layer) else tensor
        shapes[tensor] = specs.get(op_tensor, TensorSpec()).shape
    return shapes


def to_keras_of(
    model: Model,
    name: str = "model",
    blocks: Sequence[object] = (),
    find: Finder | None = None,
    weights: str = H5,
) -> KerasSource:
    """The source of the model that a Keras file describes, whatever Keras wrote it."""
    topology = model.topology
    shapes = {
        Tensor(node, port): spec
        for node in model.graph
        for port, spec in enumerate(model.graph.node(node).outputs)
    }
    program = program_of(topology, shapes, layer_name(topology.name or name))
    known = {tensor: spec.shape for tensor, spec in shapes.items()}
    program = with_settings(program, lambda _: "")
    program = shortest(program, blocks, find)
    layers = {step.name: dict(step.weights) for step in program.all_steps if step.name}
    remarks = tuple(dict.fromkeys((*model.remarks, *program.remarks)))
    about = tuple(backend_gaps(program, known))
    said = describe(program, Path(model.source).name, weights, (), remarks, about)
    text = to_source(program, said, weights)
    return KerasSource(text, program, layers, (), {}, remarks, shapes=known)


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
    blocks: Sequence[object] = (),
    find: Finder | None = None,
    guesses: Iterable[str] = (),
    signatures: Mapping[str, Signature] = {},
    incomplete: bool = False,
    any_rank: bool = False,
) -> KerasReport:
    """Write ``model.py`` and ``model.weights.h5`` into a folder, which is made; both appear whole or not at all.

    Where h5py is not installed the weights go into ``weights.npz``, and ``model.py`` has a ``load_weights`` for it.
    Raises MissingWeight for a layer whose weight has no value in the model; with ``incomplete`` ``model.py`` is then
    written alone, and a remark says why.
    """
    weights = H5 if find_spec("h5py") else NPZ
    inputs, outputs = tuple(inputs), tuple(outputs)
    described = _described(model, outputs)
    if described is not None:
        source = to_keras_of(
            described, name or name_of(model.source), blocks, find, weights
        )
    else:
        source = to_keras(
            layer_graph,
            inputs=inputs,
            outputs=outputs,
            name=name or name_of(model.source),
            specs=specs,
            values=values,
            blocks=blocks,
            find=find,
            origin=Path(model.source).name,
            weights=weights,
            guesses=guesses,
            names=_signature_names(model, inputs),
            signatures=signatures,
            any_rank=any_rank,
        )
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    try:
        _check_weights(model)
        count = _write_both(source, model, target, weights)
    except MissingWeight as error:
        if not incomplete and not is_description(model):
            raise
        source = replace(source, remarks=(*source.remarks, f"no weights: {error}"))
        weights, count = "", 0
        with beside(target / "model.py") as text:
            text.write_text(source.text, encoding="utf-8")
    for other in {H5, NPZ} - {weights}:  # of an earlier run: not this model's
        (target / other).unlink(missing_ok=True)
    return KerasReport(
        str(target),
        weights,
        count_layers(source.program),
        count,
        count_parameters(source.program)[1],
        source.unexplained,
        source.not_portable,
        source.remarks,
        source,
    )


def pack(source: KerasSource, folder: str | Path) -> Path:
    """One ``model.keras`` in place of the weights file that ``write_keras`` left in the folder; returns its path.

    Keras is not imported. Raises NotExpressible where more than Keras's own layers make up the model, and leaves the folder as it was.
    """
    weights, target = Path(folder) / H5, Path(folder) / "model.keras"
    if not weights.is_file():
        raise NotExpressible(f"there is no {H5}: h5py is not installed")
    write_archive(source.program, source.shapes.get, weights, target)
    weights.unlink()
    return target


def is_description(model: Model) -> bool:
    """Whether the file describes layers and holds none of their weights, as what ``to_json`` wrote does."""
    return model.topology is not None and not len(model.weights)


def _check_weights(model: Model) -> None:
    if is_description(model):
        raise MissingWeight(
            f"{model.source} describes the model alone; say where its weights are (--checkpoint)"
        )


def _write_both(source: KerasSource, model: Model, target: Path, weights: str) -> int:
    """Write the weights and ``model.py``, each only where the other is written too; returns the number of elements."""
    write = write_weights if weights == H5 else write_arrays
    with beside(target / weights) as unfinished:
        count = write(source.program, model, unfinished)
        with beside(target / "model.py") as text:
            text.write_text(source.text, encoding="utf-8")
    return count


def _described(model: Model, outputs: tuple[Tensor, ...]) -> Model | None:
    """The model as its file describes it, cut to the outputs; None where it does not, or they lie in a model within it."""
    if model.topology is None or is_whole(model, outputs):
        return model if model.topology is not None else None
    topology = cut_to(model.topology, outputs)
    return None if topology is None else replace(model, topology=topology)


def is_whole(model: Model, outputs: Iterable[Tensor]) -> bool:
    """Whether the outputs are those of the model that the file describes."""
    declared = {t for each in model.signatures.values() for t in each.outputs.values()}
    return set(outputs) == declared


def _signature_names(model: Model, inputs: Sequence[Tensor]) -> dict[Tensor, str]:
    """What the signatures call outputs, and those of the inputs that are named after signature and argument."""
    names: dict[Tensor, str] = {}
    fed: dict[str, Tensor] = {}  # the first of a name: others keep their nodes' names
    for signature, known in _default_first(model.signatures):
        names.update({tensor: called for called, tensor in known.outputs.items()})
        for called, tensor in known.inputs.items():
            is_after = tensor.node == f"{signature}_{called}" and tensor in inputs
            if is_after and called not in model.graph:
                fed.setdefault(called, tensor)
    return names | {tensor: called for called, tensor in fed.items()}


def _default_first(
    signatures: Mapping[str, Signature],
) -> list[tuple[str, Signature]]:
    return sorted(signatures.items(), key=lambda item: item[0] != "serving_default")


def name_of(source: str) -> str:
    """A model's name from where it lies; a SavedModel's folder, past numbers that are versions.

    >>> name_of("nets/resnet.pb"), name_of("taxi/1646034756/saved_model.pb"), name_of("")
    ('resnet', 'taxi', 'model')
    """
    path = Path(source)
    if path.stem in ("saved_model", "model", "frozen_model", "frozen"):
        parents = path.absolute().parts[:-1]
        above = (part for part in reversed(parents) if not part.isdigit())
        named = next((p for p in above if re.fullmatch(r"[A-Za-z][\w.-]*", p)), "")
        return named or path.stem
    return path.stem or "model"


def render_source(view: Drawing) -> str:
    """Keras source: ``build_model()``, without its weights (``graphscope keras`` writes both)."""
    if view.model is not None and view.model.topology is not None:
        return to_keras_of(view.model, name_of(view.title), view.blocks, view.find).text
    fed = [Tensor.parse(str(each)) for each in view.inputs]
    source = to_keras(
        view.graph,
        inputs=[tensor for tensor in fed if tensor.node in view.graph],
        outputs=[Tensor.parse(str(each)) for each in view.outputs],
        name=name_of(view.title),
        specs=view.specs,
        values=view.values,
        blocks=view.blocks,
        find=view.find,
        origin=view.title,
    )
    return source.text


SUFFIXES = {".py": render_source}
