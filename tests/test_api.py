"""graphscope from Python: every public name has an example, and it runs; objects are copied, pickled, tabulated, typed."""

from __future__ import annotations

import copy
import doctest
import inspect
import os
import pickle
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

import graphscope
from graphscope.analysis import Analysis
from graphscope.analysis.tables import Tables
from graphscope.graph import Graph
from graphscope.wire import messages as proto

ROOT = Path(__file__).parent.parent


def add(graph, name: str, op: str, *inputs: str, **types: int):  # type: ignore[no-untyped-def]
    node = graph.node.add(name=name, op=op, input=inputs)
    for key, value in types.items():
        node.attr[key].type = value
    return node


def constant(graph, name: str, array: np.ndarray) -> None:  # type: ignore[no-untyped-def]
    tensor = add(graph, name, "Const", dtype=1).attr["value"].tensor
    tensor.dtype, tensor.tensor_content = 1, array.astype("f").tobytes()
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)


def classifier(path: Path, seed: int = 0) -> Path:
    """Two dense layers, frozen; the example of the documentation."""
    random, graph = np.random.default_rng(seed), proto.GraphDef()
    images = add(graph, "images", "Placeholder", dtype=1)
    for size in (-1, 4):
        images.attr["shape"].shape.dim.add(size=size)
    constant(graph, "hidden/weights", random.normal(size=(4, 8)))
    constant(graph, "hidden/bias", random.normal(size=8))
    constant(graph, "logits/weights", random.normal(size=(8, 3)))
    constant(graph, "logits/bias", random.normal(size=3))
    add(graph, "hidden/MatMul", "MatMul", "images", "hidden/weights", T=1)
    add(graph, "hidden/BiasAdd", "BiasAdd", "hidden/MatMul", "hidden/bias", T=1)
    add(graph, "relu", "Relu", "hidden/BiasAdd", T=1)
    add(graph, "logits/MatMul", "MatMul", "relu", "logits/weights", T=1)
    add(graph, "logits/BiasAdd", "BiasAdd", "logits/MatMul", "logits/bias", T=1)
    add(graph, "probs", "Softmax", "logits/BiasAdd", T=1)
    path.write_bytes(graph.SerializeToString())
    return path


PUBLIC = [name for name in graphscope.__all__ if name != "__version__"]


def examples(thing: object, name: str) -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(recurse=inspect.isclass(thing))
    globs = {each: getattr(graphscope, each) for each in PUBLIC}
    return [
        test
        for test in finder.find(thing, name, globs={**globs, "graphscope": graphscope})
        if test.examples
    ]


@pytest.mark.parametrize("name", ["graphscope", *PUBLIC])
def test_every_public_name_has_an_example_that_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier(tmp_path / "model.pb")
    monkeypatch.chdir(tmp_path)
    thing = graphscope if name == "graphscope" else getattr(graphscope, name)
    tests = [
        test
        for each in ([Tables, thing] if thing is Analysis else [thing])
        for test in examples(each, each.__name__)
    ]
    assert any(test.name in (name, "Tables") for test in tests), f"{name}: no example"
    runner = doctest.DocTestRunner(
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    )
    for test in tests:
        report: list[str] = []
        runner.run(test, out=report.append)
        assert not report, "".join(report)


def test_a_repr_tells(tmp_path: Path) -> None:
    lines = repr(graphscope.analyse(classifier(tmp_path / "model.pb"))).splitlines()
    assert lines[0] == "<Analysis of model.pb: GraphDef, 4 layers, 67 parameters>"
    assert any("input: images:0" in line for line in lines)
    assert any("output: probs:0" in line for line in lines)


def one_of_each_kind(corpus: Path) -> list[Path]:
    rows = (line.split("\t") for line in (corpus / "INDEX.tsv").open())
    kinds = {row[3]: corpus / row[0] for row in rows if row[0] != "path"}
    return [path for kind, path in kinds.items() if kind not in ("other", "kind")]


def test_graphs_and_models_of_every_format_are_copied_and_pickled(corpus: Path) -> None:
    paths = one_of_each_kind(corpus)
    assert len(paths) >= 12
    for path in paths:
        analysis = graphscope.analyse(path)
        for graph in (analysis.model.graph, analysis.layer_graph):
            check_copies(graph)
        again = pickle.loads(pickle.dumps(analysis))
        assert repr(again) == repr(analysis), path
        assert again.layer_table().equals(analysis.layer_table()), path
        for name in list(analysis.model.weights)[:4]:
            stored, copied = analysis.model.weights, again.model.weights
            assert stored.spec(name) == copied.spec(name)
            assert stored.has_value(name) == copied.has_value(name)
            if stored.has_value(name) and stored.spec(name).dtype[:1] in "fiu":
                assert np.array_equal(stored[name], copied[name], equal_nan=True)


def check_copies(graph: Graph) -> None:
    twins = [graph.copy(), copy.copy(graph), copy.deepcopy(graph)]
    twins.append(pickle.loads(pickle.dumps(graph)))
    for twin in twins:
        assert isinstance(twin, Graph) and list(twin) == list(graph)
        assert all(twin.inputs(name) == graph.inputs(name) for name in graph)
        assert all(twin.op(name) == graph.op(name) for name in graph)
        assert all(set(twin.attrs(n)) == set(graph.attrs(n)) for n in graph)
    back = graph.reverse()
    assert {(b, a) for a, b in back.edges()} == set(graph.edges())
    assert graph.to_undirected().number_of_nodes() == len(graph)


def test_tables_are_data_frames(tmp_path: Path) -> None:
    analysis = graphscope.analyse(classifier(tmp_path / "model.pb"))
    layers, variables = analysis.layer_table(), analysis.variable_table(True)
    assert layers["parameters"].sum() == 67 and layers["parameters"].dtype == "int64"
    assert variables["bytes"].sum() == 4 * 67 and variables["bytes"].dtype == "int64"
    weights = graphscope.load(str(tmp_path / "model.pb")).value("hidden/weights")
    row = variables.set_index("name").loc["hidden/weights"]
    assert row["maximum"] == pytest.approx(float(weights.max()))
    assert row["shape"] == (4, 8)
    assert analysis.output_table()["score"][0] > 0.5
    assert list(analysis.input_table()["tensor"]) == ["images:0"]
    assert set(analysis.finding_table().columns) >= {"id", "severity", "message"}
    assert (analysis.variable_table().groupby("role")["bytes"].sum() == 4 * 67).all()


def test_networkx_writes_and_reads_what_is_given(corpus: Path, tmp_path: Path) -> None:
    """Its own writers and readers, for one model of each kind and both altitudes."""
    for path in one_of_each_kind(corpus):
        analysis = graphscope.analyse(path)
        for level in ("layer", "op"):
            network = analysis.to_networkx(level)
            graph = analysis.at_level(level)
            assert network.number_of_nodes() == len(graph)
            assert network.number_of_edges() == sum(len(graph.inputs(n)) for n in graph)
            check_files(network, tmp_path)
            counted = sum(analysis.layer_table(level)["parameters"])
            assert sum(n for _, n in network.nodes(data="parameters")) == counted
            assert sum(nx.pagerank(network).values()) == pytest.approx(1)


def check_files(network: nx.MultiDiGraph, folder: Path) -> None:
    nx.write_graphml(network, folder / "m.graphml")
    nx.write_gexf(network, folder / "m.gexf")
    back = nx.read_graphml(folder / "m.graphml", force_multigraph=True)
    assert dict(back.nodes(data="type")) == dict(network.nodes(data="type"))
    assert back.number_of_edges() == network.number_of_edges()
    assert len(nx.read_gexf(folder / "m.gexf")) == len(network)


def test_render_writes_what_networkx_reads(tmp_path: Path) -> None:
    analysis = graphscope.analyse(classifier(tmp_path / "model.pb"))
    for suffix, read in ((".graphml", nx.read_graphml), (".gexf", nx.read_gexf)):
        analysis.render(tmp_path / f"model{suffix}")
        network = read(tmp_path / f"model{suffix}")
        assert network.nodes["hidden"]["type"] == "Dense"


CLIENT = '''
"""What a program with types writes that uses graphscope."""

import pandas
from graphscope import Analysis, Graph, GraphscopeError, Layer, Model, Node, Tensor, TensorSpec
from graphscope import __version__, analyse, load
import graphscope


def widths(path: str) -> dict[str, int]:
    """Parameters by layer."""
    model: Model = load(path)
    analysis: Analysis = analyse(model, outputs=["probs"], shapes={"images": (1, 4)})
    layers: tuple[Layer, ...] = analysis.layers
    graph: Graph = analysis.layer_graph
    node: Node = graph.node("hidden")
    spec: TensorSpec = analysis.specs[Tensor("images")]
    frame: pandas.DataFrame = analysis.layer_table()
    print(node.op, spec.shape, len(layers), frame.shape, graphscope.__version__ + __version__)
    return {layer.name: len(layer.weights) for layer in layers}


try:
    widths("model.pb")
except GraphscopeError as error:
    print(error.exit_code + 1)
'''


@pytest.mark.slow
def test_the_installed_package_is_typed(tmp_path: Path) -> None:
    """mypy --strict on a small client, against the package as pip installs it."""
    client, source = tmp_path / "client.py", tmp_path / "source"
    client.write_text(CLIENT)
    source.mkdir()
    for name in ("setup.cfg", "setup.py", "README.rst", "LICENSE"):
        shutil.copy(ROOT / name, source)
    left_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "graphscope", source / "graphscope", ignore=left_out)
    venv.create(tmp_path / "venv")
    (site,) = (tmp_path / "venv").rglob("site-packages")
    run = [sys.executable, "-m"]
    install = [*run, "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--target", str(site), str(source)], check=True)
    others = Path(np.__file__).parents[1]
    (site / "others.pth").write_text(f"{others}\n")
    python = tmp_path / "venv" / "bin" / "python"
    words = ["mypy", "--strict", "--python-executable", str(python), "client.py"]
    assert checked(words, tmp_path).startswith("Success")
    wrong = {"frame: pandas.DataFrame": "frame: str", "model: Model": "model: str"}
    for right, other in wrong.items():  # what is returned is not Any
        client.write_text(CLIENT.replace(right, other))
        assert "Incompatible types" in checked(words, tmp_path)


def checked(words: list[str], folder: Path) -> str:
    """What mypy says of the client."""
    ours = ("PYTHONPATH", "MYPYPATH")
    env = {key: value for key, value in os.environ.items() if key not in ours}
    run = [sys.executable, "-m", *words]
    return subprocess.run(
        run, cwd=folder, env=env, capture_output=True, text=True
    ).stdout
