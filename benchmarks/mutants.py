"""How many wrong models does the proof catch? Recovered models with one mistake each, and what the proof says of them.

``python benchmarks/mutants.py COUNT [SEED [FOLDER]]``: random Keras models (``tests/generated``), or the graphs of a folder, are recovered, one thing of
``model.py`` (a number, a word, an operator, a layer) or of its weights is changed, and the result is proved against the graph. A mutant that passes is run beside the
unharmed model on many more inputs: where those never tell them apart it is the same function and does not count.
"""

from __future__ import annotations

import ast
import copy
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))  # before other people's "tests"

from graphscope.analysis.results import analyse  # noqa: E402
from graphscope.errors import GraphscopeError  # noqa: E402
from graphscope.verify import compare  # noqa: E402
from graphscope.verify.run.keras_source import run_source  # noqa: E402
from tests.generated.keras_models import random_model  # noqa: E402
from tests.recovery import freeze_model  # noqa: E402

WORDS = {
    "same": "valid",
    "valid": "same",
    "relu": "relu6",
    "relu6": "relu",
    "silu": "gelu",
    "gelu": "silu",
    "sigmoid": "hard_sigmoid",
    "hard_sigmoid": "sigmoid",
    "tanh": "softsign",
    "softsign": "tanh",
    "softplus": "relu",
    "elu": "selu",
    "selu": "elu",
    "softmax": "sigmoid",
    "bilinear": "nearest",
    "nearest": "bilinear",
    "mish": "silu",
    "leaky_relu": "relu",
}
LIKE = {
    "MaxPooling2D": "AveragePooling2D",
    "AveragePooling2D": "MaxPooling2D",
    "MaxPooling1D": "AveragePooling1D",
    "GlobalAveragePooling2D": "GlobalMaxPooling2D",
    "GlobalMaxPooling2D": "GlobalAveragePooling2D",
    "Maximum": "Minimum",
    "Minimum": "Maximum",
    "Add": "Average",
    "maximum": "minimum",
    "minimum": "maximum",
    "max": "mean",
    "mean": "max",
    "LayerNormalization": "RMSNormalization",
}
Edit = Callable[[], None]


def edits(tree: ast.Module) -> Iterator[tuple[str, Edit]]:
    """Everything in the source that could have been written otherwise."""
    body = next(
        part
        for part in tree.body
        if isinstance(part, ast.FunctionDef) and part.name == "build_model"
    )
    for node in ast.walk(body):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            new: Any = node.value + 1 if type(node.value) is int else node.value * 1.1
            yield f"number {node.value}", _set(node, "value", new)
        elif isinstance(node, ast.Constant) and type(node.value) is bool:
            yield f"flag {node.value}", _set(node, "value", not node.value)
        elif isinstance(node, ast.Constant) and node.value in WORDS:
            yield f"word {node.value}", _set(node, "value", WORDS[node.value])
        elif isinstance(node, ast.Attribute) and node.attr in LIKE:
            yield f"class {node.attr}", _set(node, "attr", LIKE[node.attr])
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
            yield "operator", _set(node, "op", other)
        elif isinstance(node, ast.Call):
            yield from _call_edits(node)


def _call_edits(node: ast.Call) -> Iterator[tuple[str, Edit]]:
    for at, word in enumerate(node.keywords):
        if word.arg not in ("name", None):
            rest = [k for n, k in enumerate(node.keywords) if n != at]
            yield f"without {word.arg}", _set(node, "keywords", rest)
    if isinstance(node.func, ast.Call):
        for made in ("relu", "tanh"):
            inner = node.func
            if not any(k.arg == "activation" for k in inner.keywords):
                extra = ast.keyword("activation", ast.Constant(made))
                yield f"with {made}", _set(inner, "keywords", [*inner.keywords, extra])
    args = node.args[0].elts if _is_list(node.args) else node.args
    if len(args) == 2:
        yield "operands swapped", lambda: args.reverse()


def _is_list(args: list[ast.expr]) -> bool:
    return len(args) == 1 and isinstance(args[0], ast.List)


def _set(node: Any, name: str, value: Any) -> Edit:
    return lambda: setattr(node, name, value)


def mutate_source(path: Path, rng: random.Random) -> str:
    tree = ast.parse(path.read_text())
    found = list(edits(tree))
    if not found:
        return ""
    told, edit = rng.choice(found)
    edit()
    path.write_text(ast.unparse(tree))
    return told


def mutate_weights(path: Path, rng: random.Random) -> str:
    """One array of the file changed, or two of one shape exchanged."""
    with h5py.File(path, "r+") as file:
        names: list[str] = []
        file.visititems(
            lambda name, item: (
                names.append(name)
                if isinstance(item, h5py.Dataset) and item.size and item.dtype != object
                else None
            )
        )
        names = [name for name in names if file[name].dtype.kind == "f"]
        if not names:
            return ""
        name = rng.choice(names)
        value = np.array(file[name])
        pairs = [n for n in names if file[n].shape == value.shape and n != name]
        kind = rng.choice(
            ["exchanged", "scaled", "zeroed", "one element", "turned", "rolled"]
        )
        new = copy.copy(value)
        if kind == "exchanged" and pairs:
            other = rng.choice(pairs)
            new = np.array(file[other])
            file[other][...] = value
        elif kind == "zeroed":
            new = np.zeros_like(value)
        elif kind == "one element":
            flat = new.reshape(-1)
            flat[rng.randrange(flat.size)] += 0.1 + 0.1 * np.abs(value).max()
        elif kind == "turned" and value.ndim > 1:
            new = value[::-1]
        elif kind == "rolled":
            new = np.roll(value, 1, -1)
        else:
            kind, new = "scaled", value * 1.01
        file[name][...] = new
    return f"weights {kind}: {name}"


def inputs(model: Any, rng: np.random.Generator) -> Iterator[list[np.ndarray]]:
    """Small and large, of one sign and of both, and of several sizes."""
    for scale in (1e-3, 0.1, 1.0, 1.0, 1.0, 3.0, 10.0, 100.0, -1.0, -255.0):
        for size in (9, 13):
            made = []
            for x in model.inputs:
                shape = (4, *(n or size for n in x.shape[1:]))
                if "string" in str(x.dtype):
                    made.append(rng.choice(np.array(["a", "12.5", ""]), shape))
                    continue
                if "int" in str(x.dtype) or "bool" in str(x.dtype):
                    made.append(rng.integers(0, 4, shape).astype(str(x.dtype)))
                    continue
                value = rng.normal(size=shape) if scale > 0 else -rng.random(shape)
                made.append((value * scale).astype(str(x.dtype)))
            yield made


def tells_apart(good: Any, bad: Any) -> str:
    """On which inputs two Keras models are more than 1e-3 of the output apart; ``""`` where on none."""
    import tensorflow as tf

    for feeds in inputs(good, np.random.default_rng(5)):
        try:
            one, other = (
                tf.nest.flatten(m(feeds, training=False)) for m in (good, bad)
            )
        except (ValueError, TypeError, tf.errors.OpError):
            continue
        for x, y in zip(map(np.asarray, one), map(np.asarray, other)):
            told = f"at {np.abs(feeds[0]).max():.3g}"
            if x.shape != y.shape:
                return f"{told}: {x.shape} and {y.shape}"
            if x.dtype.kind not in "fiu" or y.dtype.kind not in "fiu":
                if not np.array_equal(x, y):
                    return f"{told}: other values"
                continue
            there = np.isfinite(x) & np.isfinite(y)
            scale = np.abs(x[there]).max(initial=0.0)
            worst = np.abs(x[there] - y[there]).max(initial=0.0)
            if worst > 1e-3 * scale:
                return f"{told}: {worst / scale:.2g} of the output"
    return ""


def verdict(source: Path, good: Path, bad: Path, change: str) -> tuple[str, str]:
    try:
        proof = compare(str(source), str(bad), trust=True)
    except GraphscopeError:
        return "does not run", ""
    if not proof.passed:
        return "caught", ""
    apart = tells_apart(run_source(good, True), run_source(bad, True))
    if not apart:
        return "same function", ""
    return "SURVIVED", f"{change}; {apart}; {proof.max_rel:.2g}; {proof.remarks}"


def main() -> None:
    """Print the survivors as they come, then the score."""
    wanted, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 50_000
    graphs = sorted(Path(sys.argv[3]).glob("*.pb")) if len(sys.argv) > 3 else []
    random.Random(seed).shuffle(graphs)
    ended: Counter[str] = Counter()
    done = 0
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        while done < wanted:
            seed += 1
            graph = graphs[seed % len(graphs)] if graphs else None
            for how, said in mutants_of(seed, folder, graph):
                ended[how] += 1
                done += 1
                if done % 50 == 0:
                    print(dict(ended), file=sys.stderr, flush=True)
                if said:
                    print(seed, how, said, flush=True)
    judged = ended["caught"] + ended["SURVIVED"]
    print(", ".join(f"{count} {how}" for how, count in ended.most_common()))
    print(f"score {ended['caught']} of {judged}")


def mutants_of(
    seed: int, folder: Path, graph: Path | None = None, count: int = 6
) -> Iterator[tuple[str, str]]:
    """A few mutants of one random model, or of one graph, each with its verdict."""
    rng = random.Random(seed)
    source, good, bad = folder / "frozen.pb", folder / "good", folder / "bad"
    outputs: list[str] = []
    if graph is None:
        outputs = [str(t) for t in freeze_model(random_model(seed), source)[1]]
    else:
        shutil.copy(graph, source)
        count = 2
    shutil.rmtree(good, ignore_errors=True)
    try:
        found = analyse(source, outputs=outputs)
        found.write_keras(good)
        if not found.prove(good).passed:
            return
    except GraphscopeError:
        return
    for _ in range(count):
        shutil.rmtree(bad, ignore_errors=True)
        shutil.copytree(good, bad)
        weights = bad / "model.weights.h5"
        if weights.exists() and rng.random() < 0.4:
            change = mutate_weights(weights, rng)
        else:
            change = mutate_source(bad / "model.py", rng)
        if change:
            yield verdict(source, good, bad, change)


if __name__ == "__main__":
    main()
