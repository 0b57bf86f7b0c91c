"""All rewrites, in their order: the way from the graph of a file to the graph of its layers.

The modules of CHAPTERS list them (``PASSES``), each imported when one of its passes is needed: a freeze needs the first alone. Each
pass takes a State and gives one; ``graphscope layers MODEL --stop-after PASS`` prints what stands after one of them. What is wanted
(outputs, modes) is told between ``unfuse_ops`` and ``set_modes``: by then it can be inferred.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module

from ...errors import UnknownPass
from ...simplify.state import Pass, State

CHAPTERS = ("whole_file", "at_inference", "sizes", "layers", "layers_of_layers")
LASTING = frozenset(
    "unfuse_ops drop_unneeded lift_loops infer_sizes resolve_choices loops_to_layers expand_fills".split()
)  # what the rest of an analysis asks for more than once


def in_order() -> Iterator[Pass]:
    """All passes; a chapter is imported when its turn comes."""
    for chapter in CHAPTERS:
        yield from import_module(f"{__name__}.{chapter}").PASSES


def passes_until(name: str) -> list[Pass]:
    """The passes up to one of them; raises UnknownPass with the list where there is none of that name."""
    listed: list[Pass] = []
    for each in in_order():
        listed.append(each)
        if each.name == name:
            return listed
    names = ", ".join(each.name for each in listed)
    raise UnknownPass(f"no pass {name!r}; the passes are {names}")


def check(each: Pass, before: State, after: State) -> None:
    """Raise BrokenPass where a pass broke what it must keep; only where GRAPHSCOPE_CHECK=1 asks for it."""
    if after is not before and os.environ.get("GRAPHSCOPE_CHECK") == "1":
        from ...simplify.postconditions import check_pass

        check_pass(each, before, after)
