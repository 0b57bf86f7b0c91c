"""What a notebook shows of a fresh process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

GRAPH = """# graphscope graph 1
x: f32[?,8] = Placeholder(dtype=float32, shape=[?,8])
y = Relu(x, T=float32)
"""


def test_a_graph_draws_itself_whatever_was_imported_before(tmp_path: Path) -> None:
    (tmp_path / "small.txt").write_text(GRAPH)
    code = "import graphscope; print(graphscope.analyse('small.txt').layer_graph._repr_svg_())"
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert shown.returncode == 0, shown.stderr
    assert "<svg" in shown.stdout and "relu" in shown.stdout
