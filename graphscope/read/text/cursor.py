"""The tokens of one line of the text form, read from left to right."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from ...errors import FormatError
from ...graph import Tensor

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*")
    | (?P<number>-?(?:\d+\.?\d*(?:e[+-]?\d+)?|inf|nan)(?![A-Za-z0-9_.\\/>&-]))
    | (?P<word>[A-Za-z0-9_.][A-Za-z0-9_.\\/>-]*&?) | (?P<mark>[][(){}=,:^@?*\#|]) | (?P<end>$))""",
    re.VERBOSE,
)


class Cursor:
    """The tokens of one line, read from left to right."""

    def __init__(self, line: str) -> None:
        self.line, self.at, self.depth = line, 0, 0
        self.kind, self.text = "", ""
        self.step()

    def step(self) -> str:
        """Go on to the next token; what the last one said."""
        last = self.text
        match = _TOKEN.match(self.line, self.at)
        if match is None:
            raise FormatError(
                f"column {self.at + 1}: {self.line[self.at :][:20]!r} cannot be"
            )
        self.kind, self.at = str(match.lastgroup), match.end()
        self.text = match.group(self.kind)
        return last

    def taking(self, mark: str) -> bool:
        """Whether the next token is this mark, which is then passed."""
        matches = self.kind == "mark" and self.text == mark
        if matches:
            self.step()
        return matches

    def expect(self, mark: str) -> None:
        if not self.taking(mark):
            raise FormatError(f"column {self.at}: {mark!r} expected, not {self.text!r}")

    def name(self) -> str:
        """A word or a quoted string."""
        if self.kind == "string":
            return unquoted(self.step())
        if self.kind == "word" or self.kind == "number" and self.text[0] != "-":
            return self.step()
        raise FormatError(f"column {self.at}: a name expected, not {self.text!r}")

    def tensor(self, name: str) -> Tensor:
        return Tensor(name, self.integer() if self.taking(":") else 0)

    def integer(self) -> int:
        text = self.step()
        if not re.fullmatch(r"\d{1,18}", text):
            raise FormatError(f"column {self.at}: a number expected, not {text!r}")
        return int(text)

    def separated(self, end: str, item: Callable[[], None]) -> None:
        """Items with commas between them, up to the closing mark."""
        while not self.taking(end):
            item()
            if not self.taking(","):
                self.expect(end)
                return


def unquoted(text: str) -> str:
    try:
        return str(json.loads(text, strict=False))
    except ValueError as error:
        raise FormatError(f"{text[:40]} is no JSON string ({error})") from None
