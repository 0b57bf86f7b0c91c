"""Model -> everything that is inferred of it (stages.py) and made of it. The command line asks this class and nothing else."""

from __future__ import annotations

import json
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import GraphscopeError, NotRunnable, UnsafeModel
from .graph import Graph, Layer, Model, Tensor
from .read import load
from .stages import Stages

if TYPE_CHECKING:
    from pandas import DataFrame

    from .freeze import FreezeReport
    from .infer.finding import Finding
    from .render import View
    from .render.keras import KerasReport
    from .verify import Verification


class Analysis(Stages):
    """A model, what is inferred of it, and what can be made of that: reports, drawings, Keras source, a frozen graph.

    See Stages for the options.
    """

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What would break or falsify a freeze, worst first, each with its remedy."""
        return self._diagnosed(weights=True)

    @cached_property
    def structural_findings(self) -> tuple[Finding, ...]:
        """Those findings that need no weight to be read."""
        return self._diagnosed(weights=False)

    def _diagnosed(self, weights: bool) -> tuple[Finding, ...]:
        from .infer.findings import diagnose

        return diagnose(
            self.model,
            outputs=self.wanted_outputs,
            weights=weights,
            flat=self.flat,
            training=self.training,
        )

    def at_level(self, level: str) -> Graph:
        """The graph at one altitude: ``op``, ``layer`` or ``block``."""
        if level == "op":
            return self.graph
        if level == "block":
            from .infer.blocks import block_graph

            return block_graph(self.layer_graph)
        return self.layer_graph

    @cached_property
    def blocks(self) -> tuple[Any, ...]:
        """The parts of the layer graph in order: layers, and regions that repeat."""
        from .infer.blocks import find_blocks

        return tuple(find_blocks(self.layer_graph).parts)

    def explain(self, pattern: str, node: str) -> str:
        """Why a pattern does or does not match at a node, in words."""
        from .match import explain
        from .patterns import layers

        tensor = self._existing(node)
        graph = self.graph if tensor.node in self.graph else self.flat.graph
        return str(explain(graph, layers(), pattern, tensor.node, specs=self.specs))

    def drawing(self, level: str = "layer", report: bool = False) -> View:
        """What a renderer is given; with ``report`` also all that ``inspect`` says."""
        from .constants import Constants
        from .render import View
        from .report import describe_model

        return View(
            self.at_level(level),
            specs=self.specs,
            level=level,
            title=Path(self.model.source).name,
            inputs=self.model_inputs,
            outputs=self.outputs,
            roles=self.roles,
            model=self.flat,
            facts=describe_model(self) if report else {},
            values=Constants(self.graph, self.flat).value,
            blocks=self.blocks,
        )

    def render(self, path: str | Path, level: str = "layer") -> None:
        """Write the model in the format that the suffix of ``path`` names."""
        from .render import write

        is_report = Path(path).suffix.lower() in (".html", ".md", ".json")
        write(self.drawing(level, report=is_report), path)

    def layer_table(self, level: str = "layer") -> DataFrame:
        """The layer table as a DataFrame: one row a node of that altitude."""
        from .render.table import to_table

        return to_table(self.at_level(level), self.specs)

    def table(self, level: str = "layer") -> str:
        """The layer table as text; its parameters sum to the total below it."""
        from .render.table import format_table

        return format_table(self.layer_table(level))

    def freeze(self, path: str | Path, **options: Any) -> FreezeReport:
        """Write a frozen ``.pb``: what the outputs need, variables replaced by constants."""
        from .freeze import freeze_model

        wishes = {"inputs": self.wanted_inputs, "roles": self.roles, **options}
        return freeze_model(self.flat, self.sure_outputs(), str(path), **wishes)

    def measure_reduction(self, path: str | Path, **options: Any) -> Verification:
        """Run the frozen ``path`` beside what ``freeze`` writes without the options that made it smaller.

        Needs TensorFlow.
        """
        from .verify import measure_reduction

        wishes = {"inputs": self.wanted_inputs, **options}
        return measure_reduction(self.flat, self.sure_outputs(), path, **wishes)

    def write_keras(self, folder: str | Path) -> KerasReport:
        """Write ``model.py`` and ``model.weights.h5`` into a folder."""
        from .constants import Constants
        from .infer.loops import check_loops
        from .render.keras import write_keras

        check_loops(self.layer_graph, self.lifted.broken)
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
        )
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
        if self.model.layered:
            return ()
        implied = {n: i for n, i in self.implied.items() if i.is_guess}
        said = (
            f"{name!r} has the shape {self.specs[Tensor(name)].shape}: {found.evidence}"
            for name, found in implied.items()
            if name not in self.given_shapes
        )
        modes = (f"{name!r} is {value!r}" for name, value in self.modes.items())
        return (*said, *modes)

    def prove(
        self, folder: str | Path, trust: bool = False, in_child: bool = False
    ) -> Verification:
        """Run the file, as TensorFlow reads it, and the Keras model written from it on the same inputs.

        A model joined from several places is run as graphscope joined it. Needs TensorFlow; leaves
        ``verification.json`` in the folder. Raises NotRunnable where TensorFlow cannot run the original: then the
        record has the reason, and ``passed`` is null. With ``in_child`` TensorFlow runs in a process of its own, whose
        end is such a reason too.
        """
        from .verify import apart, compare

        record = Path(folder, "verification.json")
        whole = (
            Path(self.model.source).exists()
            or Path(f"{self.model.source}.index").exists()
        )
        work = partial(
            compare,
            self.model if self.joined or not whole else self.model.source,
            str(folder),
            trust=trust,
            outputs=self.sure_outputs(),
            shapes=self.given_shapes,
            layers=self.named,
        )
        try:
            proof = apart(work) if in_child else work()
        except GraphscopeError as error:
            told = isinstance(error, NotRunnable | UnsafeModel)
            found = {"passed": None if told else False, "reason": str(error)}
            record.write_text(json.dumps(found, indent=2) + "\n")
            raise
        record.write_text(json.dumps(proof.to_json(), indent=2) + "\n")
        return proof


def analyse(model: Model | str | Path, **options: Any) -> Analysis:
    """What is inferred of a model or of the file at a path; see Analysis for the options."""
    found = model if isinstance(model, Model) else load(str(model))
    return Analysis(found, **options)
