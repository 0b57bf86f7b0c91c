"""A TensorFlow Lite model in LiteRT's interpreter, which TensorFlow brings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import NotRunnable
from ...graph import Model, Tensor
from ..differences import TOLERANCE, difference
from ..feeds.draw import Port
from ..feeds.noise import Noise
from ..import_tensorflow import import_tensorflow, silence
from .runner import GraphRunner, first_line

HYBRID = 0.05  # of the output: LiteRT rounds to eight bits what it multiplies with weights of eight bits
MOST_STEPS = (
    4.0  # that an integer model may be away from the real numbers that it stands for
)


class LiteRunner:
    """The model of a ``.tflite`` file; names are those of the tensors that graphscope makes of its inputs and outputs.

    ``steps`` has the quantisation step of each output that is one; ``tolerance`` is what rounding makes of the others;
    ``graphs`` opens its graph of TensorFlow ops, over real numbers and rounded as its integers are.
    """

    def __init__(
        self, model: Model, graphs: Callable[[], tuple[GraphRunner, GraphRunner]]
    ) -> None:
        self.graphs = graphs
        self.source, self.remarks = model.source, list[str]()
        self.model: Model | None = model
        ends = [model.collections[f"lite_{side}"] for side in ("inputs", "outputs")]
        self._inputs, self._outputs = (tuple(map(str, side)) for side in ends)
        tf = import_tensorflow()
        try:
            with silence():
                self.interpreter = tf.lite.Interpreter(model.source)
        except (ValueError, RuntimeError) as error:
            raise NotRunnable(
                f"LiteRT cannot load {self.source}: {first_line(error)}"
            ) from None
        self.steps = self._steps()
        tensors = self.interpreter.get_tensor_details()
        is_rounded = any(len(t["quantization_parameters"]["scales"]) for t in tensors)
        self.tolerance = HYBRID if is_rounded else 0.0

    def _details(self, inputs: bool) -> dict[str, Any]:
        names = self._inputs if inputs else self._outputs
        get = "get_input_details" if inputs else "get_output_details"
        return dict(zip(names, getattr(self.interpreter, get)()))

    def _steps(self) -> dict[str, float]:
        """The step of each output: 1 where integers are given back, else that of what was dequantised last."""
        known = self.model.collections["lite_steps"] if self.model else ()
        return {name: step for name, step in zip(self._outputs, known) if step}

    def outputs(self) -> tuple[str, ...]:
        return self._outputs

    def resolve(self, name: str) -> str | None:
        text = str(Tensor.parse(name))
        if text in self._inputs or text in self._outputs:
            return text
        for signature in self.model.signatures.values() if self.model else ():
            for called, tensor in {**signature.inputs, **signature.outputs}.items():
                if called == name.removesuffix(":0"):
                    return str(tensor)
        return None

    def needed(
        self, outputs: Sequence[str], fed: Iterable[str] = ()
    ) -> tuple[Port, ...]:
        names = {self.resolve(name) for name in fed}
        return tuple(self.port(name) for name in self._inputs if name not in names)

    def port(self, name: str) -> Port:
        known = self._details(inputs=True)[self.resolve(name) or name]
        shape = tuple(None if s < 0 else int(s) for s in known["shape_signature"])
        scale, zero = known["quantization"]
        step = (float(scale), int(zero)) if scale else None
        return Port(name, np.dtype(known["dtype"]).name, shape, step=step)

    def judge(
        self,
        feeds: Mapping[str, Any],
        row: Mapping[str, Any],
        ours: np.ndarray,
        theirs: np.ndarray,
    ) -> dict[str, Any]:
        """For an output that is rounded: how many steps another model is away, and whether rounding explains them.

        It does where they are few; and where TensorFlow computes ``ours`` when it rounds what lies between as LiteRT
        does, and ``theirs`` when it does not. ``row`` is what is known of the two already.
        """
        step, size = self.steps.get(row["a"], 0.0), row["max_abs"]
        if not self.tolerance or not np.isfinite(size):
            return {}
        passed = row["max_rel"] <= TOLERANCE or size <= MOST_STEPS * step
        passed = passed or not step and row["passed"]
        if not passed:
            exact, rounded = self.in_tensorflow(feeds, row["a"])
            passed = self._is_near(ours, rounded, step)
            away, share = difference(exact, theirs)
            passed = passed and (share <= TOLERANCE or away <= 1 == step)
        return {"passed": bool(passed)} | ({"steps": size / step} if step else {})

    def _is_near(self, a: np.ndarray, b: np.ndarray, step: float) -> bool:
        away, share = difference(a, b)
        return away <= MOST_STEPS * step if step else share <= self.tolerance

    def in_tensorflow(
        self, feeds: Mapping[str, Any], name: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """One output as TensorFlow computes it: over real numbers, and with all that is computed rounded to integers' steps."""
        place, values = self._outputs.index(self.resolve(name) or name), []
        for runner in self.graphs():
            names = runner.model.collections["lite_outputs"] if runner.model else ()
            values += runner.run(feeds, [names[place]])
        return values[0], values[1]

    def run(
        self,
        feeds: Mapping[str, Any],
        outputs: Sequence[str],
        noise: Noise | None = None,
    ) -> list[np.ndarray]:
        inputs = self._details(inputs=True)
        try:
            for name, known in inputs.items():
                shape = np.shape(feeds[name])
                if tuple(known["shape"]) != shape:
                    self.interpreter.resize_tensor_input(known["index"], shape)
            self.interpreter.allocate_tensors()
            self.interpreter.reset_all_variables()  # the states of recurrent operators
            for name, known in inputs.items():
                self.interpreter.set_tensor(known["index"], np.asarray(feeds[name]))
            self.interpreter.invoke()
            results = self._details(inputs=False)
            places = [results[self.resolve(name) or name]["index"] for name in outputs]
            return [np.array(self.interpreter.get_tensor(each)) for each in places]
        except (ValueError, RuntimeError, KeyError) as error:
            raise NotRunnable(
                f"LiteRT cannot run {self.source}: {first_line(error)}"
            ) from None
