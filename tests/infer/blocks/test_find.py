"""Layer graphs made by hand -> the blocks that repeat in them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from graphscope.graph import Graph, Layer, Node, Tensor, WeightUse
from graphscope.infer.blocks.find import Region, block_graph, find_blocks


class Net:
    """Builds a layer graph, one call a layer."""

    def __init__(self) -> None:
        self.graph = Graph()
        self.graph.add("x", Node("Placeholder", {"shape": (None, 8)}))
        self.numbers: Iterator[int] = count()

    def add(self, op: str, *inputs: str, name: str = "", **config: object) -> str:
        made = name or f"{op.lower()}_{next(self.numbers)}"
        given = [Tensor(each) for each in inputs]
        weights = {"kernel": WeightUse(f"{made}/kernel", (2,))} if op == "Dense" else {}
        layer = Layer(
            op,
            config,
            inputs={f"x{i}": t for i, t in enumerate(given)},
            weights=weights,
            members=frozenset({f"{made}/op"}),
            output=Tensor(f"{made}/op"),
        )
        self.graph.add(made, layer, given)
        return made

    def residual(self, x: str, scope: str = "", units: int = 8) -> str:
        name = (lambda part: f"{scope}_{part}") if scope else (lambda part: "")
        y = self.add("Dense", x, name=name("a"), units=units)
        y = self.add("BatchNormalization", y, name=name("bn"))
        y = self.add("Activation", y, name=name("act"))
        y = self.add("Dense", y, name=name("b"), units=units)
        y = self.add("Add", x, y, name=name("add"))
        return self.add("Activation", y, name=name("out"))


def shape(graph: Graph, part: object) -> object:
    """A part as nested lists of ops."""
    if isinstance(part, Region):
        return [shape(graph, each) for each in part.parts]
    return graph.op(str(part))


UNIT = ["Dense", "BatchNormalization", "Activation", "Dense", "Add", "Activation"]


def test_residual_units_are_one_kind() -> None:
    net, x = Net(), "x"
    for _ in range(4):
        x = net.residual(x)
    found = find_blocks(net.graph)
    assert list(found.kinds) == ["residual_block"]
    assert [shape(net.graph, part) for part in found.parts] == [
        "Placeholder",
        *[UNIT] * 4,
    ]
    assert [r.inputs for r in found.regions()][0] == (Tensor("x"),)


def test_config_does_not_keep_blocks_apart() -> None:
    net, x = Net(), "x"
    for units in (8, 16, 32, 64):
        x = net.residual(x, units=units)
    assert len(find_blocks(net.graph).kinds["residual_block"]) == 4


def test_wiring_keeps_blocks_apart() -> None:
    """A projection on the way past is another block than the way past itself."""
    net, x = Net(), "x"
    for n in range(6):
        y = net.add("Dense", x)
        y = net.add("BatchNormalization", y)
        y = net.add("Activation", y)
        past = net.add("Dense", x) if n % 2 else x
        y = net.add("Add", past, y)
        x = net.add("Activation", y)
    found = find_blocks(net.graph)
    shapes = {str(shape(net.graph, r)) for r in found.regions()}
    assert len(shapes) == len({r.kind for r in found.regions()})


def test_names_tell_where_a_block_begins() -> None:
    """Shifted by one layer the units repeat just as often; their names have a word to say."""
    net, x = Net(), "x"
    x = net.add("Activation", x, name="stem_act")
    for n in range(5):
        x = net.residual(x, f"unit{n}")
    for region in find_blocks(net.graph).regions():
        assert len({name.split("_")[0] for name in region.nodes()}) == 1


def test_blocks_nest() -> None:
    net, x = Net(), "x"
    for _ in range(4):
        branches = []
        for _ in range(4):
            y = net.add("Dense", x)
            y = net.add("BatchNormalization", y)
            branches.append(net.add("Activation", y))
        x = net.add("Concatenate", *branches)
    found = find_blocks(net.graph)
    assert set(found.kinds) == {"dense_bn_act", "inception_module"}
    assert len(found.kinds["dense_bn_act"]) == 16
    assert all(isinstance(p, Region) for r in found.regions() for p in r.parts[:4])


def test_two_exits_are_no_block() -> None:
    """What is read from the middle of a run as well (a U-Net's skip) is not hidden in a block."""
    net, x, skips = Net(), "x", []
    for _ in range(4):
        x = net.add("Dense", x)
        x = net.add("BatchNormalization", x)
        skips.append(x)
        x = net.add("Activation", x)
    for skip in reversed(skips):
        x = net.add("Add", x, skip)
    found = find_blocks(net.graph)
    for region in found.regions():
        assert not set(skips) & (set(region.nodes()) - {region.output})


def test_every_node_occurs_once_after_its_inputs() -> None:
    net, x = Net(), "x"
    for n in range(7):
        x = net.residual(x)
        x = net.add("Dropout", x) if n % 3 else x
    found = find_blocks(net.graph)
    order: list[str] = []
    for part in found.parts:
        order += part.nodes() if isinstance(part, Region) else [part]
    assert sorted(order) == sorted(net.graph)
    for at, name in enumerate(order):
        assert all(t.node in order[:at] for t in net.graph.inputs(name))


def test_occurrences_of_a_kind_are_aligned() -> None:
    net, x = Net(), "x"
    for units in (8, 16, 32):
        x = net.residual(x, units=units)
    for regions in find_blocks(net.graph).kinds.values():
        assert len({str(shape(net.graph, r)) for r in regions}) == 1


def test_nothing_repeats_in_a_plain_net() -> None:
    net, x = Net(), "x"
    for op in ("Dense", "Activation", "Dropout", "Flatten"):
        x = net.add(op, x)
    found = find_blocks(net.graph)
    assert found.kinds == {} and found.parts == tuple(net.graph)


def test_block_graph_has_one_node_a_block() -> None:
    net, x = Net(), "x"
    for n in range(4):
        x = net.residual(x, f"unit{n}")
    up = block_graph(net.graph)
    assert list(up) == ["x", "unit0", "unit1", "unit2", "unit3"]
    assert [up.op(name) for name in up][1:] == ["residual_block"] * 4
    assert up.inputs("unit1") == (Tensor("unit0"),)
    block = up.node("unit2")
    assert isinstance(block, Layer)
    assert len(block.members) == 6 and len(block.weights) == 2
    assert block.output == Tensor("unit2_out/op")


def test_long_nets_are_one_block_over_and_over() -> None:
    net, x = Net(), "x"
    for n in range(300):
        x = net.residual(x, units=n)
    assert len(find_blocks(net.graph).kinds["residual_block"]) == 300


def test_deep_chain_needs_no_recursion() -> None:
    net, x = Net(), "x"
    for _ in range(5000):
        x = net.add("ReLU", x)
    assert len(find_blocks(net.graph).parts) >= 1


def test_cycle_does_not_hang() -> None:
    graph = Graph()
    graph.add("x", Node("Placeholder"))
    graph.add("a", Node("Merge"), [Tensor("x"), Tensor("b")])
    graph.add("b", Node("NextIteration"), [Tensor("a")])
    graph.add("c", Node("Exit"), [Tensor("a")])
    assert set(find_blocks(graph).parts) == {"x", "a", "b", "c"}


def test_a_mask_that_all_blocks_read_does_not_keep_them_from_being_whole() -> None:
    net = Net()
    net.graph.add("mask", Node("Placeholder", {"shape": (None, 4)}))
    x = net.add("Embedding", "x", name="embeddings")
    for n in range(3):
        y = net.add("MultiHeadAttention", x, "mask", name=f"layer_{n}_attention")
        x = net.add("Add", y, x, name=f"layer_{n}_skip")
        x = net.add("LayerNormalization", x, name=f"layer_{n}_norm")
        y = net.add("Dense", x, name=f"layer_{n}_inner", units=16)
        y = net.add("Dense", y, name=f"layer_{n}_outer", units=8)
        x = net.add("Add", y, x, name=f"layer_{n}_add")
        x = net.add("LayerNormalization", x, name=f"layer_{n}_out")
    net.add("Dense", x, name="head", units=2)
    found = find_blocks(net.graph)
    (regions,) = found.kinds.values()
    assert [len(region.parts) for region in regions] == [7] * 3


def unit(net: Net, x: str, scope: str, units: int) -> str:
    """A residual unit around what names of Keras 2's op layers would seem to cut in two."""
    y = net.residual(x, f"{scope}_deep", units)
    y = net.add("Reshape", y, name=f"tf.reshape_{net.graph.number_of_nodes()}")
    y = net.add("Dense", y, name=f"{scope}_last", units=units)
    return net.add("Add", x, y, name=f"{scope}_add")


def test_names_that_nobody_chose_do_not_count() -> None:
    net, x = Net(), "x"
    for stage, depth in enumerate((3, 4, 3)):
        x = net.add("MaxPooling2D", x, name=f"stack{stage}_down")
        for n in range(depth):
            x = unit(net, x, f"stack{stage}_block{n}", 8 << stage)
    found = find_blocks(net.graph)
    outermost = [region for region in found.regions() if len(list(region.nodes())) > 8]
    assert len(outermost) == 10
    firsts = [next(region.nodes()) for region in outermost]
    assert all(first.endswith("_deep_a") for first in firsts)
