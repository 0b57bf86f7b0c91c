"""Findings -> a SARIF 2.1.0 log (OASIS, sarif-v2.1.0-os), which code scanning shows beside the files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import quote

from ... import __version__
from ...graph.named_values import Document, Row

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"info": "note", "warning": "warning", "error": "error"}
_UNREADABLE = "unreadable"


def sarif_of(rows: Iterable[Row]) -> Document:
    """One result a finding, and one for each model that cannot be read; a rule for each id."""
    results = [result for row in rows for result in _results(row)]
    rules = sorted({result["ruleId"] for result in results})
    driver = {
        "name": "graphscope",
        "version": __version__,
        "rules": [{"id": rule} for rule in rules],
    }
    runs = [{"tool": {"driver": driver}, "results": results}]
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": runs}


def _results(row: Row) -> Sequence[Document]:
    findings = [(f["id"], f["severity"], f["message"]) for f in row["findings"] or ()]
    if row["error"]:
        findings.append((_UNREADABLE, "error", row["error"]))
    place = row["place"].replace("!/", "/")
    uri = place if "://" in place else quote(place)
    location = {"physicalLocation": {"artifactLocation": {"uri": uri}}}
    return [
        {
            "ruleId": rule,
            "level": _LEVELS[severity],
            "message": {"text": message},
            "locations": [location],
        }
        for rule, severity, message in findings
    ]
