"""Layers -> their names, from the name scopes of the op nodes that each explains.

Scopes name layers, they never type them. A layer's scope is the deepest one that all its computing nodes share, less
the scopes that TensorFlow's own functions open (``batchnorm``, ``moments`` ...). Where there is none, the layers are
called as Keras would call them: ``conv2d``, ``conv2d_1`` ... by type in order.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from ...graph import Layer
from ...graph.names import Names
from ...wire import op_registry

Path = tuple[str, ...]

# Scopes that tf.nn, Keras's backend and Keras's layers open inside a layer of their own.
_INNER = frozenset(
    """batchnorm moments convolution depthwise separable_conv2d Tensordot dropout cond while lrn
    LRN Gelu gelu l2_normalize normalize logistic softmax Softmax silu swish einsum matmul""".split()
)
_SUFFIX = re.compile(r"_(\d+)$")
_READ = re.compile(
    r"/(?:(?:Read/)?ReadVariableOp(?:_\d+)?(?:/resource)?|read(?:_\d+)?)$"
)
_CALL = re.compile(r"(Stateful)?PartitionedCall(_\d+)?")
_LONGEST = 96  # characters of a name
_DEEPEST = 8  # scopes joined in a name


def layer_names(layers: Sequence[Layer]) -> list[str]:
    """A unique and valid Keras name for each layer, in the same order; equal input gives equal names.

    Reads ``op``, ``members``, ``output`` and the nodes of ``weights``.

    >>> from graphscope.graph import Layer, Tensor
    >>> members = frozenset({"net/fc1/MatMul", "net/fc1/BiasAdd"})
    >>> dense = Layer("Dense", members=members, output=Tensor("net/fc1/BiasAdd"))
    >>> layer_names([dense, Layer("ReLU", members=frozenset({"x9"}), output=Tensor("x9"))])
    ['fc1', 're_lu']
    """
    scopes = [_scope(layer) for layer in layers]
    prefixes = _numbered_prefixes(scopes)
    renamed = _as_written(prefixes)
    owners = _owners(layers, scopes)
    wide = _model_wide([prefixes[scope] for scope in scopes])
    telling = _telling_parts(prefixes, wide, owners)
    outer = {number for each in prefixes.values() for number in each[1:-1]}
    paths = [
        _path(
            layer,
            tuple(renamed[scope][i] for i in telling[scope]),
            owners.get(scope),
            prefixes[scope][-1] in wide,
            prefixes[scope][-1] in outer,
        )
        for layer, scope in zip(layers, scopes, strict=True)
    ]
    return _unique(layers, _begun_alike(layers, paths))


def _scope(layer: Layer) -> Path:
    """The scope of the layer: that of its computing nodes, or an outer one that its weights lie in."""
    weights = {use.node for use in layer.weights.values() if use.node}
    computing = [n for n in layer.members if n not in weights and not _READ.search(n)]
    shared = _shared(tuple(n.split("/"))[:-1] for n in computing or layer.members)
    places = map(_stored_in, weights)
    stored = _shared(place for place in places if place[: len(shared)] != shared)
    if not shared or len(stored) < len(shared) and shared[: len(stored)] == stored:
        shared = stored or shared
    while len(shared) > 1 and _SUFFIX.sub("", shared[-1]) in _INNER:
        shared = shared[:-1]
    return shared


def _stored_in(weight: str) -> Path:
    """The scope that a variable lies in; of a constant that froze a read, what read it."""
    read = _READ.sub("", weight)
    return tuple(read.split("/")) if read != weight else tuple(read.split("/"))[:-1]


def _shared(paths: Iterable[Path]) -> Path:
    """The longest common prefix."""
    listed = list(paths)
    if not listed:
        return ()
    low, high = min(listed), max(listed)
    same = (i for i, part in enumerate(low) if part != high[i : i + 1][0])
    return low[: next(same, len(low))]


def _numbered_prefixes(scopes: Iterable[Path]) -> dict[Path, list[int]]:
    """For each scope the numbers of its beginnings, that of no part (0) first; equal beginnings have one number.

    Copies of them would take the square of a scope's depth.
    """
    numbers: dict[tuple[int, str], int] = {}
    prefixes: dict[Path, list[int]] = {}
    for scope in scopes:
        if scope not in prefixes:
            listed = prefixes[scope] = [0]
            for part in scope:
                step = (listed[-1], part)
                listed.append(numbers.setdefault(step, len(numbers) + 1))
    return prefixes


def _as_written(prefixes: Mapping[Path, list[int]]) -> dict[Path, Path]:
    """Each scope as the program wrote it.

    Keras 3 opens a layer's scope once to build it and once to call it, and TensorFlow makes the second unique: below
    ``functional_1`` every scope ends in one more ``_1`` than its layer. It is taken off where all siblings have one.
    """
    children: dict[int, dict[str, None]] = defaultdict(dict)
    last = {0: ""}
    for scope, numbers in prefixes.items():
        for parent, number, part in zip(numbers, numbers[1:], scope):
            children[parent][part] = None
            last[number] = part
    plain = {
        parent: _plain_names(last[parent], names) for parent, names in children.items()
    }
    return {
        scope: tuple(plain[n].get(part, part) for n, part in zip(numbers, scope))
        for scope, numbers in prefixes.items()
    }


def _plain_names(parent: str, names: Iterable[str]) -> Mapping[str, str]:
    """Siblings without the suffix that all have; of two that become equal the later keeps its own."""
    bases = {name: _SUFFIX.sub("", name) for name in names}
    ones = sum(name == f"{base}_1" for name, base in bases.items())
    if not _SUFFIX.search(parent) or 2 * ones < len(bases):
        return {}
    if any(name == base for name, base in bases.items()):
        return {}
    first: dict[str, str] = {}
    for name in sorted(bases, key=lambda n: (len(n), n)):
        first.setdefault(bases[name], name)
    return {name: base for base, name in first.items()}


def _model_wide(prefixes: Sequence[Sequence[int]]) -> set[int]:
    """The scopes that hold most of the layers: the model's own, which say nothing of one layer."""
    crowd = Counter(number for numbers in prefixes for number in numbers)
    return {number for number, n in crowd.items() if n > max(3, len(prefixes) // 2)}


def _telling_parts(
    prefixes: Mapping[Path, Sequence[int]], wide: set[int], owners: Mapping[Path, Layer]
) -> dict[Path, list[int]]:
    """Which parts of each scope tell it from others: neither the model's own, nor the only one in its parent.

    What a layer is called after tells, also of what else lies in that scope (the batch norm of a slim convolution).
    """
    children: dict[int, set[int]] = defaultdict(set)
    for numbers in prefixes.values():
        for parent, number in zip(numbers, numbers[1:]):
            children[parent].add(number)
    crowded = {parent for parent, below in children.items() if len(below) > 1}
    crowded |= {numbers[-1] for numbers in prefixes.values()}
    called = {prefixes[scope][-1] for scope in owners}
    return {
        scope: [
            i
            for i, (parent, number) in enumerate(zip(numbers, numbers[1:]))
            if i == len(scope) - 1
            and (i == 0 or scope in owners)
            or number not in wide
            and (parent in crowded or number in called)
        ]
        for scope, numbers in prefixes.items()
    }


def _owners(layers: Sequence[Layer], scopes: Sequence[Path]) -> dict[Path, Layer]:
    """Which layer bears the plain name of a scope: the only one in it, or the only one in it that has weights."""
    inside: dict[Path, list[Layer]] = defaultdict(list)
    for layer, scope in zip(layers, scopes, strict=True):
        inside[scope].append(layer)
    owners = {}
    for scope, several in inside.items():
        heavy = [layer for layer in several if layer.weights]
        if scope and len(heavy or several) == 1:
            owners[scope] = (heavy or several)[0]
    return owners


def _path(
    layer: Layer, path: Path, owner: Layer | None, wide: bool, outer: bool
) -> Path:
    """The words that name a layer, the outermost first; none where only its type can name it.

    ``wide``: its scope is the model's own; ``outer``: other layers lie below it.
    """
    if not layer.members:  # it explains no node: how the layer beside it is written
        return ()
    leaf = layer.output.node.rsplit("/", 1)[-1].partition(":")[0]
    if layer is not owner or wide or (outer and not layer.weights):
        if _is_one_node(layer) and _is_own_word(leaf):
            path = (*path, leaf)
        elif wide or not path:
            return ()
        else:
            path = (*path[:-1], f"{path[-1]}_{leaf}")
    parts = tuple(part for part in path if not _CALL.fullmatch(part))
    return (parts or path)[-_DEEPEST:]


def _begun_alike(layers: Sequence[Layer], paths: Sequence[Path]) -> list[list[str]]:
    """The names that would do for each layer, the best first.

    The best is the shortest that no other layer has, but what lies in one scope begins with the same word: where
    ``block3/unit_2`` must name its block, so does ``block3/unit_5``.
    """
    wishes = [
        [_valid("_".join(path[start:])) for start in reversed(range(len(path)))]
        for path in paths
    ]
    holders = _holders(layers, wishes)
    begun: set[Path] = set()
    for path, names in zip(paths, wishes, strict=True):
        alone = (i for i, name in enumerate(names) if len(holders[name]) == 1)
        start = len(path) - 1 - next(alone, len(path) - 1)
        begun.add(path[: start + 1])
    alike = []
    for path, names in zip(paths, wishes, strict=True):
        starts = (i for i in range(len(path)) if path[: i + 1] in begun)
        alike.append(names[len(path) - 1 - next(starts, 0) :])
    return alike


def _holders(
    layers: Sequence[Layer], wishes: Sequence[Sequence[str]]
) -> Mapping[str, set[frozenset[str]]]:
    """Name -> who would have it; calls of one shared layer count as one."""
    holders: dict[str, set[frozenset[str]]] = defaultdict(set)
    for i, (layer, names) in enumerate(zip(layers, wishes, strict=True)):
        weights = frozenset(use.node for use in layer.weights.values() if use.node)
        for name in names:
            holders[name].add(weights or frozenset({f"#{i}"}))
    return holders


def _is_one_node(layer: Layer) -> bool:
    """Whether the layer is one node, but for operands that are named after it."""
    node = layer.output.node
    return all(n == node or n.startswith(f"{node}/") for n in layer.members)


def _is_own_word(leaf: str) -> bool:
    """Whether a person chose this node's name: it is a word, and no op's."""
    stem = _SUFFIX.sub("", leaf)
    return bool(re.search("[A-Za-z]{3}", stem)) and _bare(stem) not in _op_words()


def _bare(name: str) -> str:
    return re.sub(r"(v\d|native)$", "", name.lower().replace("_", ""))


@cache
def _op_words() -> frozenset[str]:
    return frozenset(map(_bare, op_registry.registry())) | {"truediv", "sum", "mean"}


def _valid(name: str) -> str:
    """Letters, digits, ``_``, ``.`` and ``-``, beginning with a letter or digit, of a length that a file name has."""
    return (
        re.sub(r"[^A-Za-z0-9_.-]+", "_", name).lstrip("_.-")[-_LONGEST:].lstrip("_.-")
    )


def _type_name(op: str) -> str:
    """``MaxPooling2D`` -> ``max_pooling2d``: what Keras calls an unnamed layer."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", op))
    return _valid(re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()) or "layer"


def _unique(layers: Sequence[Layer], wishes: list[list[str]]) -> list[str]:
    """The first wish that no other layer has; calls of one shared layer count as one."""
    holders = _holders(layers, wishes)
    whole = Counter(names[-1] for names in wishes if names)
    numbered = Names()
    names_used = numbered.taken
    unique = []
    for layer, names in zip(layers, wishes, strict=True):
        last = names[-1] if names and whole[names[-1]] == 1 else ""
        free = (
            n
            for n in names
            if n and n not in names_used and (len(holders[n]) == 1 or n == last)
        )
        base = next((n for n in reversed(names) if n), "") or _type_name(layer.op)
        name = next(free, "") or numbered.unique(base)
        names_used.add(name)
        unique.append(name)
    return unique
