"""TensorFlow Lite, by TensorFlow's converter from our SavedModel: loops as functions, tables filled, every signature; LiteRT runs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ...errors import GraphscopeError, NotRunnable
from ...verify.import_tensorflow import import_tensorflow, silence
from ...verify.run.runner import Runner
from ..bundle.saved import saved_model
from ..convert.functional import functional
from ..convert.lists import with_elements
from ..convert.op_lists import TFLITE
from ..convert.own_bodies import with_own_bodies
from ..convert.refusals import lacks, refusal
from ..frozen import Frozen
from ..frozen.body import bytes_of
from ..frozen.spelling import spelt
from ..options import Options
from ..proof.called import CalledRunner
from ..proof.endpoints import Endpoints
from ..proof.examples import example_files, read_examples
from ..proof.steps import output_steps
from ..report import Lack

NAME = "tflite"
SUMMARY = "a TensorFlow Lite model for phones and microcontrollers"
RUNTIME = "LiteRT"
EXTRA = "tflite"
NEEDS: tuple[str, ...] = ("tensorflow",)
IS_FOLDER = False
MARK = ".tflite"
WISHES = frozenset({"quantize", "calibrate"})
QUANTIZE: tuple[str, ...] = ("float16", "dynamic", "int8")
ONE_SIGNATURE = False
MOST_BYTES = (1 << 31) - 1  # a flatbuffer's own limit


def unsupported(frozen: Frozen) -> list[Lack]:
    """The ops that the converter does not know; the forms of an op that it lacks it says itself."""
    return lacks(frozen, TFLITE)


def write(frozen: Frozen, place: Path, options: Options) -> list[str]:
    """Write the file ``place``.

    Raises GraphscopeError where int8 has no examples or the file would be too large, NotExpressible where the converter lacks an op.
    """
    if options.quantize == "int8" and not options.calibrate:
        raise GraphscopeError(
            "--quantize int8 needs examples of the inputs to know their ranges: --calibrate FILE.npz or a folder of them"
        )
    if options.calibrate and options.quantize != "int8":
        raise GraphscopeError("--calibrate is for --quantize int8")
    if not options.quantize and bytes_of(frozen.graph) > MOST_BYTES:
        raise GraphscopeError(
            "a .tflite holds at most 2 GB: quantize it, or use --to savedmodel"
        )
    tf = import_tensorflow()
    from tensorflow.lite.python.convert_phase import ConverterError

    frozen = spelt(frozen, TFLITE)
    lifted = with_elements(with_own_bodies(functional(frozen)))
    with saved_model(lifted, place) as folder, silence():
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=list(frozen.signatures)
        )
        _set_up(tf, converter, frozen, options)
        try:
            data = converter.convert()
        except (ConverterError, ValueError, RuntimeError, TypeError) as error:
            failed = refusal(frozen, RUNTIME, str(error))
        else:
            place.write_bytes(data)
            return []
    raise failed


def _set_up(tf: ModuleType, converter: Any, frozen: Frozen, options: Options) -> None:
    """How weights are stored."""
    if not options.quantize:
        return
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if options.quantize == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if options.quantize == "int8":
        converter.representative_dataset = lambda: _examples(frozen, options)
        kinds = tf.lite.OpsSet
        converter.target_spec.supported_ops = [
            kinds.TFLITE_BUILTINS_INT8,
            kinds.TFLITE_BUILTINS,
        ]


def _examples(
    frozen: Frozen, options: Options
) -> Iterator[tuple[str, dict[str, object]]]:
    """One example after the other, for each signature."""
    for name, signature in frozen.signatures.items():
        for path in example_files(options.calibrate):
            arrays = read_examples(path, frozen, signature)
            named = {
                key: arrays[frozen.origin(tensor)]
                for key, tensor in signature.inputs.items()
            }
            free = all(
                (signature.specs[t].shape or (0,))[0] in (None, 1)
                for t in signature.inputs.values()
            )
            counts = {len(value) if value.ndim else 1 for value in named.values()}
            if free and len(counts) == 1:
                for row in range(counts.pop()):
                    yield name, {k: v[row : row + 1] for k, v in named.items()}
            else:
                yield name, named


def run(place: Path, frozen: Frozen, signature: str) -> Runner:
    """The file in LiteRT's interpreter, or in TensorFlow's own copy of it."""
    with silence():
        interpreter = _interpreter()(model_path=str(place), num_threads=2)
        runner = interpreter.get_signature_runner(signature)
    dtypes = {k: d["dtype"] for k, d in runner.get_input_details().items()}

    def call(feeds: Any) -> Any:
        arguments = {
            k: np.asarray(v, dtypes[k]) for k, v in feeds.items() if k in dtypes
        }
        return runner(**arguments)

    named = frozen.signatures[signature]
    ends = Endpoints.of(frozen, named)
    answers = CalledRunner(ends, str(place), RUNTIME, call)
    steps = output_steps(place, runner.get_output_details())
    answers.steps = {frozen.origin(named.outputs[k]): s for k, s in steps.items()}
    return answers


def _interpreter() -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter

        return Interpreter
    except ImportError:
        pass
    tf = import_tensorflow()
    if not hasattr(tf.lite, "Interpreter"):
        raise NotRunnable(
            "LiteRT is not installed: pip install 'tf-graphscope[tflite]'"
        )
    return tf.lite.Interpreter
