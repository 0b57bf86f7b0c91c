"""``graphscope view``: a page in a temporary file, and the browser that is told to show it."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import pytest
from click.testing import CliRunner

from graphscope.cli import cli

GRAPH = """# graphscope graph 1
x: f32[?,8] = Placeholder(dtype=float32, shape=[?,8])
y = Relu(x, T=float32)
"""


@pytest.mark.parametrize("opens", [True, False])
def test_the_page_is_written_named_and_shown(
    opens: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda a: addresses.append(a) or opens)
    (tmp_path / "small.txt").write_text(GRAPH)
    result = CliRunner().invoke(cli, ["view", str(tmp_path / "small.txt")])
    assert result.exit_code == 0, result.output
    page = Path(result.stdout.strip())
    assert addresses == [page.as_uri()]
    assert page.name == "small.txt.html" and "<title>" in page.read_text()
    assert ("no browser could be opened" in result.stderr) is not opens
    page.unlink()
    page.parent.rmdir()
