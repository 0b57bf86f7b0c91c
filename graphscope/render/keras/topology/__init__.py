"""What a Keras file describes -> the Program that builds it in Keras 3."""

from .program_of import program_of

__all__ = ["program_of"]
