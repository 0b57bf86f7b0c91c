"""Model -> everything that is inferred of it (stages.py) and made of it. The command line asks this class and nothing else."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import GraphscopeError
from ..graph import Model
from ..graph.named_values import Document
from ..read import load
from ..read.model_files import check_targets
from .documents import (
    describe_findings,
    describe_model,
    named_layers,
    shape_text,
)
from .keras import KerasWriting
from .page import page_of
from .progress import announce

if TYPE_CHECKING:
    from ..export import ExportReport, Request
    from ..freeze import FreezeReport
    from ..render import Drawing
    from ..verify import Verification
    from .diff import ComparisonReport


class Analysis(KerasWriting):
    """A model, what is inferred of it, and what can be made of that: reports, drawings, Keras source, a frozen graph.

    See Stages for the options, Tables for its tables, KerasWriting for Keras source.

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

    def explain(self, pattern: str, node: str) -> str:
        """Why a pattern does or does not match, in words: at a node, or at a layer as ``layers`` names it."""
        from ..infer.layers.explanation import explain_at

        return explain_at(self, dict(named_layers(self)), pattern, node)

    def explain_layer(self, name: str) -> str:
        """What a layer is, as ``layers`` names it, and what it was recovered from; raises GraphError where there is none."""
        from ..infer.layers.explanation import explain_layer

        return explain_layer(dict(named_layers(self)), name)

    def has_layer(self, name: str) -> bool:
        """Whether ``layers`` names a layer so."""
        return name in dict(named_layers(self))

    def explain_family(self, title: str) -> str:
        """Why the weights are, or are not, those of a known architecture; raises GraphError where none is called so."""
        from ..families.explanation import explain_family

        return explain_family(self.model, title)

    def drawing(
        self, level: str = "layer", report: bool = False, repeats: bool = False
    ) -> Drawing:
        """What a renderer is given; with ``report`` also all that ``inspect`` says; with this or
        ``repeats`` the parts that repeat.
        """
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
            blocks=self.blocks if report or repeats else (),
            find=self.find_repeats,
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
            level,
            report=suffix in (".html", ".htm", ".md", ".json"),
            repeats=suffix == ".py",
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

    def freeze(self, path: str | Path, **options: object) -> FreezeReport:
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

        is_asked = bool(self.wanted_outputs) or not declared_signatures(self.flat)
        freezing = {"inputs": self.wanted_inputs, "roles": self.roles}
        return Request(
            self.flat,
            self.sure_outputs() if is_asked else (),
            is_asked,
            {**freezing, "weights": weights, "as_is": as_is},
            self.original if verify else None,
            trust,
            self.given_shapes,
        )


def analyse(model: Model | str | Path, **options: Any) -> Analysis:
    """What is inferred of a model or of the file at a path; see Analysis for the options.

    Raises GraphscopeError where the file cannot be read.

    >>> analyse("model.pb", shapes={"images": (1, 4)}).specs[Tensor("probs")].shape
    (1, 3)
    """
    opened = model if isinstance(model, Model) else load(str(model))
    return Analysis(opened, **options)


def summary_lines(title: str, facts: Document) -> list[str]:
    """A model in a few lines of text, from ``describe_model``."""
    layers = sum(facts["layers"].values())
    sizes = f"{layers:,} layers, {facts['parameters']:,} parameters"
    lines = [f"<Analysis of {title}: {facts['format']}, {sizes}>"]
    for word in ("inputs", "outputs"):
        ends = [e for e in facts[word] if e["kind"] not in ("file name", "not needed")]
        for each in ends[:4]:
            spec = f"{each['tensor']} {each['dtype']} {shape_text(each['shape'])}"
            spec += f", {each['kind']}"
            lines.append(f"  {word[:-1]}: {spec}")
    count = len(facts["findings"])
    return lines + ([f"  findings: {count}"] if count else [])
