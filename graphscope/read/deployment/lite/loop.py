"""A loop over the steps of a sequence: TensorList ops around a While, as TensorFlow 2 writes ``keras.backend.rnn``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ....graph import Function, FunctionRef, Node, Tensor
from .emit import Emitter

if TYPE_CHECKING:
    from .call import Call

Step = Callable[["Body", Tensor, Sequence[Tensor]], list[Tensor]]
_ACTIVATIONS = {"RELU": "Relu", "RELU6": "Relu6", "TANH": "Tanh"}


class Body:
    """The body of a loop as it grows: its arguments by name, ``op`` adds a node."""

    def __init__(self, arguments: Mapping[str, str]) -> None:
        self.emitter = Emitter()
        self.arguments = {
            name: self.emitter.put(name, Node("_Arg", {"T": dtype, "index": index}))
            for index, (name, dtype) in enumerate(arguments.items())
        }
        self.emitter.dtypes |= {
            tensor: arguments[name] for name, tensor in self.arguments.items()
        }

    def __contains__(self, name: str) -> bool:
        return name in self.arguments

    def __getitem__(self, name: str) -> Tensor:
        return self.arguments[name]

    def op(self, kind: str, *inputs: Tensor, **attrs: object) -> Tensor:
        """A node; its port 0."""
        return self.emitter.add(self.emitter.fresh(kind), kind, inputs, attrs)

    def const(self, value: object, hint: str) -> Tensor:
        return self.emitter.constant(hint, value)

    def activated(self, x: Tensor, call: Call) -> Tensor:
        kind = call.option("fused_activation_function", "NONE")
        return self.op(_ACTIVATIONS[kind], x) if kind in _ACTIVATIONS else x

    def clipped(self, x: Tensor, bound: float) -> Tensor:
        if bound <= 0:
            return x
        below = self.op("Minimum", x, self.const(float(bound), "high"))
        return self.op("Maximum", below, self.const(-float(bound), "low"))


class Once(Body):
    """The body of a loop that runs once: its ops stand beside those of the operator."""

    def __init__(self, call: Call, weights: Mapping[str, Tensor]) -> None:
        self.call, self.arguments = call, dict(weights)

    def op(self, kind: str, *inputs: Tensor, **attrs: object) -> Tensor:
        return self.call.op(kind, *inputs, **attrs)

    def const(self, value: object, hint: str) -> Tensor:
        return self.call.const(value, hint)


def run_steps(
    call: Call,
    widths: Sequence[int],
    weights: Mapping[str, Tensor],
    step: Step,
    is_backward: bool = False,
) -> Tensor:
    """The outputs of all steps, batch first or steps first as the operator has them; states begin at zero.

    Backwards the last step runs first, and its output stays in its place. ``widths`` are the sizes of the states, the first of which is the output; ``weights`` are what the body reads beside them.
    """
    x, is_steps_first = call[0], bool(call.option("time_major", False))
    steps, features = (
        call.tensor(0).static[0 if is_steps_first else 1],
        call.tensor(0).static[-1],
    )
    if not is_steps_first:
        x = call.op("Transpose", x, call.const([1, 0, 2], "perm"))
    if is_backward:
        x = call.op("ReverseV2", x, call.const([0], "axis"))
    states = _zeros(call, x, widths)
    element = call.const([-1, features], "element")
    shape = call.const([-1, widths[0]], "shape")
    count = call.const(steps, "steps")
    sequence = call.op("TensorListFromTensor", x, element, shape_type="int32")
    while_outputs = call.op(
        "TensorListReserve", shape, count, element_dtype="float32", shape_type="int32"
    )
    start = call.const(0, "start")
    inputs = [start, while_outputs, *states, count, sequence, *weights.values()]
    names = ["step", "outputs", *(f"state_{n}" for n in range(len(states)))]
    names += ["steps", "sequence", *weights]
    dtypes = ["int32", "variant", *["float32"] * len(states), "int32", "variant"]
    dtypes += ["float32"] * len(weights)
    arguments = dict(zip(names, dtypes))
    functions = {
        "cond": _declare(call, "cond", _condition(arguments)),
        "body": _declare(call, "body", _body(arguments, step, features, len(states))),
    }
    loop = call.op("StatelessWhile", *inputs, T=tuple(dtypes), **functions)
    attrs = {"element_dtype": "float32", "num_elements": steps}
    stack = call.op("TensorListStack", Tensor(loop.node, 1), shape, **attrs)
    if not is_steps_first:
        stack = call.op("Transpose", stack, call.const([1, 0, 2], "perm"))
    if not is_backward:
        return stack
    return call.op("ReverseV2", stack, call.const([0 if is_steps_first else 1], "axis"))


def _zeros(call: Call, x: Tensor, widths: Sequence[int]) -> list[Tensor]:
    """Zeros for each example of ``x``, which has its steps first."""
    whole = call.op("Shape", x, out_type="int32")
    ends = [
        call.const([n], hint) for n, hint in ((1, "begin"), (2, "end"), (1, "stride"))
    ]
    batch = call.op("StridedSlice", whole, *ends, shrink_axis_mask=1)
    zero = call.const(0.0, "zero")
    sizes = [call.op("Pack", batch, call.const(width, "units")) for width in widths]
    return [call.op("Fill", size, zero) for size in sizes]


def _declare(call: Call, kind: str, function: Callable[[str], Function]) -> FunctionRef:
    bodies = call.lowered.bodies
    name = f"{call.stem}_{kind}_{len(bodies)}".replace("/", "_")
    bodies[name] = function(name)
    return FunctionRef(name, {})


def _condition(arguments: Mapping[str, str]) -> Callable[[str], Function]:
    body = Body(arguments)
    goes_on = body.op("Less", body["step"], body["steps"])
    return lambda name: Function(
        name, body.emitter.graph, tuple(arguments), (goes_on,), ("goes_on",)
    )


def _body(
    arguments: Mapping[str, str], step: Step, features: int, count: int
) -> Callable[[str], Function]:
    body = Body(arguments)
    element = body.const([-1, features], "element")
    x = body.op(
        "TensorListGetItem",
        body["sequence"],
        body["step"],
        element,
        element_dtype="float32",
    )
    states = step(body, x, [body[f"state_{n}"] for n in range(count)])
    outputs = body.op("TensorListSetItem", body["outputs"], body["step"], states[0])
    following = body.op("AddV2", body["step"], body.const(1, "one"))
    rest = [body[name] for name in list(arguments)[2 + count :]]
    returns = (following, outputs, *states, *rest)
    names = tuple(f"{name}_out" for name in arguments)
    return lambda name: Function(
        name, body.emitter.graph, tuple(arguments), returns, names
    )
