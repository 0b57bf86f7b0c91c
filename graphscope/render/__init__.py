"""Graph -> text and pictures. OPEN FOLDER: a module is a format when it has ``SUFFIXES``.

``SUFFIXES`` maps each file suffix that the module serves to a function from a ``Drawing`` to the file's content; the
first line of the function's docstring describes the format. A suffix that two modules serve is an error. Nothing
here infers: a renderer draws what it is given.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import GraphscopeError
from ..graph import Graph, Model, Tensor, TensorSpec, did_you_mean
from ..wire.beside import beside


@dataclass(frozen=True)
class Drawing:
    """What a renderer is given: a graph at one altitude, and what is known of it.

    ``specs`` are keyed by tensors of the op graph (a layer's are looked up by ``Layer.output``); ``level`` is
    ``op``, ``layer`` or ``block``; ``inputs`` and ``outputs`` are the tensors or nodes to mark; ``roles`` says which
    nodes exist only to train (they are drawn folded by role); ``facts`` is what ``inspect`` says of the model;
    ``values`` gives the elements of a tensor that no input reaches, ``blocks`` the parts that repeat, ``find`` looks for such among statements. ``altitudes`` are the graphs of
    the model that a page steps through, by level, and ``below`` the ops that its layers stand for; ``variables`` what is said of each, ``statistics`` what their values
    are, by name (None: they were not read). ``changes`` tells of nodes how they differ from those of another model: 1 added,
    2 removed, 3 changed, 4 the same with other weights, and lines that say what.
    """

    graph: Graph
    specs: Mapping[Tensor, TensorSpec] = field(default_factory=dict)
    level: str = "op"
    title: str = ""
    inputs: tuple[Tensor | str, ...] = ()
    outputs: tuple[Tensor | str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    model: Model | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    values: Callable[[Tensor], Any] | None = None
    blocks: Sequence[Any] = ()
    find: Callable[..., Sequence[Any]] | None = None
    altitudes: Mapping[str, Graph] = field(default_factory=dict)
    below: Graph | None = None
    variables: Sequence[Mapping[str, Any]] = ()
    statistics: Mapping[str, Mapping[str, Any]] | None = None
    changes: Mapping[str, tuple[int, Sequence[str]]] = field(default_factory=dict)


Renderer = Callable[[Drawing], str | bytes]


@cache
def _renderers() -> Mapping[str, Renderer]:
    by_suffix: dict[str, Renderer] = {}
    for name, suffixes in _formats():
        _join(by_suffix, suffixes, name)
    return by_suffix


def _formats() -> Iterator[tuple[str, Mapping[str, Renderer]]]:
    """The modules by name with the suffixes that each serves, small ones first, each imported when its turn comes."""
    for module in sorted(
        pkgutil.iter_modules(__path__), key=lambda m: (m.ispkg, m.name)
    ):
        loaded = import_module(f"{__name__}.{module.name}")
        yield module.name, getattr(loaded, "SUFFIXES", {})


def _join(
    by_suffix: dict[str, Renderer], added: Mapping[str, Renderer], name: str
) -> None:
    """Add one module's formats to the registry; raises ValueError where a suffix is owner."""
    for suffix, renderer in added.items():
        if suffix in by_suffix:
            owner = by_suffix[suffix].__module__
            raise ValueError(f"render/{name}.py serves {suffix!r}, and so does {owner}")
        by_suffix[suffix] = renderer


def formats() -> dict[str, str]:
    """Every suffix that can be written, with one line that says what it is.

    >>> formats()[".dot"]
    'Graphviz source of the drawing'
    """
    lines = {
        suffix: (renderer.__doc__ or "").strip().partition("\n")[0].rstrip(".")
        for suffix, renderer in _renderers().items()
    }
    return dict(sorted(lines.items()))


def renderer(suffix: str) -> Renderer:
    """The renderer that serves a suffix; raises GraphscopeError with the known ones where there is none."""
    for _, suffixes in _formats():
        if suffix.lower() in suffixes:
            return suffixes[suffix.lower()]
    known = _renderers()
    hint = did_you_mean(suffix, known) or "; known: " + " ".join(sorted(known))
    raise GraphscopeError(
        f"no renderer writes {suffix or 'a name without suffix'!r}{hint}"
    )


def write(view: Drawing, path: str | Path) -> Path:
    """Render ``view`` as the path's suffix says, beside its place first, then renamed into it.

    Raises GraphscopeError where the suffix is unknown or the place cannot be written.
    """
    target = Path(path)
    content = renderer(target.suffix)(view)
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    with beside(target) as unfinished:
        unfinished.write_bytes(data)
    return target


def drawing_of(graph: Graph) -> str:
    """A graph as SVG, for a notebook."""
    content = renderer(".svg")(Drawing(graph))
    return content if isinstance(content, str) else content.decode()


Graph.drawing = staticmethod(drawing_of)
