"""The stages that a model goes through, each computed when it is first asked for.

The one place where they meet: ``read -> inline -> modes -> loops -> prune -> sizes -> layers -> layer graph``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from ..errors import GraphError, OutputsUnknown
from ..families.identify import identify
from ..graph import Graph, Layer, Loop, Model, Shape, Tensor, TensorSpec, did_you_mean

if TYPE_CHECKING:
    from ..infer.finding import Finding
    from ..infer.outputs.find import Candidates
    from ..infer.shapes.backward import Implied
    from ..infer.shapes.facts import Fact
    from ..infer.shapes.fixpoint import Sized
    from ..infer.training.roles import Training
    from ..simplify.control_flow.lift import Lifted

SURE = 0.5  # below this score a candidate output is shown, never acted on


class Stages:
    """A model and what is inferred of it, up to its layers.

    ``outputs`` and ``inputs`` are what the user asked for (``"name"`` or ``"name:port"``); where they are empty
    the best candidates stand in for them. ``shapes`` overrides what the file says of an input's shape; ``joined`` says
    that graph and weights come from different places.
    """

    def __init__(
        self,
        model: Model,
        outputs: Iterable[str] = (),
        inputs: Iterable[str] = (),
        shapes: Mapping[str, Shape] | None = None,
        joined: bool = False,
    ) -> None:
        self.family = identify(model)
        self.model = self.family.model
        self.wanted_outputs = tuple(outputs)
        self.wanted_inputs = tuple(inputs)
        self.given_shapes = dict(shapes or {})
        self.joined = joined
        self.named: dict[str, str] = {}  # layer, as it was written -> what it computes

    @cached_property
    def flat(self) -> Model:
        """The model with every function call inlined and Grappler's fused ops taken apart; names of the file stay valid."""
        from ..simplify.inline import inline
        from ..simplify.rewrites.unfuse import unfuse

        model = inline(self.model)
        graph = unfuse(model.graph)
        return model if graph is model.graph else replace(model, graph=graph)

    def check_values(self) -> None:
        """Read every stored tensor once; raises FormatError where a checksum says that it is damaged.

        The model must have been loaded with ``check``.
        """
        for name in self.model.weights:
            self.model.weights[name]

    @cached_property
    def roles(self) -> Mapping[str, str]:
        """Node -> why it exists only to train, save, initialise, summarise or check."""
        return self.training.named_roles()

    @cached_property
    def training(self) -> Training:
        """The training side of the graph: what roles, outputs and findings rest on."""
        from ..infer.training.roles import study_training

        flat = self.flat
        return study_training(flat.graph, flat.collections, flat.functions)

    @cached_property
    def candidates(self) -> Candidates:
        """The ranked inputs and outputs, each with its evidence."""
        from ..infer.outputs.find import find_outputs

        return find_outputs(self.flat, training=self.training)

    @cached_property
    def outputs(self) -> tuple[Tensor, ...]:
        """The outputs asked for, else those that the evidence is clear about, else none."""
        if self.wanted_outputs:
            return tuple(self._existing(name) for name in self.wanted_outputs)
        return tuple(c.tensor for c in self.candidates.best() if c.score >= SURE)

    def _existing(self, name: str) -> Tensor:
        tensor = Tensor.parse(name)
        if tensor.node not in self.flat.graph:
            hint = did_you_mean(tensor.node, self.flat.graph)
            raise GraphError(f"no node {tensor.node!r} in {self.model.source}{hint}")
        return tensor

    def sure_outputs(self) -> tuple[Tensor, ...]:
        """``outputs``; raises OutputsUnknown with the ranking where there are none."""
        if self.outputs:
            return self.outputs
        ranked = self.candidates.outputs[:5]
        listed = "; ".join(f"{c.tensor} ({c.score:.2f})" for c in ranked)
        raise OutputsUnknown(
            f"no output of {self.model.source} stands out; "
            + (f"the best candidates are {listed}; " if ranked else "")
            + "name one with --output"
        )

    @cached_property
    def modes(self) -> Mapping[str, bool | int]:
        """Mode placeholders (``is_training``) and the value that inference gives them.

        A fed ``keep_prob`` is not among them: it is what a Dropout layer is recognised by.
        """
        switches = (
            c for c in self.candidates.inputs if isinstance(c.value, bool | int)
        )
        return {c.tensor.node: c.value for c in switches}

    @cached_property
    def graph(self) -> Graph:
        """What inference needs: modes set, pruned to the outputs, less the arithmetic on shapes that comes to constants.

        Where no output is known: all that is not there only to train.
        """
        return self.model.graph if self.model.layered else self._sized.graph

    @cached_property
    def _sized(self) -> Sized:
        from ..infer.shapes.fixpoint import study_sizes

        kept = {output.node for output in self.outputs}
        library = {**self.flat.functions, **self.lifted.functions}
        model = replace(self.flat, functions=library)
        switched = (c for c in self.candidates.inputs if c.value is not None)
        switches = {each.tensor.node for each in switched}
        return study_sizes(self._pruned, model, self.given_shapes, kept, switches)

    @cached_property
    def _pruned(self) -> Graph:
        from ..infer.lookup_tables import table_contents
        from ..simplify.prune import prune
        from ..simplify.rewrites.layouts import settle_layouts
        from ..simplify.rewrites.sparse import settle_sparse
        from ..simplify.rewrites.tables import settle_tables

        if self.model.layered:
            return self.model.graph
        if not self.outputs:
            return self.lifted.graph
        graph = self.lifted.graph
        graph = settle_tables(graph, table_contents(graph, self.flat))
        graph = settle_layouts(graph, {output.node for output in self.outputs})
        return prune(settle_sparse(prune(graph, self.outputs)), self.outputs)

    @cached_property
    def unlifted(self) -> Graph:
        """The ops of the inference graph, before anything but the mode is settled: loops are what they are in the file."""
        from ..graph.edit import bypass_calls
        from ..infer.training.roles import drop_training
        from ..simplify.prune import prune
        from ..simplify.specialise import specialise

        graph = specialise(self.flat.graph, self.modes, functions=self.flat.functions)
        if not self.outputs:
            return drop_training(graph, self.roles)
        bypass_calls(graph)
        return prune(graph, self.outputs)

    @cached_property
    def lifted(self) -> Lifted:
        """The same with each loop as one node, which calls what the loop computes."""
        from ..infer.layers.loops import lift
        from ..simplify.control_flow.lift import Lifted

        if self.model.layered:
            return Lifted(self.model.graph)
        return lift(self.unlifted, self.flat, self.outputs, self.given_shapes)

    @cached_property
    def loops(self) -> tuple[Loop, ...]:
        """The loops (and conditions) that are kept, each as one layer."""
        from ..infer.layers.loops import loop_layers

        if self.model.layered:
            return ()
        functions = {**self.flat.functions, **self.lifted.functions}
        return loop_layers(self.graph, self.lifted, self.facts, functions)

    @cached_property
    def specs(self) -> Mapping[Tensor, TensorSpec]:
        """Dtype and shape of every tensor of ``graph``."""
        return {tensor: fact.spec for tensor, fact in self.facts.items()}

    @property
    def facts(self) -> Mapping[Tensor, Fact]:
        """What is known of every tensor of ``graph``: spec, elements, what a handle leads to."""
        return self._sized.facts

    @property
    def implied(self) -> Mapping[str, Implied]:
        """What the readers of feeds imply of their shapes beyond what the file says, with the evidence."""
        return self._sized.implied

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The recovered layers in topological order.

        Of a checkpoint without a graph: those that its names and shapes speak of.
        """
        payloads = map(self.layer_graph.node, self.layer_graph)
        return tuple(node for node in payloads if isinstance(node, Layer))

    @cached_property
    def plain_layers(self) -> tuple[Layer, ...]:
        """The layers that are made of ops; what is made of layers is not put together yet."""
        from ..infer.layers.find import find_layers
        from ..infer.layers.loops import with_loops
        from ..infer.training.layer_arguments import with_training

        sized = self._sized
        found = find_layers(
            self.graph,
            self.flat,
            self.specs,
            keep=self.outputs,
            probes=sized.probes,
        )
        return with_loops(
            with_training(found, self.flat, self.modes), self.loops, self.graph
        )

    @cached_property
    def plain_layer_graph(self) -> Graph:
        """The graph whose nodes are the layers that are made of ops."""
        from ..match import collapse
        from ..simplify.control_flow.collapse_loops import settle_loops

        kept = {output.node for output in self.outputs}
        plain = [each for each in self.plain_layers if not isinstance(each, Loop)]
        layers = collapse(self.graph, plain, keep=kept)
        return settle_loops(layers, self.loops)

    @cached_property
    def layer_graph(self) -> Graph:
        """The graph whose nodes are layers, and the ops that no layer explains."""
        if self.model.layered:
            return self.model.graph
        from ..infer.attention.compose import compose_layers
        from ..infer.recurrence.settle import settle_recurrence
        from ..ops.constants import Constants
        from ..simplify.shapes.constant_reshapes import settle_reshapes
        from ..simplify.shapes.fills import settle_fills

        constant = Constants(self.graph, self.flat, specs=self.specs).value
        plain = settle_recurrence(
            self.plain_layer_graph, self.specs, constant, keep=self.outputs
        )
        layers = compose_layers(plain, self.specs, constant, keep=self.outputs)
        values = {tensor: fact.value for tensor, fact in self.facts.items()}
        layers = settle_reshapes(layers, self.graph, self.specs, values)
        return settle_fills(layers, self.graph, self.specs, values)

    @property
    def model_inputs(self) -> tuple[Tensor, ...]:
        """The inputs asked for, else the feeds that the recovered layers read, data first."""
        if self.wanted_inputs:
            return tuple(self._existing(name) for name in self.wanted_inputs)
        used = self.layer_graph
        feeds = (c.tensor for c in self.candidates.inputs)
        return tuple(
            t
            for t in feeds
            if t.node in used and (used.consumers(t.node) or t in self.outputs)
        )

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What would break or falsify a freeze, worst first, each with its remedy."""
        return self._diagnosed(weights=True)

    @cached_property
    def structural_findings(self) -> tuple[Finding, ...]:
        """Those findings that need no weight to be read."""
        return self._diagnosed(weights=False)

    def _diagnosed(self, weights: bool) -> tuple[Finding, ...]:
        from ..infer.findings import diagnose

        return diagnose(
            self.model,
            outputs=self.wanted_outputs,
            weights=weights,
            flat=self.flat,
            training=self.training,
        )
