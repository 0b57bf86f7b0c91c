"""What is inferred of a model -> the JSON documents of the command line (``--json``), and what its text is made from.

Every function returns plain Python values, ready for ``json.dumps``; the keys are documented and stable.
"""

from __future__ import annotations

import math
import shlex
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import GraphscopeError
from ..graph import Graph, Layer, Loop, Model, Tensor, TensorSpec, Variable
from ..graph.named_values import Document, Row
from ..read.variables.roles import PARAMETERS
from .progress import announced
from .sizes import (
    Sizes,
    needed_nodes,
    parameters_of,
    sizes_of,
    stored_sizes,
    variable_row,
)
from .stages import Stages

_TRUTHS = frozenset("NotEqual Any All LogicalAnd LogicalOr".split())

if TYPE_CHECKING:
    from ..families.identify import Identity


def describe_model(analysis: Stages, most_nodes: float = math.inf) -> Row:
    """``inspect``: what the file is, what goes in and out, its layers, totals, and what is to be found without reading a weight.

    Where the outputs need more than ``most_nodes`` nodes no layers are looked for and no shapes inferred: ``over_budget`` says so.
    """
    model, needed = analysis.model, None
    if model.graph.number_of_nodes() > most_nodes:
        needed = needed_nodes(analysis)
    is_over = needed is not None and len(needed) > most_nodes
    facts = {
        "source": model.source,
        "format": model.format,
        "producer": model.producer,
        "nodes": model.graph.number_of_nodes(),
        "functions": len(model.functions),
        "inferred": model.inferred,
        "roles": dict(Counter(analysis.roles.values()).most_common()),
        "variables": dict(Counter(v.role for v in model.variables).most_common()),
        "signatures": sorted(model.signatures),
        "remarks": [
            *model.remarks,
            *analysis.candidates.remarks,
            *analysis.family.remarks,
        ],
    }
    if needed is not None and is_over:
        facts |= _of_ops(analysis, needed)
        command = shlex.join(["graphscope", "layers", model.source])
        facts["over_budget"] = {
            "nodes": len(needed),
            "most": most_nodes,
            "command": command,
        }
    else:
        facts |= _of_layers(analysis)
    return {key: facts[key] for key in _IN_ORDER if key in facts}


_IN_ORDER = (
    "source format producer nodes functions inferred parameters constants bytes inputs outputs states over_budget layers loops "
    "unexplained unexplained_nodes roles variables training signatures findings family remarks"
).split()


def _of_layers(analysis: Stages) -> Document:
    """The part of ``inspect`` that rests on the recovered layers."""
    from ..infer.finding import NAMED

    sizes, loose = sizes_of(analysis), unexplained(analysis)
    ends = _ends(describe_outputs(analysis))
    counts = Counter(layer.op for _, layer in counted_layers(analysis))
    loops = [{"name": x.name, "ops": x.attrs["ops"]} for x in loops_left(analysis)]
    return {
        **_amounts(sizes),
        **ends,
        "layers": dict(counts.most_common()),
        "loops": loops,
        "unexplained": len(loose),
        "unexplained_nodes": loose[:NAMED],
        "training": _training(analysis),
        "findings": [_finding(each) for each in analysis.structural_findings],
        "family": _family(analysis, partial(parameters_of, analysis)).to_json(),
    }


def _of_ops(analysis: Stages, needed: Container[str]) -> Document:
    """The same of a graph in which no layers are looked for: nothing here takes more than a walk over its nodes."""
    return {
        **_amounts(stored_sizes(analysis, needed)),
        **_ends(describe_outputs(analysis, is_sized=False)),
        **{"layers": {}, "loops": [], "unexplained": 0, "unexplained_nodes": []},
        "training": _training(analysis, has_layers=False),
        "findings": [_finding(each) for each in analysis.findings_of_ops],
        "family": _family(analysis, list).to_json(),
    }


def _ends(outputs: Document) -> Document:
    """What of ``outputs`` stands in ``inspect``: all but its remarks."""
    return {key: outputs[key] for key in ("inputs", "outputs", "states")}


def _amounts(sizes: Sizes) -> Document:
    return {
        "parameters": sizes.parameters,
        "constants": sizes.constants,
        "bytes": sizes.nbytes,
    }


def _training(analysis: Stages, has_layers: bool = True) -> dict[str, object] | None:
    """How the model was trained, as far as its graph says; None where nothing in it trains."""
    from ..infer.training.recipe import loss_ops, training_recipe

    if analysis.model.layered or analysis.model.inferred:
        return None
    optimizers = training_recipe(analysis.training, partial(_number_in, analysis.flat))
    if not optimizers:
        return None
    return {
        "optimizers": optimizers,
        "losses": loss_ops(analysis.training),
        "regularizers": _regularizers(analysis) if has_layers else [],
    }


def _number_in(model: Model, variable: str) -> float | None:
    """The number that a variable holds; None where it holds several, or the file does not say."""
    try:
        value = model.value(variable) if model.has_value(variable) else None
    except GraphscopeError:
        return None
    return float(value) if value is not None and value.shape == () else None


def _regularizers(analysis: Stages) -> list[str]:
    """The penalties on weights that the loss holds, in Keras's terms, each with how many weights it is on."""
    counts = Counter(
        _penalty_text(value)
        for layer in analysis.layers
        for key, value in layer.attrs.items()
        if key.endswith("_regularizer") and value
    )
    return [
        f"{text} of {number} weight{'s' * (number > 1)}"
        for text, number in counts.most_common()
    ]


def _penalty_text(value: object) -> str:
    """``L2(l2=5e-05)``."""
    if not isinstance(value, Mapping):
        return str(value)
    settings = ", ".join(f"{k}={v}" for k, v in value.get("config", {}).items())
    return f"{value.get('class_name')}({settings})"


def shape_text(shape: Sequence[int | None] | None) -> str:
    """``(?, 28, 28, 1)``; ``(...)`` where the rank is unknown."""
    if shape is None:
        return "(...)"
    sizes = ", ".join("?" if size is None else str(size) for size in shape)
    return f"({sizes},)" if len(shape) == 1 else f"({sizes})"


def _family(analysis: Stages, constants: Callable[[], list[Row]]) -> Identity:
    """The known architecture: of weights alone, else of the graph by the names of its variables (without any: of constants)."""
    if analysis.family.claim is not None or analysis.model.inferred:
        return analysis.family
    listed = [v for v in analysis.model.variables if v.role in PARAMETERS] or [
        Variable(row["name"], row["dtype"], tuple(row["shape"] or ()), row["bytes"])
        for row in constants()
    ]
    from ..families.identify import identify_graph

    return identify_graph(analysis.model, listed)


def describe_variables(analysis: Stages, statistics: bool = False) -> Row:
    """``variables``: the variable list, a frozen graph's constants where there is none.

    With ``statistics`` each row also has minimum, maximum, mean and the like, read in chunks.
    """
    rows = [variable_row(v) for v in analysis.file.variables] or parameters_of(analysis)
    if statistics:
        from ..infer.statistics import statistics_of

        for row in reading(rows):
            row |= statistics_of(analysis.flat, row["name"])
    return {"variables": rows}


def reading(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows of variables, each announced before its values are read."""
    return announced(
        rows,
        lambda row: f"reading the values of {row['name']}",
        lambda row: row["bytes"] or 0,
    )


def describe_layers(analysis: Stages) -> dict[str, object]:
    """``layers``: the recovered layers in order, and the nodes that none of them explains."""
    from ..render.cells.rows import rows_of

    rows = {row.name: row for row in rows_of(analysis.layer_graph, analysis.specs)}
    counts = {name: row.parameters for name, row in rows.items()}
    layers = [
        _layer(name, layer, analysis, counts.pop(name, 0))
        for name, layer in counted_layers(analysis)
    ]
    return {
        "layers": layers,
        "unexplained": unexplained(analysis),
        "parameters": sizes_of(analysis).parameters,
        "parameters_of_ops": sum(counts.values()),
        "parameters_outside": sizes_of(analysis).outside,
    }


def describe_pass(analysis: Stages, name: str) -> dict[str, object]:
    """``layers --stop-after``: the graph that stands after one pass, and the layers known by then."""
    state = analysis.state_after(name)
    graph = state.graph
    nodes = [
        {"name": n, "type": graph.op(n), "inputs": [str(t) for t in graph.inputs(n)]}
        for n in graph
    ]
    return {"pass": name, "nodes": nodes, "layers": [x.name for x in state.layers]}


def named_layers(analysis: Stages) -> list[tuple[str, Layer]]:
    """The layers of the layer graph with their names, in topological order."""
    graph = analysis.layer_graph
    by_output = {layer.output: i for i, layer in enumerate(analysis.layers)}
    pairs = [(n, graph.node(n)) for n in graph]
    layers = [(name, node) for name, node in pairs if isinstance(node, Layer)]
    return sorted(layers, key=lambda pair: by_output.get(pair[1].output, 0))


def counted_layers(analysis: Stages) -> list[tuple[str, Layer]]:
    """The layers, less what only computes a mask for others: Keras writes that into its files as operations."""
    graph = analysis.layer_graph
    return [
        (name, layer)
        for name, layer in named_layers(analysis)
        if not (analysis.model.layered and _is_mask(graph, name))
    ]


def _is_mask(graph: Graph, name: str) -> bool:
    """Whether a node is a truth that is read in second place only, or by others that are."""
    if graph.op(name) not in _TRUTHS or not graph.consumers(name):
        return False
    return all(
        slot > 0 or _is_mask(graph, reader) for reader, slot in graph.consumers(name)
    )


def _layer(
    name: str, layer: Layer, analysis: Stages, parameters: int
) -> dict[str, object]:
    from ..render.cells.spelling import output_spec

    spec = output_spec(analysis.layer_graph, name, analysis.specs)
    weights = {
        role: {"variable": use.node, "shape": list(use.shape)}
        for role, use in layer.weights.items()
    }
    return {
        "name": name,
        "type": layer.op,
        "config": {key: _plain(value) for key, value in layer.attrs.items()},
        "weights": weights,
        "inputs": [str(tensor) for tensor in layer.inputs.values()],
        "output": str(layer.output),
        "output_shape": _plain(spec.shape),
        "parameters": parameters,
        "members": sorted(layer.members),
        "pattern": layer.pattern,
        "evidence": list(layer.evidence),
    }


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value.tolist() if hasattr(value, "tolist") else value


def unexplained(analysis: Stages) -> list[str]:
    """The op nodes of the inference graph that no layer explains, constants and feeds left out."""
    from ..infer.training.op_kinds import SOURCES
    from ..ops import spellings

    quiet = {"Const", "NoOp", "_Arg", "Identity", "IdentityN", "ReadVariableOp"}
    quiet |= {*spellings.VARIABLES, "Placeholder", "PlaceholderWithDefault"}
    graph = analysis.layer_graph
    nodes = ((name, graph.node(name)) for name in graph)
    return [
        n
        for n, node in nodes
        if not isinstance(node, Layer)
        and node.op not in quiet
        and not SOURCES.match(node.op)
    ]


def loops_left(analysis: Stages) -> list[Loop]:
    """The loops and conditions that are still layers of their own: no recurrent layer took their place."""
    graph = analysis.layer_graph
    nodes = ((name, graph.node(name)) for name in graph)
    return [
        node
        for name, node in nodes
        if isinstance(node, Loop) and not _fills_pipeline(graph, name)
    ]


def _fills_pipeline(graph: Graph, name: str) -> bool:
    """Whether nothing but an input pipeline reads a node: the side of the data, not of the model."""
    from ..infer.training.op_kinds import SOURCES

    readers = [reader for reader, _ in graph.consumers(name)]
    return bool(readers) and all(SOURCES.match(graph.op(r)) for r in readers)


def describe_outputs(analysis: Stages, is_sized: bool = True) -> Document:
    """``outputs``: the ranked inputs and outputs, each with its evidence; unless ``is_sized`` with the shapes that the file states."""
    from ..freeze.variables.states import describe_states
    from ..infer.outputs.answer import freeze_command, short

    candidates, source = analysis.candidates, analysis.model.source
    sized = analysis.sized if is_sized else lambda _, spec: spec
    return {
        "inputs": [_candidate(c, sized) | {"kind": c.kind} for c in candidates.inputs],
        "outputs": [
            _candidate(c, sized)
            | {"score": round(c.score, 3), "kind": c.kind}
            | {"twins": list(map(short, c.twins))}
            | {"freeze": freeze_command(source, (short(c.tensor),))}
            for c in candidates.outputs
        ],
        "states": describe_states(analysis.flat, analysis.training, candidates.best()),
        "remarks": [*analysis.model.remarks, *candidates.remarks],
    }


def _candidate(
    candidate: Any, sized: Callable[[Tensor, TensorSpec], TensorSpec]
) -> dict[str, object]:
    tensor: Tensor = candidate.tensor
    spec = candidate.spec
    if spec.shape is None or None in spec.shape or not spec.dtype:
        spec = sized(tensor, spec)
    return {
        "tensor": str(tensor),
        "dtype": spec.dtype,
        "shape": _plain(spec.shape),
        "evidence": [str(e) for e in candidate.evidence if e.text],
        "points": [round(e.points, 2) for e in candidate.evidence if e.text],
    }


def describe_findings(analysis: Stages) -> Row:
    """``doctor``: what would break or falsify a freeze, and the remedy."""
    return {"findings": [_finding(each) for each in analysis.findings]}


def describe_errors(analysis: Stages) -> list[dict[str, object]]:
    """The findings that make a freeze useless, such as an output that is a placeholder."""
    return [
        _finding(each)
        for each in analysis.structural_findings
        if each.severity == "error"
    ]


def _finding(finding: object) -> dict[str, object]:
    keys = ("id", "severity", "node", "message", "remedy")
    return {key: _plain(getattr(finding, key)) for key in keys}
