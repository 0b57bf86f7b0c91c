"""Values that differ from one occurrence of a block to the next -> parameters, and each value said with them.

Anti-unification: what agrees is written once, what differs becomes a parameter with the field's own name. Names share a
template (``f"{name}_conv"``, ``f"block{n}_conv"``), a number that is a multiple of another is said as such.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ....graph.names import Names
from ..program.literals import Code, literal
from ..program.names import identifier

VALUE, NAME, COUNTED, NUMBER = "value", "name", "counted", "number"
IDLE = "idle"  # a name that Keras could give as well, for nothing is stored under it
_SCALED = frozenset({"filters", "units"})
_NUMBERS = ("n", "m", "k")
_DIGITS = re.compile(r"(\d+)")
_WORDS = re.compile(r"[^_.\-]+|[_.\-]")


@dataclass(frozen=True)
class Field:
    """One value of a block in each of its occurrences; ``role`` says how it may be written."""

    key: Hashable
    label: str
    values: tuple[Any, ...]
    role: str = VALUE


@dataclass
class Parameter:
    """What a block is given: ``values`` has one entry for each occurrence."""

    name: str
    role: str
    values: tuple[Any, ...]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        return tuple(map(literal, self.values))

    @property
    def default(self) -> str | None:
        """The text that most occurrences have, where it is worth leaving out."""
        if self.role != VALUE:
            return None
        most = max(set(self.texts), key=self.texts.count)
        return most if self.texts.count(most) * 2 > len(self.texts) else None


def _are_numbers(field: Field) -> bool:
    """Not so where a call inside of another function is given what that one is given (``n + 1``)."""
    return all(isinstance(value, int) for value in field.values)


class Unifier:
    """Collects fields, then says each with as few parameters as possible.

    ``by_prefix``: names that differ in what they begin with get one parameter for that (a function's ``name``), else
    the numbers in them are what differs (a loop's ``n``).
    """

    def __init__(self, reserved: Iterable[str], by_prefix: bool = True) -> None:
        self.names = Names(reserved)
        self.by_prefix = by_prefix
        self.parameters: list[Parameter] = []
        self.said: dict[Hashable, Any] = {}

    def unify(self, fields: Sequence[Field]) -> Mapping[Hashable, Any]:
        """Field key -> its value, or the expression for it as Code."""
        differing = []
        for field in fields:
            texts = set(map(literal, field.values))
            if len(texts) == 1:
                self.said[field.key] = field.values[0]
            else:
                differing.append(field)
        self._name_alike([f for f in differing if f.role in (NAME, IDLE)])
        for field in differing:
            if field.role == COUNTED:
                self._by_number(field)
        numbers = [f for f in differing if f.role == NUMBER and _are_numbers(f)]
        values = [f for f in differing if f.role in (VALUE, NUMBER)]
        others = [field for field in values if field not in numbers]
        tuples = [field for field in others if _are_sizes(field)]
        for field in sorted((f for f in others if f not in tuples), key=_scale):
            self._value(field)
        self._tuples(tuples)
        for field in numbers:
            self.said[field.key] = Code(self._number(field.values))
        return self.said

    def _name_alike(self, names: list[Field]) -> None:
        """All names by what they begin with; else those that Keras may give are left out where they only count, and say less."""
        stored = [f for f in names if f.role == NAME or not _is_numbered(f)]
        if self.by_prefix and self._by_prefix(names):
            return
        if self.by_prefix and len(stored) < len(names) and self._by_prefix(stored):
            self.said.update((f.key, "") for f in names if f not in stored)
            return
        for field in names:
            self._by_number(field)

    def _by_prefix(self, fields: list[Field]) -> bool:
        """Whether the names of each occurrence begin alike and go on as in the others."""
        if not fields or any(isinstance(v, Code) for f in fields for v in f.values):
            return False
        prefixes = [_prefix(names) for names in zip(*(f.values for f in fields))]
        if not all(prefixes):
            return False
        ends = []
        for field in fields:
            rests = {v[len(p) :] for v, p in zip(field.values, prefixes)}
            if len(rests) > 1:
                return False
            ends.append(rests.pop())
        name = self._parameter("name", NAME, tuple(prefixes))
        for field, end in zip(fields, ends):
            self.said[field.key] = Code(_f_string(f"{{{name}}}", end) if end else name)
        return True

    def _by_number(self, field: Field) -> None:
        """A template with the numbers in the names as parameters, or a parameter for the whole name."""
        whole = [_inner(value) for value in field.values]
        tokens = [_DIGITS.split(text) for text in whole if text is not None]
        if len(tokens) < len(field.values) or not _alike(tokens):
            self.said[field.key] = self._by_middle(field)
            return
        parts = []
        for column in zip(*tokens):
            if len(set(column)) == 1:
                parts.append(column[0])
            else:
                parts.append(f"{{{self._number(tuple(map(int, column)))}}}")
        self.said[field.key] = Code(f'f"{"".join(parts)}"')

    def _by_middle(self, field: Field) -> Code:
        """What differs between the words that all begin and end with: one parameter for all names that share it."""
        names = field.values
        if not self.by_prefix or any(isinstance(v, Code) or not v for v in names):
            return Code(self._parameter("name", NAME, names))
        start, end = _common_words(names)
        middles = tuple(v[start : len(v) - end] for v in names)
        name = self._parameter("name", NAME, middles)
        if not start and not end:
            return Code(name)
        first = names[0]
        after = first[len(first) - end :]
        return Code(_f_string(first[:start], f"{{{name}}}", after))

    def _number(self, values: tuple[int, ...]) -> str:
        """A number as an existing one plus something, or a new parameter."""
        for known in self.parameters:
            if known.role == NUMBER:
                steps = {value - base for value, base in zip(values, known.values)}
                if len(steps) == 1:
                    step = steps.pop()
                    sign = "+" if step > 0 else "-"
                    return f"{known.name} {sign} {abs(step)}" if step else known.name
        name = next((n for n in _NUMBERS if n not in self.names.taken), "n")
        return self._parameter(name, NUMBER, values)

    def _value(self, field: Field) -> None:
        texts = tuple(map(literal, field.values))
        for known in self.parameters:
            if known.role == VALUE and known.texts == texts:
                self.said[field.key] = Code(known.name)
                return
            factor = _factor(field, known)
            if factor:
                self.said[field.key] = Code(f"{factor} * {known.name}")
                return
        elements = self._elements(field)
        if elements is not None:
            self.said[field.key] = elements
            return
        name = self._parameter(identifier(field.label), VALUE, field.values)
        self.said[field.key] = Code(name)

    def _tuples(self, fields: Sequence[Field]) -> None:
        """Tuples of sizes: a parameter for an element where that takes no more parameters than one for each tuple."""
        left = {tuple(map(literal, each.values)): each for each in fields}.values()
        while unsaid := [columns for each in left if (columns := self._unsaid(each))]:
            fewest = min(unsaid, key=len)
            together = list(dict.fromkeys(c for each in unsaid for c in each))
            if len(fewest) > 1 and len(together) > len(unsaid):
                break
            for column in fewest if len(fewest) == 1 else together:
                self._parameter("size", VALUE, column)
        for field in fields:
            self._value(field)

    def _unsaid(self, field: Field) -> list[tuple[int, ...]]:
        """The elements of the tuples, in each occurrence, that no parameter says yet."""
        columns = dict.fromkeys(zip(*field.values))
        return [column for column in columns if self._size(column) is None]

    def _elements(self, field: Field) -> Code | None:
        """The tuple of sizes by its elements; None where one of them takes a parameter of its own."""
        if not _are_sizes(field):
            return None
        texts = [self._size(column) for column in zip(*field.values)]
        if None in texts:
            return None
        return Code(f"({', '.join(map(str, texts))}{',' if len(texts) == 1 else ''})")

    def _size(self, column: tuple[int, ...]) -> str | None:
        """A size that is always the same, one of the parameters, or a multiple of a count of filters or units."""
        if len(set(column)) == 1:
            return literal(column[0])
        for known in self.parameters:
            if known.role == VALUE and known.values == column:
                return known.name
            times = _times(column, known.values) if _is_scaled(known) else 0
            if times:
                return f"{times} * {known.name}"
        return None

    def _parameter(self, candidate: str, role: str, values: tuple[object, ...]) -> str:
        for known in self.parameters:
            if role == NAME and known.role == NAME and known.values == values:
                return known.name
        name = self.names.unique(candidate)
        self.parameters.append(Parameter(name, role, values))
        return name


def _is_numbered(field: Field) -> bool:
    """Whether the names are numbered, as Keras numbers the layers of a class: ``a_0_softmax, a_1_softmax_1, a_2_softmax_2``."""
    texts = [v for v in field.values if isinstance(v, str) and type(v) is not Code]
    rests = {v[_common_words(texts)[0] :] for v in texts} if len(texts) > 1 else set()
    ends = {re.sub(r"^\d+|_\d+$", "", rest) for rest in rests}
    counts = {re.search(r"_\d+$", rest) is None for rest in rests}
    return (
        len(texts) == len(field.values) and len(ends) == 1 and counts == {True, False}
    )


def _scale(field: Field) -> float:
    """Small numbers first, so that large ones can be multiples of them."""
    scaled = field.label in _SCALED and all(type(v) is int for v in field.values)
    return max(field.values) if scaled else 0.0


def _are_sizes(field: Field) -> bool:
    """Whether the values are tuples, as long as one another, of whole numbers that name sizes."""
    known = {len(v) if isinstance(v, tuple) else 0 for v in field.values}
    if len(known) > 1 or 0 in known or "shape" not in field.label:
        return False
    return all(type(each) is int for value in field.values for each in value)


def _is_scaled(known: Parameter) -> bool:
    return known.role == VALUE and known.name.startswith(tuple(_SCALED))


def _factor(field: Field, known: Parameter) -> int:
    """By which whole number the field is always a multiple of the parameter; 0 where it is not."""
    if field.label not in _SCALED or not known.name.startswith(field.label):
        return 0
    times = _times(field.values, known.values)
    return times if times > 1 else 0


def _times(values: Sequence[Any], base: Sequence[Any]) -> int:
    """By which whole number each value is a multiple of the one of the base; 0 where they are not."""
    pairs = list(zip(values, base))
    if not all(type(a) is int and type(b) is int and b > 0 for a, b in pairs):
        return 0
    factors = {a / b for a, b in pairs}
    factor = factors.pop()
    return int(factor) if not factors and factor >= 1 and factor == int(factor) else 0


def _prefix(names: Sequence[str]) -> str:
    """What all names begin with, cut where a word ends in each of them."""
    first, last = min(names), max(names)
    size = next((i for i, c in enumerate(first) if last[i : i + 1] != c), len(first))
    while size and not all(len(n) == size or n[size] in "_-." for n in names):
        size -= 1
    return first[:size]


def _common_words(names: Sequence[str]) -> tuple[int, int]:
    """How many characters all names begin and end with, in whole words, leaving something of each between."""
    words = [_WORDS.findall(name) for name in names]
    shortest = min(map(len, words))
    start = end = 0
    while start < shortest - 1 and len({each[start] for each in words}) == 1:
        start += 1
    while end < shortest - 1 - start and len({each[-1 - end] for each in words}) == 1:
        end += 1
    first = words[0]
    while end and not first[len(first) - end][0] in "_-.":
        end -= 1
    return sum(map(len, first[:start])), sum(map(len, first[len(first) - end :]))


def _alike(tokens: Sequence[Sequence[str]]) -> bool:
    """Whether texts differ in numbers only that ``str`` would write the same way, none inside braces."""
    if len({len(each) for each in tokens}) > 1:
        return False
    depth = 0
    for place, column in enumerate(zip(*tokens)):
        if len(set(column)) > 1:
            if place % 2 == 0 or depth or any(str(int(c)) != c for c in column):
                return False
        depth += column[0].count("{") - column[0].count("}")
    return True


def _inner(value: object) -> str | None:
    """What stands between the quotes of an f-string that says the value; None where there is none."""
    if isinstance(value, Code):
        return value[2:-1] if value.startswith('f"') else None
    return (
        value if isinstance(value, str) and re.fullmatch(r"[\w.\-]*", value) else None
    )


def _f_string(*parts: str) -> str:
    return f'f"{"".join(parts)}"'
