"""Identity in its many guises, feeds, constants, and control flow of both generations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...graph import Shape
from ..registry import Call, define
from ..values.dims import join, merge, same

_FIRST = slice(0, 1)


def _unchanged(x: np.ndarray) -> np.ndarray:
    return x


define(
    "Identity",
    "RefIdentity",
    "PreventGradient",
    "CheckNumerics",
    "CheckNumericsV2",
    "Snapshot",
    "GuaranteeConst",
    "_EagerConst",
    "DebugGradientIdentity",
    "DebugGradientRefIdentity",
    "DebugIdentity",
    "DebugIdentityV2",
    "_Retval",
    shape=same,
    keras="{0}",
    fold=_unchanged,
    traits="pass-through",
    moves=_FIRST,
)
define(
    "StopGradient",
    shape=same,
    keras="ops.stop_gradient({0})",
    fold=_unchanged,
    traits="pass-through",
    moves=_FIRST,
)


def _inputs_alike(call: Call) -> Sequence[Shape]:
    return [spec.shape for spec in call.inputs]


define(
    "IdentityN",
    "_ArrayToList",
    "_ListToArray",
    shape=_inputs_alike,
    keras=lambda call, *texts: f"({', '.join(texts)},)",
    fold=lambda *xs: tuple(xs),
    traits="pass-through",
    moves=slice(None),
)
define(
    "EnsureShape",
    shape=lambda call: (merge(call.shape(0), call["shape"]),),
    keras="{0}",
    fold=lambda x: x,
    traits="pass-through",
    moves=_FIRST,
)
define("Print", shape=same, keras="{0}", traits="pass-through")
define("Placeholder", "PlaceholderV2", traits="feed", shape=lambda call: (_fed(call),))
define(
    "PlaceholderWithDefault",
    shape=lambda call: (call["shape"],),
    keras="{0}",
    traits="feed pass-through",
)
define("_Arg", "_DeviceArg", traits="feed", shape=lambda call: (_argument(call),))


def _fed(call: Call) -> Shape:
    """The shape attribute; () there once meant unknown (before producer 24), and means a scalar since."""
    return call.attrs.get("shape") if "shape" in call.attrs else None


def _argument(call: Call) -> Shape:
    shapes = call.attrs.get("_output_shapes") or ()
    return shapes[0] if shapes else None


def _constant_shape(call: Call) -> tuple[Shape]:
    spec = getattr(call.attrs, "spec", None)  # without reading the values
    return (tuple(call["value"].shape) if spec is None else spec("value").shape,)


define("Const", "HostConst", shape=_constant_shape)
define(
    "ImmutableConst",
    shape=lambda call: (call["shape"],),
)
define("NoOp", "ControlTrigger", "Abort", shape=lambda call: ())
define("Assert", traits="assertion", shape=lambda call: ())
define(
    "Switch",
    "RefSwitch",
    shape=lambda call: (call.shape(0), call.shape(0)),
    fold=lambda data, test: (data, data),
    traits="control-flow",
    moves=_FIRST,
)
define(
    "_SwitchN",
    shape=lambda call: (call.shape(0),) * int(call["num_outs"]),
    traits="control-flow",
)


def _merged(call: Call) -> tuple[Shape, Shape]:
    merged = call.shape(0)
    for spec in call.inputs[1:]:
        merged = join(merged, spec.shape)
    return merged, ()


define("Merge", "RefMerge", shape=_merged, traits="control-flow")
define(
    "Enter",
    "RefEnter",
    "Exit",
    "RefExit",
    "NextIteration",
    "RefNextIteration",
    shape=same,
    keras="{0}",
    fold=_unchanged,
    traits="control-flow pass-through",
    moves=_FIRST,
)
define(
    "LoopCond",
    shape=lambda call: ((),),
    fold=_unchanged,
    traits="control-flow",
)


def _declared(call: Call) -> Sequence[Shape]:
    """What the node declares of the outputs of the functions that it calls."""
    return call.get("output_shapes") or ()


define(
    "If",
    "StatelessIf",
    "While",
    "StatelessWhile",
    "Case",
    "StatelessCase",
    shape=_declared,
)
define("SymbolicGradient", shape=_inputs_alike)
define("For", shape=lambda call: [spec.shape for spec in call.inputs[3:]])
define("RefSelect", shape=lambda call: (_merged(call)[0],))
define("GetSessionHandle", "GetSessionHandleV2", shape=lambda call: ((),))
