"""Model -> everything that is inferred of it (stages.py) and made of it. The command line asks this class and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import GraphscopeError, NotRunnable, UnsafeModel
from ..graph import Layer, Model, Tensor, TensorSpec
from ..read import load
from .documents import describe_findings, describe_model, summary_lines
from .page import page_of
from .progress import announce
from .sources import check_targets
from .tables import Tables

if TYPE_CHECKING:
    from ..export import ExportReport, Request
    from ..freeze import FreezeReport
    from ..match import Explanation
    from ..match.pattern import Pattern
    from ..render import Drawing
    from ..render.keras import KerasReport
    from ..verify import Verification
    from .diff import ComparisonReport


class Analysis(Tables):
    """A model, what is inferred of it, and what can be made of that: reports, drawings, Keras source, a frozen graph.

    See Stages for the options, Tables for its tables.

    >>> analysis = Analysis(load("model.pb"), outputs=["logits/BiasAdd"])
    >>> analysis
    <Analysis of model.pb: GraphDef, 3 layers, 67 parameters>
      input: images:0 float32 (?, 4), data
      output: probs:0 float32 (...), prediction
      output: logits/BiasAdd:0 float32 (?, 3), scores
    >>> analysis.freeze("logits.pb").outputs
    ('logits/BiasAdd:0',)
    """

    def __repr__(self) -> str:
        """What it is in a few lines: origin, sizes, inputs, outputs; the file's name alone where it cannot be told."""
        try:
            facts = describe_model(self)
        except GraphscopeError as error:
            return f"<Analysis of {self.title}: {error}>"
        return "\n".join(summary_lines(self.title, facts))

    def _repr_html_(self) -> str:
        """What a notebook shows: a card, and the page to explore in a frame."""
        from ..render.html.notebook import to_cell

        drawing = self.drawing(report=True)
        return to_cell(page_of(self, drawing, self.at_level("block")))

    @cached_property
    def blocks(self) -> tuple[Any, ...]:
        """The parts of the layer graph in order: layers, and regions that repeat."""
        from ..infer.blocks.find import find_blocks

        return tuple(find_blocks(self.layer_graph).parts)

    def explain(self, pattern: str, node: str) -> str:
        """Why a pattern does or does not match at a node, in words."""
        from ..infer.layers.explanation import explain_ops
        from ..infer.recurrence.settle import explain_loop
        from ..patterns import layers

        if loop := explain_loop(self.state_after("loops_to_layers"), pattern, node):
            return loop
        of_layers = [p for p in layers() if p.is_above and pattern in (p.name, p.op)]
        of_ops = [p for p in layers() if not p.is_above]
        if of_layers and not self.model.layered:
            above = self._explained_above(of_layers, pattern, node)
            also = any(pattern in (p.name, p.op) for p in of_ops)
            if above.matched or not also or node not in self.flat.graph:
                return str(above)
        at = self._existing(node).node
        graph = self.graph if at in self.graph else self.flat.graph
        below = explain_ops(
            graph, self.flat, self.specs, self.outputs, of_ops, pattern, at
        )
        answers = [above] if of_layers and not below[0].matched else below
        return "\n".join(map(str, answers))

    def explain_family(self, title: str) -> str:
        """Why the weights are, or are not, those of a known architecture; raises GraphError where none is called so."""
        from ..families.explanation import explain_family

        return explain_family(self.model, title)

    def _explained_above(
        self, patterns: Sequence[Pattern], pattern: str, node: str
    ) -> Explanation:
        """The same for formulas over layers, in the graph of layers; ``node`` may be a layer or one of its ops."""
        from ..infer.layers.layer_view import home_of, layer_view
        from ..match import explain

        view = layer_view(self.state_after("gather_biases"))
        at = node if node in view.graph else home_of(view.graph, self._existing(node))
        return explain(view.graph, patterns, pattern, at, view=view)

    def drawing(self, level: str = "layer", report: bool = False) -> Drawing:
        """What a renderer is given; with ``report`` also all that ``inspect`` says."""
        from ..ops.constants import Constants
        from ..render import Drawing

        return Drawing(
            self.at_level(level),
            specs=self.specs,
            level=level,
            title=self.title,
            inputs=self.model_inputs,
            outputs=self.outputs,
            roles=self.roles,
            model=self.flat,
            facts=describe_model(self) | describe_findings(self) if report else {},
            values=Constants(self.graph, self.flat).value,
            blocks=self.blocks,
        )

    @property
    def title(self) -> str:
        """What the model is called: its file, of a SavedModel the folder."""
        source = Path(self.model.source)
        whole = source.stem == "saved_model" and source.parent.name
        return source.parent.name if whole else source.name

    def render(
        self, path: str | Path, level: str = "layer", statistics: bool = False
    ) -> None:
        """Write the model in the format that the suffix of ``path`` names; with ``statistics`` a page has the histograms of
        all weights, for which their values are read.
        """
        from ..render import write

        check_targets(self.model, [path])
        suffix = Path(path).suffix.lower()
        drawing = self.drawing(
            level, report=suffix in (".html", ".htm", ".md", ".json")
        )
        if suffix in (".html", ".htm"):
            drawing = page_of(self, drawing, self.at_level("block"), statistics)
        announce(f"drawing {path}")
        write(drawing, path)

    def compare(self, other: Analysis, weights: bool = True) -> ComparisonReport:
        """This model beside another: layers aligned by structure, weights by their values (which are all read)."""
        from .diff import ComparisonReport, compare_models

        comparison = compare_models(self, other, weights)
        return ComparisonReport(comparison, other.drawing(report=True))

    def freeze(self, path: str | Path, **options: Any) -> FreezeReport:
        """Write a frozen ``.pb``: what the outputs need, variables replaced by constants."""
        from ..freeze import freeze_model

        check_targets(self.model, [path])
        wishes = {"inputs": self.wanted_inputs, "roles": self.roles, **options}
        announce(f"freezing to {path}")
        return freeze_model(self.flat, self.sure_outputs(), str(path), **wishes)

    def measure_reduction(self, path: str | Path, **options: Any) -> Verification:
        """Run the frozen ``path`` beside what ``freeze`` writes without the options that made it smaller.

        Needs TensorFlow.
        """
        from ..verify import measure_reduction

        wishes = {"inputs": self.wanted_inputs, **options}
        return measure_reduction(self.flat, self.sure_outputs(), path, **wishes)

    def export(
        self,
        place: str | Path,
        target: str,
        verify: bool = True,
        trust: bool = False,
        weights: str = "auto",
        as_is: bool = False,
        **wishes: Any,
    ) -> ExportReport:
        """Write the model for another runtime, and prove it there; ``wishes`` as ``export_model`` has them.

        All signatures that the file declares, unless outputs were asked for. What holds layers and no ops (a Keras file, a known family's
        checkpoint) goes through Keras first.
        """
        from ..export import export_keras, export_model, saved_by_keras

        if target == "keras":
            prove = partial(self.prove, trust=trust, in_child=True) if verify else None
            source = self.model.source
            chosen = partial(self.write_keras, weights=weights)
            return export_keras(source, place, chosen, prove, **wishes)
        doing = f"exporting to {target}, and running both" if verify else "exporting"
        if not (self.model.layered or self.model.inferred):
            request = self._request(verify, trust, weights, as_is)
            announce(doing)
            return export_model(request, target, place, **wishes)
        whole, source = self.model.topology is not None, self.model.source
        announce("saving the model by Keras")
        with saved_by_keras(source, self.write_keras, trust, whole) as folder:
            saved = Analysis(load(folder), shapes=self.given_shapes)
            request = saved._request(verify, trust, weights, as_is)
            request = replace(request, source=self.model.source)
            announce(doing)
            return export_model(request, target, place, **wishes)

    def _request(self, verify: bool, trust: bool, weights: str, as_is: bool) -> Request:
        """What ``export_model`` is to write."""
        from ..export import Request
        from ..infer.outputs.signatures import declared_signatures

        wanted = bool(self.wanted_outputs) or not declared_signatures(self.flat)
        freezing = {"inputs": self.wanted_inputs, "roles": self.roles}
        return Request(
            self.flat,
            self.sure_outputs() if wanted else (),
            wanted,
            {**freezing, "weights": weights, "as_is": as_is},
            self.original if verify else None,
            trust,
            self.given_shapes,
        )

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
        ``"ema"`` insists on them.
        """
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
            whole = Analysis(chained(self.model))
            whole.open_choices = open_choices(whole.model.graph)
            return whole.write_keras(folder, incomplete)
        if averaged := self._averaged(weights):
            report = averaged.write_keras(folder, incomplete)
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
            guesses=self.guesses,
            incomplete=incomplete,
        )
        if self.averages:
            report = replace(report, choice_of_weights="ema")
        self.named = {
            step.name: str(payload.output)
            for step in report.source.program.steps
            if step.node in self.layer_graph
            and isinstance(payload := self.layer_graph.node(step.node), Layer)
        }
        return report

    @property
    def guesses(self) -> tuple[str, ...]:
        """What was assumed of the inputs, in words."""
        if self.family.claim is not None:
            return self.family.claim.conventions
        if self.model.layered:
            return self.open_choices
        implied = {n: i for n, i in self.implied.items() if i.is_guess}
        said = (
            f"{name!r} has the shape {self.specs[Tensor(name)].shape}: {each.evidence}"
            for name, each in implied.items()
            if name not in self.given_shapes
        )
        modes = (f"{name!r} is {value!r}" for name, value in self.modes.items())
        return (*said, *modes, *self._shared_batch(), *self._choice_of_weights())

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

    def _averaged(self, choice: str) -> Analysis | None:
        """The same with the moving averages of its weights in their place; None where it has none, or ``choice`` is against it."""
        from ..freeze.variables.choice import chosen

        averages = {} if self.averages else chosen(self.flat, choice)
        if not averages:
            return None
        model = replace(self.model, keys={**self.model.keys, **averages})
        other = Analysis(
            model, self.wanted_outputs, self.wanted_inputs, self.given_shapes
        )
        other.averages = averages
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
        from ..verify import apart, compare

        if self.family.claim is not None or self.model.inferred:
            claim = self.family.claim
            wiring = f"that of {claim.family.title}" if claim else "assumed"
            raise NotRunnable(
                f"{self.model.source} holds weights alone, so there is nothing to run beside the source: its wiring is "
                f"{wiring}"
            )
        record = Path(folder, "verification.json")
        work = partial(
            compare,
            self.original,
            str(folder),
            trust=trust,
            outputs=() if self._is_described() else self.sure_outputs(),
            shapes=self.given_shapes,
            layers=self.named,
        )
        announce("running both models")
        try:
            proof = apart(work) if in_child else work()
        except GraphscopeError as error:
            told = isinstance(error, NotRunnable | UnsafeModel)
            verdict = {"passed": None if told else False, "reason": str(error)}
            record.write_text(json.dumps(verdict, indent=2) + "\n")
            raise
        record.write_text(json.dumps(proof.to_json(), indent=2) + "\n")
        return proof


def analyse(model: Model | str | Path, **options: Any) -> Analysis:
    """What is inferred of a model or of the file at a path; see Analysis for the options.

    Raises GraphscopeError where the file cannot be read.

    >>> analyse("model.pb", shapes={"images": (1, 4)}).specs[Tensor("probs")].shape
    (1, 3)
    """
    opened = model if isinstance(model, Model) else load(str(model))
    return Analysis(opened, **options)
