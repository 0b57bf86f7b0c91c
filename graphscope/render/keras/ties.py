"""One variable in two layers: the second borrows it from the first, so that training keeps them tied.

An Embedding whose table is a Dense kernel too is a ReversibleEmbedding called in reverse. Any other layer that lends a
weight becomes a small subclass of its Keras class that also yields the weight; the borrower computes with that in
``keras.ops``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...graph import Tensor, WeightUse
from .borrowers import borrower_text, finished_text
from .classes import lender_class
from .literals import literal
from .program import Step, hole
from .signatures import signature_of

if TYPE_CHECKING:
    from .held import Holder

Key = tuple[str, tuple[Any, ...]]
_TURNED = (("transpose", (1, 0)),)


@dataclass(frozen=True)
class Loan:
    """A weight that an earlier layer holds: the node of its step, and the weight's name and use there."""

    owner: str
    name: str
    use: WeightUse


class Ties:
    """Which layer holds each variable, as layers come in."""

    def __init__(self) -> None:
        self.loans: dict[Key, Loan] = {}

    def register(self, step: Step) -> None:
        """Note what a new layer holds; from a layer inside it, or one that Keras does not know, nobody can borrow."""
        known = signature_of(step.constructor)
        names = ("value",) if step.constructor == "Weight" else known and known.weights
        for name, use in step.weights.items():
            if use.node and "/" not in name and name in (names or ()):
                self.loans.setdefault(_key(use), Loan(step.node, name, use))

    def borrowed(self, weights: Mapping[str, WeightUse]) -> dict[str, Loan]:
        """Those of the weights that an earlier layer holds."""
        held = {name: self.loans.get(_key(use)) for name, use in weights.items()}
        return {name: loan for name, loan in held.items() if loan is not None}


def _key(use: WeightUse) -> Key:
    """Two uses of one key read the same elements."""
    return use.node, tuple(step for step in use.steps if step[0] == "slice")


def tied(lowering: Holder, step: Step, loans: Mapping[str, Loan]) -> Step | None:
    """The step with what it borrows; None where it cannot be said."""
    reverse = _reversed(lowering, step, loans)
    if reverse is not None:
        return reverse
    texts: dict[str, str] = {}
    tensors = list(step.inputs)
    for name, use in step.weights.items():
        loan = loans.get(name)
        turn = _turn(loan.use, use) if loan is not None else "{}"
        if turn is None:
            return None
        texts[name] = turn.format(hole(len(texts) + len(step.inputs)))
    text = borrower_text(step, texts)
    if text is None:
        return None
    for name, use in step.weights.items():
        loan = loans.get(name)
        tensors.append(
            yielded(lowering, loan)
            if loan is not None
            else lowering.hold(f"{step.node}/{name}", use, f"{step.name}_{name}")
        )
    return Step(step.node, text, tuple(tensors))


def _reversed(lowering: Holder, step: Step, loans: Mapping[str, Loan]) -> Step | None:
    """A Dense layer over an Embedding's table, as ReversibleEmbedding's call in reverse."""
    loan = loans.get("kernel")
    if loan is None or step.constructor != "layers.Dense" or len(loans) > 1:
        return None
    lender = lowering.steps[loan.owner]
    is_embedding = lender.class_name in ("Embedding", "ReversibleEmbedding")
    if not is_embedding or loan.use.steps or step.weights["kernel"].steps != _TURNED:
        return None
    lender = replace(
        lender,
        constructor="layers.ReversibleEmbedding",
        class_name="ReversibleEmbedding",
    )
    _lend(lowering, lender)
    call = replace(
        lowering.steps[loan.owner],
        node=step.node,
        text=f"{step.text}, reverse=True",
        inputs=step.inputs,
    )
    bias = hole(1) if "bias" in step.weights else None
    text = finished_text(step, hole(0), bias)
    if text == hole(0) or text is None:
        return call if text else None
    call = replace(call, node=f"{step.node}/projection")
    lowering.put(call)
    tensors = [Tensor(call.node)]
    if bias:
        use = step.weights["bias"]
        tensors.append(lowering.hold(f"{step.node}/bias", use, f"{step.name}_bias"))
    return Step(step.node, text, tuple(tensors))


def yielded(lowering: Holder, loan: Loan) -> Tensor:
    """The weight as a tensor: of a layer that holds nothing else itself, else as one more call of the lender."""
    lender = lowering.steps[loan.owner]
    if lender.constructor == "Weight":
        return Tensor(loan.owner)
    node = f"{loan.owner}/{loan.name}"
    if node not in lowering.steps:
        base = lender.class_name.removeprefix("Shared")
        name, source = lender_class(base, lowering.lent.setdefault(base, []), loan.name)
        lowering.classes[name] = source
        _lend(lowering, replace(lender, constructor=name, class_name=name))
        text = f"{hole(0)}, weight={literal(loan.name)}"
        call = replace(lowering.steps[loan.owner], node=node, text=text)
        lowering.put(replace(call, inputs=lender.inputs[:1]))
    return Tensor(node)


def _lend(lowering: Holder, lender: Step) -> None:
    """The lender as a layer object with a name of its own, which others call too."""
    for node, step in lowering.steps.items():
        if (step.layer or node) == lender.node:
            lowering.steps[node] = replace(
                step,
                constructor=lender.constructor,
                class_name=lender.class_name,
                layer=lender.node,
            )


def _turn(lent: WeightUse, wanted: WeightUse) -> str | None:
    """What makes the borrower's layout of the lender's; None where no transposition does."""
    if lent.steps == wanted.steps:
        return "{}"
    axes = [_axes(use) for use in (lent, wanted)]
    if axes[0] is None or axes[1] is None or len(axes[0]) != len(axes[1]):
        return None
    whole = tuple(int(axis) for axis in np.argsort(axes[0])[list(axes[1])])
    if whole == tuple(range(len(whole))):
        return "{}"
    if whole == tuple(reversed(range(len(whole)))):
        return "ops.transpose({})"
    return f"ops.transpose({{}}, {literal(whole)})"


def _axes(use: WeightUse) -> tuple[int, ...] | None:
    """The permutation that leads from the stored array to the layer's; None where there is more to it."""
    axes = tuple(range(len(use.shape)))
    for name, argument in use.steps:
        if name != "transpose":
            return None
        axes = tuple(axes[axis] for axis in argument)
    return axes
