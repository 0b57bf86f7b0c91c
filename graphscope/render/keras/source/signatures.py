"""The signatures of a file -> ``signatures(model)``: one model for each, made of the layers of the one that has them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ....graph import Signature, Tensor
from ....graph.names import Names
from ..program.literals import literal
from ..program.names import identifier, layer_name
from ..program.program import Program
from ..text.line_breaks import wrapped

_ABOUT = "One model for each signature, made of the layers of ``model``."


@dataclass(frozen=True)
class SignatureEnds:
    """Where a signature lies in the whole program: numbers of its inputs and outputs, and what the file calls the outputs."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    keys: tuple[str, ...]


def ends_of(
    program: Program,
    outputs: Sequence[Tensor],
    signatures: Mapping[str, Signature],
) -> tuple[SignatureEnds, ...]:
    """The ends of each signature in a program that yields ``outputs``; what reads nothing is given the first input."""
    fed = {each.tensor: number for number, each in enumerate(program.inputs)}
    place = {tensor: number for number, tensor in enumerate(outputs)}
    ends = []
    for name, signature in signatures.items():
        keys = {tensor: key for key, tensor in [*signature.outputs.items()][::-1]}
        yields = dict.fromkeys(signature.outputs.values())
        reads = tuple(fed[t] for t in signature.inputs.values() if t in fed)
        numbers = tuple(place[t] for t in yields)
        words = tuple(keys[t] for t in yields)
        ends.append(SignatureEnds(name, reads or (0,), numbers, words))
    return tuple(ends)


def described(program: Program, ends: Iterable[SignatureEnds]) -> list[str]:
    """The lines of the docstring: what goes into each signature's model, and what comes out, in order."""
    lines = ["Signatures, each a model of its own (signatures(model)[name]):"]
    for each in ends:
        inputs = ", ".join(program.inputs[n].name for n in each.inputs)
        lines.append(f"- {each.name}: {inputs} -> {', '.join(each.keys)}")
    return lines


def to_function(program: Program, ends: Sequence[SignatureEnds]) -> str:
    """The text of the function ``signatures``."""
    names = Names({"model", "keras"})
    inputs = [names.unique(identifier(each.name)) for each in program.inputs]
    outputs = [""] * len(program.outputs)
    for each in ends:
        for number, key in zip(each.outputs, each.keys):
            if not outputs[number]:
                outputs[number] = names.unique(identifier(f"{each.name}_{key}"))
    lines = ["def signatures(model):", f'    """{_ABOUT}"""']
    for variables, side in ((inputs, "inputs"), (outputs, "outputs")):
        lines += _indented(f"[{', '.join(variables)}] = model.{side}")
    lines.append("    return {")
    for each in ends:
        ends_text = ", ".join(
            _one_or_list([variables[n] for n in numbers])
            for variables, numbers in ((inputs, each.inputs), (outputs, each.outputs))
        )
        name = literal(layer_name(each.name))
        text = f"{literal(each.name)}: keras.Model({ends_text}, name={name}),"
        lines += [f"    {line}" for line in _indented(text)]
    return "\n".join([*lines, "    }"])


def _indented(text: str) -> list[str]:
    return [f"    {line}" for line in wrapped(text)]


def _one_or_list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"
