"""A trained vector that is added to a layer without a bias, or to a sum of two -> the bias of one of them.

``x @ w + y @ u + b``, as critics, gates and wide-and-deep heads are written: no layer of our own is needed for ``b``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ....graph import Tensor, WeightUse
from .program import Step

_APART = "Bias"
_UNITS = {"Dense": "units"} | {f"Conv{n}D": "filters" for n in (1, 2, 3)}


def with_bias_of_sums(
    steps: Iterable[Step], outputs: Sequence[Tensor]
) -> tuple[Step, ...]:
    """The steps, some of which have a bias that was added to them, or to the sum of one and another.

    ``Bias(Dense(x, use_bias=False)) -> Dense(x)``; ``Bias(Add(Dense(x, use_bias=False), y)) -> Add(Dense(x), y)``.
    """
    known = {step.node: step for step in steps}
    reads = Counter(tensor for step in known.values() for tensor in step.inputs)
    reads.update(outputs)
    for step in list(known.values()):
        source = known.get(step.inputs[0].node) if step.constructor == _APART else None
        if source is None or reads[step.inputs[0]] > 1:
            continue
        if source.layer not in ("", source.node):
            continue
        if _takes(source, step):
            source = _biased(source, step.weights["bias"])
        elif (term := _term(source, step, known, reads)) is not None:
            known[term.node] = _biased(term, step.weights["bias"])
        else:
            continue
        known[step.node] = replace(source, node=step.node, layer="")
        del known[source.node]
    return tuple(known.values())


def _term(
    total: Step, bias: Step, known: Mapping[str, Step], reads: Counter[Tensor]
) -> Step | None:
    """The first layer of a sum that can have the bias, and that nothing else reads."""
    if total.class_name != "Add":
        return None
    terms = [known.get(t.node) for t in total.inputs if reads[t] == 1]
    return next((each for each in terms if each and _takes(each, bias)), None)


def without_unused(classes: Mapping[str, str], steps: Iterable[Step]) -> dict[str, str]:
    """The classes without that of a bias apart, where no step and no other class has one left."""
    left = {name: text for name, text in classes.items() if name != _APART}
    is_used = any(step.constructor == _APART for step in steps)
    is_used = is_used or any(f"{_APART}(" in text for text in left.values())
    return dict(classes) if is_used else left


def _takes(term: Step, bias: Step) -> bool:
    """Whether a layer that is called once, and has no bias, can have this one."""
    units = term.arguments.get(_UNITS.get(term.class_name, ""))
    shape = bias.weights["bias"].shape
    is_last = (*(1,) * (len(shape) - 1), units) == shape
    own = {name: value for name, value in bias.arguments.items() if name != "shape"}
    dtype = {n: v for n, v in term.arguments.items() if n in ("dtype", "trainable")}
    is_bare = term.arguments.get("use_bias") is False and _is_plain(term)
    return is_last and is_bare and own == dtype


def _is_plain(term: Step) -> bool:
    """Whether nothing comes after the product, whose channels are its last axis."""
    after = term.arguments.get("activation") in (None, "linear")
    first = term.arguments.get("data_format") == "channels_first"
    return after and not first and term.layer in ("", term.node)


def _biased(term: Step, bias: WeightUse) -> Step:
    arguments = {n: v for n, v in term.arguments.items() if n != "use_bias"}
    flat = bias.shape[-1:]
    use = replace(bias, shape=flat, steps=(*bias.steps, ("reshape", flat)))
    use = bias if bias.shape == flat else use
    weights = {**term.weights, "bias": use}
    return replace(
        term, arguments=arguments, weights=weights, stored=("kernel", "bias")
    )
