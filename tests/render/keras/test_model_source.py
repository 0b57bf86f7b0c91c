"""Layer graphs made by hand -> source that runs, weights that load, outputs that numpy confirms."""

from __future__ import annotations

import ast
import runpy
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from graphscope.errors import MissingWeight, NotExpressible, OutputsUnknown
from graphscope.graph import Graph, Layer, Model, Node, Tensor, TensorSpec, WeightUse
from graphscope.render.keras import to_keras, write_keras
from graphscope.render.keras.classes.signatures import REQUIRED, signatures
from graphscope.render.keras.program.layer_order import layer_paths

X = Tensor("x")


def run(folder: Path) -> Any:
    """The model that a written folder holds, with its weights."""
    module = ModuleType("recovered")
    source = (folder / "model.py").read_text()
    exec(compile(source, "model.py", "exec"), module.__dict__)
    model = module.build_model()
    model.load_weights(folder / "model.weights.h5")
    return model


def constant(graph: Graph, name: str, value: Any) -> WeightUse:
    array = np.asarray(value)
    graph.add(name, Node("Const", {"value": array, "dtype": str(array.dtype)}))
    return WeightUse(name, array.shape)


def placeholder(graph: Graph, name: str = "x", shape: Any = (None, 4)) -> None:
    spec = TensorSpec("float32", shape)
    graph.add(name, Node("Placeholder", {"dtype": "float32", "shape": shape}, (spec,)))


def put(graph: Graph, name: str, op: str, inputs: list[str], **kwargs: Any) -> None:
    """Add one layer; its inputs are names of nodes."""
    given = [Tensor(each) for each in inputs]
    layer = Layer(
        op,
        kwargs.pop("config", {}),
        inputs={f"x{i}": tensor for i, tensor in enumerate(given)},
        output=Tensor(f"{name}/out"),
        **kwargs,
    )
    graph.add(name, layer, given)


def dense(graph: Graph, name: str, source: str, kernel: Any, bias: Any = None) -> None:
    weights = {"kernel": constant(graph, f"{name}/kernel", kernel)}
    if bias is not None:
        weights["bias"] = constant(graph, f"{name}/bias", bias)
    config = {"units": np.shape(kernel)[1], "use_bias": bias is not None}
    put(graph, name, "Dense", [source], weights=weights, config=config)


def written(graph: Graph, folder: Path, output: str, **kwargs: Any) -> Any:
    kwargs.setdefault("inputs", [X])
    return write_keras(
        Model(graph, source="made.pb"),
        graph,
        folder,
        outputs=[Tensor(output)],
        **kwargs,
    )


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_two_dense_layers(tmp_path: Path) -> None:
    graph = Graph()
    first, second = rng().normal(size=(4, 3)), rng().normal(size=(3, 2))
    placeholder(graph)
    dense(graph, "hidden", "x", first.astype("f4"), np.ones(3, "f4"))
    put(graph, "relu", "ReLU", ["hidden"])
    dense(graph, "logits", "relu", second.astype("f4"))
    report = written(graph, tmp_path, "logits/out")
    assert report.parameters == 4 * 3 + 3 + 3 * 2
    x = rng().normal(size=(5, 4)).astype("f4")
    want = np.maximum(x @ first + 1, 0) @ second
    np.testing.assert_allclose(run(tmp_path)(x), want, rtol=1e-4, atol=1e-5)
    assert report.source.text == '''\
"""made, recovered by graphscope from made.pb.

3 layers with 21 parameters.
Weights: build_model().load_weights('model.weights.h5').
"""

import keras
from keras import layers


def build_model() -> keras.Model:
    """The model, without its weights."""
    inputs = keras.Input((4,), name="x")
    x = layers.Dense(3, name="hidden")(inputs)
    x = layers.ReLU(name="relu")(x)
    x = layers.Dense(2, use_bias=False, name="logits")(x)
    return keras.Model(inputs, x, name="made")
'''


def test_shared_layer_is_made_once_and_called_twice(tmp_path: Path) -> None:
    graph = Graph()
    placeholder(graph, "x")
    placeholder(graph, "other")
    kernel = rng().normal(size=(4, 3)).astype("f4")
    weights = {"kernel": constant(graph, "kernel", kernel)}
    for name, source in (("left", "x"), ("right", "other")):
        config = {"units": 3, "use_bias": False}
        put(graph, name, "Dense", [source], weights=weights, config=config)
    put(graph, "gap", "Subtract", ["left", "right"])
    report = written(graph, tmp_path, "gap/out", inputs=[X, Tensor("other")])
    model = run(tmp_path)
    x, y = rng().normal(size=(2, 5, 4)).astype("f4")
    np.testing.assert_allclose(model([x, y]), (x - y) @ kernel, rtol=1e-4, atol=1e-5)
    assert report.parameters == model.count_params() == 12
    assert report.source.text.count("layers.Dense(") == 1


def test_shared_layer_called_in_turn_is_a_loop_over_one_object(tmp_path: Path) -> None:
    graph = Graph()
    placeholder(graph)
    kernel = rng().normal(size=(4, 4)).astype("f4")
    weights = {"kernel": constant(graph, "kernel", kernel)}
    source = "x"
    for turn in range(4):
        config = {"units": 4, "use_bias": False}
        put(graph, f"fc{turn}", "Dense", [source], weights=weights, config=config)
        source = f"fc{turn}"
    report = written(graph, tmp_path, "fc3/out")
    x = rng().normal(size=(5, 4)).astype("f4")
    want = x @ np.linalg.matrix_power(kernel, 4)
    np.testing.assert_allclose(run(tmp_path)(x), want, rtol=1e-3, atol=1e-4)
    assert "    for _ in range(4):\n        x = fc0(x)\n" in report.source.text


def test_weights_of_layers_on_parallel_branches_do_not_change_places(
    tmp_path: Path,
) -> None:
    graph = Graph()
    placeholder(graph)
    values = [rng().normal(size=(4, 4)).astype("f4") * scale for scale in range(1, 6)]
    dense(graph, "deep1", "x", values[0])
    dense(graph, "shallow", "x", values[1])
    dense(graph, "deep2", "deep1", values[2])
    dense(graph, "deep3", "deep2", values[3])
    put(graph, "sum", "Add", ["shallow", "deep3"])
    dense(graph, "last", "sum", values[4])
    written(graph, tmp_path, "last/out")
    x = rng().normal(size=(2, 4)).astype("f4")
    a, b, c, d, e = values
    want = (x @ b + x @ a @ c @ d) @ e
    np.testing.assert_allclose(run(tmp_path)(x), want, rtol=1e-3)


def test_weights_keep_their_places_past_ops_that_take_lists(tmp_path: Path) -> None:
    """Every tensor of a list counts for the depth of a layer, by which Keras numbers it."""
    graph = Graph()
    placeholder(graph)
    values = [rng().normal(size=(4, 4)).astype("f4") * scale for scale in range(1, 5)]
    dense(graph, "a", "x", values[0])
    dense(graph, "b", "a", values[1])
    dense(graph, "c", "b", values[2])
    dense(graph, "d", "x", values[3])
    pack = Node("Pack", {"N": 2, "T": "float32", "axis": 0})
    graph.add("pack", pack, [Tensor("c"), Tensor("d")])
    graph.add("axis", Node("Const", {"value": np.int32(0)}))
    total = Node("Sum", {"T": "float32", "Tidx": "int32", "keep_dims": False})
    graph.add("sum", total, [Tensor("pack"), Tensor("axis")])
    written(graph, tmp_path, "sum")
    x = rng().normal(size=(2, 4)).astype("f4")
    a, b, c, d = values
    np.testing.assert_allclose(run(tmp_path)(x), x @ a @ b @ c + x @ d, rtol=1e-3)


def test_op_without_a_layer_becomes_a_keras_op(tmp_path: Path) -> None:
    graph = Graph()
    placeholder(graph)
    graph.add("two", Node("Const", {"value": np.float32(2)}))
    graph.add("square", Node("Square", {"T": "float32"}), [X])
    graph.add("sum", Node("AddV2", {"T": "float32"}), [Tensor("square"), Tensor("two")])
    report = written(graph, tmp_path, "sum")
    x = rng().normal(size=(2, 4)).astype("f4")
    np.testing.assert_allclose(run(tmp_path)(x), x**2 + 2, rtol=1e-5)
    assert report.unexplained == ("square", "sum")
    assert report.not_portable == {}


def test_op_that_keras_cannot_say_runs_in_tensorflow(tmp_path: Path) -> None:
    graph = Graph()
    placeholder(graph, shape=(None, 3))
    node = Node("AsString", {"T": "float32", "fill": "0", "width": 9})
    graph.add("check", node, [X])
    report = written(graph, tmp_path, "check")
    x = rng().normal(size=(2, 3)).astype("f4")
    want = [[f"{value:09f}".encode() for value in row] for row in x]
    np.testing.assert_array_equal(run(tmp_path)(x).numpy(), want)
    assert report.not_portable == {
        "check": "keras.ops has no word for AsString: it has no strings"
    }
    assert "tf.raw_ops.AsString(" in report.source.text


def test_layer_that_runs_an_op_survives_saving(tmp_path: Path) -> None:
    import keras

    graph = Graph()
    placeholder(graph, shape=(None, 3))
    node = Node("Digamma", {"T": "float32"})
    graph.add("check", node, [X])
    dense(graph, "logits", "check", np.eye(3, dtype="f4") * 2)
    written(graph, tmp_path, "logits/out")
    run(tmp_path).save(tmp_path / "model.keras")
    x = rng().normal(size=(2, 3)).astype("f4")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(x), run(tmp_path)(x), rtol=1e-5)


def test_large_constant_is_a_weight_not_source(tmp_path: Path) -> None:
    graph = Graph()
    placeholder(graph, shape=(None, 300))
    table = rng().normal(size=300).astype("f4")
    graph.add("table", Node("Const", {"value": table}))
    graph.add("sum", Node("AddV2", {"T": "float32"}), [X, Tensor("table")])
    report = written(graph, tmp_path, "sum")
    x = rng().normal(size=(2, 300)).astype("f4")
    np.testing.assert_allclose(run(tmp_path)(x), x + table, rtol=1e-5)
    assert len(report.source.text) < 2000
    assert report.parameters == 300


def test_several_outputs_keep_their_order(tmp_path: Path) -> None:
    graph = Graph()
    placeholder(graph)
    dense(graph, "a", "x", np.eye(4, dtype="f4"))
    dense(graph, "b", "a", 2 * np.eye(4, dtype="f4"))
    wanted = [Tensor("b/out"), Tensor("a/out"), X]
    write_keras(Model(graph), graph, tmp_path, inputs=[X], outputs=wanted)
    x = rng().normal(size=(2, 4)).astype("f4")
    for got, want in zip(run(tmp_path)(x), (2 * x, x, x), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)


def test_fixed_batch_and_dtype_are_kept(tmp_path: Path) -> None:
    graph = Graph()
    spec = TensorSpec("int32", (3, 2))
    graph.add("x", Node("Placeholder", {"dtype": "int32"}, (spec,)))
    table = rng().normal(size=(7, 5)).astype("f4")
    weights = {"embeddings": constant(graph, "table", table)}
    config = {"input_dim": 7, "output_dim": 5}
    put(graph, "embed", "Embedding", ["x"], weights=weights, config=config)
    report = written(graph, tmp_path, "embed/out")
    ids = np.array([[0, 1], [2, 3], [6, 5]], "int32")
    np.testing.assert_array_equal(run(tmp_path)(ids), table[ids])
    line = 'inputs = keras.Input(batch_shape=(3, 2), dtype="int32", name="x")'
    assert line in report.source.text


HOSTILE = [
    'x"); import os #',
    "x'); import os #",
    '"""\nimport os\n"""',
    "a\\",
    "{__import__('os')}",
    "\u202eevil\u2028import os",
    "import os",
    "",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_puts_code_into_the_source(name: str, tmp_path: Path) -> None:
    graph = Graph()
    placeholder(graph, f"in{name}")
    for n in range(3):  # three alike, for the functions and loops too
        source = f"in{name}" if n == 0 else f"{name}/{n - 1}"
        dense(graph, f"{name}/{n}", source, np.eye(4, dtype="f4"))
    report = write_keras(
        Model(graph, source=f"{name}.pb"),
        graph,
        tmp_path,
        inputs=[Tensor(f"in{name}")],
        outputs=[Tensor(f"{name}/2/out")],
        name=name,
        blocks=[f"{name}/{n}" for n in range(3)],
    )
    text = report.source.text
    tree = ast.parse(text)
    imports = [ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Import)]
    assert imports == ["import keras"]
    assert len(tree.body) == 4 and text.isascii()
    x = rng().normal(size=(2, 4)).astype("f4")
    np.testing.assert_allclose(run(tmp_path)(x), x, rtol=1e-6)


def test_loop_is_written_for_a_chain_of_equal_layers(tmp_path: Path) -> None:
    graph = Graph()
    placeholder(graph)
    source, kernels = "x", rng().normal(size=(6, 4, 4)).astype("f4")
    for n, kernel in enumerate(kernels):
        dense(graph, f"fc{n + 1}", source, kernel)
        source = f"fc{n + 1}"
    report = written(graph, tmp_path, "fc6/out", blocks=[f"fc{n}" for n in range(1, 7)])
    assert "    for n in range(1, 7):" in report.source.text
    x = rng().normal(size=(2, 4)).astype("f4")
    want = np.linalg.multi_dot([x, *kernels])
    np.testing.assert_allclose(run(tmp_path)(x), want, rtol=1e-3, atol=1e-4)


def test_missing_weight_leaves_nothing_behind(tmp_path: Path) -> None:
    graph = Graph()
    placeholder(graph)
    graph.add("kernel", Node("VarHandleOp", {"dtype": "float32"}))
    weights = {"kernel": WeightUse("kernel", (4, 2))}
    put(graph, "fc", "Dense", ["x"], weights=weights, config={"units": 2})
    with pytest.raises(MissingWeight, match="kernel"):
        written(graph, tmp_path / "made", "fc/out")
    assert list((tmp_path / "made").iterdir()) == []


def test_without_h5py_the_weights_lie_in_an_npz(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = Graph()
    placeholder(graph)
    values = [rng().normal(size=(4, 4)).astype("f4") * scale for scale in range(1, 4)]
    dense(graph, "deep", "x", values[0], np.ones(4, "f4"))
    dense(graph, "deeper", "deep", values[1])
    dense(graph, "shallow", "x", values[2], np.full(4, 2, "f4"))
    put(graph, "sum", "Add", ["shallow", "deeper"])
    written(graph, tmp_path, "sum/out")
    with monkeypatch.context() as hidden:
        hidden.setitem(sys.modules, "h5py", None)
        report = written(graph, tmp_path, "sum/out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.py", "weights.npz"]
    assert report.weights == "weights.npz" and report.parameters == 56
    module = runpy.run_path(str(tmp_path / "model.py"))
    model = module["load_weights"](module["build_model"](), tmp_path / "weights.npz")
    x = rng().normal(size=(2, 4)).astype("f4")
    want = (x @ values[0] + 1) @ values[1] + x @ values[2] + 2
    np.testing.assert_allclose(model(x), want, rtol=1e-4, atol=1e-5)
    stored = np.load(tmp_path / "weights.npz").files
    assert stored[:2] == ["deep/kernel", "deep/bias"]


def test_output_inside_a_layer_is_refused(tmp_path: Path) -> None:
    graph = Graph()
    placeholder(graph)
    put(graph, "act", "ReLU", ["x"], members=frozenset({"inner"}))
    with pytest.raises(OutputsUnknown, match="lies inside the layer 'act'"):
        to_keras(graph, inputs=[X], outputs=[Tensor("inner")])


def test_loop_in_the_graph_is_reported() -> None:
    graph = Graph()
    placeholder(graph)
    graph.add("merge", Node("Merge", {"T": "float32"}), [X, Tensor("next")])
    graph.add("next", Node("NextIteration", {"T": "float32"}), [Tensor("merge")])
    with pytest.raises(NotExpressible, match="loop"):
        to_keras(graph, inputs=[X], outputs=[Tensor("next")])


def test_deep_graph_needs_no_recursion() -> None:
    graph = Graph()
    placeholder(graph)
    source = "x"
    for n in range(3000):
        put(graph, f"act_{n}", "ReLU", [source])
        source = f"act_{n}"
    found = to_keras(graph, inputs=[X], outputs=[Tensor(f"{source}/out")])
    assert len(found.program.steps) == 3000
    assert len(layer_paths(found.program)) == 3001


@pytest.mark.parametrize("name", sorted(signatures()))
def test_table_of_signatures_is_keras_own(name: str) -> None:
    import inspect

    from keras import layers

    found, theirs = signatures()[name], getattr(layers, name)
    assert theirs.__name__ == found.python_name
    known = inspect.signature(theirs.__init__).parameters
    for argument, default in found.arguments.items():
        wanted = known[argument].default
        assert (
            wanted is inspect.Parameter.empty
            if default is REQUIRED
            else wanted == default
        )


def test_name_that_nobody_chose_is_left_out_unless_keras_would_give_it_twice(
    tmp_path: Path,
) -> None:
    graph = Graph()
    placeholder(graph)
    dense(graph, "fc", "x", np.eye(4, dtype="f4"))
    for name, inputs in (("block_add", ["fc", "x"]), ("add", ["block_add", "x"])):
        put(graph, name, "Add", inputs)
        layer = graph.node(name)
        node = "net/block/add" if name == "block_add" else "net/add/add"
        graph.nodes[name]["node"] = replace(layer, output=Tensor(node))
    put(graph, "scores", "ReLU", ["add"])
    text = written(graph, tmp_path, "scores/out").source.text
    assert 'layers.ReLU(name="scores")' in text and "block_add" not in text
    x = rng().normal(size=(2, 4)).astype("f4")
    np.testing.assert_allclose(run(tmp_path)(x), np.maximum(3 * x, 0), rtol=1e-5)


def test_regularizer_of_many_layers_is_a_constant(tmp_path: Path) -> None:
    graph = Graph()
    placeholder(graph)
    source = "x"
    for n in range(3):
        dense(graph, f"fc{n}", source, np.eye(4, dtype="f4"))
        decay = {"class_name": "L2", "config": {"l2": 0.001}}
        layer = graph.node(f"fc{n}")
        config = {**layer.attrs, "kernel_regularizer": decay}
        graph.nodes[f"fc{n}"]["node"] = replace(layer, attrs=config)
        source = f"fc{n}"
    text = written(graph, tmp_path, "fc2/out").source.text
    assert "\n\nREGULARIZER = regularizers.L2(0.001)\n\n\n" in text
    assert text.count("regularizers.L2") == 1
    losses = run(tmp_path).losses
    np.testing.assert_allclose([float(each) for each in losses], 0.004, rtol=1e-5)


def test_input_that_a_layer_is_called_like_keeps_its_name_in_part(
    tmp_path: Path,
) -> None:
    graph = Graph()
    placeholder(graph, "feature_op1")
    graph.graph["tensors"] = {Tensor("net/feature"): Tensor("feature_op1")}
    dense(graph, "feature", "feature_op1", np.eye(4, dtype="f4"))
    report = written(graph, tmp_path, "feature/out", inputs=[Tensor("net/feature")])
    assert 'keras.Input((4,), name="feature_input")' in report.source.text
    run(tmp_path)
