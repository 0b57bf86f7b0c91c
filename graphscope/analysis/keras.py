"""The recovered model as Keras source: one model, or one for each signature of the file; and the proof of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..errors import GraphscopeError, NotRunnable, UnsafeModel
from ..graph import Layer, Model, Signature, Tensor, TensorSpec
from ..graph.named_values import Row
from ..read.model_files import check_targets
from .progress import announce
from .tables import Tables

if TYPE_CHECKING:
    from ..render.keras import KerasReport
    from ..verify import Verification


class KerasWriting(Tables):
    """The layers of a model as ``model.py`` and its weights.

    Of a file with several signatures all are written: one model that has the inputs and outputs of all, and
    ``signatures(model)``, which makes one of each out of its layers.
    """

    signatures: Mapping[str, Signature] = {}  # those that this analysis has together
    left_out: tuple[str, ...] = ()  # signatures that cannot be written, each with why

    @cached_property
    def blocks(self) -> tuple[object, ...]:
        """The parts of the layer graph in order: layers, and regions that repeat."""
        from ..infer.blocks.find import find_blocks

        return tuple(find_blocks(self.layer_graph).parts)

    @staticmethod
    def find_repeats(*statements: Any) -> tuple[Any, ...]:
        """The parts of a program that repeat; imported where a program is written."""
        from ..infer.blocks.find import repeats_of

        return repeats_of(*statements)

    @property
    def original(self) -> Model | str:
        """What TensorFlow can be given to run: the file, or the model where it was joined from several places."""
        source = self.model.source
        whole = Path(source).exists() or Path(f"{source}.index").exists()
        return self.model if self.joined or not whole else source

    def write_keras(
        self, folder: str | Path, incomplete: bool = False, weights: str = "auto"
    ) -> KerasReport:
        """Write ``model.py`` and ``model.weights.h5`` into a folder; with ``incomplete`` the former alone where weights are missing.

        ``weights`` are those that ``freeze`` takes: ``"auto"`` the moving averages of weights where the file has some, ``"raw"`` never,
        ``"ema"`` insists on them. A signature that cannot be written is left out, and the remarks say why, unless there is no other.
        """
        whole = self.of_signatures
        try:
            return whole._write(folder, incomplete, weights)
        except GraphscopeError:
            if not whole.signatures:
                raise
            faults = whole._faults(incomplete, weights)
            if not faults or faults.keys() == whole.signatures.keys():
                raise
        left = {k: s for k, s in whole.signatures.items() if k not in faults}
        self.of_signatures = narrower = self._together(left)
        narrower.left_out = whole.left_out + tuple(
            f"signature {name!r} is left out: {why}" for name, why in faults.items()
        )
        return narrower._write(folder, incomplete, weights)

    @cached_property
    def of_signatures(self) -> KerasWriting:
        """The analysis of all that the declared signatures yield; this one where outputs were asked for, or there are no two."""
        from ..infer.outputs.same_signatures import same_signatures
        from ..infer.outputs.signatures import (
            declared_signatures,
            no_models,
        )

        asked = self.wanted_outputs or self.wanted_inputs
        if asked or self.model.layered or self.model.inferred:
            return self
        declared = declared_signatures(self.flat)
        same = same_signatures(self.flat.graph, declared)
        declared = {k: s for k, s in declared.items() if k not in same}
        if len(declared) < 2:
            return self
        unfit = no_models(self.flat.graph, declared)
        models = {k: s for k, s in declared.items() if k not in unfit} or declared
        whole = self._together(models)
        whole.left_out = tuple(
            f"signature {name!r} is {other!r} once more" for name, other in same.items()
        )
        whole.left_out += tuple(
            f"signature {name!r} is left out: {why} (--signature {name} writes it)"
            for name, why in (unfit.items() if models is not declared else ())
        )
        return whole

    def _together(self, signatures: Mapping[str, Signature]) -> KerasWriting:
        ends = (t for s in signatures.values() for t in s.outputs.values())
        outputs = dict.fromkeys(map(str, ends))
        shapes, joined = self.given_shapes, self.joined
        whole = type(self)(self.file, outputs, shapes=shapes, joined=joined)
        whole.signatures = signatures
        return whole

    def _faults(self, incomplete: bool, weights: str) -> dict[str, str]:
        """Why a signature cannot be written by itself, of each that cannot."""
        from tempfile import TemporaryDirectory

        faults = {}
        for name, signature in self.signatures.items():
            with TemporaryDirectory() as folder:
                try:
                    alone = self._together({name: signature})
                    alone._write(folder, incomplete, weights)
                except GraphscopeError as error:
                    faults[name] = str(error)
        return faults

    def _complete_signatures(self) -> dict[str, Signature]:
        """The signatures with all inputs that their outputs need, and no others; none where there is but one model."""
        if len(self.signatures) < 2:
            return {}
        return {
            name: replace(signature, inputs=self._read_by(signature))
            for name, signature in self.signatures.items()
        }

    def _read_by(self, signature: Signature) -> dict[str, Tensor]:
        ends = [tensor.node for tensor in signature.outputs.values()]
        needed = self.graph.upstream(ends)
        read = [tensor for tensor in self.model_inputs if tensor.node in needed]
        declared = {k: t for k, t in signature.inputs.items() if t in read}
        others = {t.node: t for t in read if t not in declared.values()}
        return declared | others

    @staticmethod
    def pack_keras(report: KerasReport) -> Path:
        """One ``model.keras`` in place of the weights that ``write_keras`` wrote, without Keras; its path. Raises as ``render.keras.pack``."""
        from ..render.keras import pack

        return pack(report.source, report.path)

    def _write(self, folder: str | Path, incomplete: bool, weights: str) -> KerasReport:
        from ..families.open_choices import open_choices
        from ..families.outline import chained
        from ..infer.layers.loops import check_loops
        from ..ops.constants import Constants
        from ..render.keras import write_keras
        from ..wire.nodes import check_missing

        written = ("model.py", "model.weights.h5", "weights.npz", "model.keras")
        check_targets(self.model, [Path(folder, name) for name in written])
        if (
            self.model.inferred
        ):  # weights alone, of no known family: a model that owns them all
            whole = type(self)(chained(self.model))
            whole.open_choices = open_choices(whole.model.graph)
            return whole._write(folder, incomplete, weights)
        if averaged := self._averaged(weights):
            report = averaged._write(folder, incomplete, weights)
            self.named = averaged.named
            return report
        check_loops(self.layer_graph, self.lifted.broken)
        fed = {Tensor.parse(name).node for name in self.wanted_inputs}
        if not incomplete and not self.model.layered:
            check_missing(self.layer_graph, fed, self.model.source)
        report = write_keras(
            self.flat,
            self.layer_graph,
            folder,
            inputs=self.model_inputs,
            outputs=self.sure_outputs(),
            specs=self.specs,
            values=Constants(self.graph, self.flat, specs=self.specs).value,
            blocks=self.blocks,
            find=self.find_repeats,
            guesses=self.guesses,
            signatures=self._complete_signatures(),
            incomplete=incomplete,
            any_rank=self._takes_any_rank(),
        )
        if self.averages:
            report = replace(report, choice_of_weights="ema")
        program, graph = report.source.program, self.layer_graph
        feeds = self._feeds_by_layer_tensor()
        of_inputs = {i.name: str(feeds.get(i.tensor, i.tensor)) for i in program.inputs}
        self.named = of_inputs | {
            step.name: str(payload.output)
            for step in program.steps
            if step.node in graph
            and isinstance(payload := graph.node(step.node), Layer)
        }
        return report

    def _feeds_by_layer_tensor(self) -> dict[Tensor, Tensor]:
        """The feeds by what they are called among the layers, one of which may bear a feed's name."""
        from ..ops import spellings

        raised = self.layer_graph.tensors
        feeds = (Tensor(name) for name in self.graph.by_op(*spellings.PLACEHOLDERS))
        return {raised[feed]: feed for feed in feeds if feed in raised}

    @property
    def guesses(self) -> tuple[str, ...]:
        """What was assumed of the inputs, in words."""
        if self.family.claim is not None:
            return self.family.claim.conventions
        if self.model.layered:
            return self.open_choices
        implied = {n: i for n, i in self.implied.items() if i.is_guess}
        remarks = (
            f"{name!r} has the shape {self.specs[Tensor(name)].shape}: {each.evidence}"
            for name, each in implied.items()
            if name not in self.given_shapes
        )
        modes = (f"{name!r} is {value!r}" for name, value in self.modes.items())
        return (
            *self.left_out,
            *remarks,
            *modes,
            *self._shared_batch(),
            *self._choice_of_weights(),
        )

    def _takes_any_rank(self) -> bool:
        """Whether nothing depends on the rank of an input that the file gives no rank."""
        from ..infer.shapes.any_rank import takes_any_rank
        from ..infer.shapes.forward import infer_facts

        shapes = [self.specs.get(t, TensorSpec()).shape for t in self.model_inputs]
        if None not in shapes and not any(i.is_guess for i in self.implied.values()):
            return False
        producer = self.model.versions.get("producer")
        facts = infer_facts(self.graph, given=self.given_shapes, producer=producer)
        return takes_any_rank(self.graph, facts)

    def _shared_batch(self) -> Iterator[str]:
        """What a formula over layers takes for granted where several inputs leave their first size open."""
        from ..patterns import layers

        over = {pattern.name for pattern in layers() if pattern.is_above}
        if not any(layer.pattern in over for layer in self.layers):
            return
        shapes = ((t, self.specs.get(t, TensorSpec()).shape) for t in self.model_inputs)
        loose = [t.node for t, shape in shapes if shape and shape[0] is None]
        if len(loose) > 1:
            listed = ", ".join(map(repr, loose))
            yield f"{listed} have one batch size, as the inputs of a Keras model do"

    def _choice_of_weights(self) -> Iterator[str]:
        """Which weights these are, where the file holds their moving averages too."""
        from ..freeze.variables.choice import averages_in, choice_text

        averages = self.averages or averages_in(self.flat)
        if used := averages.keys() & set(self.graph):
            yield choice_text(len(used), "ema" if self.averages else "raw")

    def _averaged(self, choice: str) -> Self | None:
        """The same with the moving averages of its weights in their place; None where it has none, or ``choice`` is against it."""
        from ..freeze.variables.choice import chosen

        averages = {} if self.averages else chosen(self.flat, choice)
        if not averages:
            return None
        model = replace(self.model, keys={**self.model.keys, **averages})
        wishes = (self.wanted_outputs, self.wanted_inputs, self.given_shapes)
        other = type(self)(model, *wishes)
        other.averages, other.signatures = averages, self.signatures
        other.left_out = self.left_out
        return other

    def _is_described(self) -> bool:
        """Whether the file describes a Keras model whose own outputs are wanted."""
        from ..render.keras import is_whole

        described = self.model.topology is not None
        return described and is_whole(self.model, self.sure_outputs())

    def prove(
        self, folder: str | Path, trust: bool = False, in_child: bool = False
    ) -> Verification:
        """Run the file, as TensorFlow reads it, and the Keras model written from it on the same inputs.

        A model joined from several places is run as graphscope joined it. Needs TensorFlow; leaves
        ``verification.json`` in the folder. Raises NotRunnable where TensorFlow cannot run the original: then the
        record has the reason, and ``passed`` is null. With ``in_child`` TensorFlow runs in a process of its own, whose
        end is such a reason too.
        """
        from ..verify import apart

        if self.of_signatures is not self:
            return self.of_signatures.prove(folder, trust, in_child)
        if self.family.claim is not None or self.model.inferred:
            claim = self.family.claim
            wiring = f"that of {claim.family.title}" if claim else "assumed"
            raise NotRunnable(
                f"{self.model.source} holds weights alone, so there is nothing to run beside the source: its wiring is "
                f"{wiring}"
            )
        record = Path(folder, "verification.json")
        work = self._comparison(str(folder), trust)
        announce("running both models")
        try:
            proof = apart(work) if in_child else work()
        except GraphscopeError as error:
            is_refusal = isinstance(error, NotRunnable | UnsafeModel)
            verdict = {"passed": None if is_refusal else False, "reason": str(error)}
            record.write_text(json.dumps(verdict, indent=2) + "\n")
            raise
        record.write_text(json.dumps(proof.to_json(), indent=2) + "\n")
        return proof

    def _comparison(self, folder: str, trust: bool) -> Callable[[], Verification]:
        """What is to be done to prove the source in a folder."""
        from ..verify import compare
        from .diff.by_signature import compare_signatures

        wishes: Row = {
            "trust": trust,
            "shapes": self.given_shapes,
            "layers": self.named,
        }
        if len(self.signatures) > 1:
            ends = {n: (*s.outputs.values(),) for n, s in self.signatures.items()}
            return partial(compare_signatures, self.original, folder, ends, **wishes)
        outputs = () if self._is_described() else self.sure_outputs()
        return partial(compare, self.original, folder, outputs=outputs, **wishes)
