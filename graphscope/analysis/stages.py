"""The stages that a model goes through, each computed when it is first asked for.

The one place where they meet: ``read -> inline -> modes -> loops -> prune -> sizes -> layers -> layer graph``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from ..errors import GraphError, GraphscopeError, OutputsUnknown
from ..graph import (
    Graph,
    Layer,
    Layers,
    Loop,
    Model,
    Shape,
    Tensor,
    TensorSpec,
    above,
    did_you_mean,
)
from ..wire.nodes import check_tensor
from .progress import announce, announced

if TYPE_CHECKING:
    from ..families.identify import Identity
    from ..infer.finding import Finding
    from ..infer.outputs.find import Candidates
    from ..infer.training.roles import Training
    from ..ops.values.facts import Fact, Implied
    from ..simplify.control_flow.lifted import Lifted
    from ..simplify.state import State

_ASKED = (
    "file",
    "wanted_outputs",
    "wanted_inputs",
    "given_shapes",
    "joined",
    "open_choices",
    "named",
    "averages",
    "signatures",
    "left_out",
)
SURE = 0.5  # below this score a candidate output is shown, never acted on


class Stages:
    """A model and what is inferred of it, up to its layers.

    ``outputs`` and ``inputs`` are what the user asked for (``"name"`` or ``"name:port"``); where they are empty
    the best candidates stand in for them. ``shapes`` overrides what the file says of an input's shape; ``joined`` says
    that graph and weights come from different places; ``signature`` names the one that is looked at of those declared.
    """

    def __init__(
        self,
        model: Model,
        outputs: Iterable[str] = (),
        inputs: Iterable[str] = (),
        shapes: Mapping[str, Shape] | None = None,
        joined: bool = False,
        signature: str = "",
    ) -> None:
        self.file = model
        if signature:
            from ..infer.outputs.signatures import with_signature

            self.file = with_signature(model, signature)
        self.wanted_outputs = tuple(outputs)
        self.wanted_inputs = tuple(inputs)
        self.given_shapes = dict(shapes or {})
        self.joined = joined
        self.open_choices: tuple[str, ...] = ()  # of layers that nothing wires
        self.named: dict[str, str] = (
            {}
        )  # layer or input, as it was written -> its tensor
        self.averages: dict[str, str] = {}  # variable -> the average read in its place

    def __getstate__(self) -> dict[str, object]:
        """What is pickled and copied: the file and what was asked; what follows from these is found again."""
        return {name: self.__dict__[name] for name in _ASKED if name in self.__dict__}

    @cached_property
    def model(self) -> Model:
        """The file as it was read; of weights alone that are a known architecture, with its layers."""
        return self.family.model if self.file.inferred else self.file

    @cached_property
    def family(self) -> Identity:
        """The known architecture of a file of weights alone."""
        from ..families.identify import identify

        return identify(self.file)

    def state_after(self, name: str) -> State:
        """What stands after one pass; raises UnknownPass with the list where there is none of that name."""
        from .passes import LASTING, check, passes_until

        if name in self._states:
            return self._states[name]
        if self.file.inferred and name in LASTING:
            return self._start  # of weights alone: what there is are layers already
        passes = passes_until(name)
        if self.model.layered:
            passes = [each for each in passes if each.of_layers]
        reached = [i for i, each in enumerate(passes) if each.name in self._states]
        if reached:
            state = self._states[passes[reached[-1]].name]
            passes = passes[reached[-1] + 1 :]
        else:
            state = self._start
        for each in passes:
            state = self._asked(state) if each.is_asked else state
            announce(each.name.replace("_", " "))
            before, state = state, each(state)
            check(each, before, state)
            if each.name in LASTING:
                self._states[each.name] = state
        return state

    @cached_property
    def _start(self) -> State:
        from ..simplify.state import State

        return State(self.model, self.model.graph)

    @cached_property
    def _states(self) -> dict[str, State]:
        return {}

    def _asked(self, state: State) -> State:
        """The state of the whole file, once it is known what is wanted of it."""
        if state.is_asked:
            return state
        switched = (c for c in self.candidates.inputs if c.value is not None)
        return replace(
            state,
            is_asked=True,
            outputs=self.outputs,
            modes=self.modes,
            switches=frozenset(each.tensor.node for each in switched),
            roles={} if self.outputs else self.roles,
            shapes=self.given_shapes,
        )

    @property
    def flat(self) -> Model:
        """The model with every function call inlined and Grappler's fused ops taken apart; names of the file stay valid."""
        return self.state_after("unfuse_ops").model

    def check_values(self) -> None:
        """Read every stored tensor once; raises FormatError where a checksum says that it is damaged.

        The model must have been loaded with ``check``.
        """
        sizes = {variable.name: variable.nbytes for variable in self.model.variables}
        names = announced(
            self.model.weights,
            lambda name: f"checking the values of {name}",
            lambda name: sizes.get(name, 0),
        )
        for name in names:
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
            return tuple(self.existing(name) for name in self.wanted_outputs)
        return tuple(c.tensor for c in self.candidates.best() if c.score >= SURE)

    def existing(self, name: str) -> Tensor:
        """The tensor that somebody names; raises GraphError with the nearest names where the graph has no such node."""
        tensor = Tensor.parse(name)
        if tensor.node not in self.flat.graph:
            hint = did_you_mean(tensor.node, self.flat.graph) + self._likely()
            raise GraphError(f"no node {tensor.node!r} in {self.model.source}{hint}")
        check_tensor(self.flat.graph, tensor)
        return tensor

    def _likely(self) -> str:
        """The outputs that somebody may mean who gives a Python variable's name."""
        ranked = [str(c.tensor).removesuffix(":0") for c in self.candidates.outputs[:3]]
        if not ranked:
            return ""
        names = ", ".join(map(repr, ranked))
        return f"; its likely outputs are {names} (a Python variable's name is no node's name)"

    def sure_outputs(self) -> tuple[Tensor, ...]:
        """``outputs``; raises OutputsUnknown with the ranking where there are none."""
        if self.outputs:
            return self.outputs
        ranked = self.candidates.outputs[:5]
        listed = "; ".join(f"{c.tensor} ({c.score:.2f})" for c in ranked)
        raise OutputsUnknown(
            f"no output of {self.model.source} stands out; "
            + (f"the best candidates are {listed}; " if ranked else self._why_none())
            + "name one with --output"
        )

    def _why_none(self) -> str:
        return "".join(f"{each}; " for each in self.candidates.remarks[:1])

    @cached_property
    def modes(self) -> Mapping[str, bool | int]:
        """Mode placeholders (``is_training``) and the value that inference gives them.

        A fed ``keep_prob`` is not among them: it is what a Dropout layer is recognised by.
        """
        switches = (
            c for c in self.candidates.inputs if isinstance(c.value, bool | int)
        )
        return {c.tensor.node: c.value for c in switches}

    @property
    def _sized(self) -> State:
        return self.state_after("resolve_choices")

    @property
    def graph(self) -> Graph:
        """What inference needs: modes set, pruned to the outputs, less the arithmetic on shapes that comes to constants.

        Where no output is known: all that is not there only to train.
        """
        return self.model.graph if self.model.layered else self._sized.graph

    @property
    def lifted(self) -> Lifted:
        """The ops of the inference graph with each loop as one node, which calls what the loop computes."""
        return self.state_after("lift_loops").lifted

    @property
    def loops(self) -> tuple[Loop, ...]:
        """The loops (and conditions) that are no layer of Keras's: each is kept as one layer that runs it."""
        return tuple(layer for layer in self.layers if isinstance(layer, Loop))

    @property
    def specs(self) -> Mapping[Tensor, TensorSpec]:
        """Dtype and shape of every tensor of ``graph``."""
        if self.model.layered:
            return layered_specs(self.model.graph)
        return self._sized.specs

    def has_node(self, name: str) -> bool:
        """Whether a node of the file is called so."""
        return name in self.flat.graph

    def check_names(self) -> None:
        """Raise GraphError where an output, an input or a shape that was asked for names what the model has not."""
        for name in (*self.wanted_outputs, *self.wanted_inputs, *self.given_shapes):
            self.existing(name)

    def sized(self, tensor: Tensor, spec: TensorSpec) -> TensorSpec:
        """``spec``, or what inference knows beyond it; a graph that cannot be taken so far adds nothing."""
        try:
            return self.specs.get(tensor, spec)
        except GraphscopeError:
            return spec

    @property
    def facts(self) -> Mapping[Tensor, Fact]:
        """What is known of every tensor of ``graph``: spec, elements, what a handle leads to."""
        return self._sized.facts

    @property
    def implied(self) -> Mapping[str, Implied]:
        """What the readers of feeds imply of their shapes beyond what the file says, with the evidence."""
        return self._sized.implied

    @cached_property
    def layers(self) -> Layers:
        """The recovered layers in topological order, the file's where it allows: that of ``layer_table``.

        Of a checkpoint without a graph: those that its names and shapes speak of.
        """
        from ..render.cells.order import in_order

        graph = self.layer_graph
        payloads = map(graph.node, in_order(graph))
        return Layers(node for node in payloads if isinstance(node, Layer))

    @property
    def layer_graph(self) -> Graph:
        """The graph whose nodes are layers, and the ops that no layer explains."""
        return self.model.graph if self.model.layered else self._last.graph

    @property
    def _last(self) -> State:
        return self.state_after("expand_fills")

    @property
    def model_inputs(self) -> tuple[Tensor, ...]:
        """The inputs asked for, else the feeds that the recovered layers read, data first."""
        if self.wanted_inputs:
            return tuple(self.existing(name) for name in self.wanted_inputs)
        used = self.layer_graph
        feeds = (c.tensor for c in self.candidates.inputs)
        return tuple(
            feed
            for feed in feeds
            if feed.node in used  # and no default in its place
            and (up := above(used, feed))
            and (used.consumers(up.node) or feed in self.outputs)
        )

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What would break or falsify a freeze, worst first, each with its remedy."""
        return self._diagnosed(weights=True)

    @cached_property
    def structural_findings(self) -> tuple[Finding, ...]:
        """Those findings that need no weight to be read."""
        return self._diagnosed(weights=False)

    @cached_property
    def findings_of_ops(self) -> tuple[Finding, ...]:
        """Those findings that need neither a weight nor a layer."""
        return self._diagnosed(weights=False, layers=False)

    def _diagnosed(self, weights: bool, layers: bool = True) -> tuple[Finding, ...]:
        from ..infer.findings import diagnose

        listed = diagnose(
            self.model,
            outputs=self.wanted_outputs,
            weights=weights,
            flat=self.flat,
            training=self.training,
            ranking=lambda: self.candidates,
            layers=(lambda: self.layers) if layers else None,
        )
        return (*listed, *self._near_families())

    def _near_families(self) -> Iterator[Finding]:
        """Known architectures of which a few weights do not fit."""
        import shlex

        from ..infer.finding import Finding

        for claim in self.family.near[:2] if self.family.claim is None else ():
            words = ["graphscope", "explain", self.model.source, claim.family.title]
            command = shlex.join(words)
            yield Finding("near-family", "info", claim.why_not(), (), command)


def layered_specs(graph: Graph) -> dict[Tensor, TensorSpec]:
    """What the layers of a file that holds layers yield."""
    return {
        Tensor(name, port): spec
        for name in graph
        for port, spec in enumerate(graph.node(name).outputs)
    }
