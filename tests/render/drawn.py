"""Small graphs for the render tests: a network of layers, one of ops, and one whose every text is hostile."""

from __future__ import annotations

import numpy as np

from graphscope.graph import Graph, Layer, Node, Tensor, TensorSpec, WeightUse

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    'a"b\\N\\',
    "]]>--><!--",
    "=cmd|' /C calc'!A0",
    "+1",
    "-2+3",
    "@SUM(A1)",
    "a|b\n\n# c",
    "\x1b[2J\x07\x00",
    "line\r\nbreak",
    "{}<>|[]",
    "node:1:2",
    "&amp;&lt;",
    "\udcff\u202e",
    "graph",
    "strict",
    "subgraph",
    " ",
    "[x](javascript:alert(1))",
    "x" * 5000,
    "a/" * 200 + "b",
)


def layer_graph() -> tuple[Graph, dict[Tensor, TensorSpec]]:
    """images -> conv1 -> bn1 -> relu1 -> (shortcut, conv2) -> add -> fc, 100 to 42 parameters each."""
    graph = Graph()
    specs = {Tensor("images"): TensorSpec("float32", (None, 28, 28, 3))}
    graph.add("images", Node("Placeholder", {"dtype": "float32"}))

    def layer(
        name: str,
        op: str,
        inputs: str,
        weights: dict[str, tuple[int, ...]] = {},
        **config: object,
    ) -> None:
        uses = {
            role: WeightUse(f"{name}/{role}", shape) for role, shape in weights.items()
        }
        output = Tensor(f"net/{name}/out")
        made = Layer(
            op, config, weights=uses, output=output, members=frozenset({output.node})
        )
        graph.add(name, made, map(Tensor, inputs.split()))
        specs[output] = TensorSpec("float32", (None, 28, 28, 8))

    layer(
        "conv1",
        "Conv2D",
        "images",
        {"kernel": (3, 3, 3, 8), "bias": (8,)},
        filters=8,
        kernel_size=(3, 3),
        padding="same",
    )
    layer(
        "bn1",
        "BatchNormalization",
        "conv1",
        {"gamma": (8,), "beta": (8,)},
        epsilon=1e-3,
    )
    layer("relu1", "Activation", "bn1", activation="relu")
    layer(
        "conv2",
        "Conv2D",
        "relu1",
        {"kernel": (1, 1, 8, 8)},
        filters=8,
        kernel_size=(1, 1),
        use_bias=False,
    )
    layer("add", "Add", "conv2 relu1")
    layer(
        "fc",
        "Dense",
        "add",
        {"kernel": (8, 5), "bias": (5,)},
        units=5,
        activation="softmax",
    )
    return graph, specs


def op_graph() -> Graph:
    """x -> MatMul with a constant kernel -> BiasAdd with a variable -> Relu, in a scope."""
    graph = Graph()
    graph.add("x", Node("Placeholder", {"dtype": "float32"}))
    kernel = np.zeros((4, 3), np.float32)
    graph.add("fc/kernel", Node("Const", {"dtype": "float32", "value": kernel}))
    graph.add("fc/bias", Node("VariableV2", {"dtype": "float32", "shape": (3,)}))
    graph.add("fc/bias/read", Node("Identity"), [Tensor("fc/bias")])
    graph.add("fc/MatMul", Node("MatMul"), [Tensor("x"), Tensor("fc/kernel")])
    graph.add("fc/add", Node("BiasAdd"), [Tensor("fc/MatMul"), Tensor("fc/bias/read")])
    graph.add("fc/Relu", Node("Relu"), [Tensor("fc/add")])
    return graph


def hostile_graph(as_layers: bool = False) -> Graph:
    """A chain of nodes whose names, ops, attributes and devices are all attacks."""
    graph = Graph()
    last: list[Tensor] = []
    for i, text in enumerate(HOSTILE):
        attrs = {text: text, "list": (text, 1), "activation": text, "padding": text}
        name = text if text.strip() else f"n{i}{text}"
        if as_layers:
            use = {text: WeightUse(text, (2, 3))}
            node: Node = Layer(
                text,
                attrs,
                weights=use,
                members=frozenset({text}),
                output=Tensor(text),
                evidence=(text,),
                pattern="block" if i % 3 else text,
            )
        else:
            value = np.array([text.encode("utf-8", "replace")], object)
            graph.add(f"{name}/c", Node("Const", {"dtype": "string", "value": value}))
            last.append(Tensor(f"{name}/c"))
            node = Node(text, attrs, (), (name,), text)
        graph.add(name, node, last)
        last = [Tensor(name)]
    return graph


def random_graph(nodes: int, seed: int = 0, scopes: bool = True) -> Graph:
    """A connected acyclic graph whose scopes feed each other back and forth."""
    random = np.random.default_rng(seed)
    graph = Graph()
    names: list[str] = []
    for i in range(nodes):
        scope = f"s{random.integers(12)}/t{random.integers(5)}/" if scopes else ""
        sources = (
            {names[-min(len(names), 1 + int(random.exponential(6)))] for _ in range(2)}
            if names
            else set()
        )
        names.append(f"{scope}n{i}")
        graph.add(names[-1], Node("Add"), map(Tensor, sorted(sources)))
    return graph
