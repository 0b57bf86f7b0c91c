"""A TensorFlow Lite file -> a Model of TensorFlow ops. One module of ``operators/`` a chapter; it lists itself."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from ....errors import FormatError
from ....graph import Function, Model, Node, Signature, Tensor, TensorSpec
from . import operators
from .call import RULES, Call
from .custom import FLEX, named_options
from .emit import node_name
from .file import LiteFile, Operator, Subgraph
from .state import fills_alone
from .subgraph import Lowered

_FORMAT = "TensorFlow Lite"


@cache
def load_rules() -> None:
    """Import every module of ``operators/``."""
    for module in pkgutil.iter_modules(operators.__path__):
        importlib.import_module(f"{operators.__name__}.{module.name}")


def lower(file: LiteFile, is_apart: bool = False) -> Model:
    """The Model of a file, its operators as the TensorFlow ops that they mean.

    Tensors that are quantised are the real numbers that they stand for; the inputs and outputs of the model stay
    what they are in the file. With ``is_apart`` each operator reads placeholders, which the collection ``lite_apart`` names.
    Raises FormatError where the file contradicts itself.
    """
    load_rules()
    names = [_function_name(each, n) for n, each in enumerate(file.subgraphs)]
    bodies: dict[str, Function] = {}
    first = Lowered(file.subgraphs[0], file, names, bodies, is_apart)
    whole = {0: _whole(first)}
    for number in _entries(file):
        beside = Lowered(file.subgraphs[number], file, names, bodies, False, first)
        whole[number] = _whole(beside)
    functions = {
        name: _function(name, subgraph, file, names, bodies)
        for number, (name, subgraph) in enumerate(zip(names, file.subgraphs))
        if number not in whole and not fills_alone(subgraph)
    }
    inputs, outputs = whole[0].fed.values(), whole[0].back.values()
    return Model(
        graph=first.emitter.graph,
        source=file.source.name,
        format=_FORMAT,
        producer=file.text(file.model, 3),
        functions={**functions, **bodies},
        signatures=_signatures(file, whole),
        collections={
            "lite_inputs": tuple(map(str, inputs)),
            "lite_outputs": tuple(map(str, outputs)),
            "lite_steps": tuple(
                _step(first.subgraph, n) for n in first.subgraph.outputs
            ),
            "lite_variables": tuple(op for op, _ in file.codes if op == "VAR_HANDLE"),
            **({"lite_apart": tuple(first.apart)} if is_apart else {}),
        },
        versions={"schema": file.model.scalar(0, "u32")},
    )


def _step(subgraph: Subgraph, number: int) -> float:
    """The step that an output is rounded to, in its own units: 1 for integers, else that of what is dequantised last."""
    tensor = subgraph.tensor(number)
    if tensor.is_quantised:
        return 1.0
    for operator in subgraph.operators:
        if number in operator.outputs and operator.op == "DEQUANTIZE":
            quantisation = subgraph.tensor(operator.inputs[0]).quantisation
            return quantisation.scale[0] if quantisation is not None else 0.0
    return 0.0


def _function_name(subgraph: Subgraph, number: int) -> str:
    return f"{node_name(subgraph.name or 'subgraph')}_{number}"


def _lower_operators(lowered: Lowered) -> None:
    for operator in lowered.subgraph.operators:
        if not _is_aside(operator, lowered):
            _lower_operator(operator, lowered)


def _is_aside(operator: Operator, lowered: Lowered) -> bool:
    """Whether an operator only gives a constant back, whole or as real numbers: its readers read the constant."""
    if (
        operator.op not in ("DENSIFY", "DEQUANTIZE", "QUANTIZE")
        or len(operator.inputs) != 1
    ):
        return False
    number = lowered.behind.get(operator.inputs[0], operator.inputs[0])
    if not lowered.subgraph.tensor(number).length or number in lowered.makers:
        return False
    lowered.behind.update(dict.fromkeys(operator.outputs, number))
    return True


def _lower_operator(operator: Operator, lowered: Lowered) -> None:
    call = Call(operator, lowered)
    rule = RULES.get(_meaning(operator))
    try:
        results = None if rule is None else rule(call)
    except (ValueError, IndexError, TypeError, ArithmeticError) as error:
        raise FormatError(
            f"{lowered.file.source.name}: the tensors of a {operator.op} do not fit it ({error}): the file is damaged"
        ) from None
    if results is None:
        _keep(call)
        return
    outputs = [results] if isinstance(results, Tensor) else list(results)
    copies = [t if t.node.startswith("\0") else call.op("Identity", t) for t in outputs]
    lowered.settle(call.pending, copies, call.parts, operator.outputs)


def _meaning(operator: Operator) -> str:
    """What the rule of an operator is called: those that carry an op of TensorFlow have one rule."""
    if not operator.is_custom:
        return operator.op
    return FLEX if operator.op.startswith(FLEX) else ""


def _keep(call: Call) -> None:
    """An operator that no rule knows stays what it is."""
    numbers = call.operator.outputs
    specs = [
        TensorSpec(call.dtype(port), call.out(port).spec.shape)
        for port in range(len(numbers))
    ]
    options = call.operator.options or named_options(call.operator)
    attrs = {k: v for k, v in options.items() if v is not None}
    name = call.lowered.name_of(call.parts[0])
    inputs = call.all
    call.lowered.emitter.put(name, Node(call.operator.op, attrs, tuple(specs)), inputs)
    for port, number in enumerate(numbers):
        call.lowered.makers[number] = Tensor(name, port)


def _fed(lowered: Lowered, number: int) -> Tensor:
    """A Placeholder; where it is quantised the real numbers are computed of it."""
    tensor, emitter = lowered.subgraph.tensor(number), lowered.emitter
    name = lowered.name_of(tensor.name)
    spec = tensor.spec
    attrs = {"dtype": spec.dtype, "shape": spec.shape}
    fed = emitter.put(name, Node("Placeholder", attrs, (TensorSpec("", spec.shape),)))
    quantisation = tensor.quantisation
    real = fed
    if quantisation is not None and tensor.is_quantised:
        real = emitter.add(f"{name}/cast", "Cast", [fed], {"DstT": "float32"})
        zero = emitter.constant(f"{name}/zero", float(quantisation.zero[0]))
        scale = emitter.constant(f"{name}/scale", float(quantisation.scale[0]))
        real = emitter.add(f"{name}/sub", "Sub", [real, zero])
        real = emitter.add(f"{name}/real", "Mul", [real, scale])
    lowered.makers[number] = real
    return fed


def _output(lowered: Lowered, number: int) -> Tensor:
    """An output; where it is quantised the integers are computed of the real numbers."""
    tensor, emitter, real = (
        lowered.subgraph.tensor(number),
        lowered.emitter,
        lowered.read(number),
    )
    quantisation = tensor.quantisation
    if quantisation is None or not tensor.is_quantised:
        return real
    stem, limits = emitter.fresh(f"{real.node}/quantised"), np.iinfo(tensor.spec.dtype)
    scale = emitter.constant(f"{stem}/scale", float(quantisation.scale[0]))
    zero = emitter.constant(f"{stem}/zero", float(quantisation.zero[0]))
    low = emitter.constant(f"{stem}/low", float(limits.min))
    high = emitter.constant(f"{stem}/high", float(limits.max))
    x = emitter.add(f"{stem}/div", "RealDiv", [real, scale])
    x = emitter.add(f"{stem}/round", "Round", [x])
    x = emitter.add(f"{stem}/add", "AddV2", [x, zero])
    x = emitter.add(f"{stem}/minimum", "Minimum", [x, high])
    x = emitter.add(f"{stem}/maximum", "Maximum", [x, low])
    spec = TensorSpec("", tensor.spec.shape)
    return emitter.add(stem, "Cast", [x], {"DstT": tensor.spec.dtype}, [spec])


def _function(
    name: str,
    subgraph: Subgraph,
    file: LiteFile,
    names: Sequence[str],
    bodies: dict[str, Function],
) -> Function:
    """A subgraph that another one calls: its arguments and results are real numbers where they are quantised."""
    lowered = Lowered(subgraph, file, names, bodies)
    arguments = []
    for index, number in enumerate(subgraph.inputs):
        tensor = subgraph.tensor(number)
        attrs = {"T": lowered.dtype_of(tensor), "index": index}
        spec = TensorSpec("", tensor.spec.shape)
        argument = lowered.name_of(tensor.name)
        lowered.makers[number] = lowered.emitter.put(
            argument, Node("_Arg", attrs, (spec,))
        )
        arguments.append(argument)
    _lower_operators(lowered)
    returns = tuple(lowered.read(number) for number in subgraph.outputs)
    outputs = tuple(f"output_{n}" for n in range(len(returns)))
    return Function(name, lowered.emitter.graph, tuple(arguments), returns, outputs)


class Whole(NamedTuple):
    """A subgraph that stands for itself: what it is fed and what it gives back, by the numbers of its tensors."""

    lowered: Lowered
    fed: dict[int, Tensor]
    back: dict[int, Tensor]


def _whole(lowered: Lowered) -> Whole:
    fed = {number: _fed(lowered, number) for number in lowered.subgraph.inputs}
    _lower_operators(lowered)
    outputs = lowered.subgraph.outputs
    return Whole(lowered, fed, {n: _output(lowered, n) for n in outputs})


def _entries(file: LiteFile) -> list[int]:
    """The subgraphs beside the first that signatures name."""
    numbers = {table.scalar(4, "u32") for table in file.model.tables(7)}
    return sorted(n for n in numbers if 0 < n < len(file.subgraphs))


def _signatures(file: LiteFile, whole: Mapping[int, Whole]) -> dict[str, Signature]:
    """The declared signatures, each of its subgraph, else the plain inputs and outputs of the first."""
    declared = {}
    for table in file.model.tables(7):  # signature_defs
        owner = whole.get(table.scalar(4, "u32"))
        if owner is None:
            continue
        sides = [
            {
                m.data(0).decode("utf-8", "replace"): m.scalar(1, "u32")
                for m in table.tables(side)
            }
            for side in (0, 1)
        ]
        name = table.data(2).decode("utf-8", "replace")
        declared[name] = _signature(sides[0], sides[1], *owner)
    if declared:
        return declared
    first, fed, back = whole[0]
    plain = {t.node: n for n, t in fed.items()}, {str(t): n for n, t in back.items()}
    return {"main": _signature(plain[0], plain[1], first, fed, back)}


def _signature(
    inputs: dict[str, int],
    outputs: dict[str, int],
    first: Lowered,
    fed: dict[int, Tensor],
    back: dict[int, Tensor],
) -> Signature:
    for number in [*inputs.values(), *outputs.values()]:
        if number not in fed and number not in back:
            raise FormatError(
                f"{first.file.source.name}: a signature names tensor {number}, which is no input or output"
            )
    specs: dict[Tensor, TensorSpec] = {}
    sides: list[dict[str, Tensor]] = []
    for names, tensors in ((inputs, fed), (outputs, back)):
        sides.append(
            {name: tensors.get(n) or back.get(n) or fed[n] for name, n in names.items()}
        )
        specs |= {
            sides[-1][name]: first.subgraph.tensor(n).spec for name, n in names.items()
        }
    return Signature(sides[0], sides[1], specs)
