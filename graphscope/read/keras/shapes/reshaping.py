"""Layers that change widths and forms: Dense and Embedding, reshapes, merges, lookups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

Config = Mapping[str, Any]
Sizes = tuple[int | None, ...]
Rule = Callable[[Config, list[Sizes]], Any]


def _dense(config: Config, shapes: list[Sizes]) -> Sizes:
    return (*shapes[0][:-1], config["units"])


def _embedding(config: Config, shapes: list[Sizes]) -> Sizes:
    return (*shapes[0], config["output_dim"])


def _einsum(config: Config, shapes: list[Sizes]) -> Sizes:
    """The letters of the equation that the input has keep its sizes; the others are those of ``output_shape``."""
    left, _, right = str(config["equation"]).replace(" ", "").partition("->")
    source = left.partition(",")[0]
    declared = config["output_shape"]
    sizes = (declared,) if isinstance(declared, int) else tuple(declared)
    shape = shapes[0]
    if "..." in source:
        return (*shape[: len(shape) - len(sizes)], *sizes)
    labelled = dict(zip(source, shape))
    tail: list[int | None] = [labelled.get(right[0], shape[0])]
    for letter, size in zip(right[1:], sizes):
        tail.append(size if size is not None else labelled.get(letter))
    return tuple(tail)


def _total(sizes: Sizes) -> int | None:
    sized = [size for size in sizes if size is not None]
    return prod(sized) if len(sized) == len(sizes) else None


def _flatten(config: Config, shapes: list[Sizes]) -> Sizes:
    rest = shapes[0][1:]
    return (shapes[0][0], _total(rest) if rest else 1)


def _reshape(config: Config, shapes: list[Sizes]) -> Sizes:
    batch, *rest = shapes[0]
    target, whole = list(config["target_shape"]), _total(tuple(rest))
    if -1 in target:
        product = prod(size for size in target if size != -1)
        place = target.index(-1)
        target[place] = None if whole is None else whole // max(product, 1)
    return (batch, *target)


def _permute(config: Config, shapes: list[Sizes]) -> Sizes:
    return (shapes[0][0], *(shapes[0][place] for place in config["dims"]))


def _repeat(config: Config, shapes: list[Sizes]) -> Sizes:
    return (shapes[0][0], config["n"], *shapes[0][1:])


def _concatenate(config: Config, shapes: list[Sizes]) -> Sizes:
    axis = config.get("axis", -1) % len(shapes[0])
    joined = list(_agreed(shapes, axis))
    joined[axis] = None
    sizes = [shape[axis] for shape in shapes]
    if None not in sizes:
        joined[axis] = sum(size or 0 for size in sizes)
    return tuple(joined)


def _agreed(shapes: list[Sizes], free: int) -> Sizes:
    columns = list(zip(*shapes, strict=True))
    return tuple(
        (
            next((size for size in column if size is not None), None)
            if at and at != free
            else column[0]
        )
        for at, column in enumerate(columns)
    )


def _merged(config: Config, shapes: list[Sizes]) -> Sizes:
    return broadcast(shapes)


def broadcast(shapes: list[Sizes]) -> Sizes:
    """The shape that several are broadcast to."""
    common = shapes[0]
    for shape in shapes[1:]:
        rank = max(len(common), len(shape))
        a, b = ((1,) * (rank - len(s)) + tuple(s) for s in (common, shape))
        common = tuple(_wider(x, y) for x, y in zip(a, b))
    return common


def _wider(a: int | None, b: int | None) -> int | None:
    if a == 1:
        return b
    if b == 1 or a == b:
        return a
    return b if a is None else a


def _dot(config: Config, shapes: list[Sizes]) -> Sizes:
    first, second = list(shapes[0]), list(shapes[1])
    axes = config["axes"]
    a, b = (axes, axes) if isinstance(axes, int) else axes
    del first[a % len(first)]
    del second[b % len(second)]
    product = (*first, *second[1:])
    return product if len(product) > 1 else (*product, 1)


def _encoded(key: str) -> Rule:
    def rule(config: Config, shapes: list[Sizes]) -> Any:
        mode = config.get("output_mode", "int")
        if mode == "int":
            return shapes[0]
        size = config.get(key)
        if size is None and key == "bins":
            size = len(config.get("bin_boundaries") or ()) + 1
        if mode == "one_hot":
            rest = shapes[0][:-1] if shapes[0][-1:] == (1,) else shapes[0]
            return (*rest, size)
        return (*shapes[0][:-1], size) if len(shapes[0]) > 1 else (*shapes[0], size)

    return rule


def _text(config: Config, shapes: list[Sizes]) -> object:
    if config.get("output_mode", "int") == "int":
        return (shapes[0][0], config.get("output_sequence_length"))
    return (shapes[0][0], config.get("max_tokens"))


RULES: dict[str, Rule] = {
    **{
        name: _merged
        for name in "Add Average Maximum Minimum Multiply Subtract".split()
    },
    "CategoryEncoding": _encoded("num_tokens"),
    "Concatenate": _concatenate,
    "Dense": _dense,
    "Discretization": _encoded("bins"),
    "Dot": _dot,
    "EinsumDense": _einsum,
    "Embedding": _embedding,
    "Flatten": _flatten,
    "HashedCrossing": lambda config, shapes: _encoded("num_bins")(config, shapes[:1]),
    "Hashing": _encoded("num_bins"),
    "IntegerLookup": _encoded("max_tokens"),
    "Permute": _permute,
    "RepeatVector": _repeat,
    "Reshape": _reshape,
    "ReversibleEmbedding": _embedding,
    "StringLookup": _encoded("max_tokens"),
    "TextVectorization": _text,
}
