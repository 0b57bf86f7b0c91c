"""OpenVINO's IR (``model.xml`` and ``model.bin``), by its own converter from our SavedModel; no TensorFlow is needed to write it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import GraphscopeError, NotRunnable
from ...verify.import_tensorflow import silence
from ...verify.run.runner import Runner
from ..bundle.saved import saved_model
from ..convert.functional import functional
from ..convert.op_lists import OPENVINO
from ..convert.refusals import lacks, refusal
from ..frozen import Frozen
from ..frozen.spelling import spelt
from ..options import Options
from ..proof.called import CalledRunner
from ..proof.endpoints import Endpoints
from ..report import Lack

NAME = "openvino"
SUMMARY = "OpenVINO's intermediate representation"
RUNTIME = "OpenVINO"
EXTRA = "openvino"
NEEDS: tuple[str, ...] = ("openvino",)
IS_FOLDER = True
MARK = "model.xml"
WISHES: frozenset[str] = frozenset()
QUANTIZE: tuple[str, ...] = ()
ONE_SIGNATURE = True


def unsupported(frozen: Frozen) -> list[Lack]:
    """The ops that the converter does not know; the forms of an op that it lacks it says itself."""
    return lacks(frozen, OPENVINO)


def write(frozen: Frozen, place: Path, options: Options) -> list[str]:
    """Write the folder ``place``; loops as functions, as the file has them where OpenVINO does not know them so.

    Raises NotExpressible where the converter lacks an op.
    """
    frozen = spelt(frozen, OPENVINO)
    lifted = functional(frozen)
    forms = [frozen] if lifted is frozen else [lifted, frozen]
    failures = []
    for form in forms:
        try:
            model = _converted(form, place)
        except GraphscopeError as error:
            failures.append(error)
            continue
        place.mkdir(exist_ok=True)
        _save(model, place / MARK)
        return []
    raise failures[-1]


def _converted(frozen: Frozen, place: Path) -> Any:
    import openvino
    from openvino import frontend

    refusals: tuple[type[Exception], ...] = (
        frontend.GeneralFailure,
        frontend.OpConversionFailure,
    )
    refusals += (frontend.OpValidationFailure, frontend.NotImplementedFailure)
    with saved_model(frozen, place) as folder, silence():
        try:
            return openvino.convert_model(folder)
        except (RuntimeError, ValueError, TypeError, *refusals) as error:
            failed = refusal(frozen, RUNTIME, str(error))
    raise failed


def _save(model: object, path: Path) -> None:
    import openvino

    with silence():
        try:
            openvino.save_model(model, str(path), compress_to_fp16=False)
        except RuntimeError as error:  # what a full disk is to its C++ streams
            raise OSError(f"OpenVINO: {error}; is the disk full?") from None


def run(place: Path, frozen: Frozen, signature: str) -> Runner:
    """The folder in OpenVINO, on the processor, in the precision that it was written in."""
    try:
        import openvino
    except ImportError:
        raise NotRunnable(
            "OpenVINO is not installed: pip install 'tf-graphscope[openvino]'"
        ) from None
    named = frozen.signatures[signature]
    with silence():
        try:
            compiled = openvino.Core().compile_model(
                str(place / MARK), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
            )
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1][:400]
            raise GraphscopeError(f"{RUNTIME} does not load it: {reason}") from None
    inputs = {k: _port(compiled.inputs, k, str(t)) for k, t in named.inputs.items()}
    outputs = {k: _port(compiled.outputs, k, str(t)) for k, t in named.outputs.items()}

    def call(feeds: Any) -> Any:
        arguments = {inputs[k]: v for k, v in feeds.items() if inputs[k] is not None}
        answer = compiled(arguments)
        return {key: answer[port] for key, port in outputs.items()}

    ends = Endpoints.of(frozen, named)
    return CalledRunner(ends, str(place), RUNTIME, call)


def _port(ports: Any, key: str, tensor: str) -> object:
    """The port that bears the signature's name, or the tensor's; None where it was optimised away."""
    for port in ports:
        if {key, tensor, tensor.removesuffix(":0")} & set(port.get_names()):
            return port
    return None
