"""Drawing at random, choosing among boxes, buckets, and writing into a slice."""

from __future__ import annotations

from functools import partial

from .....errors import FormatError
from .....graph import Tensor
from ..call import Call, lowers
from .control import function_of


def _random(op: str, call: Call) -> Tensor:
    seeds = {"seed": call.option("seed"), "seed2": call.option("seed2")}
    return call.op(op, call[0], dtype=call.dtype(), **seeds)


lowers("RANDOM_UNIFORM")(partial(_random, "RandomUniform"))
lowers("RANDOM_STANDARD_NORMAL")(partial(_random, "RandomStandardNormal"))


@lowers("MULTINOMIAL")
def _multinomial(call: Call) -> Tensor:
    seeds = {"seed": call.option("seed"), "seed2": call.option("seed2")}
    return call.op("Multinomial", call[0], call[1], output_dtype=call.dtype(), **seeds)


@lowers("BUCKETIZE")
def _buckets(call: Call) -> Tensor:
    return call.op(
        "Bucketize", call[0], boundaries=tuple(call.option("boundaries", ()))
    )


@lowers("RFFT2D")
def _fourier(call: Call) -> Tensor:
    return call.op("RFFT2D", call[0], call[1], Tcomplex=call.dtype())


def _suppression(op: str, call: Call) -> list[Tensor]:
    """Boxes that overlap too much with better ones left out; padded to the number asked for."""
    x = call.op(op, *call.all, pad_to_max_output_size=True)
    return [Tensor(x.node, port) for port in range(len(call.operator.outputs))]


lowers("NON_MAX_SUPPRESSION_V4")(partial(_suppression, "NonMaxSuppressionV4"))
lowers("NON_MAX_SUPPRESSION_V5")(partial(_suppression, "NonMaxSuppressionV5"))


@lowers("DYNAMIC_UPDATE_SLICE")
def _update(call: Call) -> Tensor:
    """*before* ``DYNAMIC_UPDATE_SLICE(x, part, begin)``, which moves the part inside *after* ``TensorStridedSliceUpdate``."""
    whole, part = call.tensor(0).static, call.tensor(1).static
    if len(whole) != len(part):
        raise FormatError(
            f"{call.lowered.file.source.name}: a slice of {len(part)} axes of {len(whole)}: the file is damaged"
        )
    dtype = call.tensor(2).spec.dtype
    room = [a - b for a, b in zip(whole, part)]
    begin = call.op("Minimum", call[2], call.const(room, "room", dtype))
    begin = call.op("Maximum", begin, call.const([0] * len(whole), "zero", dtype))
    end = call.op("AddV2", begin, call.const(list(part), "size", dtype))
    strides = call.const([1] * len(whole), "strides", dtype)
    return call.op("TensorStridedSliceUpdate", call[0], begin, end, strides, call[1])


@lowers("CALL")
def _call(call: Call) -> list[Tensor]:
    ports = range(len(call.operator.outputs))
    dtypes = tuple(call.dtype(port) for port in ports)
    attrs = {"f": function_of(call, "subgraph"), "Tout": dtypes}
    x = call.op("PartitionedCall", *call.all, **attrs)
    return [Tensor(x.node, port) for port in ports]
