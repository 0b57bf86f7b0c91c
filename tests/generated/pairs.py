"""Pairs of models of which it is known what differs: ``pair(seed, folder)``.

A random net (convolutions, norms, residual blocks, dense layers) is written as a TensorFlow 1 checkpoint with its graph, and beside it
one that was edited in one way: renamed, a layer put in, taken out or widened, trained further, scaled, frozen, quantised, or not at all.
``python -m tests.generated.pairs FIRST LAST`` prints what ``diff`` got wrong.
"""

from __future__ import annotations

import random
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

EDITS = ("none", "renamed", "inserted", "removed", "widened", "tuned", "scaled")
EDITS += ("frozen", "quantised", "weights only")
EDITS += ("renamed and tuned", "inserted and tuned", "renamed and inserted")


@dataclass(frozen=True)
class Part:
    """One layer with weights: ``kind`` conv or dense; ``skip`` adds its input to its output."""

    name: str
    kind: str
    width: int
    norm: bool = False
    relu: bool = True
    skip: bool = False


@dataclass(frozen=True)
class Pair:
    """Two files and the truth of what differs: layers by name, weights that changed and how."""

    edit: str
    a: str
    b: str
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    reshaped: frozenset[str] = frozenset()
    relations: dict[str, str] = field(default_factory=dict)  # by variable; * for any
    changes: dict[str, float] = field(default_factory=dict)  # norm of the change


def parts_of(rng: random.Random) -> list[Part]:
    """A random net: some convolutions, then some dense layers."""
    width = rng.choice([4, 6, 8])
    parts = []
    for i in range(rng.randint(1, 6)):
        skip = bool(i) and rng.random() < 0.4
        width = width if skip else rng.choice([4, 6, 8, 12])
        parts.append(Part(f"conv{i}", "conv", width, rng.random() < 0.5, True, skip))
    width = 0
    for i in range(rng.randint(1, 4)):
        skip = bool(i) and rng.random() < 0.3
        width = width if skip else rng.choice([5, 10, 16, 24])
        parts.append(Part(f"fc{i}", "dense", width, False, rng.random() < 0.8, skip))
    return parts


def values_of(parts: list[Part], seed: int) -> dict[str, np.ndarray]:
    """Random weights for a net, by part and role."""
    generator, values = np.random.default_rng(seed), {}
    width, size = 3, 8
    for part in parts:
        if part.kind == "conv":
            shape: tuple[int, ...] = (3, 3, width, part.width)
        else:
            flat = width * size * size if size else width
            shape, size = (flat, part.width), 0
        values[f"{part.name}/kernel"] = generator.normal(size=shape) / 4
        if part.norm:
            for role in ("gamma", "beta", "moving_mean"):
                values[f"{part.name}/bn/{role}"] = generator.normal(size=part.width)
            spread = 0.5 + generator.random(part.width)
            values[f"{part.name}/bn/moving_variance"] = spread
        else:
            values[f"{part.name}/bias"] = generator.normal(size=part.width)
        width = part.width
    return {name: value.astype("f") for name, value in values.items()}


def save(
    parts: list[Part], values: dict[str, np.ndarray], scope: str, path: Path
) -> str:
    """Write the net as a checkpoint with its graph; variables are called ``scope/part/role``."""
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 8, 8, 3], name="images")
        with v1.variable_scope(scope) if scope else tf.name_scope("net"):
            for part in parts:
                x = _layer(v1, tf, x, part, values)
        tf.nn.softmax(x, name="probabilities")
        session.run(v1.global_variables_initializer())
        return str(v1.train.Saver().save(session, str(path)))


def _layer(v1: Any, tf: Any, x: Any, part: Part, values: dict[str, np.ndarray]) -> Any:
    with v1.variable_scope(part.name):

        def weight(path: str) -> Any:
            value = values[f"{part.name}/{path}"]
            role = path.rpartition("/")[2]
            return v1.get_variable(role, initializer=value, use_resource=False)

        if part.kind == "conv":
            y = tf.nn.conv2d(x, weight("kernel"), 1, "SAME")
        else:
            flat = int(np.prod(x.shape[1:]))
            x = x if len(x.shape) == 2 else tf.reshape(x, [-1, flat])
            y = tf.matmul(x, weight("kernel"))
        if part.norm:
            with v1.variable_scope("bn"):
                roles = ("gamma", "beta", "moving_mean", "moving_variance")
                scales = [weight(f"bn/{role}") for role in roles]
                y = v1.nn.fused_batch_norm(y, *scales, is_training=False)[0]
        else:
            y = tf.nn.bias_add(y, weight("bias"))
        y = tf.nn.relu(y) if part.relu else y
        return y + x if part.skip else y


def pair(seed: int, folder: Path) -> Pair:
    """The pair of a seed; the edits take turns."""
    rng = random.Random(seed)
    edit = EDITS[seed % len(EDITS)]
    parts = parts_of(rng)
    values = values_of(parts, seed)
    a = save(parts, values, "", folder / "a.ckpt")
    return _EDITORS[edit](edit, parts, values, rng, folder, a)


def _saved(edit, parts, values, rng, folder, a, scope="", **truth):  # type: ignore[no-untyped-def]
    return Pair(edit, a, save(parts, values, scope, folder / "b.ckpt"), **truth)


def _renamed(edit, parts, values, rng, folder, a):  # type: ignore[no-untyped-def]
    new = {
        part.name: f"block_{rng.randint(10, 99)}_{i}" for i, part in enumerate(parts)
    }
    parts = [replace(part, name=new[part.name]) for part in parts]
    values = {
        f"{new[key.partition('/')[0]]}/{key.partition('/')[2]}": value
        for key, value in values.items()
    }
    return _saved(edit, parts, values, rng, folder, a, "tower")


def _inserted(edit, parts, values, rng, folder, a, names=("extra",)):  # type: ignore[no-untyped-def]
    at = rng.randrange(1, len(parts) + 1)
    before = parts[at - 1]
    extra = Part(names[0], before.kind, before.width)
    longer = [*parts[:at], extra, *parts[at:]]
    fresh = values_of(longer, rng.randrange(1 << 30))
    more = {**{k: v for k, v in fresh.items() if k.startswith(names[0])}, **values}
    return _saved(edit, longer, more, rng, folder, a, added=frozenset(names))


def _removed(edit, parts, values, rng, folder, a):  # type: ignore[no-untyped-def]
    """The same the other way round."""
    other = _inserted(edit, parts, values, rng, folder, a)
    return Pair(edit, other.b, a, removed=other.added)


def _widened(edit, parts, values, rng, folder, a):  # type: ignore[no-untyped-def]
    free = [
        i
        for i, part in enumerate(parts[:-1])
        if not part.skip and not parts[i + 1].skip
    ] or [len(parts) - 1]
    at = rng.choice(free)
    if parts[at].skip:
        return _saved("none", parts, values, rng, folder, a)
    wide = [*parts]
    wide[at] = replace(parts[at], width=parts[at].width + 3)
    fresh = values_of(wide, rng.randrange(1 << 30))
    changed = {k for k in values if fresh[k].shape != values[k].shape}
    more = {k: fresh[k] if k in changed else values[k] for k in values}
    return _saved(edit, wide, more, rng, folder, a, reshaped=frozenset(changed))


def _tuned(edit, parts, values, rng, folder, a):  # type: ignore[no-untyped-def]
    """Every weight a little, one part twenty times as much."""
    most = rng.choice(parts).name
    generator = np.random.default_rng(rng.randrange(1 << 30))
    after, changes = {}, {}
    for key, value in values.items():
        step = 0.2 if key.startswith(f"{most}/") else 0.01
        after[key] = _moved(generator, value, step)
        changes[key] = step
    relations = dict.fromkeys(values, "moved")
    truth = {"relations": relations, "changes": changes}
    return _saved(edit, parts, after, rng, folder, a, **truth)


def _scaled(edit, parts, values, rng, folder, a):  # type: ignore[no-untyped-def]
    key = rng.choice([each for each in values if each.endswith("kernel")])
    factor = rng.choice([0.5, 2.0, -1.0, 3.7, 0.01])
    after = {**values, key: (values[key] * factor).astype("f")}
    relations = {key: "scaled"}
    return _saved(edit, parts, after, rng, folder, a, relations=relations)


def _frozen(edit, parts, values, rng, folder, a):  # type: ignore[no-untyped-def]
    from graphscope.analysis import analyse

    analyse(a).freeze(folder / "b.pb")
    return Pair(edit, a, str(folder / "b.pb"))


def _quantised(edit, parts, values, rng, folder, a):  # type: ignore[no-untyped-def]
    """By steps of a 127th of the greatest of each output channel, as TensorFlow Lite does for weights."""
    after, relations = {}, {}
    for key, value in values.items():
        after[key] = value
        if key.endswith("kernel"):
            axes = tuple(range(value.ndim - 1))
            step = np.abs(value).max(axes, keepdims=True) / 127
            after[key] = (np.round(value / step) * step).astype("f")
            relations[key] = "quantised"
    return _saved(edit, parts, after, rng, folder, a, relations=relations)


def _weights_only(edit, parts, values, rng, folder, a):  # type: ignore[no-untyped-def]
    """Two bare checkpoints: no graph on either side."""
    tuned = _tuned(edit, parts, values, rng, folder, a)
    for path in (tuned.a, tuned.b):
        Path(f"{path}.meta").unlink()
    return tuned


def _renamed_tuned(edit, parts, values, rng, folder, a):  # type: ignore[no-untyped-def]
    """Neither a name nor a value is the same: structure alone."""
    generator = np.random.default_rng(rng.randrange(1 << 30))
    after = {k: _moved(generator, v, 0.03) for k, v in values.items()}
    other = _renamed(edit, parts, after, rng, folder, a)
    changes = dict.fromkeys(values, 0.03)
    return replace(other, relations=dict.fromkeys(values, "moved"), changes=changes)


def _inserted_tuned(edit, parts, values, rng, folder, a):  # type: ignore[no-untyped-def]
    generator = np.random.default_rng(rng.randrange(1 << 30))
    after = {k: _moved(generator, v, 0.03) for k, v in values.items()}
    other = _inserted(edit, parts, after, rng, folder, a)
    changes = dict.fromkeys(values, 0.03)
    return replace(other, relations=dict.fromkeys(values, "moved"), changes=changes)


def _renamed_inserted(edit, parts, values, rng, folder, a):  # type: ignore[no-untyped-def]
    """Names that are another layer's in the other model: numbered anew."""
    at = rng.randrange(1, len(parts) + 1)
    extra = Part("extra", parts[at - 1].kind, parts[at - 1].width)
    longer = [*parts[:at], extra, *parts[at:]]
    more = {**values_of(longer, rng.randrange(1 << 30)), **values}
    kinds: dict[str, int] = {}
    new = {}
    for part in longer:
        word = "conv" if part.kind == "conv" else "fc"
        new[part.name] = f"{word}{kinds.get(word, 0)}"
        kinds[word] = kinds.get(word, 0) + 1
    named = [replace(part, name=new[part.name]) for part in longer]
    fresh = {
        f"{new[k.split('/')[0]]}/{k.partition('/')[2]}": v for k, v in more.items()
    }
    added = frozenset([new["extra"]])
    return _saved(edit, named, fresh, rng, folder, a, added=added)


def _moved(generator: Any, value: np.ndarray, step: float) -> np.ndarray:
    noise = generator.normal(size=value.shape)
    noise *= step * np.linalg.norm(value) / np.linalg.norm(noise)
    return (value + noise).astype("f")


_EDITORS = {
    "none": _saved,
    "renamed": _renamed,
    "inserted": _inserted,
    "removed": _removed,
    "widened": _widened,
    "tuned": _tuned,
    "scaled": _scaled,
    "frozen": _frozen,
    "quantised": _quantised,
    "weights only": _weights_only,
    "renamed and tuned": _renamed_tuned,
    "inserted and tuned": _inserted_tuned,
    "renamed and inserted": _renamed_inserted,
}


def faults(pair_: Pair) -> list[str]:
    """What ``diff`` says of a pair that is not true."""
    from graphscope.analysis import analyse

    document = analyse(pair_.a).compare(analyse(pair_.b)).to_json()
    layers, weights = document["layers"], document["weights"]["pairs"]
    wrong = []
    for word, truth in (("added", pair_.added), ("removed", pair_.removed)):
        with_weights = {
            row["name"].split("/")[0]
            for row in layers[word]
            if row["type"] in ("Conv2D", "Dense", "BatchNormalization")
        }
        if with_weights != truth:
            wrong.append(f"{word}: {sorted(with_weights)}, truly {sorted(truth)}")
    is_same = not (pair_.added or pair_.removed or pair_.reshaped or pair_.relations)
    if is_same and not document["same"]:
        wrong.append(f"not the same: {document['verdict']}, {document['only_in']}")
    reshaped = {row["a"] for row in weights if row["relation"] == "reshaped"}
    if reshaped != pair_.reshaped:
        wrong.append(f"reshaped: {reshaped ^ pair_.reshaped}")
    for row in weights:
        truth = pair_.relations.get(row["a"], "identical")
        if row["relation"] not in (truth, "reshaped"):
            wrong.append(f"{row['a']}: {row['relation']}, truly {truth}")
        expected = pair_.changes.get(row["a"])
        if expected and abs(row["change"] / expected - 1) > 0.02:
            wrong.append(f"{row['a']}: {row['change']}, truly {expected}")
    met = {row["a"] for row in weights}
    lost = {key for key in (*pair_.relations, *pair_.reshaped) if key not in met}
    return wrong + ([f"not paired: {sorted(lost)}"] if lost else [])


def main() -> None:
    """Print the faults and the share of pairs without any."""
    first, last = int(sys.argv[1]), int(sys.argv[2])
    right = 0
    for seed in range(first, last):
        with tempfile.TemporaryDirectory() as folder:
            models = pair(seed, Path(folder))
            wrong = faults(models)
        right += not wrong
        if wrong:
            print(seed, models.edit, *wrong[:3], sep="\n    ", flush=True)
    print(f"{right} of {last - first}")


if __name__ == "__main__":
    main()
