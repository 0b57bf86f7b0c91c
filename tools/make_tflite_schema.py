"""Writes graphscope/read/deployment/tflite_schema.py from TensorFlow's generated FlatBuffers code.

Run with TensorFlow installed: ``python tools/make_tflite_schema.py``.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from pathlib import Path

KINDS = {
    "Int8": "i8",
    "Uint8": "u8",
    "Int16": "i16",
    "Int32": "i32",
    "Uint32": "u32",
    "Int64": "i64",
    "Float32": "f32",
    "Bool": "bool",
}
HEAD = '''"""TensorFlow Lite's operators, tensor types and operator options: what ``formats/tflite.py`` reads by.

Written by ``tools/make_tflite_schema.py`` from the schema in TensorFlow 2.21; a test holds it against TensorFlow's own.
An options line is ``number Name: field kind place; ...``: the place is that of the field in the FlatBuffers table; ``=1``: what it is where a file leaves it out.
"""

'''


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def fields(cls: type) -> list[str]:
    """``name kind place`` of each scalar, text or vector of an options table; ``place=1`` where it is 1 unless it is said."""
    found = []
    for name, member in vars(cls).items():
        source = inspect.getsource(member) if inspect.isfunction(member) else ""
        place = re.search(r"_tab\.Offset\((\d+)\)", source)
        kind = re.search(r"number_types\.(\w+)Flags, (o \+|a \+)", source)
        if not place or name.endswith(("AsNumpy", "Length", "IsNone")):
            continue
        if "_tab.String(o +" in source:
            found.append(f"{snake(name)} str {(int(place[1]) - 4) // 2}")
        if not kind:
            continue
        many = "*" if "Vector(o)" in source else ""
        if kind[1] in KINDS:
            number = (int(place[1]) - 4) // 2
            default = re.search(r"\n        return (True|[1-9]\d*)\s*\Z", source)
            other = f"={int(default[1] == 'True' or default[1])}" if default else ""
            found.append(f"{snake(name)} {KINDS[kind[1]]}{many} {number}{other}")
    return found


def listed(enum: type) -> dict[int, str]:
    return {v: k for k, v in vars(enum).items() if isinstance(v, int)}


def paragraph(name: str, lines: list[str]) -> str:
    return f'{name} = """\n' + "\n".join(lines) + '\n"""\n'


def main() -> None:
    from tensorflow.lite.python import schema_py_generated as schema

    wrap = textwrap.TextWrapper(width=110, subsequent_indent="    ").wrap
    operators = listed(schema.BuiltinOperator)
    text = HEAD + paragraph(
        "OPERATORS", wrap(" ".join(operators[n] for n in sorted(operators)))
    )
    types = listed(schema.TensorType)
    text += paragraph("TENSOR_TYPES", wrap(" ".join(types[n] for n in sorted(types))))
    lines = []
    for number, name in sorted(listed(schema.BuiltinOptions).items()):
        if number and hasattr(schema, name):
            known = "; ".join(fields(getattr(schema, name)))
            if known:
                lines += wrap(f"{number} {name}: {known}")
    text += "\n# codes of padding, activation functions\n"
    text += f"PADDING = {tuple(listed(schema.Padding)[n] for n in range(2))}\n"
    activations = listed(schema.ActivationFunctionType)
    text += f"ACTIVATIONS = {tuple(activations[n] for n in sorted(activations))}\n"
    text += paragraph("OPTIONS", lines)
    target = (
        Path(__file__).parent.parent
        / "graphscope"
        / "read"
        / "deployment"
        / "tflite_schema.py"
    )
    target.write_text(text)


if __name__ == "__main__":
    main()
