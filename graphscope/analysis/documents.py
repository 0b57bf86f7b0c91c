"""What is inferred of a model -> the JSON documents of the command line (``--json``), and what its text is made from.

Every function returns plain Python values, ready for ``json.dumps``; the keys are documented and stable.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..graph import Layer, Shape, Tensor, TensorSpec, Variable
from ..infer.outputs.answer import freeze_command, short
from ..read.variables.roles import PARAMETERS
from .progress import announce
from .stages import Stages

if TYPE_CHECKING:
    from ..families.identify import Identity


def size_of(shape: Shape) -> int:
    """The number of elements; 0 where a size is unknown."""
    count = 1
    for size in (None,) if shape is None else shape:
        count *= size or 0
    return count


def describe_model(analysis: Stages) -> dict[str, Any]:
    """``inspect``: what the file is, what goes in and out, its layers, totals, and what is to be found without reading a weight."""
    model, variables = analysis.model, parameters_of(analysis)
    candidates = describe_outputs(analysis)
    return {
        "source": model.source,
        "format": model.format,
        "producer": model.producer,
        "nodes": model.graph.number_of_nodes(),
        "functions": len(model.functions),
        "inferred": model.inferred,
        "parameters": sum(size_of(v["shape"]) for v in variables),
        "bytes": sum(v["bytes"] for v in variables),
        "inputs": candidates["inputs"],
        "outputs": candidates["outputs"],
        "layers": dict(Counter(layer.op for layer in analysis.layers).most_common()),
        "loops": [
            {"name": each.name, "ops": each.attrs["ops"]} for each in analysis.loops
        ],
        "unexplained": len(unexplained(analysis)),
        "roles": dict(Counter(analysis.roles.values()).most_common()),
        "variables": dict(Counter(v.role for v in model.variables).most_common()),
        "signatures": sorted(model.signatures),
        "findings": [_finding(each) for each in analysis.structural_findings],
        "family": _family(analysis, variables).to_json(),
        "remarks": [
            *model.remarks,
            *analysis.candidates.remarks,
            *analysis.family.remarks,
        ],
    }


def shape_text(shape: Sequence[int | None] | None) -> str:
    """``(?, 28, 28, 1)``; ``(...)`` where the rank is unknown."""
    if shape is None:
        return "(...)"
    sizes = ", ".join("?" if size is None else str(size) for size in shape)
    return f"({sizes},)" if len(shape) == 1 else f"({sizes})"


def summary_lines(title: str, facts: Mapping[str, Any]) -> list[str]:
    """A model in a few lines of text, from ``describe_model``."""
    layers = sum(facts["layers"].values())
    sizes = f"{layers:,} layers, {facts['parameters']:,} parameters"
    lines = [f"<Analysis of {title}: {facts['format']}, {sizes}>"]
    for word in ("inputs", "outputs"):
        ends = [e for e in facts[word] if e["kind"] not in ("file name", "not needed")]
        for each in ends[:4]:
            spec = f"{each['tensor']} {each['dtype']} {shape_text(each['shape'])}"
            spec += f", {each['kind']}"
            lines.append(f"  {word[:-1]}: {spec}")
    count = len(facts["findings"])
    return lines + ([f"  findings: {count}"] if count else [])


def _family(analysis: Stages, parameters: Iterable[Mapping[str, Any]]) -> Identity:
    """The known architecture: of weights alone, else of the graph's layers by their weights' names."""
    if analysis.family.claim is not None or analysis.model.inferred:
        return analysis.family
    listed = [v for v in analysis.model.variables if v.role in PARAMETERS] or [
        Variable(row["name"], row["dtype"], tuple(row["shape"] or ()), row["bytes"])
        for row in parameters
    ]
    from ..families.identify import identify_graph

    return identify_graph(analysis.model, listed)


def parameters_of(analysis: Stages) -> list[dict[str, Any]]:
    """The variables (or, in a frozen graph, the constants of its layers) that make up the model."""
    listed = [v for v in analysis.model.variables if v.role in PARAMETERS]
    if listed:
        return [_variable(v) for v in listed]
    seen: dict[str, dict[str, Any]] = {}
    for layer in analysis.layers:
        for use in layer.weights.values():
            if use.node and use.node not in seen:
                value = analysis.flat.value(use.node)
                row: dict[str, Any] = {"name": use.node, "dtype": str(value.dtype)}
                row |= {"shape": list(value.shape), "bytes": value.nbytes}
                seen[use.node] = row | {"role": "weight"}
    return list(seen.values())


def _variable(variable: Variable) -> dict[str, Any]:
    row = {
        "name": variable.name,
        "dtype": variable.dtype,
        "shape": None if variable.shape is None else list(variable.shape),
        "bytes": variable.nbytes,
        "role": variable.role,
    }
    row |= {"of": variable.of} if variable.of else {}
    row |= {"optimizer": variable.optimizer} if variable.optimizer else {}
    return row | ({"path": variable.path} if variable.path else {})


def describe_variables(analysis: Stages, statistics: bool = False) -> dict[str, Any]:
    """``variables``: the variable list, a frozen graph's constants where there is none.

    With ``statistics`` each row also has minimum, maximum, mean and the like, read in chunks.
    """
    rows = [_variable(v) for v in analysis.file.variables] or parameters_of(analysis)
    if statistics:
        from ..infer.statistics import statistics_of

        for row in rows:
            announce(f"reading the values of {row['name']}")
            row |= statistics_of(analysis.flat, row["name"])
    return {"variables": rows}


def describe_layers(analysis: Stages) -> dict[str, Any]:
    """``layers``: the recovered layers in order, and the nodes that none of them explains."""
    return {
        "layers": [
            _layer(name, layer, analysis) for name, layer in named_layers(analysis)
        ],
        "unexplained": unexplained(analysis),
    }


def describe_pass(analysis: Stages, name: str) -> dict[str, Any]:
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


def _layer(name: str, layer: Layer, analysis: Stages) -> dict[str, Any]:
    spec = analysis.specs.get(layer.output, TensorSpec())
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
        "parameters": sum(size_of(use.shape) for use in layer.weights.values()),
        "members": sorted(layer.members),
        "pattern": layer.pattern,
        "evidence": list(layer.evidence),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value.tolist() if hasattr(value, "tolist") else value


def unexplained(analysis: Stages) -> list[str]:
    """The op nodes of the inference graph that no layer explains, constants and feeds left out."""
    graph, quiet = analysis.layer_graph, {
        "Const",
        "Placeholder",
        "PlaceholderWithDefault",
    }
    quiet |= {"NoOp", "VarHandleOp", "VariableV2", "Variable", "ReadVariableOp", "_Arg"}
    quiet |= {"Identity", "IdentityN"}
    nodes = ((name, graph.node(name)) for name in graph)
    return [
        n for n, node in nodes if not isinstance(node, Layer) and node.op not in quiet
    ]


def describe_outputs(analysis: Stages) -> dict[str, Any]:
    """``outputs``: the ranked inputs and outputs, each with its evidence."""
    candidates, source = analysis.candidates, analysis.model.source
    return {
        "inputs": [
            _candidate(c, analysis) | {"kind": c.kind} for c in candidates.inputs
        ],
        "outputs": [
            _candidate(c, analysis)
            | {"score": round(c.score, 3), "kind": c.kind}
            | {"freeze": freeze_command(source, (short(c.tensor),))}
            for c in candidates.outputs
        ],
    }


def _candidate(candidate: Any, analysis: Stages) -> dict[str, Any]:
    tensor: Tensor = candidate.tensor
    spec = candidate.spec
    if spec.shape is None or None in spec.shape or not spec.dtype:
        spec = analysis.sized(tensor, spec)
    return {
        "tensor": str(tensor),
        "dtype": spec.dtype,
        "shape": _plain(spec.shape),
        "evidence": [str(e) for e in candidate.evidence if e.text],
        "points": [round(e.points, 2) for e in candidate.evidence if e.text],
    }


def describe_findings(analysis: Stages) -> dict[str, Any]:
    """``doctor``: what would break or falsify a freeze, and the remedy."""
    return {"findings": [_finding(each) for each in analysis.findings]}


def describe_errors(analysis: Stages) -> list[dict[str, Any]]:
    """The findings that make a freeze useless, such as an output that is a placeholder."""
    return [
        _finding(each)
        for each in analysis.structural_findings
        if each.severity == "error"
    ]


def _finding(finding: Any) -> dict[str, Any]:
    keys = ("id", "severity", "node", "message", "remedy")
    return {key: _plain(getattr(finding, key)) for key in keys}
