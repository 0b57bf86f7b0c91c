"""What of a model holds when it is saved in each form of its Keras: counted, sized, written back, equal and proven.

``python -m tests.read.keras.measure [keras|tf_keras] [seeds FIRST LAST]`` prints the table; *proven* is what ``graphscope keras`` says
of it against the Keras that wrote the file.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

FORMS = (".keras", ".h5", ".weights.h5")
FAILURES = Exception  # whatever comes: a row of the table


def spread(model: Any, seed: int = 0) -> None:
    """Give the weights values that tell them apart."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        old = np.asarray(weight)
        if old.dtype.kind == "f":
            name = getattr(weight, "path", weight.name)
            moved = rng.normal(0, 0.4, old.shape)
            moved = np.abs(moved) + 0.5 if "variance" in name else moved
            weight.assign(moved.astype(old.dtype))


def feeds(model: Any, seed: int = 1) -> list[Any]:
    """Random inputs of a model."""
    rng = np.random.default_rng(seed)
    return [_drawn(rng, tensor) for tensor in model.inputs]


def _drawn(rng: Any, tensor: Any) -> Any:
    import tensorflow as tf

    shape = tuple(3 if size is None else int(size) for size in tensor.shape)
    dtype = getattr(tensor.dtype, "name", tensor.dtype)
    if dtype == "string":
        return tf.constant(rng.choice(["red", "green a", "b", "c"], shape))
    if dtype.startswith(("int", "uint")):
        return tf.constant(rng.integers(0, 5, shape), dtype)
    drawn = rng.normal(0, 1, shape)
    drawn[..., 0] = np.where(rng.random(shape[:-1]) < 0.3, 0.25, drawn[..., 0])
    return tf.constant(drawn, dtype)


def answers(model: Any, arrays: list[Any]) -> list[np.ndarray]:
    import tensorflow as tf

    given = arrays if len(arrays) > 1 else arrays[0]
    return [np.asarray(x) for x in tf.nest.flatten(model(given, training=False))]


def distance(first: list[np.ndarray], second: list[np.ndarray]) -> float:
    """The largest difference in the scale of the reference; infinite where number or shapes differ."""
    if [x.shape for x in first] != [x.shape for x in second]:
        return float("inf")
    pairs = [(x, y) for x, y in zip(first, second) if x.size]
    if any(x.dtype.kind in "SUO" for x, _ in pairs):
        return 0.0 if all((x == y).all() for x, y in pairs) else float("inf")
    return max(
        (
            float(
                np.max(np.abs(x.astype("f8") - y))
                / (np.max(np.abs(x.astype("f8"))) + 1e-9)
            )
            for x, y in pairs
        ),
        default=0.0,
    )


def saved(model: Any, folder: Path, form: str) -> Path | None:
    """The model in one form; None where its own Keras cannot save it so."""
    path = folder / f"model{form}"
    try:
        if form == ".weights.h5":
            model.save_weights(path)
            (folder / "model.json").write_text(model.to_json())
        else:
            model.save(path)
    except (TypeError, ValueError, NotImplementedError, KeyError, AttributeError):
        return None
    return path


def counts(model: Any, path: Path) -> str:
    """What is wrong with the sums; "" where all agree."""
    import graphscope
    from graphscope.analysis.documents import (
        describe_layers,
        describe_model,
        describe_variables,
    )

    found = graphscope.analyse(str(path))
    true = model.count_params()
    seen: dict[str, int] = {}
    for layer in describe_layers(found)["layers"]:
        for use in layer["weights"].values():
            seen[use["variable"]] = int(np.prod(use["shape"]))
    listed = [
        int(np.prod(v["shape"]))
        for v in describe_variables(found)["variables"]
        if v["role"] in ("weight", "batch statistics")
    ]
    told = {
        "layers": sum(seen.values()),
        "table": int(found.layer_table()["parameters"].sum()),
        "inspect": describe_model(found)["parameters"],
        "variables": sum(listed),
    }
    wrong = {key: count for key, count in told.items() if count != true}
    return f"true {true}, {wrong}" if wrong else ""


def written(
    model: Any, path: Path, folder: Path, arrays: list[Any], want: list[Any]
) -> str:
    """What is wrong with the source; "" where it builds, loads and computes the same."""
    import graphscope
    from graphscope.verify.run.keras_source import run_source

    graphscope.analyse(str(path)).write_keras(folder)
    far = distance(want, answers(run_source(folder), arrays))
    return (
        "" if far <= 1e-5 * (100 if _halves(model) else 1) else f"differs by {far:.2g}"
    )


def proven(path: Path, folder: Path) -> str:
    """What the proof of the written source lacks; "" where its verdict is equal."""
    import graphscope

    proof = graphscope.analyse(str(path)).prove(folder)
    if proof.passed:
        return ""
    reasons = [*proof.remarks, f"{proof.verdict}, max_rel {proof.max_rel:.2g}"]
    return "; ".join(reasons)[:300]


def _halves(model: Any) -> bool:
    layers = getattr(model, "layers", ())
    return any("float16" in str(getattr(x, "compute_dtype", "")) for x in layers)


def sizes(model: Any, path: Path) -> str:
    """What is wrong with the output shapes and dtypes of the layers; "" where all are as Keras has them."""
    import graphscope

    found = graphscope.analyse(str(path))
    specs = {layer.name: found.specs.get(layer.output) for layer in found.layers}
    wrong = []
    for layer in model.layers:
        spec = specs.get(layer.name)
        want = output_of(layer)
        if want is None or layer.name not in specs:
            continue
        if spec is None or not _agrees(spec, *want):
            wrong.append(f"{layer.name}: {spec and (spec.dtype, spec.shape)} is {want}")
    return "; ".join(wrong[:3])


def _agrees(spec: Any, dtype: str, shape: tuple[Any, ...]) -> bool:
    """Whether what is told is what Keras says; a size that Keras leaves open may be told."""
    if spec.shape is None or len(spec.shape) != len(shape):
        return False
    pairs = zip(spec.shape, shape)
    return spec.dtype == dtype and all(b is None or a == b for a, b in pairs)


def output_of(layer: Any) -> tuple[str, tuple[Any, ...]] | None:
    """Dtype and shape of a layer's first output, where all its calls agree."""
    if hasattr(layer, "layers") and hasattr(layer, "inputs"):
        return None
    try:
        found = layer.output
    except (AttributeError, ValueError, RuntimeError):
        return None
    first = found[0] if isinstance(found, (list, tuple)) else found
    dtype = getattr(first.dtype, "name", first.dtype)
    return str(dtype), tuple(first.shape)


def rows(
    name: str,
    build: Callable[[], Any],
    forms: tuple[str, ...] = FORMS,
    is_proven: bool = False,
) -> Iterator[tuple[str, str, str]]:
    """Form, check and what is wrong (``""``: nothing) of one model."""
    model = build()
    spread(model)
    arrays = feeds(model)
    try:
        want: Any = answers(model, arrays)
    except FAILURES as error:
        want = f"Keras itself cannot run it: {_line(error)}"
    for form in forms:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            path = saved(model, folder, form)
            if path is None:
                continue
            yield form, "counted", _tried(lambda: counts(model, path))
            yield form, "sized", _tried(lambda: sizes(model, path))
            if isinstance(want, str):
                continue
            target = folder / "out"
            yield form, "equal", _tried(
                lambda: written(model, path, target, arrays, want)
            )
            if is_proven and (target / "model.py").is_file():
                yield form, "proven", _tried(lambda: proven(path, target))


def _tried(check: Callable[[], str]) -> str:
    try:
        return check()
    except FAILURES as error:
        return _line(error)


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def tally(
    models: Iterator[tuple[str, Callable[[], Any]]], shown: bool = True
) -> dict[str, list[int]]:
    """Right and tried by form and check; prints what is wrong."""
    found: dict[str, list[int]] = {}
    for name, build in models:
        try:
            for form, check, wrong in rows(name, build, is_proven=True):
                right, tried = found.setdefault(f"{form} {check}", [0, 0])
                found[f"{form} {check}"] = [right + (not wrong), tried + 1]
                if wrong and shown:
                    print(f"{name}{form} {check}: {wrong}", flush=True)
        except FAILURES as error:
            print(f"{name}: cannot be built: {_line(error)}", flush=True)
    return found


def main(arguments: list[str]) -> None:
    import keras
    import tf_keras

    chosen, *rest = arguments or ["both"]
    for K in (keras, tf_keras):
        if chosen in (K.__name__, "both"):
            found = tally(_models(K, rest))
            told = {key: f"{a} of {b}" for key, (a, b) in found.items()}
            print(K.__name__, told, flush=True)


def _models(K: Any, rest: list[str]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """``seeds FIRST LAST``, or those whose names have the word; all without one."""
    from .compositions import COMPOSITIONS
    from .layer_classes import models_of_classes
    from .random_models import random_model

    if rest[:1] == ["seeds"]:
        for seed in range(int(rest[1]), int(rest[2])):
            yield f"seed {seed} ", lambda seed=seed: random_model(K, seed)  # type: ignore[misc]
        return
    word = rest[0] if rest else ""
    yield from ((n, b) for n, b in models_of_classes(K) if word in n)
    for name, build in COMPOSITIONS.items():
        if word in name:
            yield name, lambda build=build: build(K)  # type: ignore[misc]


if __name__ == "__main__":
    main(sys.argv[1:])
