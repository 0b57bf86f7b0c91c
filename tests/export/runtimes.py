"""The runtimes that exported models are run in: where the machine has them, else a reason to skip."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from graphscope.analysis import Analysis
from graphscope.errors import NotRunnable
from graphscope.export.frozen import alone, freeze_signatures
from graphscope.export.proof.endpoints import Endpoints
from graphscope.export.proof.reference import references
from graphscope.export.web import runner as web
from graphscope.verify import compare

from .chromium import MODULES, needs_chromium

__all__ = ["MODULES", "needs_chromium", "needs_node"]

HERE = Path(__file__).parent
needs_node = pytest.mark.skipif(
    not shutil.which("node") or not (MODULES / web.PACKAGE).is_dir(),
    reason="no Node, or no packages: npm ci --prefix tests",
)


@pytest.fixture(autouse=True)
def _packages(monkeypatch):
    if MODULES.is_dir():
        monkeypatch.setenv(web.MODULES, str(MODULES))


def in_browser(found: Analysis, place: Path, backend: str, source=None, **options):
    """The export of an analysed model, run in headless Chromium and compared with its source."""
    line = ["node", str(HERE / "chromium.cjs"), str(place), backend, str(MODULES)]
    return in_runtime(found, place, f"{backend}, Chromium", line, source, **options)


def in_node(found: Analysis, place: Path, backend: str, source=None, **options):
    line = ["node", str(web.HERE / "node.js"), str(place), backend, str(MODULES)]
    return in_runtime(found, place, f"{backend}, Node", line, source, **options)


def in_runtime(found, place, name, line, source=None, **options):
    wanted = bool(found.wanted_outputs)
    outputs = found.sure_outputs() if wanted or not found.flat.signatures else ()
    whole = freeze_signatures(found.flat, outputs, wanted, inputs=found.wanted_inputs)
    frozen = alone(whole)
    (signature,) = frozen.signatures.values()
    runner = web.JavaScriptRunner(
        Endpoints.of(frozen, signature), place, [(name, line)]
    )
    ends = [frozen.origin(t) for t in signature.outputs.values()]
    options.setdefault("shapes", found.given_shapes)
    (key,) = frozen.signatures
    for reference in references(source or found.original, frozen, key, False):
        try:
            return compare(reference, runner, outputs=ends, **options), runner
        except NotRunnable as error:
            failure = error
    raise failure
