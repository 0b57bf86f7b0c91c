"""Why a layer is or is not recovered at a node: of its pattern, and of the canonical forms that it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from ...errors import GraphError
from ...graph import Graph, Layer, Loop, Model, Tensor, did_you_mean
from ...match import Explanation, Pattern, View, explain
from ...patterns import forms, layers
from ...simplify.state import State
from ..finding import listed
from ..recurrence.settle import explain_loop
from ..recurrence.usage import RECURRENT
from .canonical import Specs, canonical_view
from .layer_view import home_of, layer_view


class Subject(Protocol):
    """A model whose layers are asked about, and what stands after its passes."""

    @property
    def model(self) -> Model: ...
    @property
    def flat(self) -> Model: ...
    @property
    def graph(self) -> Graph: ...
    @property
    def specs(self) -> Specs: ...
    @property
    def outputs(self) -> tuple[Tensor, ...]: ...
    @property
    def loops(self) -> tuple[Loop, ...]: ...
    def state_after(self, name: str) -> State: ...
    def existing(self, name: str) -> Tensor: ...


def explain_layer(named: Mapping[str, Layer], name: str) -> str:
    """What a layer is and what it was recovered from; raises GraphError where none is named so."""
    if name not in named:
        hint = did_you_mean(name, named)
        raise GraphError(
            f"no layer is called {name!r}{hint}; all of them: graphscope layers MODEL"
        )
    layer = named[name]
    members = sorted(layer.members)
    lines = [f"{name} is a layer {layer.op}, which ends at {layer.output.node!r}"]
    if members:
        ops = f"op{'s' * (len(members) > 1)}"
        lines.append(f"it explains {len(members)} {ops}: {listed(members)}")
    if layer.pattern and layer.pattern != layer.op:
        lines.append(f"by the pattern {layer.pattern}")
    return "\n  ".join([*lines, *layer.evidence])


def explain_at(
    subject: Subject, named: Mapping[str, Layer], pattern: str, node: str
) -> str:
    """Why a pattern does or does not match: at a node, or at a layer of ``named``."""
    layer = named.get(node)
    if layer is not None and layer.op == pattern:
        return f"{pattern} matches at {node!r}\n  {explain_layer(named, node)}"
    asked, node = node, layer.output.node if layer is not None else node
    loop = _of_loop(subject, layer, pattern, node)
    if loop:
        return loop
    if pattern in RECURRENT:
        return (
            f"{pattern} does not match at {asked!r}\n  a recurrent layer is recovered from a loop, or from a chain of equal steps, "
            f"and {asked!r} is in none"
        )
    of_ops = [p for p in layers() if not p.is_above]
    above = _of_layers(subject, pattern, asked, node)
    if above is not None:
        also = any(pattern in (p.name, p.op) for p in of_ops)
        if above.matched or not also or node not in subject.flat.graph:
            return str(above)
    if layer is not None and (elsewhere := _without_formula(subject, layer)):
        return f"{pattern} does not match at {asked!r}\n  {elsewhere}"
    at = node if node in subject.graph else subject.existing(node).node
    graph = subject.graph if at in subject.graph else subject.flat.graph
    below = explain_ops(
        graph, subject.flat, subject.specs, subject.outputs, of_ops, pattern, at
    )
    answers = [above] if above is not None and not below[0].matched else below
    return "\n".join(map(str, answers))


def _of_loop(subject: Subject, layer: Layer | None, pattern: str, node: str) -> str:
    """What a loop says for itself, that the node is in or that the layer was recovered from; "" where there is none."""
    lifted = subject.state_after("loops_to_layers")
    places = dict.fromkeys((node, *_loops_in(subject, layer)))
    texts = (explain_loop(lifted, pattern, place) for place in places)
    return next(filter(None, texts), "")


def _of_layers(
    subject: Subject, pattern: str, asked: str, node: str
) -> Explanation | None:
    """What came of the pattern among layers; None where it is none of layers, or the file itself has the layers."""
    above = [p for p in layers() if p.is_above and pattern in (p.name, p.op)]
    if not above or subject.model.layered:
        return None
    return _explained_above(subject, above, pattern, asked, node)


def _without_formula(subject: Subject, layer: Layer) -> str:
    """What a layer is known to be where no formula over ops can be tried; "" where one can."""
    if subject.model.layered:
        return f"the file itself says that it is {layer.op}"
    if layer.output.node in subject.graph or layer.output.node in subject.flat.graph:
        return ""
    loops = listed(_loops_in(subject, layer))
    return f"it is {layer.op}" + (f", recovered from the loop {loops}" if loops else "")


def _loops_in(subject: Subject, layer: Layer | None) -> list[str]:
    """The loops that a recurrent layer was recovered from."""
    inside = layer.members if layer is not None else frozenset()
    return [loop.output.node for loop in subject.loops if loop.members & inside]


def _explained_above(
    subject: Subject, patterns: Sequence[Pattern], pattern: str, asked: str, node: str
) -> Explanation:
    """The same for formulas over layers, in the graph of layers; what is asked for may be a layer or one of its ops."""
    view = layer_view(subject.state_after("gather_biases"))
    places = [place for place in (asked, node) if place in view.graph]
    at = places[0] if places else home_of(view.graph, subject.existing(node))
    return explain(view.graph, patterns, pattern, at, view=view)


def explain_ops(
    graph: Graph,
    model: Model,
    specs: Specs,
    keep: Iterable[Tensor],
    patterns: Sequence[Pattern],
    pattern: str,
    node: str,
) -> list[Explanation]:
    """What came of a pattern or a form at a node of the op graph.

    Where a pattern does not match, what came of each form follows that ends in such a node and whose op the pattern
    begins with. Raises GraphError where there is no such pattern.
    """
    plain = View(graph, specs)
    if any(form.name == pattern for form in forms()):
        return [explain(graph, forms(), pattern, node, view=plain)]
    view = canonical_view(graph, model, specs, keep={t.node for t in keep})
    if node not in view.graph:  # inside of what became one op
        view = plain
    answer = explain(view.graph, patterns, pattern, node, view=view)
    if answer.matched:
        return [answer]
    own = [p.formula.roots or () for p in patterns if pattern in (p.name, p.op)]
    ops = {root for roots in own for root in roots}
    near = [
        form
        for form in forms()
        if form.op in ops and plain.ops[node] in (form.formula.roots or ())
    ]
    others = [explain(graph, forms(), each.name, node, view=plain) for each in near]
    return [answer, *others]
