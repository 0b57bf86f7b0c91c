"""Long lines -> the lines that black makes of them; small things of spelling that black would change.

After black's own rules (``black.linegen``): a line is broken inside its last brackets behind which the rest fits, else
in parentheses put around the right side; what stands between brackets goes on one line, else each part on its own.
"""

from __future__ import annotations

import io
import re
import textwrap
import tokenize
from collections.abc import Iterator, Sequence

WIDTH = 88
_LOOSE = (  # kinds of delimiters, those that bind loosest first
    frozenset({"for"}),  # of a comprehension
    frozenset({","}),
    frozenset({"if", "else"}),
    frozenset({"or"}),
    frozenset({"and"}),
    frozenset({"<", ">", "==", "!=", "<=", ">=", "in", "is"}),
    frozenset({"|"}),
    frozenset({"&"}),
    frozenset({"+", "-"}),
    frozenset({"*", "/", "//", "%", "@"}),
)
_STATEMENT = re.compile(r"(return |[\w.\[\], ]+? = )(?=\S)")
_ONE_LINE_DOCSTRING = re.compile(r' *"""[^"\\]+"""')
_WORD = re.compile(r"\w+|==|!=|<=|>=|//|\*\*|\S")


def wrapped(line: str, width: int = WIDTH - 4) -> list[str]:
    """The line, broken until each part fits, as black would do it.

    >>> wrapped('x = layers.Conv2D(64, 3, name="a")(x)', 30)
    ['x = layers.Conv2D(', '    64, 3, name="a"', ')(x)']
    """
    if len(line) <= width:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    statement = _STATEMENT.match(line, len(indent))
    start = statement.end() if statement else len(indent)
    delimiters = _delimiters(line[start:])
    groups = _groups(line)
    if statement and (len(delimiters) > 1 or delimiters and line[-1:] not in ")]}"):
        head = f"{line[:start]}("
        inside = _inside(line[start:], f"{indent}    ", width, explode=True)
        return [head, *inside, f"{indent})"]
    for opened, closed in reversed(groups):
        if opened + 1 <= width and closed > opened + 1 and opened >= start:
            return _broken(line, opened, closed, indent, width)
    if groups and groups[-1][1] > groups[-1][0] + 1:
        return _broken(line, *groups[-1], indent, width)
    return [line]


def _broken(line: str, opened: int, closed: int, indent: str, width: int) -> list[str]:
    is_call = re.search(r"[\w)\]]$", line[:opened])
    text = line[opened + 1 : closed]
    inside = _inside(text, f"{indent}    ", width, explode=not is_call)
    return [line[: opened + 1], *inside, f"{indent}{line[closed:]}"]


def _inside(text: str, indent: str, width: int, explode: bool) -> list[str]:
    """What stands in brackets: on one line, else cut at the delimiters that bind loosest.

    ``explode``: the elements of a tuple or a list each stand on a line of their own.
    """
    text = text.strip()
    cuts = _delimiters(text)
    has_commas = bool(cuts) and cuts[0][1] == ","
    whole = f"{indent}{text}"
    if len(whole) <= width and not (has_commas and (explode or text.endswith(","))):
        return [whole]
    if not cuts:
        return wrapped(whole, width)
    rows: list[str] = []
    for part in _parts(text, cuts):
        rows.extend(wrapped(f"{indent}{part}", width))
    return rows


def _parts(text: str, cuts: Sequence[tuple[int, str]]) -> Iterator[str]:
    """Commas stay behind what they end, operators go before what they begin."""
    if cuts[0][1] == ",":
        bounds = [-1, *(at for at, _ in cuts), len(text)]
        parts = (text[a + 1 : b].strip() for a, b in zip(bounds, bounds[1:]))
        yield from (f"{part}," for part in parts if part)
        return
    bounds = [0, *(at for at, _ in cuts), len(text)]
    yield from (text[a:b].strip() for a, b in zip(bounds, bounds[1:]))


def _delimiters(text: str) -> list[tuple[int, str]]:
    """Where the delimiters that bind loosest stand, outside all brackets."""
    outside = {at for at, _, depth in _scan(text) if depth == 0}
    delimiters: list[tuple[int, str]] = []
    before = ""
    for word in _WORD.finditer(text):
        if word.start() in outside:
            is_sign = word[0] in "+-*" and (not before or before in "(,=+-*/%@<>|&")
            if not is_sign:
                delimiters.append((word.start(), word[0]))
        before = word[0]
    for kind in _LOOSE:
        these = [each for each in delimiters if each[1] in kind]
        if these:
            return these
    return []


def _groups(text: str) -> list[tuple[int, int]]:
    """Opening and closing place of each pair of brackets that lies in no other."""
    groups: list[tuple[int, int]] = []
    opened = 0
    for at, char, depth in _scan(text):
        if depth == 0 and char in "([{":
            opened = at
        elif depth == 0 and char in ")]}":
            groups.append((opened, at))
    return groups


def _scan(text: str) -> Iterator[tuple[int, str, int]]:
    """Position, character and depth of every character that is not inside a string."""
    quote, depth, at = "", 0, 0
    while at < len(text):
        char = text[at]
        if quote:
            if char == "\\":
                at += 1
            elif char == quote:
                quote = ""
        elif char in "\"'":
            quote = char
        else:
            depth -= char in ")]}"
            yield at, char, depth
            depth += char in "([{"
        at += 1


def tidied(code: str) -> str:
    """A whole source as black spells it, given that its statements begin on lines of their own."""
    lines: list[str] = []
    for line in _spelled(code).split("\n"):
        if len(line) > WIDTH and _ONE_LINE_DOCSTRING.fullmatch(line):
            lines.extend(_refilled(line))
            continue
        is_whole = len(line) > WIDTH and _is_balanced(line) and "#" not in line
        lines.extend(wrapped(line, WIDTH) if is_whole else [line])
    return "\n".join(lines)


def _refilled(line: str) -> list[str]:
    """A docstring of one line, over several."""
    indent = line[: len(line) - len(line.lstrip())]
    text = line.strip().removesuffix('"""')
    filled = textwrap.wrap(
        text,
        WIDTH - 3,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [*filled, f'{indent}"""']


def _is_balanced(line: str) -> bool:
    if '"""' in line:
        return False
    depth = 0
    for _, char, _ in _scan(line):
        depth += (char in "([{") - (char in ")]}")
        if depth < 0:
            return False
    return depth == 0


def _spelled(code: str) -> str:
    """Strings in double quotes, exponents without a plus, simple powers without spaces, no brackets around a sign."""
    tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    rows = code.split("\n")
    for at in range(len(tokens) - 1, -1, -1):
        token = tokens[at]
        (row, begin), (last, end) = token.start, token.end
        if row != last or row > len(rows):
            continue
        text = rows[row - 1]
        if token.type == tokenize.STRING:
            rows[row - 1] = text[:begin] + _requoted(token.string) + text[end:]
        elif token.type == tokenize.NUMBER and "e+" in token.string:
            rows[row - 1] = text[:begin] + token.string.replace("e+", "e") + text[end:]
        elif token.string == "**" and _is_simple_power(tokens, at):
            rows[row - 1] = text[:begin].rstrip() + "**" + text[end:].lstrip()
        elif token.string == "(" and _holds_a_sign_alone(tokens, at):
            close = text.index(")", end)
            rows[row - 1] = text[:begin] + text[end:close] + text[close + 1 :]
    return "\n".join(rows)


def _requoted(text: str) -> str:
    body = text.lstrip("rbfRBF")
    if body[:1] != "'" or body[:3] == "'''" or '"' in body:
        return text
    return text[: len(text) - len(body)] + '"' + body[1:-1].replace("\\'", "'") + '"'


def _is_simple_power(tokens: Sequence[tokenize.TokenInfo], at: int) -> bool:
    """Whether names and numbers stand on both sides."""
    simple = (tokenize.NAME, tokenize.NUMBER)
    after = at + 1 + (tokens[at + 1].string == "-")
    following = tokens[after + 1].string
    return (
        tokens[at - 1].type in simple
        and tokens[after].type in simple
        and following not in ("(", "[", ".")
    )


def _holds_a_sign_alone(tokens: Sequence[tokenize.TokenInfo], at: int) -> bool:
    """Whether it is ``(-1.0)`` as a whole argument."""
    if at < 1 or at + 4 >= len(tokens):
        return False
    texts = [token.string for token in tokens[at + 1 : at + 5]]
    return (
        tokens[at - 1].string in ("(", ",", "=")
        and texts[0] == "-"
        and tokens[at + 2].type == tokenize.NUMBER
        and texts[2] == ")"
        and texts[3] in (")", ",")
        and tokens[at].start[0] == tokens[at + 3].start[0]
    )
