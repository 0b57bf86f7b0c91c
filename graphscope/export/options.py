"""What an export can be asked for beyond its target and its place."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Options:
    """``feeds``: an ``.npz`` with an array for each input, to prove on in place of drawn ones; ``quantize``: how weights are stored (each target names its kinds); ``constants``: a SavedModel without variables; ``calibrate``:
    examples for int8, an ``.npz`` or a folder of them; ``page``: a web page beside a TensorFlow.js model; ``within``: the largest difference
    allowed, in the output's scale.
    """

    feeds: str = ""
    quantize: str = ""
    constants: bool = False
    calibrate: str = ""
    page: bool = False
    within: float | None = None

    def asked(self) -> set[str]:
        """The names of what was asked for."""
        return {each.name for each in fields(self) if getattr(self, each.name)}
