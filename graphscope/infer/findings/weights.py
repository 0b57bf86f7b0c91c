"""Findings on the values of the weights: not finite, zero, constant, dead channels, untrained, stored twice."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...errors import GraphscopeError
from ...ops import spellings
from ...wire.mapped import release
from ..finding import Case, Finding, listed
from ..training.arrays import Flow
from ..training.dependence import constant_shape, is_hollow

SMALL = 64  # weights of fewer values are not compared with each other
_LAYERS = frozenset(
    {*spellings.GATHERS, *"MatMul BatchMatMul BatchMatMulV2 BiasAdd Einsum".split()}
)
_VECTORS = re.compile(r"(^|/)(bias|beta|gamma)(:0)?$")  # of a GRU, of heads: two axes
_EVEN = 1.8  # the kurtosis of what is spread evenly
_LEAST = 32  # numbers that tell how they are spread
_FLOATS = ("float32", "float64", "float16", "bfloat16")


@dataclass
class _Tally:
    """What one pass over the weights notes down; names by trouble."""

    broken: list[str]
    zero: list[str]
    constant: list[str]
    dead: dict[str, int]
    kernels: int
    biases: list[bool]
    fresh: list[bool]
    twins: dict[tuple[object, ...], list[str]]


def find(case: Case) -> Iterator[Finding]:
    if not case.read_weights:
        return
    tally = _Tally([], [], [], {}, 0, [], [], defaultdict(list))
    for name, value in _values(case):
        _look(tally, name, value)
        release(value)
    yield from _report(tally)


def _values(case: Case) -> Iterator[tuple[str, np.ndarray]]:
    graph, model = case.flat.graph, case.flat
    if model.layered or not case.numbers:
        for variable in model.variables:
            if variable.role == "weight" and model.weights.has_value(variable.name):
                yield variable.name, model.weights[variable.name]
        return
    for name in case.variables:
        if model.has_value(name):
            try:
                yield name, model.value(name)
            except GraphscopeError:
                continue  # a damaged shard is the reader's finding
    for name in case.on_path("Const"):
        attrs = graph.attrs(name)
        shaped = attrs.get("dtype") in _FLOATS and len(constant_shape(attrs)) > 0
        if shaped and not is_hollow(attrs) and _is_weight(case, name):
            yield name, attrs["value"]


def _is_weight(case: Case, name: str) -> bool:
    """Whether a layer uses a constant as its weight, at most an Identity away."""
    flow = case.study.flow
    readers = list(flow.outputs[flow.index[name]])
    for i in list(readers):
        if flow.ops[i] in ("Identity", "Enter", "Cast", "Transpose"):
            readers += flow.outputs[i]
    if any(_ends_layer(flow, i) for i in readers):
        return True
    sums = [i for i in readers if flow.ops[i] in spellings.SUMS]  # a bias
    return any(_ends_layer(flow, source) for i in sums for source, _ in flow.inputs[i])


def _ends_layer(flow: Flow, i: int) -> bool:
    return flow.ops[i] in _LAYERS or "Conv" in flow.ops[i]


def _look(tally: _Tally, name: str, value: np.ndarray) -> None:
    if value.dtype.kind != "f" and value.dtype.name != "bfloat16" or not value.size:
        return
    if value.dtype.itemsize < 4:
        value = value.astype(np.float32)
    low, high = float(value.min()), float(value.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        tally.broken.append(name)
        return
    is_vector = value.ndim == 1 or _VECTORS.search(name) is not None
    if is_vector and value.size > 1:
        tally.biases.append(low == high)
    if is_vector or value.ndim < 2 or value.size < 2:
        return
    tally.kernels += 1
    if low == high:
        (tally.zero if low == 0 else tally.constant).append(name)
        return
    if value.size >= _LEAST:
        tally.fresh.append(_is_fresh(value, low, high))
    dead = int(np.sum(~np.any(value.reshape(-1, value.shape[-1]), axis=0)))
    if dead and value.shape[-1] > 1:
        tally.dead[name] = dead
    if value.size >= SMALL:
        sample = value.reshape(-1)[:: max(1, value.size // 64)]
        tally.twins[value.shape, low, high, sample.tobytes()].append(name)


def _report(tally: _Tally) -> Iterator[Finding]:
    yield from _say(
        "weights-not-finite",
        "error",
        tally.broken,
        "holds NaN or infinity: training diverged before this checkpoint",
    )
    yield from _say(
        "weights-all-zero",
        "warning",
        tally.zero,
        "is zero everywhere: what it multiplies is lost",
    )
    yield from _say(
        "weights-constant",
        "warning",
        tally.constant,
        "holds one value everywhere, as an initialiser leaves it or a fixed filter has it",
    )
    if tally.dead:
        total = sum(tally.dead.values())
        yield Finding(
            "dead-channels",
            "info",
            f"{total} channel{'s have' if total > 1 else ' has'} no weight that is not zero, in {listed(tally.dead)}: whatever comes "
            "in, each yields its bias",
            tuple(tally.dead),
        )
    yield from _untrained(tally)
    twins = [names for names in tally.twins.values() if len(names) > 1]
    if twins:
        yield Finding(
            "weights-duplicated",
            "info",
            f"the same values are stored twice: {listed(twins[0])}" + _groups(twins),
            tuple(name for names in twins for name in names),
        )


def _untrained(tally: _Tally) -> Iterator[Finding]:
    """Biases of one value each, or kernels spread as an initialiser draws them: all as before the first step."""
    fresh, flat = (bool(each) and all(each) for each in (tally.fresh, tally.biases))
    sure = fresh if flat or not tally.biases else False
    if not sure and not (flat and tally.kernels >= 2 and len(tally.biases) >= 2):
        return
    reasons = []
    if flat:
        count = len(tally.biases)
        each = "each hold" if count > 1 else "holds"
        vectors = f"bias and scale vector{'s' * (count > 1)}"
        reasons.append(f"its {count} {vectors} {each} a single value")
    if fresh:
        text = f"its kernels ({len(tally.fresh)} looked at) fill just the range"
        reasons.append(f"{text} that an initialiser (Glorot, He, LeCun) draws from")
    yield Finding(
        "weights-untrained",
        "warning",
        f"the model looks untrained, frozen or saved before the first step: {' and '.join(reasons)}",
        (),
    )


def _is_fresh(value: np.ndarray, low: float, high: float) -> bool:
    """Whether a kernel is spread evenly over just the range of a usual uniform initialiser."""
    inputs = value.size // value.shape[-1]
    outputs = value.size // value.shape[-2]
    flat = value.reshape(-1).astype(np.float64)
    peak = float(np.mean(flat**4) / np.mean(flat**2) ** 2)  # 1.8 where spread evenly
    most = max(-low, high)
    limits = (6 / (inputs + outputs), 6 / inputs, 3 / inputs)
    even = abs(peak - _EVEN) < 2 / np.sqrt(value.size)
    return even and any(0.9 < most / np.sqrt(x) <= 1 + 1e-6 for x in limits)


def _groups(twins: list[list[str]]) -> str:
    rest = len(twins) - 1
    return f"; {rest} more group{'s' * (rest > 1)}" if rest else ""


def _say(id: str, severity: str, names: list[str], what: str) -> Iterator[Finding]:
    if names:
        many = re.sub("^holds", "hold", re.sub("^is ", "are ", what))
        text = f"{listed(names)} {many if len(names) > 1 else what}"
        yield Finding(id, severity, text, tuple(names))
