"""What a Keras file describes -> the Program that builds it in Keras 3."""

from .cut import cut_to
from .program_of import program_of

__all__ = ["cut_to", "program_of"]
