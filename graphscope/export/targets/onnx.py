"""ONNX, by tf2onnx from our frozen graph; ONNX Runtime runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import GraphscopeError, NotRunnable
from ...verify.import_tensorflow import import_tensorflow, silence
from ...verify.run.runner import Runner
from ...wire.write import to_graph_def
from ..convert.counted_loops import LOOPS, with_counted_loops
from ..convert.functional import functional
from ..convert.op_lists import ONNX
from ..convert.refusals import lacks, refusal
from ..frozen import Frozen
from ..frozen.body import bytes_of
from ..frozen.cuts import lacking
from ..frozen.spelling import spelt
from ..options import Options
from ..proof.called import CalledRunner
from ..proof.endpoints import Endpoints
from ..report import Lack

NAME = "onnx"
SUMMARY = "an ONNX model"
RUNTIME = "ONNX Runtime"
EXTRA = "onnx"
NEEDS: tuple[str, ...] = ("tensorflow", "tf2onnx", "onnx")
IS_FOLDER = False
MARK = ".onnx"
WISHES: frozenset[str] = frozenset()
QUANTIZE: tuple[str, ...] = ()
ONE_SIGNATURE = True
OPSET = 17
MOST_BYTES = (1 << 31) - 1  # protobuf's own limit for one message


def unsupported(frozen: Frozen) -> list[Lack]:
    """The ops that the converter does not know; the forms of an op that it lacks it says itself."""
    return lacks(frozen, ONNX)


def write(frozen: Frozen, place: Path, options: Options) -> list[str]:
    """Write the file ``place``; loops as the file has them, as functions where tf2onnx does not know them so.

    Raises GraphscopeError where the file would be too large, NotExpressible where the converter lacks an op.
    """
    if bytes_of(frozen.graph) > MOST_BYTES:
        raise GraphscopeError("an .onnx holds at most 2 GB: use --to savedmodel")
    frozen = spelt(frozen, ONNX)
    lifted = functional(frozen)
    if next(lifted.graph.by_op(*LOOPS), None) is not None:
        lifted = with_counted_loops(lifted, frozen)
    forms = [frozen] if lifted is frozen else [lifted, frozen]
    failures = []
    for form in forms:
        try:
            model = _converted(form)
            _check_converted(model.graph, form)
        except GraphscopeError as error:
            failures.append(error)
            continue
        _call_by_keys(model.graph, form)
        place.write_bytes(model.SerializeToString())
        if form is forms[-1] or _loads(place):
            return []
    raise failures[-1]


def _loads(place: Path) -> bool:
    """Whether ONNX Runtime takes the file; where it is not installed nobody knows."""
    try:
        _session(place)
    except NotRunnable:
        return True
    except GraphscopeError:
        return False
    return True


def _converted(frozen: Frozen) -> Any:
    """The ModelProto of tf2onnx, whose tensors bear TensorFlow's names."""
    tf = import_tensorflow()
    (signature,) = frozen.signatures.values()
    message = to_graph_def(frozen.graph, frozen.functions, frozen.versions)
    graph_def = tf.compat.v1.GraphDef.FromString(message.SerializeToString())
    with silence():
        import tf2onnx

        try:
            model, _ = tf2onnx.convert.from_graph_def(
                graph_def,
                input_names=list(map(str, signature.inputs.values())),
                output_names=list(map(str, signature.outputs.values())),
                opset=OPSET,
            )
        except (ValueError, RuntimeError, TypeError, KeyError, AttributeError) as error:
            failed = refusal(frozen, RUNTIME, str(error))
        except (tf.errors.OpError, AssertionError, IndexError) as error:
            failed = refusal(frozen, RUNTIME, str(error) or type(error).__name__)
        else:
            return model
    raise failed


def _check_converted(graph: Any, frozen: Frozen) -> None:
    """tf2onnx leaves what it does not know in the graph, under TensorFlow's name for it, and says nothing."""
    import onnx

    left = {n.op_type for n in graph.node if not onnx.defs.has(n.op_type, n.domain)}
    body = frozen.graph
    lacks = [Lack(body.op(name), name) for name in body if body.op(name) in left]
    if lacks:
        raise lacking(RUNTIME, frozen, lacks)


def _call_by_keys(graph: object, frozen: Frozen) -> None:
    """Give inputs and outputs the names of the signature, in place."""
    (signature,) = frozen.signatures.values()
    sides = (signature.inputs, signature.outputs)
    names = {str(t): key for side in sides for key, t in side.items()}
    _rename(graph, {old: new for old, new in names.items() if old != new})


def _rename(graph: Any, names: dict[str, str]) -> None:
    for value in (*graph.input, *graph.output, *graph.value_info):
        value.name = names.get(value.name, value.name)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _rename(attribute.g, names)


def _session(place: Path) -> Any:
    """An InferenceSession on the processor; raises NotRunnable without ONNX Runtime, GraphscopeError where that refuses the file."""
    try:
        import onnxruntime
    except ImportError:
        raise NotRunnable(
            "ONNX Runtime is not installed: pip install 'tf-graphscope[onnx]'"
        ) from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(
            str(place), options, providers=["CPUExecutionProvider"]
        )
    except _failures() as error:
        reason = str(error).splitlines()[0][:400]
        raise GraphscopeError(f"{RUNTIME} does not load it: {reason}") from None


def _failures() -> Any:
    """What ONNX Runtime raises."""
    from onnxruntime.capi import onnxruntime_pybind11_state as states

    failures = (states.InvalidGraph, states.Fail, states.NotImplemented)
    return (*failures, states.InvalidArgument, states.RuntimeException, RuntimeError)


def run(place: Path, frozen: Frozen, signature: str) -> Runner:
    """The file in ONNX Runtime, on the processor."""
    session = _session(place)
    names = [each.name for each in session.get_outputs()]
    inputs = {each.name for each in session.get_inputs()}

    def call(feeds: Any) -> Any:
        arguments = {key: value for key, value in feeds.items() if key in inputs}
        try:
            return dict(zip(names, session.run(names, arguments)))
        except _failures() as error:
            raise RuntimeError(str(error)) from None

    ends = Endpoints.of(frozen, frozen.signatures[signature])
    return CalledRunner(ends, str(place), RUNTIME, call)
