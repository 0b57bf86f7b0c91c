"""Which output and which input of one model is which of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from ..errors import GraphscopeError
from ..freeze.inputs import CUT
from ..graph import Shape, Signature, Tensor
from ..ops import spellings
from .feeds.draw import Port
from .run.runner import GraphRunner, Runner

Pair = tuple[str, str]


def choose_signatures(first: Runner, second: Runner) -> None:
    """Let a model of several signatures speak by the one that the other has the names of."""
    for mine, other in ((first, second), (second, first)):
        if isinstance(mine, GraphRunner):
            theirs = [port.name for port in other.needed(other.outputs())]
            mine.choose([*other.outputs(), *theirs])


class SharedSignature(NamedTuple):
    """What two models call by one name: the pairs of its outputs, and by input of the second that of the first."""

    name: str
    outputs: list[Pair]
    inputs: Mapping[str, str]


def shared_signatures(first: Runner, second: Runner) -> list[SharedSignature]:
    """The signatures that both have under one name, each once though it has several names; empty unless there are at least two."""
    if first.model is None or second.model is None:
        return []
    shared: dict[tuple[Pair, ...], SharedSignature] = {}
    for name, mine in first.model.signatures.items():
        other = second.model.signatures.get(name, Signature({}, {}))
        outputs = _named_alike(first, second, mine.outputs, other.outputs)
        inputs = _named_alike(first, second, mine.inputs, other.inputs)
        if outputs:
            each = SharedSignature(name, outputs, {m: n for n, m in inputs})
            shared.setdefault(tuple(outputs), each)
    return list(shared.values()) if len(shared) > 1 else []


def _named_alike(
    first: Runner,
    second: Runner,
    mine: Mapping[str, Tensor],
    theirs: Mapping[str, Tensor],
) -> list[Pair]:
    both = [(str(mine[key]), str(theirs[key])) for key in mine if key in theirs]
    return [(n, m) for n, m in both if first.resolve(n) and second.resolve(m)]


def left_out(first: Runner, second: Runner, compared: Sequence[Pair]) -> list[str]:
    """That there are signatures of which nothing was compared."""
    resolved = [set[str](), set[str]()]
    for side, runner in enumerate((first, second)):
        names = {pair[side] for pair in compared}
        signatures = runner.model.signatures if runner.model is not None else {}
        if isinstance(runner, GraphRunner) and len(signatures) > 1:
            resolved[side] = {
                name
                for name, each in signatures.items()
                if not name.startswith("__")  # TensorFlow's own, to initialise
                and each.outputs
                and not names & set(map(str, each.outputs.values()))
            }
    listed = ", ".join(sorted(resolved[0] | resolved[1]))
    return [f"not compared: the signatures {listed}"] if listed else []


def pair_outputs(first: Runner, second: Runner, wanted: Sequence[str]) -> list[Pair]:
    """Which output of one is which of the other: by name, else by order."""
    if wanted:
        resolved = [(n, second.resolve(n)) for n in wanted]
        pairs = [(n, m) for n, m in resolved if m is not None]
        return (
            pairs if len(pairs) == len(wanted) else list(zip(wanted, second.outputs()))
        )
    named = [
        (_origin(first, second, n, {}) or first.resolve(n), n) for n in second.outputs()
    ]
    pairs = [(m, n) for m, n in named if m is not None]
    pairs += _kept_inside(first, second, pairs)
    if not pairs:
        named = [(n, second.resolve(n)) for n in first.outputs()]  # type: ignore[misc]
        pairs = [(n, m) for n, m in named if n is not None and m is not None]
    if not pairs:
        pairs = list(zip(first.outputs(), second.outputs()))
    if not pairs:
        raise GraphscopeError(
            f"{first.source} and {second.source} have no output to compare; name one with --output"
        )
    return pairs


def _kept_inside(first: Runner, second: Runner, pairs: Sequence[Pair]) -> list[Pair]:
    """Outputs of one graph that the other holds under the same name, though something there reads them."""
    if not pairs or not isinstance(second, GraphRunner) or second.signatures:
        return []
    others = (n for n in first.outputs() if n not in {m for m, _ in pairs})
    return [(n, m) for n in others if (m := second.resolve(n))]


def pair_inputs(
    first: Runner,
    second: Runner,
    pairs: Sequence[Pair],
    layers: Mapping[str, str] = {},
) -> list[Pair]:
    """Which input of one is which of the other: by what is written of it (``layers``, of a Keras model; an attribute, of a frozen
    graph), by name, by the last part of it, else by order among those of one dtype.
    """
    theirs = list(second.needed([n for _, n in pairs]))
    asked = [n for n, _ in pairs]
    needed = [port.name for port in first.needed(asked)]
    mine = _feeds(first, needed)
    resolved = [
        (
            _origin(first, second, port.name, layers)
            or _resolved(first, port, mine, needed),
            port.name,
        )
        for port in theirs
    ]
    named = [(m, n) for m, n in resolved if m is not None]
    fed = [m for m, _ in named]
    left = [port for port, (m, _) in zip(theirs, resolved) if m is None]
    for each in first.needed(asked, fed) if left else ():
        fits = next((port for port in left if port.dtype == each.dtype), None)
        if fits is not None:
            left.remove(fits)
            named.append((each.name, fits.name))
    return named


def _origin(
    first: Runner, second: Runner, name: str, layers: Mapping[str, str]
) -> str | None:
    """The tensor of the first model that an input of the second says it stands for; None where it says none that is there."""
    origin = layers.get(name, "")
    if second.model is not None and not origin:
        node = Tensor.parse(name).node
        is_there = node in second.model.graph
        origin = second.model.graph.attrs(node).get(CUT, "") if is_there else ""
    if not origin or not isinstance(first, GraphRunner) or first.model is None:
        return None
    is_there = Tensor.parse(origin).node in first.model.graph
    return first.resolve(origin) if is_there else None


def _feeds(runner: Runner, needed: list[str]) -> list[str]:
    """All that can be fed, what has a default too."""
    if runner.model is None:
        return needed
    kinds = spellings.PLACEHOLDERS
    return [f"{name}:0" for name in runner.model.graph.by_op(*kinds)]


def _resolved(
    first: Runner, port: Port, mine: Sequence[str], needed: Sequence[str]
) -> str | None:
    """What the first model calls an input of the second; of a sparse one, what holds its values.

    Several signatures may each have an input of that name: it is the one that the outputs need.
    """
    match = first.resolve(port.name)
    if isinstance(first, GraphRunner) and match not in needed:
        named = (each.get(port.name) for each in first.signatures)
        match = next((name for name in named if name in needed), match)
    if match is not None:
        return match
    path = f"/{port.name}/values:0" if port.is_sparse else f"/{port.name}:0"
    ends = [name for name in mine if f"/{name}".endswith(path)]
    return ends[0] if len(ends) == 1 else None


def merged_port(a: Port, b: Port, shapes: Mapping[str, Shape]) -> Port:
    """What the two know together of one input; ``shapes`` by name is what the user says of it."""
    for name in (a.name, b.name, a.name.removesuffix(":0"), b.name.removesuffix(":0")):
        if name in shapes:
            return replace(a, shape=shapes[name], below=a.below or b.below)
    shape = a.shape if b.shape is None or b.is_sparse else b.shape
    if a.shape is not None and b.shape is not None and len(a.shape) == len(b.shape):
        shape = tuple(x if x is not None else y for x, y in zip(a.shape, b.shape))
    return replace(
        a,
        shape=shape,
        below=a.below or b.below,
        texts=a.texts if any(a.texts) else b.texts,
    )
