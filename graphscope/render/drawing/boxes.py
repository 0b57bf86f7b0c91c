"""Boxes of a drawing -> the HTML-like labels that Graphviz draws."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ...graph import Graph, Layer, Node, Tensor, TensorSpec
from ...wire import opdefs
from ..cells.counting import VARIABLES, constant_shape
from ..cells.escape import for_html, shorten
from ..cells.labels import brief
from ..cells.spelling import (
    count_text,
    output_spec,
    shape_text,
    size_of,
    times,
    value_text,
)
from .scope import Scope, heads_of
from .style import STYLES, Style, family, style_of

_INK, _PALE = "#1f2933", "#66717d"
_HELD = 4  # weights that one op's line names
_NAME = 36  # characters
_SPARE = (
    "&#160;"  # the font of whoever looks may be wider than the one that was measured
)
_READ = re.compile(r"/ReadVariableOp(_\d+)?(/resource)?$|/read$")


def node_label(
    graph: Graph,
    stack: Sequence[str],
    specs: Mapping[Tensor, TensorSpec],
    constants: Mapping[str, Mapping[int, str]],
    marks: Mapping[str, str],
    notes: Iterable[str] = (),
    within: str = "",
    layered: bool = False,
) -> str:
    """The label of a run of nodes: a line each with type, config and name, and below them the output's shape.

    ``within`` is the scope that the box is drawn in, with a slash: names are given less that.
    """
    head, last = graph.node(stack[0]), graph.node(stack[-1])
    dark = family(head.op) == "input"
    ink, pale = ("#ffffff", "#cfd8dc") if dark else (_INK, _PALE)
    rows = []
    for name in stack:
        node = graph.node(name)
        fill = style_of(node, layered).fill
        rows.append(_title(node, _short(name, stack, within), fill, ink, pale))
        rows += _held_rows(graph, name, constants.get(name, {}), specs, within, fill)
    fill = style_of(last, layered).fill
    rows += [_line(for_html(note), fill, pale) for note in (*notes, *_about(last))]
    shape = output_spec(graph, stack[-1], specs).shape
    if shape is not None:
        rows.append(_line(for_html(times(shape)), fill, pale, "RIGHT"))
    marked = [marks[name] for name in stack if name in marks]
    rows += [_mark(text) for text in marked if not (dark and text == "input")]
    return _table(rows, style_of(head, layered), _is_dashed(head, layered))


def _is_dashed(node: Node, layered: bool) -> bool:
    if isinstance(node, Layer) or family(node.op) == "input":
        return False
    return layered or family(node.op) == "other"


def _about(node: Node) -> Iterable[str]:
    """What a block holds."""
    if isinstance(node, Layer) and node.pattern == "block":
        size = sum(size_of(use.shape) for use in node.weights.values())
        yield f"{count_text(size)} parameters"


def _short(name: str, stack: Sequence[str], within: str) -> str:
    """The name less the scope that the box is drawn in, and less what the box's first name has prefix."""
    scope = stack[0].rpartition("/")[0]
    prefix = f"{scope}/" if name != stack[0] and scope else within
    return for_html(shorten(name.removeprefix(prefix), _NAME))


def _title(node: Node, name: str, fill: str, ink: str, pale: str) -> str:
    words = for_html(brief(node))
    words = f'<FONT COLOR="{ink}" POINT-SIZE="11"> {words}</FONT>' if words else ""
    return (
        f'<TR><TD ALIGN="LEFT" BGCOLOR="{fill}"><FONT COLOR="{ink}">'
        f"<B>{for_html(shorten(node.op, 32)) or '?'}</B></FONT>{words}</TD>"
        f'<TD ALIGN="RIGHT" BGCOLOR="{fill}"><FONT COLOR="{pale}" POINT-SIZE="9">{name or "?"}{_SPARE}</FONT></TD></TR>'
    )


def _line(text: str, fill: str, ink: str, align: str = "LEFT") -> str:
    return (
        f'<TR><TD COLSPAN="2" ALIGN="{align}" BGCOLOR="{fill}">'
        f'<FONT COLOR="{ink}" POINT-SIZE="10">{text}{_SPARE}</FONT></TD></TR>'
    )


def _mark(text: str) -> str:
    fill = STYLES["input"].fill
    return (
        f'<TR><TD COLSPAN="2" BGCOLOR="{fill}"><FONT COLOR="#ffffff" POINT-SIZE="10">'
        f"<B>{for_html(shorten(text, 60))}</B></FONT></TD></TR>"
    )


def _table(rows: Sequence[str], style: Style, dashed: bool, border: int = 1) -> str:
    kind = ' STYLE="DASHED"' if dashed else ""
    return (
        f'<<TABLE BORDER="{border}" COLOR="{style.line}"{kind} BGCOLOR="{style.fill}" '
        'CELLBORDER="0" CELLSPACING="0" CELLPADDING="3">'
        f"{''.join(rows)}</TABLE>>"
    )


def _held_rows(
    graph: Graph,
    name: str,
    constants: Mapping[int, str],
    specs: Mapping[Tensor, TensorSpec],
    within: str,
    fill: str,
) -> list[str]:
    """The constants and variables that a node reads: which argument, what shape or value, whose name."""
    node = graph.node(name)
    if isinstance(node, Layer):
        return []
    arguments = opdefs.input_names(node.op)
    rows = []
    for slot, source in list(constants.items())[:_HELD]:
        argument = arguments[slot] if slot < len(arguments) else ""
        words = [argument] if len(argument) > 1 else []
        words.append(_value(graph, source, specs))
        if not source.startswith(f"{name}/"):
            own = _READ.sub("", source)
            words.append(shorten(own.removeprefix(within), _NAME))
        rows.append(_line("&#160;&#160;" + for_html("  ".join(words)), fill, _PALE))
    if len(constants) > _HELD:
        rows.append(
            _line(f"&#160;&#160;and {len(constants) - _HELD} more", fill, _PALE)
        )
    return rows


def _value(graph: Graph, name: str, specs: Mapping[Tensor, TensorSpec]) -> str:
    """A small constant's value, else the shape of a constant or a variable."""
    node = graph.node(name)
    if node.op in VARIABLES:
        return shape_text(
            node.attrs.get("shape", output_spec(graph, name, specs).shape)
        )
    shape = constant_shape(node)
    if shape is None or size_of(shape) > 4:
        return shape_text(shape or output_spec(graph, name, specs).shape)
    value = node.attrs["value"]
    if value.dtype == object and value.size == 1:
        number = value.reshape(-1)[0]
        return value_text(
            number.decode("utf-8", "replace") if isinstance(number, bytes) else number,
            24,
        )
    return value_text(value, 24)


def scope_label(
    graph: Graph,
    scope: Scope,
    members: Sequence[str],
    part: tuple[int, int],
    marks: Iterable[str] = (),
    within: str = "",
) -> str:
    """The label of a closed scope: its name, how many nodes it has and of which kinds."""
    style = STYLES["fold"]
    kinds = Counter(graph.op(name) for name in members)
    title = scope_title(graph, scope, within)
    if part[1] > 1:
        title += f" ({part[0]} of {part[1]})"
    count = f"{len(members):,} node" + ("s" if len(members) > 1 else "")
    rows = [
        f'<TR><TD COLSPAN="2" ALIGN="LEFT" BGCOLOR="{style.fill}"><FONT COLOR="{_INK}">'
        f"<B>{for_html(shorten(title, 56))}</B>{_SPARE}</FONT></TD></TR>",
        _line(for_html(f"{count}: {histogram(kinds)}"), style.fill, _PALE),
    ]
    rows += [_mark(text) for text in marks]
    return _table(rows, style, scope.kind == "role", 2)


def scope_title(graph: Graph, scope: Scope, within: str = "") -> str:
    """What a closed scope is called: its name less ``within``, its role, its first and last node."""
    if scope.kind == "role":
        alone = scope.name == "alone"
        return "without data edges" if alone else f"{scope.name}: only in training"
    if scope.kind == "scope":
        return scope.name.removeprefix(within)
    names = [
        i if isinstance(i, str) else i.name for i in (scope.items[0], scope.items[-1])
    ]
    if scope.kind == "twins":
        first = scope.items[0]
        if not isinstance(first, str) and first.kind not in (
            "scope",
            "role",
        ):  # a part of the copies
            first = heads_of(first)[0]
        title = graph.op(first) if isinstance(first, str) else scope_title(graph, first)
        return f"{scope.copies} × {title}"
    first, last = (name.removeprefix(within) for name in names)
    return f"{shorten(first, 27)} … {shorten(last, 27)}"


def histogram(kinds: Counter[str], most: int = 4) -> str:
    """The kinds that tell most: layers that compute before the plumbing."""
    ranked = sorted(kinds.items(), key=lambda kv: (_plain(kv[0]), -kv[1], kv[0]))
    listed = [
        f"{n} {shorten(kind, 28)}" if n > 1 else shorten(kind, 28)
        for kind, n in ranked[:most]
    ]
    return ", ".join(listed) + (" …" if len(ranked) > most else "")


def _plain(kind: str) -> int:
    order = ("convolution", "dense", "recurrent", "attention", "embedding")
    group = family(kind)
    if group in order:
        return 0
    return 2 if group in ("reshape", "variable", "control", "other", "input") else 1
