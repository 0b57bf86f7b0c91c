"""The open folder itself: every pattern is spelled, checked for soundness and told from a near miss."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType, SimpleNamespace

import pytest

import graphscope.patterns as patterns
from graphscope.match import Pattern

from . import __name__ as here
from . import __path__ as folder


def tables(name: str) -> set[str]:
    """The patterns named in one table of all test files of this folder."""
    found = set()
    for module in pkgutil.walk_packages(folder, f"{here}."):
        stem = module.name.rpartition(".")[2]
        if stem.startswith("test_") and stem != "test_patterns":
            content = importlib.import_module(module.name)
            found |= {each.pattern for each in getattr(content, name, ())}
    return found


def everything() -> tuple[Pattern, ...]:
    return (*patterns.layers(), *patterns.forms())


def test_every_pattern_has_a_spelling() -> None:
    names = {pattern.name for pattern in everything()}
    assert names - tables("SPELLINGS") == set()


def test_every_pattern_has_a_near_miss() -> None:
    names = {pattern.name for pattern in everything()}
    assert names - tables("NEAR_MISSES") == set()


def test_the_tables_stempatterns_that_exist() -> None:
    names = {pattern.name for pattern in everything()}
    assert tables("SPELLINGS") | tables("NEAR_MISSES") <= names


def test_every_pattern_needs_an_op_or_has_a_root() -> None:
    for pattern in everything():
        assert pattern.needs or pattern.formula.roots, pattern.name


def test_a_stemtwice_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    pattern = patterns.layers()[0]
    twice = ModuleType("twice")
    twice.first = twice.second = pattern  # type: ignore[attr-defined]
    assert isinstance(twice.first, Pattern)
    monkeypatch.setattr(
        patterns.pkgutil,
        "walk_packages",
        lambda path, prefix: [SimpleNamespace(name="twice")],
    )
    monkeypatch.setattr(patterns, "import_module", lambda name: twice)
    patterns.layers.cache_clear()
    with pytest.raises(ValueError, match="two patterns are called"):
        patterns.layers()
    patterns.layers.cache_clear()
