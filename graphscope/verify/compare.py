"""Run two models on the same random inputs and say how far their outputs are apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..graph import Shape, Tensor
from .comparison import Comparison
from .differences import TOLERANCE
from .feeds.draw import MORE_ROUNDS, ROUNDS, WIDE_ROUNDS
from .pairing import (
    Pair,
    SharedSignature,
    choose_signatures,
    left_out,
    pair_inputs,
    pair_outputs,
    shared_signatures,
)
from .reference.forms import Form, averaged_form, inference_form
from .report import Verification, joined
from .run.keras_runner import KerasRunner
from .run.opening import open_runner
from .run.runner import Runner
from .run.safety import check_outputs


def compare(
    a: object,
    b: object,
    *,
    seed: int = 0,
    trust: bool = False,
    outputs: Iterable[object] = (),
    shapes: Mapping[str, Shape] | None = None,
    tolerance: float = TOLERANCE,
    layers: Mapping[str, str] | None = None,
    examples: Mapping[str, object] | None = None,
) -> Verification:
    """Run ``a`` (the reference) and ``b`` on the same inputs and compare what they compute.

    Each is a path (checkpoint with its ``.meta``, GraphDef, SavedModel, ``.keras``, ``.h5``, a folder that ``graphscope keras``
    wrote), a Model, or a Keras model. ``outputs`` names tensors of ``a`` (default: what ``b`` computes); ``shapes`` gives the shape of an
    input by name where the files do not. ``passed`` means ``max_rel <= tolerance`` for every output, on every draw. ``layers`` says
    which tensor of ``a`` a layer of the Keras model ``b`` yields, by the layer's name: so the layer at which they part can be named.
    ``examples`` are the values of inputs, by their names in ``a``, to run on in place of drawn ones.

    Raises UnsafeModel, unless ``trust``, where running one could touch files; GraphscopeError where one cannot be run.
    """
    first, second = open_runner(a, trust), open_runner(b, trust)
    if outputs and isinstance(first, KerasRunner):
        first.cut(map(str, outputs))
        outputs = ()
    begin = _Beginning(first, second, shapes or {}, tolerance, trust, seed)
    begin.examples, begin.layers = examples or {}, layers or {}
    shared = [] if outputs else shared_signatures(first, second)
    if shared:
        proof: Verification = joined({s.name: begin.of_signature(s) for s in shared})
        pairs = [pair for each in shared for pair in each.outputs]
    else:
        choose_signatures(first, second)
        named = [str(Tensor.parse(str(each))) for each in outputs]
        pairs = pair_outputs(first, second, named)
        proof = begin.verification(pairs)
    rest = left_out(first, second, pairs) if not outputs else []
    return replace(proof, remarks=(*proof.remarks, *rest))


@dataclass
class _Beginning:
    """Two runners that are to be compared, and how; the first round tells in which form the reference has to be run."""

    first: Runner
    second: Runner
    shapes: Mapping[str, Shape]
    tolerance: float
    trust: bool
    seed: int
    examples: Mapping[str, Any] = field(default_factory=dict)
    layers: Mapping[str, str] = field(default_factory=dict)

    def of_signature(self, signature: SharedSignature) -> Verification:
        """What both compute of a signature that both have."""
        one = replace(self, layers={**self.layers, **signature.inputs})
        return one.verification(signature.outputs)

    def verification(self, pairs: Sequence[Pair]) -> Verification:
        """All rounds on these outputs."""
        under_way = self._comparison(pairs)
        if self.examples:
            return under_way.result(self.layers)
        for number, turn in enumerate(ROUNDS[1:], 1):
            under_way.run(turn, [self.seed, number])
        under_way.run_sizes([self.seed, 200])
        for number, turn in enumerate(MORE_ROUNDS):
            if under_way.is_saturated():
                under_way.run(turn, [self.seed, len(ROUNDS) + number])
        is_exact = not getattr(self.first, "tolerance", 0.0)
        for number, turn in enumerate(WIDE_ROUNDS if is_exact else ()):
            if under_way.is_one_sided(number):
                under_way.run_wide(turn, [self.seed, 100 + number])
        return under_way.result(self.layers)

    def _comparison(self, pairs: Sequence[Pair]) -> Comparison:
        """The comparison after its first round: with the file as it lies there where that can be, else with a form of it."""
        names, theirs = ([pair[side] for pair in pairs] for side in (0, 1))
        form = inference_form(self.first, self.second, names, theirs)
        under_way = self._begun(pairs, form)
        if under_way.failed:
            averaged = averaged_form(self.first, names, form)
            other = self._begun(pairs, averaged) if averaged else under_way
            return under_way if other.failed else other
        return under_way

    def _begun(self, pairs: Sequence[Pair], form: Form | None) -> Comparison:
        first, second = form.runner if form else self.first, self.second
        fed = pair_inputs(first, second, pairs, self.layers)
        for side, runner in enumerate((first, second)):
            if runner.model is not None and not self.trust:
                named = [n[side] for n in pairs], [n[side] for n in fed]
                check_outputs(runner.model, *named)
        ends = first, second, pairs, fed
        under_way = Comparison(*ends, self.shapes, self.tolerance)
        under_way.form = form
        named_ = {first.resolve(name): value for name, value in self.examples.items()}
        under_way.examples = named_
        under_way.run(ROUNDS[0], [self.seed] if named_ else [self.seed, 0])
        return under_way
