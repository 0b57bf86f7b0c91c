"""Layer graph -> its repeated blocks: regions with one exit that occur more than once, nested where they nest.

The nodes are laid out so that every region with one exit is one run of them, and equal regions are equal runs
(``layout.py``). Runs are
grouped by a hash over op and wiring (config left out); the group that saves the most lines becomes a
kind of block, its members become one node each, and so on until nothing is saved. What a kind's members differ in
is for the renderers to say.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ...graph import Graph, Layer, Node, Tensor, WeightUse
from ...graph.names import unused
from ...ops import spellings
from .cost import scope
from .order import lay_out
from .repeats import Repeats, Run, Statements


@dataclass(frozen=True)
class Region:
    """One place where a block occurs; ``parts`` are aligned over all regions of a kind.

    ``inputs`` are the tensors of the layer graph that it reads from outside, in the order of their first use;
    ``output`` is the node whose outputs are all that the outside reads.
    """

    kind: str
    parts: tuple[str | Region, ...]
    inputs: tuple[Tensor, ...]
    output: str

    def nodes(self) -> Iterator[str]:
        """The nodes of the layer graph inside, in order; no recursion."""
        stack: list[str | Region] = [self]
        while stack:
            part = stack.pop()
            if isinstance(part, Region):
                stack.extend(reversed(part.parts))
            else:
                yield part


@dataclass(frozen=True)
class Blocks:
    """The whole layer graph as a sequence of nodes and regions, and every region of each kind (nested ones too)."""

    parts: tuple[str | Region, ...]
    kinds: Mapping[str, tuple[Region, ...]]

    def regions(self) -> Iterator[Region]:
        """The outermost regions."""
        return (part for part in self.parts if isinstance(part, Region))


def find_blocks(
    graph: Graph,
    outputs: Iterable[Tensor] = (),
    statements: Statements | None = None,
) -> Blocks:
    """The repeated blocks of a layer graph; ``outputs`` (of that graph) order its branches, else its ends do.

    ``statements`` say more of a graph whose nodes are statements of a program.
    """
    dynamic = _dynamic(graph)
    roots = [tensor.node for tensor in outputs] or [
        n for n in graph if not graph._succ[n]
    ]
    order = [name for name in lay_out(graph, roots) if name in dynamic]
    repeats = Repeats(graph, order, frozenset(roots), statements)
    repeats.find()
    return _Naming(graph, repeats).blocks()


_MOST_READ = 5  # tensors that a block of statements may read


def repeats_of(
    graph: Graph,
    outputs: Iterable[Tensor],
    titles: Mapping[str, str],
    forms: Mapping[str, Hashable],
) -> tuple[str | Region, ...]:
    """The parts of a graph of statements: ``titles`` are the names that are written, ``forms`` what must be equal of each."""
    return find_blocks(graph, outputs, Statements(titles, forms, _MOST_READ)).parts


def _dynamic(graph: Graph) -> set[str]:
    """The nodes that depend on a feed or on something random; the others are constants and weights."""
    dynamic: set[str] = set()
    feeds = [
        n
        for n in graph
        if isinstance(graph.node(n), Layer) or graph.op(n).startswith("Placeholder")
    ]
    stack = feeds
    while stack:
        name = stack.pop()
        if name not in dynamic:
            dynamic.add(name)
            stack.extend(graph._succ[name])
    return dynamic


class _Naming:
    """Runs -> Regions, each kind named by what it is built of."""

    def __init__(self, graph: Graph, repeats: Repeats) -> None:
        self.graph, self.repeats = graph, repeats
        self.names: dict[int, str] = {}
        self.kinds: dict[str, list[Region]] = {}

    def blocks(self) -> Blocks:
        for kind in self.repeats.kinds:
            self.names[kind] = self._unique(self._name(self.repeats.example(kind)))
        regions: dict[int, Region] = {}
        for run in self.repeats.runs_inside_out():
            parts = tuple(
                regions[id(p)] if isinstance(p, Run) else p for p in run.parts
            )
            name = self.names[run.kind]
            regions[id(run)] = Region(name, parts, run.inputs, run.output)
            self.kinds.setdefault(name, []).append(regions[id(run)])
        parts = tuple(
            regions[id(p)] if isinstance(p, Run) else p for p in self.repeats.top
        )
        return Blocks(parts, {name: tuple(names) for name, names in self.kinds.items()})

    def _unique(self, name: str) -> str:
        return unused(name, set(self.names.values()), first=2)

    def _name(self, run: Run) -> str:
        nodes = [part for part in run.flat() if isinstance(part, str)]
        words = [_WORDS.get(self.graph.op(n), "") for n in nodes]
        if "attention" in words:
            return (
                "transformer_block" if words.count("dense") > 1 else "attention_block"
            )
        last = next(
            (
                self.graph.op(n)
                for n in reversed(nodes)
                if self.graph.op(n) not in _TAILS
            ),
            "",
        )
        if last in spellings.SUMS:
            return (
                "residual_block" if self._is_skipped(run, nodes) else "projection_block"
            )
        if last in ("Concatenate", "ConcatV2"):
            return self._merge_name(run, nodes)
        if last in ("Multiply", "Mul") and self._is_skipped(run, nodes):
            return "squeeze_excite"
        shown = [
            word for at, word in enumerate(words) if word and word not in words[:at]
        ]
        return (
            "_".join(shown)
            if 0 < len(shown) <= 3 and len(nodes) <= 4
            else f"{shown[0]}_block" if shown else "block"
        )

    def _merge_name(self, run: Run, nodes: list[str]) -> str:
        """The name of a block that concatenates."""
        skipped, merge = self._is_skipped(run, nodes), self._merge(nodes)
        if len(self.graph.inputs(merge)) < 3:
            return "dense_layer" if skipped else "concat_block"
        return "cell" if len(run.inputs) > 1 or skipped else "inception_module"

    def _merge(self, nodes: list[str]) -> str:
        return next(n for n in reversed(nodes) if self.graph.op(n) not in _TAILS)

    def _is_skipped(self, run: Run, nodes: list[str]) -> bool:
        """Whether an input goes straight to the node that merges, past all others."""
        merge = self._merge(nodes)
        return any(tensor in run.inputs for tensor in self.graph.inputs(merge))


_TAILS = frozenset(
    "Activation ReLU Relu Relu6 LeakyReLU PReLU ELU Dropout BatchNormalization LayerNormalization "
    "MaxPooling2D AveragePooling2D".split()
)
_WORDS = {
    "Activation": "act",
    "Attention": "attention",
    "AveragePooling2D": "pool",
    "BatchNormalization": "bn",
    "Conv1D": "conv",
    "Conv2D": "conv",
    "Conv2DTranspose": "upconv",
    "Conv3D": "conv",
    "Dense": "dense",
    "DepthwiseConv2D": "depthwise",
    "Dropout": "dropout",
    "EinsumDense": "dense",
    "GroupNormalization": "norm",
    "GroupQueryAttention": "attention",
    "LayerNormalization": "norm",
    "LeakyReLU": "act",
    "MaxPooling2D": "pool",
    "MultiHeadAttention": "attention",
    "PReLU": "act",
    "ReLU": "act",
    "SeparableConv2D": "sepconv",
    "UpSampling2D": "up",
    "ZeroPadding2D": "pad",
}


def block_graph(graph: Graph, blocks: Blocks | None = None) -> Graph:
    """The graph one altitude above the layer graph: each outermost region is one node, named after its kind."""
    blocks = find_blocks(graph) if blocks is None else blocks
    inside = {node: region for region in blocks.regions() for node in region.nodes()}
    names: dict[int, str] = {}
    used_names = set(graph)
    for number, region in enumerate(blocks.regions(), 1):
        name = scope(list(region.nodes())).strip("_/") or f"{region.kind}_{number}"
        names[id(region)] = (
            name if name not in used_names else f"{region.kind}_{number}"
        )
        used_names.add(names[id(region)])
    up = Graph()

    def above(tensor: Tensor) -> Tensor:
        block = inside.get(tensor.node)
        return Tensor(names[id(block)], tensor.port) if block else tensor

    for name in graph:
        block = inside.get(name)
        if block is None:
            up.add(name, graph.node(name), map(above, graph.inputs(name)))
        elif block.output == name:
            up.add(
                names[id(block)], _block_node(graph, block), map(above, block.inputs)
            )
    tensors = graph.graph.get("tensors", {})
    up.graph["tensors"] = {
        down: above(tensor)
        for down, tensor in tensors.items()
        if tensor.node not in inside or inside[tensor.node].output == tensor.node
    }
    return up


def _block_node(graph: Graph, region: Region) -> Layer:
    members: set[str] = set()
    weights: dict[str, WeightUse] = {}
    nodes = list(region.nodes())
    for name in nodes:
        payload = graph.node(name)
        members |= payload.members if isinstance(payload, Layer) else {name}
        if isinstance(payload, Layer):
            weights |= {f"{name}/{role}": use for role, use in payload.weights.items()}
    last: Node = graph.node(region.output)
    output = last.output if isinstance(last, Layer) else Tensor(region.output)
    return Layer(
        region.kind,
        outputs=last.outputs,
        inputs={f"x{number}": tensor for number, tensor in enumerate(region.inputs)},
        weights=weights,
        members=frozenset(members),
        output=output,
        pattern="block",
        evidence=(f"{len(nodes)} layers wired as in the other blocks of this kind",),
    )
