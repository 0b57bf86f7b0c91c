"""One way to spell a layer in TensorFlow, checked from three sides.

``check_spelling``: the layer is found, with this config; and the match is *sound*: the formula, evaluated under its
bindings with TensorFlow's own kernels, equals the tensor that it matched. ``check_near_miss``: a graph that differs in
one constant, axis or wire is not taken for the layer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import tensorflow as tf

from graphscope.graph import Graph, Layer, Model, Tensor
from graphscope.infer.layers.canonical import canonical_view
from graphscope.infer.layers.find import find_layers
from graphscope.infer.shapes.forward import infer_shapes
from graphscope.match import Tile, View, evaluate, tile
from graphscope.patterns import layers as all_patterns
from graphscope.read import load

v1 = tf.compat.v1
Build = Callable[[], Any]
# Not run again: what draws at random, and what reads a variable through its handle.
RAN_ONCE = (
    "RandomUniform",
    "RandomStandardNormal",
    "StatelessRandom",
    "ResourceGather",
)


@dataclass(frozen=True)
class Spelling:
    """``build()`` makes the graph; in it the pattern must be found as a layer with these arguments among others."""

    name: str
    pattern: str
    build: Build
    config: dict[str, Any] = field(default_factory=dict)
    weights: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class NearMiss:
    """``build()`` makes a graph in which the pattern must not be found."""

    name: str
    pattern: str
    build: Build

    def __str__(self) -> str:
        return self.name


def spell(
    name: str, pattern: str, build: Build, weights: str | None = None, **config: Any
) -> Spelling:
    """A Spelling, written short."""
    names = None if weights is None else tuple(weights.split())
    return Spelling(name, pattern, build, config, names)


def image(*shape: int | None, name: str = "x") -> Any:
    """A float placeholder."""
    return v1.placeholder(tf.float32, shape or (None, 8, 8, 3), name=name)


def weight(name: str, *shape: int) -> Any:
    """A TF1 variable."""
    return v1.get_variable(name, shape)


def const(seed: int, *shape: int) -> Any:
    """A constant of positive random numbers."""
    values = np.random.default_rng(seed).uniform(0.5, 1.5, shape)
    return tf.constant(values.astype(np.float32))


def keras(make: Callable[[], Any], *shape: int | None, training: bool = False) -> Build:
    """Build by freezing a Keras layer called on one input of this shape."""

    def build() -> Any:
        return _frozen(make, shape, training)

    return build


def _frozen(make: Callable[[], Any], shape: Any, training: bool) -> Any:
    from tensorflow.python.eager import context
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    with context.eager_mode():
        layer = make()
        layer.build(shape)
        rng = np.random.default_rng(0)
        layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
        call = tf.function(lambda x: layer(x))
        spec = tf.TensorSpec(shape, tf.float32, name="x")
        frozen = convert_variables_to_constants_v2(call.get_concrete_function(spec))
        definition = frozen.graph.as_graph_def()
    tf.import_graph_def(definition, name="")
    return None


@dataclass
class Found:
    """A graph built by a spelling, read back, tiled; ``session`` runs it."""

    tf_graph: Any
    graph: Graph
    model: Model
    view: View
    layers: tuple[Layer, ...]
    tiles: list[Tile]
    session: Any


def found_in(build: Build) -> Found:
    """Build, initialise, write as GraphDef, read, tile."""
    made = tf.Graph()
    with made.as_default():
        v1.set_random_seed(0)
        build()
        session = v1.Session(graph=made, config=_as_written())
        for variable in v1.global_variables():
            size = variable.shape.as_list()
            variable.load(np.random.uniform(0.5, 1.5, size), session)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "graph.pb"
        path.write_bytes(made.as_graph_def(add_shapes=False).SerializeToString())
        model = load(str(path))
    graph = Graph(model.graph.subgraph(_computing(model.graph)))
    specs = infer_shapes(graph, functions=model.functions)
    view = canonical_view(graph, model, specs)
    layers = find_layers(graph, model, specs)
    tiles = tile(view, all_patterns())
    return Found(made, graph, model, view, layers, tiles, session)


def _as_written() -> Any:
    """Run the graph as it is: what Grappler fuses cannot be fetched."""
    config = v1.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    return config


def _computing(graph: Graph) -> set[str]:
    """What does not only initialise or save variables."""
    ends = [
        n
        for n in graph
        if not graph._succ[n] and "Assign" not in graph.op(n) and graph.op(n) != "NoOp"
    ]
    ends = [n for n in ends if not n.endswith("IsInitialized/VarIsInitializedOp")]
    return graph.upstream(ends)


def check_spelling(spelling: Spelling) -> None:
    """The layer is there, configured as it says; every match in the graph is sound."""
    found = found_in(spelling.build)
    by_pattern = layers_by_pattern(found)
    assert spelling.pattern in by_pattern, f"{sorted(by_pattern)} found"
    layer = by_pattern[spelling.pattern]
    for key, value in spelling.config.items():
        if key == "op":
            assert layer.op == value
        elif isinstance(value, float):
            np.testing.assert_allclose(layer.attrs[key], value, rtol=1e-5)
        else:
            assert layer.attrs[key] == value, key
    if spelling.weights is not None:
        assert tuple(layer.weights) == spelling.weights
    check_sound(found)


def check_near_miss(miss: NearMiss) -> None:
    """The pattern explains nothing of the graph."""
    found = found_in(miss.build)
    assert miss.pattern not in layers_by_pattern(found)
    if all(op.outputs[0].dtype != tf.string for op in _feeds(found)):
        check_sound(found)


def layers_by_pattern(found: Found) -> dict[str, Layer]:
    """The layers by the names of their patterns, and of the canonical forms that their ops were put into."""
    by_pattern = {layer.pattern: layer for layer in found.layers}
    for origin in found.view.origin.values():
        for layer in found.layers:
            if origin.members and origin.members <= layer.members:
                by_pattern.update(dict.fromkeys(origin.forms, layer))
    return by_pattern


def check_sound(found: Found) -> None:
    """Each tile's formula, evaluated with TensorFlow, equals the tensor that it matched."""
    values = _run(found)
    for each in found.tiles:

        def fetch(tensor: Tensor) -> np.ndarray:
            if ":" in tensor.node or tensor.node in found.view.origin:
                return meant(tensor.node)
            return values.get(tensor, np.zeros(()))  # a resource has no value

        def meant(node: str) -> np.ndarray:
            """A tensor that a canonical form put into the graph; what the file has of it is not looked at."""
            if Tensor(node) in values and not node == each.output.node:
                return values[Tensor(node)]
            inputs = [fetch(tensor) for tensor in found.view.inputs[node]]
            return computed(found.view.kinds[node], found.view.attrs[node], inputs)

        def run(node: str, inputs: list[np.ndarray]) -> list[np.ndarray]:
            op = found.view.kinds[node]
            if op.startswith(RAN_ONCE):
                return [values[Tensor(node)]]
            if node in found.view.origin:
                return [computed(op, found.view.attrs[node], inputs)]
            return _applied(found, node, inputs)

        got = evaluate(each.pattern.formula, each.match, found.view, fetch, run)
        want = fetch(each.output)
        known = np.isfinite(want)  # a root of what is below zero: the same is none
        np.testing.assert_array_equal(np.isfinite(got), known)
        scale = 1e-6 + float(np.max(np.abs(want[known]), initial=0))
        worst = float(np.max(np.abs(got - want)[known], initial=0)) / scale
        assert worst < 1e-4, (each.pattern.name, worst)


def computed(op: str, attrs: Any, inputs: list[Any]) -> Any:
    """An op of a canonical form, by TensorFlow's ops of the same name; along one axis by what stands for those."""
    with tf.Graph().as_default(), v1.Session() as session:
        return session.run(tf.convert_to_tensor(_meant(op, dict(attrs), inputs)))


def _meant(op: str, attrs: dict[str, Any], inputs: list[Any]) -> Any:
    if op == "Const":
        return attrs["value"]
    if op == "Shape":
        return np.array(inputs[0].shape, np.int32)
    if op == "GatherV2":
        return np.take(*inputs[:2])
    if op == "ConcatV2":
        return np.concatenate(inputs[:-1], inputs[-1])
    if op in ("Reshape", "Pad", "Add"):
        return getattr(np, op.lower())(*inputs) if op != "Pad" else np.pad(*inputs)
    if op == "BiasAdd":
        return tf.nn.bias_add(*inputs, **attrs)
    return _window(op, attrs, inputs)


def _window(op: str, attrs: dict[str, Any], inputs: list[Any]) -> Any:
    """A convolution or pooling of any number of axes."""
    layout, first = attrs["data_format"], attrs["data_format"].startswith("NC")
    space = slice(2, None) if first else slice(1, -1)
    steps, rates = (list(attrs.get(k, ())[space]) for k in ("strides", "dilations"))
    padding = attrs["padding"]
    if op.endswith("Pool"):
        kind = op.removeprefix("line.").removesuffix("Pool").upper()
        size = attrs["ksize"][space]
        return tf.nn.pool(inputs[0], size, kind, steps, padding, layout)
    if "Backprop" in op:
        return _transposed(op, attrs, inputs, rates)
    x, kernel = inputs
    if padding == "CAUSAL":
        before = (kernel.shape[0] - 1) * rates[0]
        x, padding = np.pad(x, [(0, 0), (before, 0), (0, 0)]), "VALID"
    if "Depthwise" not in op:
        axis = 1 if first else -1
        groups = x.shape[axis] // kernel.shape[-2]  # on a CPU not for every rank
        pairs = zip(np.split(x, groups, axis), np.split(kernel, groups, -1))
        made = [
            tf.nn.convolution(part, own, steps, padding, layout, rates)
            for part, own in pairs
        ]
        return tf.concat(made, axis)
    if op.startswith("line."):
        axis = 2 if first else 1
        x, kernel = np.expand_dims(x, axis), np.expand_dims(kernel, 0)
        step, rate, layout = steps[0], [1, *rates], "NCHW" if first else "NHWC"
        wide = [1, 1, step, step] if first else [1, step, step, 1]
        made = tf.nn.depthwise_conv2d(x, kernel, wide, padding, layout, rate)
        return tf.squeeze(made, [axis])
    wide = [1, 1, *steps] if first else [1, *steps, 1]
    return tf.nn.depthwise_conv2d(x, kernel, wide, padding, layout, rates)


def _transposed(op: str, attrs: Any, inputs: list[Any], rates: list[int]) -> Any:
    sizes, kernel, x = inputs
    outputs = kernel.shape[-2]
    if op.startswith("line."):
        return tf.nn.conv_transpose(
            x, kernel, sizes, attrs["strides"][1], attrs["padding"]
        )
    assert rates[0] == rates[1]
    sizes = [*sizes[:-1], outputs]
    return tf.nn.atrous_conv2d_transpose(x, kernel, sizes, rates[0], attrs["padding"])


def _feeds(found: Found) -> list[Any]:
    kinds = ("Placeholder", "PlaceholderWithDefault")
    return [op for op in found.tf_graph.get_operations() if op.type in kinds]


def _run(found: Found) -> dict[Tensor, Any]:
    """Every tensor of the graph, from one run on random inputs (random ops draw once)."""
    feeds, fetches = {}, {}
    rng = np.random.default_rng(1)
    feeding = set(_feeds(found))
    for op in found.tf_graph.get_operations():
        if op in feeding:
            size = [2 if d is None else d for d in op.outputs[0].shape.as_list()]
            fed = rng.normal(size=size) if size else rng.uniform(0.3, 0.7)
            dtype = op.outputs[0].dtype.as_numpy_dtype
            small = np.clip(np.abs(fed) * 3, 0, 4)
            feeds[op.outputs[0]] = np.asarray(
                fed if dtype == np.float32 else small, dtype
            )
        if op.name not in found.graph:
            continue
        for port, output in enumerate(op.outputs):
            if output.dtype not in (tf.resource, tf.variant, tf.string):
                fetches[Tensor(op.name, port)] = output
    return found.session.run(fetches, feeds)


def _applied(found: Found, node: str, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """One op of the graph applied to other values."""
    op = found.tf_graph.get_operation_by_name(node)
    with tf.Graph().as_default():
        definition = v1.GraphDef()
        copy = definition.node.add()
        copy.CopyFrom(op.node_def)
        del copy.input[:]
        copy.name = "applied"
        copy.attr.pop("_class", None)  # the variable it lives beside is not here
        given = {}
        for i, value in enumerate(inputs):
            dtype = op.inputs[i].dtype
            feed = definition.node.add(op="Placeholder", name=f"in{i}")
            feed.attr["dtype"].type = dtype.base_dtype.as_datatype_enum
            copy.input.append(f"in{i}")
            array = np.asarray(value, dtype.base_dtype.as_numpy_dtype)
            feed.attr["shape"].shape.CopyFrom(tf.TensorShape(array.shape).as_proto())
            given[f"in{i}:0"] = array
        tf.import_graph_def(definition, name="")
        wanted = [f"applied:{i}" for i in range(len(op.outputs))]
        with v1.Session() as session:
            return session.run(wanted, given)


@cache
def patterns_named(name: str) -> int:
    """How many patterns bear a name (one, when a test spells it right)."""
    return sum(pattern.name == name for pattern in all_patterns())
