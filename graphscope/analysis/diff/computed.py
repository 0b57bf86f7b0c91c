"""Two files -> whether they compute the same, each run by what it was written for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ...export.web.opening import open_exported
from ...verify import Verification, compare
from ...verify.report import joined
from ...verify.run.keras_source import defined_in, run_signatures
from ...verify.run.opening import open_runner


def compare_files(
    a: str, b: str, trust: bool = False, signature: str = ""
) -> Verification:
    """``verify.compare`` of two paths; a TensorFlow.js graph model runs in Node where there is one, and the remarks say what ran it.

    One ``signature``, or all those for which a side that is a source has models, else what ``compare`` chooses.
    Raises as ``verify.compare`` does.
    """
    names = [signature] if signature else _signatures_of(a, b, trust)
    proofs = {name: _compare(a, b, trust, name) for name in names}
    if len(proofs) > 1:
        return joined(proofs)
    return proofs[names[0]] if names else _compare(a, b, trust)


def _signatures_of(a: str, b: str, trust: bool) -> list[str]:
    """What a source has a model each for; none where neither side is such a source."""
    for path in (Path(a), Path(b)):
        source = path / "model.py"
        if source.is_file() and "signatures" in defined_in(source):
            return [*run_signatures(path, trust)]
    return []


def _compare(a: str, b: str, trust: bool, signature: str = "") -> Verification:
    sides = {path: open_exported(path) for path in (a, b)}
    runners = [sides[path][0] or open_runner(path, trust, signature) for path in (a, b)]
    result = compare(*runners, trust=trust)
    remarks = [why for _, why in sides.values() if why]
    remarks += [
        f"{path} was run by {runner.runtime}"
        for path, (runner, _) in sides.items()
        if runner is not None
    ]
    return replace(result, remarks=(*remarks, *result.remarks))
