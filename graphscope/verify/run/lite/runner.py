"""A TensorFlow Lite model in LiteRT's interpreter, which TensorFlow brings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np

from ....errors import NotRunnable
from ....graph import Model, Signature, Tensor
from ....graph.named_values import Document, Row
from ...differences import TOLERANCE, difference
from ...feeds.draw import Port
from ...feeds.noise import Noise
from ...import_tensorflow import import_tensorflow, silence
from ..runner import GraphRunner, first_line, fitting
from .operators import HYBRID, Distance, Operators

NEAR = 4.0  # steps: an integer model that near is what it stands for, further away each operator is looked at


class LiteRunner:
    """The model of a ``.tflite`` file; names are those of the tensors that graphscope makes of its inputs and outputs.

    ``steps`` has the quantisation step of each output that is one; ``tolerance`` is what rounding makes of the others;
    ``exact`` opens its graph of TensorFlow ops over real numbers, ``operators`` that in which each stands by itself.
    """

    def __init__(
        self,
        model: Model,
        exact: Callable[[], GraphRunner],
        operators: Callable[[], Operators],
    ) -> None:
        self.exact, self.operators = exact, operators
        self.source, self.remarks = model.source, list[str]()
        self.model: Model | None = model
        ends = [model.collections[f"lite_{side}"] for side in ("inputs", "outputs")]
        self._inputs, self._outputs = (tuple(map(str, side)) for side in ends)
        tf = import_tensorflow()
        try:
            with silence():
                self.interpreter = open_interpreter(tf, model.source)
        except (ValueError, RuntimeError) as error:
            raise NotRunnable(
                f"LiteRT cannot load {self.source}: {first_line(error)}"
            ) from None
        self.has_variables = bool(model.collections["lite_variables"])
        self.steps = self._steps()
        tensors = self.interpreter.get_tensor_details()
        is_rounded = any(len(t["quantization_parameters"]["scales"]) for t in tensors)
        self.tolerance = HYBRID if is_rounded else 0.0

    def _details(self, inputs: bool) -> Document:
        names = self._inputs if inputs else self._outputs
        get = "get_input_details" if inputs else "get_output_details"
        return dict(zip(names, getattr(self.interpreter, get)()))

    def _steps(self) -> dict[str, float]:
        """The step of each output: 1 where integers are given back, else that of what was dequantised last."""
        steps = self.model.collections["lite_steps"] if self.model else ()
        return {name: step for name, step in zip(self._outputs, steps) if step}

    def outputs(self) -> tuple[str, ...]:
        more = (str(t) for s in self._elsewhere.values() for t in s.outputs.values())
        return (*self._outputs, *more)

    @cached_property
    def _elsewhere(self) -> dict[str, Signature]:
        """The signatures that are not of the first subgraph, by name."""
        signatures = self.model.signatures if self.model else {}
        return {
            name: signature
            for name, signature in signatures.items()
            if not {str(t) for t in signature.outputs.values()} & {*self._outputs}
        }

    def resolve(self, name: str) -> str | None:
        text = str(Tensor.parse(name))
        inputs = (t for s in self._elsewhere.values() for t in s.inputs.values())
        if text in (*self._inputs, *self.outputs(), *map(str, inputs)):
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
        asked = {self.resolve(name) for name in outputs}
        inputs = list(self._inputs) if asked & {*self._outputs} else []
        for signature in self._elsewhere.values():
            if asked & {str(t) for t in signature.outputs.values()}:
                inputs += map(str, signature.inputs.values())
        return tuple(self.port(name) for name in inputs if name not in names)

    def _input(self, name: str) -> Any:
        """What LiteRT says of an input, of the first subgraph or of another signature."""
        for key, signature in self._elsewhere.items():
            for called, tensor in signature.inputs.items():
                if str(tensor) == name:
                    runner = self.interpreter.get_signature_runner(key)
                    return runner.get_input_details()[called]
        return self._details(inputs=True)[name]

    def port(self, name: str) -> Port:
        detail = self._input(self.resolve(name) or name)
        shape = tuple(None if s < 0 else int(s) for s in detail["shape_signature"])
        scale, zero = detail["quantization"]
        step = (float(scale), int(zero)) if scale else None
        kind = np.dtype(detail["dtype"])
        dtype = "string" if kind.kind in "OS" else kind.name
        return fitting(Port(name, dtype, shape, step=step), self.model)

    def judge(
        self,
        feeds: Mapping[str, np.ndarray],
        row: Document,
        ours: np.ndarray,
        theirs: np.ndarray,
    ) -> Row:
        """For an output that is rounded: how many steps another model is away, and whether rounding explains them.

        It does where they are few; and where each operator gives on LiteRT's own inputs what it means, and TensorFlow
        computes ``theirs`` of those meanings over real numbers. ``row`` is what is known of the two already.
        """
        step, size = self.steps.get(row["a"], 0.0), row["max_abs"]
        is_first = self.resolve(row["a"]) in self._outputs
        if not self.tolerance or not np.isfinite(size) or not is_first:
            return {}
        limits: Row = {"steps": size / step} if step else {}
        if row["max_rel"] <= TOLERANCE or size <= NEAR * step:
            return limits | {"passed": True}
        if not step and row["passed"]:
            return limits | {"passed": True}
        worst = self._farthest(feeds)
        away, share = difference(self._exact(feeds, row["a"]), theirs)
        is_exact = share <= TOLERANCE or away <= 1 == step
        self.remarks = [_remark(worst, limits.get("steps"))]
        return limits | {"passed": is_exact and worst.passed, "operators": str(worst)}

    def _farthest(self, feeds: Mapping[str, object]) -> Distance:
        """The operator that is farthest from its meaning, for the tolerance that it has."""
        distances = self.operators().distances(self.interpreter, feeds)
        return max(distances, key=lambda each: (not each.passed, each.size))

    def _exact(self, feeds: Mapping[str, object], name: str) -> np.ndarray:
        """One output as TensorFlow computes it over real numbers."""
        runner, place = self.exact(), self._outputs.index(self.resolve(name) or name)
        names = runner.model.collections["lite_outputs"] if runner.model else ()
        return runner.run(feeds, [names[place]])[0]

    def run(
        self,
        feeds: Mapping[str, object],
        outputs: Sequence[str],
        noise: Noise | None = None,
    ) -> list[np.ndarray]:
        asked = [self.resolve(name) or name for name in outputs]
        try:
            if self.has_variables:  # so that they are what they were at first
                self.interpreter = open_interpreter(import_tensorflow(), self.source)
            results = self._run_first(feeds) if {*asked} & {*self._outputs} else {}
            for key, signature in self._elsewhere.items():
                named = {called: str(t) for called, t in signature.outputs.items()}
                if {*asked} & {*named.values()}:
                    runner = self.interpreter.get_signature_runner(key)
                    inputs = {n: feeds[str(t)] for n, t in signature.inputs.items()}
                    answer = runner(**inputs)
                    results |= {named[called]: answer[called] for called in named}
            return [np.array(results[name]) for name in asked]
        except (ValueError, RuntimeError, KeyError) as error:
            raise NotRunnable(
                f"LiteRT cannot run {self.source}: {first_line(error)}"
            ) from None

    def _run_first(self, feeds: Document) -> dict[str, np.ndarray]:
        """The outputs of the first subgraph by name."""
        inputs = self._details(inputs=True)
        for name, detail in inputs.items():
            shape = np.shape(feeds[name])
            if tuple(detail["shape"]) != shape:
                self.interpreter.resize_tensor_input(detail["index"], shape)
        self.interpreter.allocate_tensors()
        self.interpreter.reset_all_variables()  # the states of recurrent operators
        for name, detail in inputs.items():
            self.interpreter.set_tensor(detail["index"], np.asarray(feeds[name]))
        self.interpreter.invoke()
        places = self._details(inputs=False)
        return {
            name: np.array(self.interpreter.get_tensor(detail["index"]))
            for name, detail in places.items()
        }


def _remark(worst: Distance, steps: float | None) -> str:
    if not worst.passed:
        return f"graphscope takes an operator for another than LiteRT does: {worst}"
    end = "" if steps is None else f" to {steps:.0f} steps at the end"
    return f"LiteRT's rounding adds up{end}; of its own inputs each operator gives what it means, the farthest is {worst}"


def open_interpreter(tf: ModuleType, path: str) -> Any:
    """LiteRT with kernels of its own alone and every tensor in place after a run."""
    plain = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = tf.lite.Interpreter(
        path,
        experimental_op_resolver_type=plain,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    return interpreter
