"""Open folder: one module per file format.

A module here defines ``NAME`` (what people call the format), ``recognises(source) -> bool`` (from the bytes, never
from the name) and ``read(source, options) -> Model``. ``read/loading.py`` finds it by listing the folder.
"""
