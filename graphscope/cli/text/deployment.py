"""What ``graphscope export`` tells a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..terminal import amount


def export_text(report: object) -> str:
    """The report of an export, a line for each thing."""
    return "\n".join(_lines(report))


def _lines(report: Any) -> Iterator[str]:
    before, after = amount(report.bytes_before), amount(report.bytes)
    yield f"{report.path}: {report.target}, {after} ({before} of weights before)"
    for name, sides in report.signatures.items():
        yield f"  {name}"
        for side in ("inputs", "outputs"):
            for key, spec in sides[side].items():
                yield f"    {side[:-1]:6} {key}  {spec['dtype']} {_sizes(spec['shape'])}"
    for remark in (*_grouped(report.changed), *report.remarks):
        yield f"  {remark}"
    yield f"  {_verdict(report.verified)}"


def _sizes(shape: Any) -> str:
    if shape is None:
        return "[any shape]"
    return "[" + ", ".join("?" if size is None else str(size) for size in shape) + "]"


def _grouped(changes: Any) -> Iterator[str]:
    for change in dict.fromkeys(changes):
        count = changes.count(change)
        yield f"{change} ({count} times)" if count > 1 else change


def _verdict(proof: Any) -> str:
    if proof is None:
        return "not verified (--no-verify)"
    why = "".join(f"; {remark}" for remark in proof.remarks)
    if proof.max_rel is None:
        verdict = "not proven" if proof.passed is None else "IT DOES NOT RUN"
        return f"{verdict} in {proof.runtime}{why}"
    word = {True: "equal", False: "DIFFERENT", None: "not proven"}[proof.passed]
    run = f"{proof.milliseconds:.1f} ms a run" if proof.milliseconds else ""
    return (
        f"{word} in {proof.runtime}: largest difference {proof.max_rel:.2g} of the output's scale, {proof.within:g} allowed; "
        f"{run}{why}"
    )
