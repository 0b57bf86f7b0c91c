"""A runtime that is one Python call -> a Runner."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ...errors import GraphscopeError
from ...graph import Model
from ...verify.feeds.noise import Noise
from .endpoints import EndpointRunner, Endpoints

Call = Callable[[Mapping[str, object]], Mapping[str, object]]


class CalledRunner(EndpointRunner):
    """``call`` takes and gives arrays by the names of the signature; ``runtime`` is what the report calls it.

    ``steps``: output -> how far apart its values are where it is computed in integers.
    """

    def __init__(self, ends: Endpoints, source: str, runtime: str, call: Call) -> None:
        self.ends, self.source, self.runtime, self.call = ends, source, runtime, call
        self.model: Model | None = None
        self.remarks: list[str] = []
        self.steps: Mapping[str, float] = {}

    def run(
        self,
        feeds: Mapping[str, object],
        outputs: Sequence[str],
        noise: Noise | None = None,
    ) -> list[np.ndarray]:
        named = {self.ends.key_of(name): value for name, value in feeds.items()}
        try:
            answer = self.call(named)
        except (ValueError, RuntimeError, TypeError, KeyError, IndexError) as error:
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise GraphscopeError(
                f"{self.runtime} cannot run it: {reason[0][:400]}"
            ) from None
        return [np.asarray(answer[self.ends.key_of(name)]) for name in outputs]
