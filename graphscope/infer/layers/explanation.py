"""Why a layer is or is not found at a node: of its pattern, and of the canonical forms that it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...graph import Graph, Model, Tensor
from ...match import Explanation, Pattern, View, explain
from ...patterns import forms
from .canonical import Specs, canonical_view


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
