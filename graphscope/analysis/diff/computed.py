"""Two files -> whether they compute the same, each run by what it was written for."""

from __future__ import annotations

from dataclasses import replace

from ...export.web.opening import open_exported
from ...verify import Verification, compare


def compare_files(a: str, b: str, trust: bool = False) -> Verification:
    """``verify.compare`` of two paths; a TensorFlow.js graph model runs in Node where there is one, and the remarks say what ran it.

    Raises as ``verify.compare`` does.
    """
    sides = {path: open_exported(path) for path in (a, b)}
    runners = [sides[path][0] or path for path in (a, b)]
    result = compare(*runners, trust=trust)
    remarks = [why for _, why in sides.values() if why]
    remarks += [
        f"{path} was run by {runner.runtime}"
        for path, (runner, _) in sides.items()
        if runner is not None
    ]
    return replace(result, remarks=(*remarks, *result.remarks))
