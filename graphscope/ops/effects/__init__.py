"""What running an op does beside computing its outputs: a closed table of TensorFlow's registry, each op classed once.

Permission comes from this table alone: an op that is not in it is custom, or newer than the table, and counts as unknown code.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

PURE, RANDOM, STATE = "pure", "random", "state"
UNKNOWN = "unknown code"
EFFECTS: Mapping[str, str] = {
    PURE: "the same inputs give the same outputs, and nothing else happens",
    RANDOM: "draws random numbers or reads the clock",
    STATE: "reads or changes what the session holds: variables, tables, queues, iterators, its log",
    "files": "can read or write files",
    "network": "can talk to other processes, machines or devices",
    "processes": "can end the process",
    "python": "calls into the Python process",
    UNKNOWN: "runs code that is carried in its attributes, or that nobody here knows",
}
INSIDE = frozenset({PURE, RANDOM, STATE})
"""What may run without ``--trust``."""


@cache
def effects() -> Mapping[str, str]:
    """Op name -> its class; raises ValueError where the table names an op twice."""
    table: dict[str, str] = {}
    effect = ""
    for line in (Path(__file__).parent / "classes.txt").read_text().splitlines():
        if line.startswith("["):
            effect = line.strip("[]")
        for op in line.split() if line[:1] not in ("[", "#") else ():
            if op in table or effect not in EFFECTS:
                raise ValueError(f"op {op!r} is classed twice, or as {effect!r}")
            table[op] = effect
    return table


def effect_of(op: str) -> str:
    """The class of an op; ``UNKNOWN`` for one that is not in the table.

    >>> effect_of("MatMul"), effect_of("WriteFile"), effect_of("MyOp")
    ('pure', 'files', 'unknown code')
    """
    return effects().get(op, UNKNOWN)


def is_harmless(op: str) -> bool:
    """Whether an op stays inside the session."""
    return effect_of(op) in INSIDE
