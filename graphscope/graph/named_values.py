"""Values by name, as a file has them: which types they have, the file alone says.

What reads one checks it (``wire/attrs``, ``read/keras``) before anything is computed from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Attributes = Mapping[str, Any]
"""The attributes of an op, by the names of its OpDef."""

Config = Mapping[str, Any]
"""The arguments of a Keras layer, as ``get_config`` gives them."""

Document = Mapping[str, Any]
"""An object of a JSON document, read or to be written."""

Message = Any
"""A protobuf message of a class that is declared at run time (``wire/messages.py``), so no type checker knows its fields."""

Arguments = dict[str, Any]
"""A Config, or the attributes of an op, while it is put together."""

Row = dict[str, Any]
"""A Document while it is written."""
