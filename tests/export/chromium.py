"""Where Chromium and its driver are, and the reason to skip where they are not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

MODULES = Path(__file__).parent.parent / "node_modules"
CHROMIUM = next(
    (
        p
        for n in ("chromium", "chromium-browser", "google-chrome")
        if (p := shutil.which(n))
    ),
    None,
)
needs_chromium = pytest.mark.skipif(
    not CHROMIUM or not (MODULES / "playwright-core").is_dir(),
    reason="no Chromium (apt-get install chromium), or no packages: npm ci --prefix tests",
)
