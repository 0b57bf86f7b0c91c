"""A folder, an archive or a bucket -> a catalogue of the models in it: one row a model, queried by SQL, shown as a page."""

from .options import Wishes
from .survey import Survey, query, survey

__all__ = ["Survey", "Wishes", "query", "survey"]
