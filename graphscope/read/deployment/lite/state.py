"""What a subgraph that runs once before all others leaves behind: the contents of tables, the first values of variables."""

from __future__ import annotations

from collections.abc import Iterator

from ....errors import FormatError
from .file import LiteFile, LiteTensor, Operator, Subgraph

_HANDLES = ("HASHTABLE", "VAR_HANDLE")
_FILLS = ("HASHTABLE_IMPORT", "ASSIGN_VARIABLE")


def fills_alone(subgraph: Subgraph) -> bool:
    """Whether a subgraph does nothing but fill tables and variables: what it fills them with is read with them."""
    ops = {operator.op for operator in subgraph.operators}
    return bool(ops) and ops <= {*_HANDLES, *_FILLS} and bool(ops & {*_FILLS})


def handle_name(subgraph: Subgraph, number: int, file: LiteFile) -> str:
    """What a table or variable is called that a tensor stands for; raises FormatError where it stands for none."""
    for operator in subgraph.operators:
        if number in operator.outputs and operator.op in _HANDLES:
            return name_of(operator)
    raise FormatError(
        f"{file.source.name}: tensor {number} is no table or variable of its subgraph"
    )


def name_of(operator: Operator) -> str:
    """The name under which all that speak of one table or variable know it."""
    if operator.op == "HASHTABLE":
        return f"table_{operator.options.get('table_id', 0)}"
    shared = operator.options.get("shared_name") or "variable"
    return "/".join(filter(None, [operator.options.get("container", ""), shared]))


def contents(file: LiteFile, name: str) -> tuple[LiteTensor, ...]:
    """The constants that a table or variable is filled with before all else runs; () where nothing does."""
    for subgraph in _fillers(file):
        for operator in subgraph.operators:
            if operator.op not in _FILLS:
                continue
            handle, *values = operator.inputs
            tensors = tuple(subgraph.tensor(number) for number in values)
            if handle_name(subgraph, handle, file) == name and all(
                t.length or 0 in t.static for t in tensors
            ):
                return tensors
    return ()


def _fillers(file: LiteFile) -> Iterator[Subgraph]:
    return (each for each in file.subgraphs if fills_alone(each))
