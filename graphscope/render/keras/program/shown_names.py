"""Which names are written: not those that Keras gives by itself, never one that Keras would give to an operation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ....graph.keras.operations import snake_case
from ....graph.names import Names
from .program import Input, Program, Step, filled

_OPERATORS = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "true_divide",
    ast.FloorDiv: "floor_divide",
    ast.Mod: "mod",
    ast.Pow: "power",
    ast.MatMult: "matmul",
    ast.USub: "negative",
    ast.Invert: "logical_not",
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
    ast.Subscript: "get_item",
}


def with_names(program: Program) -> Program:
    """The program with ``shown`` set; a name that an operation of Keras's would get too is changed.

    The names of a class are left out where Keras, in a fresh process, gives its layers exactly these; of a layer
    without weights, also where its name is a number that Keras gave it once, or where nobody chose it.
    """
    operations = set(_operations(program.steps))
    inputs = tuple(_beside(each, operations) for each in program.inputs)
    silent = _silent(program.steps, {*operations, *(_base(i.name) for i in inputs)})
    meant = {_base(s.name) for s in program.steps if s.name and not is_counted(s)}
    meant |= {_base(each.name) for each in program.inputs}
    names = Names(step.name for step in program.steps)
    models = {s.node for s in program.steps if s.layer in program.models}
    results = {tensor.node for tensor in program.outputs}
    named = []
    changed: dict[str, str] = {}
    for step in program.steps:
        chance = is_counted(step) or not step.is_named and step.node not in results
        unmeant = chance and _base(snake_case(step.class_name)) not in meant
        idle = not step.weights and unmeant
        if not step.name or step.class_name in silent or idle or step.node in models:
            named.append(step)
            continue
        name = step.name
        if _base(name) in operations:
            name = changed.setdefault(name, "") or names.unique(f"{name}_layer")
            changed[step.name] = name
        named.append(replace(step, name=name, shown=name))
    return replace(program, steps=tuple(named), inputs=inputs)


def _beside(each: Input, operations: set[str]) -> Input:
    """An input under a name that no operation gets by itself."""
    is_taken = _base(each.name) in operations
    return replace(each, name=f"{each.name}_input") if is_taken else each


def _silent(steps: Iterable[Step], operations: set[str]) -> set[str]:
    """The classes all of whose layers bear the names that Keras would number them with."""
    by_name: dict[str, list[str]] = {}
    for step in steps:
        if step.name and step.layer in ("", step.node):
            by_name.setdefault(step.class_name, []).append(step.name)
    bases = {c: {_base(name) for name in names} for c, names in by_name.items()}
    silent = set()
    for class_name, names in by_name.items():
        base = snake_case(class_name)
        numbered = [base if n == 0 else f"{base}_{n}" for n in range(len(names))]
        others = (prefix for other, prefix in bases.items() if other != class_name)
        is_own = all(_base(base) not in prefix for prefix in others)
        if names == numbered and is_own and _base(base) not in operations:
            silent.add(class_name)
    return silent


def is_counted(step: Step) -> bool:
    """Whether the name is one of those that Keras numbers the layers of a class with."""
    base = snake_case(step.class_name)
    return bool(base) and re.fullmatch(rf"{base}(_\d+)*", step.name) is not None


def countable(program: Program) -> frozenset[str]:
    """The classes whose layers without weights may be left to Keras to number: no name that is written could be one of theirs."""
    steps = program.all_steps
    written = {_base(s.shown) for s in steps if s.shown}
    written |= {_base(each.name) for each in program.inputs} | {*_operations(steps)}
    idle = {s.class_name for s in steps if s.constructor and not s.weights}
    return frozenset(c for c in idle if _base(snake_case(c)) not in written)


def _base(name: str) -> str:
    """A name without its number, spelled in the one way in which classes and functions agree."""
    return re.sub(r"(_\d+)?$", "", name).replace("_", "").lower()


def _operations(steps: Iterable[Step]) -> Iterator[str]:
    """What Keras calls the operations that expressions make, in the spelling of ``_base``."""
    for step in steps:
        if step.constructor:
            continue
        text = filled(step.text, [f"_{n}_" for n in range(len(step.inputs))])
        for node in ast.walk(ast.parse(text, mode="eval")):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                yield _base(node.func.attr)
            elif type(node) in _OPERATORS:
                yield _base(_OPERATORS[type(node)])
