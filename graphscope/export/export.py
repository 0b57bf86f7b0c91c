"""The export itself: Model and target -> files, and the report that says what was done and proven."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..freeze.stream import write_graph
from ..graph import Model, Shape, Signature, Tensor
from ..graph.named_values import Document
from ..verify import apart
from .frozen import Frozen, alone, freeze_signatures
from .frozen.body import bytes_of
from .frozen.cuts import lacking
from .options import Options
from .place import check_free, size_of, write_beside
from .proof.examples import example_files
from .proof.prove import prove
from .registry import Target, check_installed, check_wishes, target_of
from .report import ExportReport, Proof


@dataclass(frozen=True)
class Request:
    """What is to be exported: the inlined ``model``, its ``outputs`` (the only signature where they are ``wanted``) and how it is frozen.

    ``reference`` is what the export is proven against: a path or a Model; None proves nothing. ``shapes`` are those of inputs that the
    file leaves open; ``source`` is the user's own file, where the model was read from something made of it.
    """

    model: Model
    outputs: Sequence[Tensor] = ()
    wanted: bool = False
    freezing: Mapping[str, Any] = field(default_factory=dict)
    reference: Any = None
    trust: bool = False
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    source: str = ""


def export_model(
    request: Request,
    name: str,
    place: str | Path,
    force: bool = False,
    **wishes: Any,
) -> ExportReport:
    """Write a model for the target ``name`` at ``place``, and prove it there; ``wishes`` are the fields of Options.

    Raises GraphscopeError where the target is unknown, lacks a package or was asked for what it does not do; WouldOverwrite where something
    stands at ``place``; NotExpressible, before anything heavy is imported, where the target lacks an op.
    """
    target, options, path = target_of(name), Options(**wishes), Path(place)
    check_wishes(target, options)
    for examples in (options.feeds, options.calibrate):
        list(example_files(examples))  # raises before anything is read or imported
    source = request.source or request.model.source
    check_free(path, source, force, partial(_is_own, target))
    frozen = _frozen(target, request)
    lacks = target.unsupported(frozen)
    if lacks:
        raise lacking(target.RUNTIME, frozen, lacks)
    check_installed(target)
    make = partial(_make, target, frozen, options, request)
    remarks, proof = write_beside(path, make)
    return replace(_report(target, frozen, path, remarks), verified=proof)


def _is_own(target: Target, place: Path) -> bool:
    """Whether an earlier export of this kind stands there."""
    if target.IS_FOLDER:
        return (place / target.MARK).is_file()
    return place.is_file() and place.suffix == target.MARK


def _frozen(target: Target, request: Request) -> Frozen:
    frozen = freeze_signatures(
        request.model, request.outputs, request.wanted, **request.freezing
    )
    if not target.ONE_SIGNATURE:
        return frozen
    name, _ = frozen.signature()
    others = ", ".join(sorted(frozen.signatures.keys() - {name}))
    note = f"of its signatures only {name!r} is written (--signature): not {others}"
    single = alone(frozen, name)
    return replace(single, remarks=(*single.remarks, note)) if others else single


def _report(
    target: Target, frozen: Frozen, place: Path, remarks: Sequence[str]
) -> ExportReport:
    first = frozen.signature()[1]
    return ExportReport(
        path=str(place),
        target=target.NAME,
        signatures={n: _described(s) for n, s in frozen.signatures.items()},
        inputs=tuple(first.inputs),
        outputs=tuple(first.outputs),
        bytes=size_of(place),
        bytes_before=bytes_of(frozen.graph),
        changed=frozen.changes,
        weights=frozen.weights,
        remarks=(*frozen.remarks, *remarks),
    )


def _described(signature: Signature) -> dict[str, object]:
    def side(tensors: Mapping[str, Tensor]) -> Document:
        specs = {key: signature.specs[tensor] for key, tensor in tensors.items()}
        return {k: {"dtype": s.dtype, "shape": s.shape} for k, s in specs.items()}

    return {"inputs": side(signature.inputs), "outputs": side(signature.outputs)}


def _make(
    target: Target, frozen: Frozen, options: Options, request: Request, part: Path
) -> tuple[list[str], Proof | None]:
    """Write the file or folder ``part`` and prove it: what there is to say of it, and the proof.

    Converters and runtimes are large and may end their process, so they have one of their own.
    """

    def write() -> list[str]:
        return target.write(frozen, part, options)

    def proven() -> Proof | None:
        return _proof(target, frozen, part, options, request)

    if not target.NEEDS:
        return write(), apart(proven)
    return apart(lambda: (write(), proven()))


def _proof(
    target: Target, frozen: Frozen, place: Path, options: Options, request: Request
) -> Proof | None:
    if request.reference is None:
        return None
    with _reference(frozen, request) as (source, remarks):
        proof = prove(
            target, place, frozen, options, source, request.trust, request.shapes
        )
    return replace(proof, remarks=(*remarks, *proof.remarks))


@contextmanager
def _reference(
    frozen: Frozen, request: Request
) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """What the export is compared with: the source, or its frozen graph where that computes with other weights."""
    if frozen.weights != "ema":
        yield request.reference, ()
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "frozen.pb"
        write_graph(frozen.graph, path, frozen.functions, frozen.versions)
        note = "compared with the frozen graph: the source itself computes with the raw weights, not their moving averages"
        yield path, (note,)
