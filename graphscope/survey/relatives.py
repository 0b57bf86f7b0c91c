"""Rows -> which models belong together: the same weights, the same structure, a checkpoint of it, frozen from it, trained on from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..graph.named_values import Row
from ..read.weights.crc32c import crc32c

SAME_WEIGHTS, SAME_STRUCTURE = "same weights", "same structure"
FROZEN, CHECKPOINT, TUNED = "frozen from", "checkpoint of", "fine-tuned from"
_FEWEST = 8  # nodes below which the same structure says nothing
_FEW, _MANY = (
    16,
    1 << 18,
)  # elements: what may be alike by chance; what nobody initialises to ones
_ZERO, _ONE = bytes(4), b"\0\0\x80\x3f"  # of float32


class Relation(NamedTuple):
    """``place`` is, say, ``frozen from`` the place ``of``."""

    place: str
    what: str
    of: str


def relations(rows: Iterable[Row]) -> list[Relation]:
    """Each model's relation to the one of its group that was there first; of several the one that says most."""
    listed = [row for row in rows if not row["error"]]
    by_structure: dict[str, list[Row]] = defaultdict(list)
    by_shapes: dict[str, list[Row]] = defaultdict(list)
    for row in listed:
        if not row["inferred"] and row["structure"] and row["nodes"] >= _FEWEST:
            by_structure[row["structure"]].append(row)
        if row["shapes"] and row["parameters"]:
            by_shapes[row["shapes"]].append(row)
    pairs: dict[str, Relation] = {}
    groups = (*map(_alike, by_structure.values()), *map(_of_graph, by_shapes.values()))
    for group in groups:
        for relation in group:
            pairs.setdefault(relation.place, relation)
    return sorted(pairs.values())


def _alike(group: Sequence[Row]) -> Iterator[Relation]:
    """The relations of models of one structure."""
    first, *others = sorted(group, key=_order)
    for row in others:
        yield Relation(row["place"], _what(row, first), first["place"])


def _order(row: Row) -> tuple[bool, float, str]:
    """What something else can be made of comes first: not frozen, older."""
    return _is_frozen(row), row["modified"] or 0.0, row["place"]


def _is_frozen(row: Row) -> bool:
    """Whether its weights are constants of its graph."""
    return not row["variables"] and bool(row["parameters"])


def _what(row: Row, first: Row) -> str:
    same = bool(row["weights"]) and row["weights"] == first["weights"]
    same = same or _are_part(row["tensors"], first["tensors"])
    if _is_frozen(row) and not _is_frozen(first) and (same or not row["weights"]):
        return FROZEN
    if same:
        return SAME_WEIGHTS
    return TUNED if _share_weights(row, first) else SAME_STRUCTURE


def _are_part(tensors: Sequence[str] | None, of: Sequence[str] | None) -> bool:
    """Whether all tensors are among those of another: an output may need fewer weights than a checkpoint has."""
    return bool(tensors) and set(tensors or ()) <= set(of or ())


def _share_weights(row: Row, other: Row) -> bool:
    """Whether two models have a tensor in common that no initialiser gives everybody."""
    shared = set(row["tensors"] or ()) & set(other["tensors"] or ())
    return any(map(_is_telling, shared))


def _is_telling(tensor: str) -> bool:
    """Whether a tensor, told by its checksum and its bytes, is neither short nor all zeros or ones."""
    checksum, _, length = tensor.partition("-")
    count = int(length) // len(_ONE)
    if count < _FEW or count > _MANY:
        return count > _MANY
    return int(checksum, 16) not in (crc32c(_ZERO * count), crc32c(_ONE * count))


def _of_graph(group: Sequence[Row]) -> Iterator[Relation]:
    """The checkpoints without a graph whose weights have the shapes of a model with one; several of those alone by their values."""
    bare = [row for row in group if row["inferred"]]
    graphs = sorted((row for row in group if not row["inferred"]), key=_order)
    for row in bare if graphs else ():
        yield Relation(row["place"], CHECKPOINT, graphs[0]["place"])
    if not graphs:
        first, *others = sorted(bare, key=_order)
        for row in others:
            if row["weights"] and row["weights"] == first["weights"]:
                yield Relation(row["place"], SAME_WEIGHTS, first["place"])
            elif _share_weights(row, first):
                yield Relation(row["place"], TUNED, first["place"])
