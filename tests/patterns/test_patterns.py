"""The open folder itself: every pattern is spelled, checked for soundness and told from a near miss."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType, SimpleNamespace

import pytest

import graphscope.patterns as patterns
from graphscope.match import Array, Attr, Pattern, Scalar, Weight
from graphscope.match.keras_arguments import is_attribute
from graphscope.render.keras.classes.signatures import signatures

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


def test_what_is_written_of_a_variable_is_an_argument_or_a_weight_of_its_class() -> (
    None
):
    """A variable that no callback hides is written under its name: Keras must know it."""
    leaks = []
    for pattern in patterns.layers():
        signature = signatures().get(pattern.op)
        for variable in pattern.variables if signature else ():
            name, written = variable.name, isinstance(variable, Attr | Scalar | Array)
            if name.startswith("_") or is_attribute(pattern.op, name):
                continue
            if written and pattern.config is None and name not in signature.arguments:
                leaks.append((pattern.name, name))
            own = isinstance(variable, Weight) and not callable(pattern.weights)
            if own and name not in signature.weights:
                leaks.append((pattern.name, name))
    assert not leaks
