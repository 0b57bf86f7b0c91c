"""Random numbers: shaped by an input vector."""

from __future__ import annotations

from ...graph import Shape
from ..registry import Call, define
from ..text import literal
from ..values.dims import ranked, same, shape_from


def _wanted(call: Call) -> tuple[Shape]:
    return (shape_from(call, 0),)


def _text(function: str, more: str = "") -> object:
    """keras.random draws other numbers of the same distribution; None where the shape is unknown."""

    def text(call: Call, *_: str) -> str | None:
        shape = call.integers(0)
        if shape is None:
            return None
        dtype = literal(call.get("dtype", "float32"))
        return f"keras.random.{function}({literal(shape)}{more}, dtype={dtype})"

    return text


define("RandomUniform", shape=_wanted, keras=_text("uniform"))  # type: ignore[arg-type]
define("RandomStandardNormal", shape=_wanted, keras=_text("normal"))  # type: ignore[arg-type]
define("TruncatedNormal", shape=_wanted, keras=_text("truncated_normal"))  # type: ignore[arg-type]
define("RandomUniformInt", "ParameterizedTruncatedNormal", shape=_wanted)
define(
    "StatelessRandomUniform",
    "StatelessRandomUniformInt",
    "StatelessRandomUniformFullInt",
    "StatelessRandomNormal",
    "StatelessTruncatedNormal",
    "StatelessRandomUniformV2",
    "StatelessRandomUniformIntV2",
    "StatelessRandomUniformFullIntV2",
    "StatelessRandomNormalV2",
    "StatelessTruncatedNormalV2",
    "StatelessRandomBinomial",
    "StatelessRandomPoisson",
    "StatelessRandomGammaV2",
    shape=_wanted,
)
define("RandomShuffle", "StatelessShuffle", shape=same)


def _appended(call: Call) -> tuple[Shape]:
    front, back = shape_from(call, 0), call.shape(1)
    return (None if front is None or back is None else (*front, *back),)


define("RandomGamma", "RandomPoisson", "RandomPoissonV2", shape=_appended)
define(
    "StatefulUniform",
    "StatefulStandardNormalV2",
    "StatefulTruncatedNormal",
    "StatefulUniformInt",
    "StatefulUniformFullInt",
    shape=lambda call: (shape_from(call, 2),),
)


def _drawn_shape(call: Call) -> tuple[Shape]:
    return ((ranked(call.shape(0), 2)[0], call.integer(1)),)


define("Multinomial", "StatelessMultinomial", shape=_drawn_shape)
define("StatelessRandomGetKeyCounter", shape=lambda call: ((1,), (2,)))
define("StatelessRandomGetKeyCounterAlg", shape=lambda call: ((1,), (2,), ()))
define("StatelessRandomGetAlg", shape=lambda call: ((),))


def _candidates_shape(call: Call) -> tuple[Shape, Shape, Shape]:
    batch = ranked(call.shape(0), 2)[0]
    true, sampled = int(call["num_true"]), int(call["num_sampled"])
    return (sampled,), (batch, true), (sampled,)


define(
    "UniformCandidateSampler",
    "LogUniformCandidateSampler",
    "LearnedUnigramCandidateSampler",
    "FixedUnigramCandidateSampler",
    "ThreadUnsafeUnigramCandidateSampler",
    "AllCandidateSampler",
    shape=_candidates_shape,
)
