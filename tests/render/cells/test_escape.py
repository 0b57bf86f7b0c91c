"""Escaping: what is safe stays, what is not is spelled out."""

from __future__ import annotations

import html

from hypothesis import given
from hypothesis import strategies as st

from graphscope.render.cells.escape import (
    for_csv,
    for_dot,
    for_html,
    for_markdown,
    shorten,
    visible,
)


def test_control_and_direction_characters_are_spelled_out() -> None:
    assert visible("a\tb\x1b\u202e\udc80é漢") == r"a\tb\x1b\u202e\udc80é漢"


@given(st.text())
def test_visible_text_is_one_line_that_can_be_encoded(text: str) -> None:
    shown = visible(text)
    assert len(shown.splitlines()) <= 1
    assert shown.encode().decode() == shown
    assert visible(shown) == shown


@given(st.text(max_size=300), st.integers(4, 60))
def test_shortened_text_fits(text: str, most: int) -> None:
    assert len(shorten(text, most)) <= most
    if len(text) <= most:
        assert shorten(text, most) == text


@given(st.text())
def test_html_comes_back(text: str) -> None:
    escaped = for_html(text)
    assert not set(escaped) & set("<>\"'")
    assert html.unescape(escaped) == visible(text)


@given(st.text())
def test_dot_strings_end_where_they_should(text: str) -> None:
    body = for_dot(text)[1:-1]
    assert '"' not in body.replace("\\\\", "").replace('\\"', "")


def test_formulas_are_defused() -> None:
    for text in ("=1", "+1", "-1", "@x", "\t=1"):
        assert for_csv(text).startswith("'")
    assert for_csv("conv-1") == "conv-1"


def test_markdown_is_text() -> None:
    assert for_markdown("[x](y) <b> a|b") == r"\[x\](y) \<b\> a\|b"
