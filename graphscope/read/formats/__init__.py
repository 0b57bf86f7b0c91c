"""Open folder: one module per file format.

A module here defines ``NAME`` (what people call the format), ``recognises(source) -> bool`` (from the bytes, never
from the name) and ``read(source, options) -> Model``. ``read/loading.py`` finds it by listing the folder: all
before the one that knows a file are imported for it, so each imports what reads its format when it reads.
"""
