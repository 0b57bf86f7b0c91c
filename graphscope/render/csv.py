"""Graph -> CSV: the layer table for spreadsheets and scripts."""

from __future__ import annotations

import csv
import io

from . import Drawing
from .cells.escape import for_csv
from .cells.rows import rows_of
from .cells.spelling import shape_text

HEADER = ("layer", "type", "dtype", "output shape", "parameters", "connected to")


def to_csv(view: Drawing) -> str:
    """The layer table as CSV: one row a node, one column each for what its config says.

    No cell begins a formula (an apostrophe stands before ``=``, ``+``, ``-`` and ``@``).
    """
    rows = rows_of(view.graph, view.specs)
    keys = list(dict.fromkeys(key for row in rows for key in row.config))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*HEADER, *map(for_csv, keys)])
    for row in rows:
        shape = shape_text(row.shape)
        texts = (row.name, row.type, row.dtype, shape)
        config = [for_csv(row.config.get(key, "")) for key in keys]
        inputs = for_csv(" ".join(row.inputs))
        writer.writerow([*map(for_csv, texts), row.parameters, inputs, *config])
    return out.getvalue()


SUFFIXES = {".csv": to_csv}
