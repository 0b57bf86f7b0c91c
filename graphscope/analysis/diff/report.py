"""A comparison as it is given out: its document, and its page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import GraphscopeError
from ...graph.named_values import Row
from .compare import Comparison
from .document import describe_comparison, verdict
from .union import draw_comparison

if TYPE_CHECKING:
    from ...render import Drawing


@dataclass
class ComparisonReport:
    """``comparison`` has everything; ``drawing`` is what the second model's layers are drawn from."""

    comparison: Comparison
    drawing: Drawing

    def __repr__(self) -> str:
        """The verdict."""
        return f"<{type(self).__name__}: {verdict(self.comparison)}>"

    def to_json(self) -> Row:
        """The document of ``graphscope diff --json``."""
        return describe_comparison(self.comparison)

    def render(self, path: str | Path) -> None:
        """Write the map of both models, coloured by what changed; raises GraphscopeError where the suffix is no page's."""
        from ...render import write

        if Path(path).suffix.lower() not in (".html", ".htm"):
            raise GraphscopeError(
                f"a comparison is drawn as a page: {path} should end in .html"
            )
        write(draw_comparison(self.comparison, self.drawing), path)
