"""Model -> everything inferred of it and made of it."""

from .results import Analysis, analyse

__all__ = ["Analysis", "analyse"]
