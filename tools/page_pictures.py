"""The pictures of README.rst, from the demo: headless Chromium shows the pages that graphscope writes of it.

.venv/bin/python tools/page_pictures.py FOLDER    # a demo folder, with frozen.pb; rewrites docs/page.png and docs/diff.png
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from graphscope.analysis import analyse  # noqa: E402
from tests.render.html.browser import browser  # noqa: E402

SIZE = {"width": 1120, "height": 700}


def main(folder: Path) -> None:
    """Write both pictures."""
    checkpoint, frozen = (analyse(folder / n) for n in ("model.ckpt-400", "frozen.pb"))
    with tempfile.TemporaryDirectory() as place, browser() as chromium:
        page, diff = Path(place, "page.html"), Path(place, "diff.html")
        checkpoint.render(page, statistics=True)
        checkpoint.compare(frozen).render(diff)
        chromium.open(page, **SIZE)
        chromium.js(
            "revealName(doc.views.find(v => v.level === 'layer') && 'conv2'); fit(false)"
        )
        chromium.ask(shot=str(ROOT / "docs" / "page.png"))
        chromium.open(diff, **SIZE)
        chromium.ask(shot=str(ROOT / "docs" / "diff.png"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
