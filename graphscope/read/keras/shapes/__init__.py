"""What each layer of Keras yields, of what it is called on: shapes and dtypes by its config alone."""

from .rules import output_specs

__all__ = ["output_specs"]
