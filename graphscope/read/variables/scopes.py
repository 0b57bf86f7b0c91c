"""Variables by the layer that they belong to: those of one scope, those of scopes that only together are a layer."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ...graph import Variable
from .guess import NO_LAYER, kind_of
from .order import natural
from .roles import PARAMETERS

_FORWARD, _BACKWARD = "forward_", "backward_"
_NORM = frozenset({"gamma", "beta", "moving_mean", "moving_variance"})
_NUMBERED = "/vars"  # Keras 3 numbers the weights of an object below its path


class Named(NamedTuple):
    """A variable where it stands: its scope and last name, by its object path or its own name."""

    variable: Variable
    scope: str
    last: str

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(size or 0 for size in self.variable.shape or ())


Group = list[tuple[str, Named]]  # with Keras's weight name
Scopes = dict[str, list[Named]]


def scopes_of(variables: Iterable[Variable], full_names: Mapping[str, str]) -> Scopes:
    """What counts as a weight, by scope; scopes that make one layer together are one."""
    scopes: Scopes = {}
    for variable in variables:
        if variable.role in PARAMETERS:
            named = _place(variable, full_names.get(variable.name, ""))
            scopes.setdefault(named.scope, []).append(named)
    for join in (_numbered, _kinds, _cells, _directions):
        scopes = join(scopes)
    return scopes


def _place(variable: Variable, full_name: str) -> Named:
    scope, _, last = (variable.path or variable.name).rpartition("/")
    if last.isdigit() and "/" in full_name:  # one of a list: its own name tells more
        scope, _, last = full_name.rpartition("/")
    return Named(variable, scope.strip("/"), last)


def _regrouped(scopes: Scopes, moved: Mapping[str, tuple[str, list[Named]]]) -> Scopes:
    """The scopes with some put together under other names, each where the first of it stood."""
    joined: Scopes = {}
    for scope, listed in scopes.items():
        title, listed = moved.get(scope, (scope, listed))
        joined.setdefault(title, []).extend(listed)
    return joined


def _numbered(scopes: Scopes) -> Scopes:
    """``part/vars/0, part/vars/1`` -> ``part/kernel, part/bias``: in the order in which Keras's layers make them."""
    moved = {}
    for scope, listed in scopes.items():
        kinds = _kinds_by_shape([each.shape for each in listed])
        if f"/{scope}".endswith(_NUMBERED) and kinds:
            pairs = zip(listed, kinds, strict=True)
            title = scope.removesuffix("vars").rstrip("/")
            moved[scope] = (title, [each._replace(last=kind) for each, kind in pairs])
    return _regrouped(scopes, moved)


def _kinds_by_shape(shapes: list[tuple[int, ...]]) -> tuple[str, ...]:
    """Which weights these are, in the order of Keras's own layers; () where their shapes leave it open."""
    ranks = [len(shape) for shape in shapes]
    if set(ranks) == {1} and len(set(shapes)) == 1:
        statistics = ("moving_mean", "moving_variance")
        norms = {
            2: ("gamma", "beta"),
            3: ("beta", *statistics),
            4: ("gamma", "beta", *statistics),
        }
        return norms.get(len(shapes), ())
    if len(shapes) == 3 and ranks[0] == ranks[1] == 2 and shapes[0][1] == shapes[1][1]:
        return ("kernel", "recurrent_kernel", "bias")
    if ranks[:2] == [4, 4] and shapes[1][:3] == (1, 1, shapes[0][2] * shapes[0][3]):
        return ("depthwise_kernel", "pointwise_kernel", "bias")[: len(shapes)]
    if ranks[0] > 1 and (len(shapes) == 1 or ranks[1:] == [1]):
        return ("kernel", "bias")[: len(shapes)]
    return ()


def _kinds(scopes: Scopes) -> Scopes:
    """``weights/conv1, biases/conv1`` -> ``conv1_kernel, conv1_bias``: scopes that are called after what is in them."""
    by_kind: dict[str, dict[str, str]] = {}
    for scope in scopes:
        above, _, last = scope.rpartition("/")
        kind, stem = kind_of(last)
        if kind in ("kernel", "bias") and not stem:
            by_kind.setdefault(above, {})[kind] = scope
    moved = {}
    for above, pair in by_kind.items():
        if len(pair) == 2:
            for kind, scope in pair.items():
                moved[scope] = (
                    above,
                    [_named_by_scope(n, kind) for n in scopes[scope]],
                )
    return _regrouped(scopes, moved)


def _named_by_scope(named: Named, kind: str) -> Named:
    own, stem = kind_of(named.last)
    return named._replace(last=f"{stem if own == kind and stem else named.last}_{kind}")


def _cells(scopes: Scopes) -> Scopes:
    """``cell/gates, cell/candidate`` -> ``cell``: TensorFlow 1 keeps a GRU cell's weights in two scopes."""
    moved = {}
    for scope in scopes:
        cell = scope.removesuffix("/gates")
        if cell != scope and f"{cell}/candidate" in scopes and cell not in scopes:
            for part in ("gates", "candidate"):
                listed = scopes[f"{cell}/{part}"]
                names = [f"{part}/{kind_of(each.last)[0]}" for each in listed]
                pairs = zip(listed, names, strict=True)
                moved[f"{cell}/{part}"] = (cell, [n._replace(last=k) for n, k in pairs])
    return _regrouped(scopes, moved)


def _directions(scopes: Scopes) -> Scopes:
    """``x/forward_lstm/cell, x/backward_lstm/cell`` -> ``x``: the halves of Keras's Bidirectional."""
    moved = {}
    for scope in scopes:
        parts = scope.split("/")
        place = next((n for n, p in enumerate(parts) if p.startswith(_FORWARD)), -1)
        if place < 0:
            continue
        inside = parts[place].removeprefix(_FORWARD)
        other = "/".join([*parts[:place], _BACKWARD + inside, *parts[place + 1 :]])
        if other in scopes:
            title = "/".join(parts[:place])
            for each, direction in ((scope, _FORWARD), (other, _BACKWARD)):
                listed = [
                    named._replace(
                        last=f"{direction}layer/cell/{kind_of(named.last)[0]}"
                    )
                    for named in scopes[each]
                ]
                moved[each] = (title, listed)
    return _regrouped(scopes, moved)


def groups_of(variables: list[Named]) -> list[tuple[str, Group]]:
    """The variables of one scope, those that belong to one layer together, by what else their names say."""
    runs = _runs(variables)
    if len(runs) > 1:
        listed = [groups_of(run) for run in runs]
        return [
            (f"{stem}_{place}" if stem else str(place), group)
            for place, groups in enumerate(listed)
            for stem, group in groups
        ]
    groups: dict[str, Group] = {}
    plain: list[Named] = []
    if len(variables) > 1:
        variables = sorted(variables, key=lambda each: natural(each.last))
    for named in variables:
        kind, stem = kind_of(named.last)
        if "/" in named.last:
            kind, stem = named.last, ""
        if kind == "embeddings" and stem == "" and named.last != kind:
            stem = named.last  # each table is a layer of its own
        if NO_LAYER.match(named.last.lower()):
            groups[named.last] = [("", named)]
        elif not kind:
            plain.append(named)
        elif kind in (each for each, _ in groups.get(stem, ())):
            groups[named.last] = [(kind, named)]
        else:
            groups.setdefault(stem, []).append((kind, named))
    whole = [part for stem, group in groups.items() for part in _parted(stem, group)]
    return [*whole, *((group[0][1].last, group) for group in _pairs(plain))]


def _parted(stem: str, group: Group) -> list[tuple[str, Group]]:
    """A kernel and a normalisation in one scope are two layers."""
    norm = [each for each in group if each[0] in _NORM]
    rest = [each for each in group if each[0] not in _NORM]
    if not norm or "kernel" not in (kind for kind, _ in rest):
        return [(stem, group)]
    return [(stem, rest), (f"{stem}_norm".lstrip("_"), norm)]


def _runs(variables: list[Named]) -> list[list[Named]]:
    """A list whose names begin anew (kernel, bias, kernel, bias) as one list a layer."""
    runs: list[list[Named]] = []
    names: set[str] = set()
    for named in variables:
        if not runs or named.last in names:
            runs.append([])
            names.clear()
        names.add(named.last)
        runs[-1].append(named)
    return runs


def _pairs(variables: list[Named]) -> list[Group]:
    """Nameless variables (``Variable``, ``Variable_1``, ...): kernels, and the biases that follow and fit them."""
    pairs: list[Group] = []
    waiting: dict[int, deque[Group]] = {}  # kernels without a bias, by their last size
    for named in variables:
        shape = named.shape
        if len(shape) > 1:
            pairs.append([("kernel", named)])
            waiting.setdefault(shape[-1], deque()).append(pairs[-1])
        elif len(shape) == 1 and waiting.get(shape[0]):
            fitting = waiting[shape[0]]
            chosen = fitting.pop() if fitting[-1] is pairs[-1] else fitting.popleft()
            chosen.append(("bias", named))
        else:
            pairs.append([("", named)])
    return pairs
