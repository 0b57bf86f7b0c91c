"""A program -> what is said of it: the docstring of ``model.py``, and the facts of the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

from ....graph import Graph, Layer, Loop, Node
from ....graph.layer import WIRING_ASSUMED
from ....ops.reasons import UNKNOWN, reason
from ..classes.signatures import signature_of
from ..program.program import Program, Step
from .signatures import SignatureEnds, described

_MOST = 20  # lines under one heading


def describe(
    program: Program,
    origin: str,
    weights: str,
    ops: Sequence[str],
    guesses: Sequence[str],
    about: Sequence[str] = (),
    signatures: Sequence[SignatureEnds] = (),
) -> str:
    """The docstring: what was recovered, from what, how its weights are loaded, what was assumed.

    ``ops`` are the nodes written with keras.ops; ``guesses`` are all of them, in words, ``about`` what else there is to say.
    """
    head = f"{program.name}, recovered by graphscope"
    head += f" from {origin}." if origin else "."
    if any(WIRING_ASSUMED in guess for guess in guesses):
        head = head.removesuffix(".") + f"; {WIRING_ASSUMED}."
    lines = [head, "", f"{_counts(program, ops)}."]
    if weights.endswith(".npz"):
        lines.append("Weights: load_weights(build_model()).")
    elif any(step.stored for step in program.all_steps):
        lines.append(f"Weights: build_model().load_weights('{weights}').")
    if signatures:
        lines += ["", *described(program, signatures)]
    elif len(program.outputs) > 1:
        named = ", ".join(program.output_names)
        lines += ["", f"Outputs, in this order: {named}."]
    paragraphs = [each for each in about if each]
    if paragraphs:
        lines += ["", *paragraphs]
    foreign = foreign_classes(program)
    if foreign:
        lines += ["", f"Not portable, TensorFlow only: {', '.join(foreign)}."]
    if guesses:
        lines += ["", "Assumed:", *(f"- {guess}" for guess in guesses[:_MOST])]
        if len(guesses) > _MOST:
            lines.append(f"- and {len(guesses) - _MOST} more")
    return "\n".join(lines) + "\n"


def _counts(program: Program, ops: Sequence[str]) -> str:
    layers = count_layers(program)
    total, owned = count_parameters(program)
    text = f"{layers:,} layer{'s' * (layers != 1)}"
    text += f" with {total:,} parameter{'s' * (total != 1)}"
    if owned < total:
        text += f" ({_percent(owned, total)} of them in Keras's own layers)"
    if ops:
        text += f"; {len(ops):,} op{'s' * (len(ops) != 1)} that belong{'s' * (len(ops) == 1)} to no layer"
    return text


def _percent(part: int, whole: int) -> str:
    """Never 100% of what is not all.

    >>> _percent(1, 3), _percent(99_999, 100_000)
    ('33%', '99.99%')
    """
    share = 100 * part / whole
    return f"{share:.0f}%" if share < 99 else f"{int(share * 100) / 100:g}%"


def count_layers(program: Program) -> int:
    """How many calls of layers the model makes."""
    return sum(1 for step in program.all_steps if step.class_name)


def owners(program: Program) -> Iterator[Step]:
    """The steps that make a layer object: not those that call one once more."""
    return (step for step in program.all_steps if step.layer in ("", step.node))


def count_parameters(program: Program) -> tuple[int, int]:
    """The elements of all weights, and of those that Keras's own layers hold; a table that nobody trained needs none."""
    total = owned = 0
    for step in owners(program):
        count = sum(prod(step.weights[name].shape) for name in step.stored)
        at_home = signature_of(step.constructor) or not trains(step)
        total += count
        owned += count if at_home else 0
    return total, owned


def trains(step: Step) -> bool:
    """Whether the weights of a layer are any that training changes."""
    return step.arguments.get("trainable", True) is not False


def foreign_classes(program: Program) -> list[str]:
    """The classes that run in TensorFlow only."""
    steps = (step for step in program.all_steps if not step.portable)
    return list(dict.fromkeys(step.class_name for step in steps))


def reasons(program: Program, graph: Graph) -> dict[str, str]:
    """Why each node that is not portable is not."""
    return {
        step.node: _reason(graph, step)
        for step in program.all_steps
        if not step.portable
    }


def _reason(graph: Graph, step: Step) -> str:
    payload: Any = graph.node(step.node) if step.node in graph else None
    if isinstance(payload, Loop):
        return f"a {payload.op.lower()} of {payload.attrs['ops']} ops, kept as a layer"
    lack = UNKNOWN
    if isinstance(payload, Node):
        lack = reason(payload.op, payload.attrs)
    more = f": it {lack}" if lack != UNKNOWN else ""
    return f"keras.ops has no word for {_op(graph, step)}{more}"


def kept_loops(program: Program, graph: Graph) -> list[str]:
    """What is loop of the loops and conditions: ``"1 loop kept as a layer: rnn/while (36 ops)."``"""
    by_reason: dict[str, list[str]] = {}
    for step in program.all_steps:
        payload: Any = graph.node(step.node) if step.node in graph else None
        if isinstance(payload, Loop):
            loop = f"{payload.name} ({payload.attrs['ops']} ops)"
            by_reason.setdefault(payload.op.lower(), []).append(loop)
    return [
        f"{len(loop)} {word}{'s, each' * (len(loop) > 1)} kept as a layer: {', '.join(loop[:_MOST])}."
        for word, loop in by_reason.items()
    ]


def _op(graph: Graph, step: Step) -> str:
    return graph.op(step.node) if step.node in graph else step.class_name


def evidence(program: Program, graph: Graph) -> list[str]:
    """What the recovered layers say that they rest on; those that say the same in one line."""
    by_text: dict[str, list[str]] = {}
    for step in program.all_steps:
        payload: Any = graph.node(step.node) if step.node in graph else None
        for text in payload.evidence if isinstance(payload, Layer) else ():
            by_text.setdefault(text, []).append(step.name or step.node)
    return [f"{_listed(names)}: {text}" for text, names in by_text.items()]


def _listed(names: Sequence[str]) -> str:
    if len(names) < 4:
        return ", ".join(names)
    return f"{names[0]} and {len(names) - 1} more"


def count_lines(source: str) -> int:
    """Lines of code: not blank, not a comment, not in a docstring.

    >>> count_lines('\"\"\"About.\"\"\"\\n\\nx = 1  # one\\n# two\\n')
    1
    """
    import ast

    silent: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                silent |= set(range(first.lineno, (first.end_lineno or 0) + 1))
    lines = enumerate(source.splitlines(), 1)
    return sum(
        1
        for number, line in lines
        if line.strip() and not line.strip().startswith("#") and number not in silent
    )
