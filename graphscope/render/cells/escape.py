"""Text from a model file -> text that is safe in DOT, HTML, CSV, Markdown and on a terminal.

A model file is hostile: every name and attribute that it holds passes through here before it is printed.
"""

from __future__ import annotations

import html as _html
import re

_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&!$])")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def visible(text: str) -> str:
    r"""Control, direction and surrogate characters spelled out: what may go to a terminal or into any document.

    >>> visible("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return _CONTROL.sub(_spell, text)


def _spell(match: re.Match[str]) -> str:
    code = ord(match.group())
    return {9: r"\t", 10: r"\n", 13: r"\r"}.get(
        code, f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    )


def shorten(text: str, most: int) -> str:
    """At most ``most`` characters: the middle gives way, since scopes differ in front and names at the end.

    >>> shorten("InceptionV3/Mixed_7c/Conv2d_0a_1x1", 20)
    'InceptionV…0a_1x1'
    """
    if len(text) <= most:
        return text
    tail = (most - 1) * 2 // 5
    return f"{text[: most - 1 - tail]}…{text[len(text) - tail :]}"


def for_html(text: str) -> str:
    """Text of an HTML, SVG or HTML-like DOT document; quotes too, so it may stand in an attribute."""
    return _html.escape(visible(text), quote=True)


def for_dot(text: str) -> str:
    r"""A quoted DOT string, backslashes literal (DOT would read ``\N`` in a label as the node's name).

    >>> for_dot('a"b\\N')
    '"a\\"b\\\\N"'
    """
    escaped = visible(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def for_markdown(text: str) -> str:
    r"""Text of one table cell.

    >>> for_markdown("a|b_c")
    'a\\|b\\_c'
    """
    return _MARKDOWN.sub(r"\\\1", visible(text))


def for_csv(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe goes before ``=``, ``+``, ``-`` and ``@``.

    >>> for_csv("=cmd|' /C calc'!A0")
    "'=cmd|' /C calc'!A0"
    """
    shown = visible(text)
    return f"'{shown}" if text.startswith(_FORMULA) else shown
