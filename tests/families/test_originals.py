"""Families from checkpoints alone, against graphs after their authors' code: named, wired, equal; a changed one is not named."""

from __future__ import annotations

import random
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope import load
from graphscope.analysis import Analysis
from graphscope.families.claim import Claim
from graphscope.families.identify import identify
from graphscope.families.solve import solve
from graphscope.families.weight_index import WeightIndex
from graphscope.graph import Variable
from graphscope.verify.run.keras_source import run_source
from tests.architectures.legacy import tensorflow_1
from tests.families import originals
from tests.families.originals import ORIGINALS, Original
from tests.families.test_perturbed import KINDS, Shapes, perturbed

v1 = tf.compat.v1
for module in iter_modules(originals.__path__):
    import_module(f"{originals.__name__}.{module.name}")
ROWS = [
    pytest.param(name, marks=pytest.mark.slow) if each.is_slow else name
    for name, each in ORIGINALS.items()
]


def drawn(name: str, shape: list[int], rng: np.random.Generator) -> np.ndarray:
    """Values under which no layer dies or drowns the others."""
    last = name.rpartition("/")[2]
    if len(shape) < 2:
        is_scale = last in ("gamma", "moving_variance", "variance", "scale")
        low, high = (0.7, 1.3) if is_scale else (-0.3, 0.3)
        return rng.uniform(low, high, shape).astype("float32")
    rows = int(np.prod(shape[:-1])) if "depthwise" not in name else shape[0] * shape[1]
    return rng.normal(0, (1.5 / rows) ** 0.5, shape).astype("float32")


def fed(tensor: Any, each: Original, rng: np.random.Generator) -> np.ndarray:
    shape = tensor.shape.as_list()
    if tensor.dtype.is_integer:
        return rng.integers(0, each.limit, shape).astype(tensor.dtype.as_numpy_dtype)
    return rng.uniform(-each.peak, each.peak, shape).astype("float32")


def slots(variables: list[Any]) -> dict[Any, np.ndarray]:
    """What training leaves in a checkpoint: a step, and of some weights Adam's slots and moving averages."""
    extras = {v1.Variable(0, name="global_step"): np.int32(7)}
    for number in (1, 2):
        extras[v1.Variable(0.0, name=f"beta{number}_power")] = np.float32(0.9)
    small = [v for v in variables if v.shape.num_elements() < 10_000]
    for variable in small[:12]:
        zeros = np.zeros(variable.shape.as_list(), "float32")
        for end in ("Adam", "Adam_1", "ExponentialMovingAverage"):
            extras[v1.Variable(zeros, name=f"{variable.op.name}/{end}")] = zeros
    return extras


def saved(
    each: Original, path: Path, version: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """What was fed and what came out; the checkpoint of it is at ``path``, without a graph."""
    rng = np.random.default_rng(8)
    with tensorflow_1(), v1.Session() as session:
        inputs, outputs = each.build()
        contents = {
            variable: drawn(variable.op.name, variable.shape.as_list(), rng)
            for variable in v1.global_variables()
        }
        contents |= slots(v1.trainable_variables())
        feeds = {v.initializer.inputs[1]: value for v, value in contents.items()}
        session.run([v.initializer for v in contents], feeds)
        values = [fed(tensor, each, rng) for tensor in inputs]
        saver = v1.train.Saver(write_version=version)
        saver.save(session, str(path), write_meta_graph=False)
        return values, session.run(outputs, dict(zip(inputs, values, strict=True)))


def check_equal(
    folder: Path, values: list[np.ndarray], expected: list[np.ndarray]
) -> None:
    model = run_source(folder)
    result = model(values if len(values) > 1 else values[0])
    results = list(result) if isinstance(result, (list, tuple)) else [result]
    assert len(results) == len(expected)
    arrays = [np.asarray(each) for each in results]
    for place, other in enumerate(expected):
        scale, spread = float(np.abs(other).max()), float(np.std(other))
        assert np.isfinite(other).all() and spread > 1e-3 * scale, "says nothing"
        alike = [a.reshape(other.shape) for a in arrays if a.size == other.size]
        far = [float(np.abs(one - other).max()) / scale for one in alike]
        assert min(far) < 1e-4, (place, far)


def check_part(part: Claim, before: Shapes, after: Shapes) -> None:
    """A backbone is named where the change left it as it was, and never as the whole."""
    assert part.outside and all(before[n] == after[n] for n in part.net.bound)


def check_perturbed(claim: Claim, name: str) -> None:
    """Changed copies: this family is not claimed, unless it is another member of it, and no other but its backbone."""
    shapes, rng = dict(claim.index.shapes), random.Random(name)
    for number in range(2 * len(KINDS)):
        kind = KINDS[number % len(KINDS)]
        changed = perturbed(shapes, kind, rng)
        if changed == shapes:  # nothing lies beside a weight that has no scope
            continue
        index = WeightIndex(Variable(n, "float32", s, 0) for n, s in changed.items())
        for other in solve(index)[0]:
            if other.family.title == ORIGINALS[name].part:
                check_part(other, shapes, changed)
                continue
            assert other.family.title == claim.family.title, (kind, str(other))
            is_member = kind == "every use" or other.values != claim.values
            assert is_member or other.outside, (kind, str(other))


@pytest.mark.parametrize("name", ROWS)
def test_an_original_is_named_wired_and_equal(name: str, tmp_path: Path) -> None:
    each = ORIGINALS[name]
    version = 2 if len(name) % 3 else 1
    values, expected = saved(each, tmp_path / "m", version)
    path = tmp_path / ("m" if version == 1 else "m.index")
    identity = identify(load(path), each.options)
    near = [claim.why_not() for claim in identity.near]
    assert identity.claim is not None, (near, identity.remarks)
    assert str(identity.claim).startswith(each.title)
    check_perturbed(identity.claim, name)
    Analysis(identity.model).write_keras(tmp_path / "keras", weights="raw")
    check_equal(tmp_path / "keras", values, expected)
