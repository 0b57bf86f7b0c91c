"""A Loop layer -> a small ``keras.Layer`` class that runs the loop, in ``keras.ops`` where they can say it, else in TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ....errors import NotExpressible
from ....graph import Loop, Tensor, WeightUse
from ....graph.names import Names
from ..lower.layers import borrowing
from ..operands.context import Context
from ..program.literals import literal
from ..program.names import class_identifier, layer_name
from ..program.program import Step, hole
from ..text.line_breaks import WIDTH, wrapped
from .body import Body
from .ops import CARRIERS, Text, carried
from .portable import PortableBody

_RESERVED = ("self", "tf", "ops", "layers", "keras")

_HEAD = '''
@keras.saving.register_keras_serializable(package="recovered")
class {name}(layers.Layer):
    """{about}."""

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.supports_jit = False
'''


def loop_step(lowering: Context, node: str, loop: Loop) -> Step:
    """The call of a loop's own layer. Raises NotExpressible where an op in the loop is none of TensorFlow's."""
    given = [
        lowering.operand(tensor, literals=False) for tensor in lowering.arguments(node)
    ]
    tensors = [tensor for tensor in given if isinstance(tensor, Tensor)]
    name, stored, portable = loop_class(lowering.classes, loop, _dtypes(loop))
    step = Step(
        node,
        ", ".join(hole(number) for number in range(len(tensors) or 1)),
        tuple(tensors) or (next(iter(lowering.inputs)),),
        name,
        name,
        {},
        lowering.names.unique(layer_name(str(loop.attrs["scope"]))),
        weights=dict(loop.weights),
        stored=stored,
        ports=len(loop.outputs),
        portable=portable,
    )
    return borrowing(lowering, step) if step.weights else step


def _dtypes(loop: Loop) -> dict[str, str]:
    """The dtype of each weight."""
    found = {
        name: str(use.value.dtype)
        for name, use in loop.weights.items()
        if use.value is not None
    }
    if loop.function is None:
        return found
    facts = loop.facts.get(loop.function.name, {})
    for argument, name in zip(loop.function.arguments, loop.arguments):
        fact = facts.get(Tensor(argument))
        if fact is not None and name in loop.weights:
            held = fact.held.specs if fact.held is not None else None
            spec = held[0] if held else fact.spec
            found[name] = spec.dtype.removesuffix("_ref") or "float32"
    return found


def loop_class(
    classes: dict[str, str], loop: Loop, dtypes: Mapping[str, str]
) -> tuple[str, tuple[str, ...], bool]:
    """The name of the class that runs the loop, entered into ``classes`` where it is new, its weights as Keras stores them, and
    whether it runs on every backend.

    ``dtypes`` are those of the weights. Raises NotExpressible where an op in the loop is none of TensorFlow's.
    """
    parts = str(loop.attrs["scope"]).split("/")
    wanted = class_identifier("_".join(parts[-2:]))
    stored = sorted(loop.weights, key=lambda name: not _is_trainable(dtypes[name]))
    call, portable = _call(loop, dtypes)
    number = 1
    while True:
        name = wanted if number == 1 else f"{wanted}{number}"
        source = _source(name, loop, stored, dtypes, call, portable)
        if classes.setdefault(name, source) == source:
            return name, tuple(stored), portable
        number += 1


def _is_trainable(dtype: str) -> bool:
    return dtype in ("float16", "bfloat16", "float32", "float64")


def _call(loop: Loop, dtypes: Mapping[str, str]) -> tuple[list[str], bool]:
    """The lines of ``call``, and whether they run on every backend."""
    if loop.fixed and not CARRIERS.keys() & set(dtypes.values()):
        try:
            return list(_call_lines(loop, PortableBody)), True
        except NotExpressible:  # Keras has no word for one of its ops
            pass
    return list(_call_lines(loop, Body)), False


def _source(
    name: str,
    loop: Loop,
    stored: list[str],
    dtypes: Mapping[str, str],
    call: Sequence[str],
    portable: bool,
) -> str:
    scope = literal(str(loop.attrs["scope"]))[1:-1].replace("\\", "/")
    about = f"The {loop.op.lower()} {scope} of the graph ({loop.attrs['ops']} ops)"
    about += "" if portable else ": runs on the TensorFlow backend only"
    lines = _HEAD.format(name=name, about=about).splitlines()
    if stored:
        lines += ["", "    def build(self, input_shape):"]
        for weight in stored:
            lines += _weight_lines(weight, loop.weights[weight], dtypes[weight])
    lines += ["", *call]
    return "\n".join(lines) + "\n"


def _weight_lines(name: str, use: WeightUse, dtype: str) -> Iterator[str]:
    dtype = CARRIERS.get(dtype, dtype)
    arguments = [f"shape={literal(tuple(use.shape))}"]
    if dtype != "float32":
        arguments.append(f"dtype={literal(dtype)}")
    if not _is_trainable(dtype):
        arguments += ['initializer="zeros"', "trainable=False"]
    arguments.append(f"name={literal(name)}")
    line = f"        self.{name} = self.add_weight({', '.join(arguments)})"
    if len(line) <= 88:
        yield line
        return
    yield f"        self.{name} = self.add_weight("
    yield f"            {', '.join(arguments)}"
    yield "        )"


def _call_lines(loop: Loop, writer: type[Body]) -> Iterator[str]:
    if loop.function is None:
        return
    dtypes = _dtypes(loop)
    names = Names({*_RESERVED, *loop.inputs})
    given = [
        (
            Text(name, free=True)
            if name in loop.inputs
            else Text(carried(f"self.{name}", dtypes[name]), free=True, weight=True)
        )
        for name in loop.arguments
    ]
    body = writer(loop, loop.function, given, names)
    results = [body.result(port, found) for port, found in enumerate(body.written())]
    parameters = ", ".join(["self", *(loop.inputs or ["inputs"])])
    yield f"    def call({parameters}):"
    for line in body.lines:
        yield f"        {line}" if line else ""
    text = ", ".join(results)
    if len(results) > 1 and len(text) > WIDTH - 15:
        text = f"({text})"
    for line in wrapped(f"return {text}", WIDTH - 8):
        yield f"        {line}"
