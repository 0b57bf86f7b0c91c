"""Which small faults in a folder would the tests not notice?

mutants of the files under FOLDER (a condition negated, one clause of an ``and`` or ``or`` dropped, a comparison turned
round, a constant changed), runs the nearest tests on each in a process of its own, and lists those that survive. The
package is loaded once and the changed functions are put in place; the first failure ends a run. The score is printed by folder;
a run that ends at its time limit counts for neither side, as a loaded machine may be the cause. Exits 1 where one survives.
"""

from __future__ import annotations

import argparse
import ast
import functools
import gc
import importlib.util
import inspect
import multiprocessing
import os
import pkgutil
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 420
_CACHE = type(functools.cache(len))
_QUIET = {
    "KERAS_BACKEND": "tensorflow",
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
VERDICTS = "killed", "SURVIVES", "late"
_OPPOSITES = {
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Is: "is not",
    ast.IsNot: "is",
}


class Mutant(NamedTuple):
    """One change of one file: ``old`` from ``begin`` to ``end`` (in bytes) becomes ``new``."""

    path: str
    line: int
    begin: int
    end: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.old[:90]!r} -> {self.new[:90]!r}"


def mutants(path: Path) -> Iterator[Mutant]:
    """Every mutant of one file."""
    source = path.read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def mutant(node: ast.expr, new: str) -> Mutant:
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        old = source[begin:end].decode()
        name = str(path.relative_to(ROOT))
        return Mutant(name, node.lineno, begin, end, " ".join(old.split()), new)

    tree = ast.parse(source)
    for skipped in [n for n in ast.walk(tree) if _is_no_code(n)]:
        skipped.__dict__.update(body=[], annotation=None, returns=None)
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.IfExp | ast.While | ast.comprehension):
            tests = node.ifs if isinstance(node, ast.comprehension) else [node.test]
            for test in tests:
                yield mutant(test, f"(not ({ast.unparse(test)}))")
        elif isinstance(node, ast.BoolOp):
            for i in range(len(node.values)):
                left = [value for k, value in enumerate(node.values) if k != i]
                one = left[0] if len(left) == 1 else ast.BoolOp(node.op, left)
                yield mutant(node, f"({ast.unparse(one)})")
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            opposite = _OPPOSITES[type(node.ops[0])]
            sides = ast.unparse(node.left), opposite, ast.unparse(node.comparators[0])
            yield mutant(node, f"({' '.join(sides)})")
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool | int):
            plain = not isinstance(node.value, bool)
            yield mutant(node, str(node.value + 1 if plain else not node.value))


def _is_no_code(node: ast.AST) -> bool:
    """What only types are read of."""
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    return isinstance(node, ast.AnnAssign | ast.arg)


def nearest(path: str, tests: list[str], most: int) -> list[str]:
    """The tests that a mutant of a file is shown to: those that import it, stand where it stands, speak of its names."""
    place = Path(path).with_suffix("").parts[1:]
    body = ast.parse((ROOT / path).read_text()).body
    targets = (t for n in body if isinstance(n, ast.Assign) for t in n.targets)
    names = {getattr(n, "name", "") for n in body} | set(map(ast.unparse, targets))
    public = {name for name in names if len(name) > 4 and name[0] != "_"}

    def closeness(test: str) -> tuple[int, int]:
        own = Path(test).with_suffix("").parts[1:]
        text = (ROOT / test).read_text()
        imports = f"graphscope.{'.'.join(place)} import" in text
        beside = os.path.commonprefix([place[:-1], own[:-1]])
        namesake = own[-1].removeprefix("test_") in place
        spoken = sum(name in text for name in public)
        return 4 * imports + 3 * namesake + 2 * len(beside) + min(spoken, 4), spoken

    return sorted(tests, key=closeness, reverse=True)[: most or None]


def functions(code: CodeType) -> Iterator[CodeType]:
    """The outermost functions of a module and of its classes, in the order of the file."""
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            if inner.co_flags & inspect.CO_OPTIMIZED:
                yield inner
            else:
                yield from functions(inner)


def within(code: CodeType) -> Iterator[CodeType]:
    """A function and all that is defined in it."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from within(inner)


def meaning(code: CodeType) -> tuple[object, ...]:
    """What two codes share that differ in their lines only."""
    constants = (
        meaning(c) if isinstance(c, CodeType) else (type(c), repr(c))
        for c in code.co_consts
    )
    return code.co_code, code.co_names, code.co_varnames, tuple(constants)


def put_in_place(file: Path, old: bytes, new: bytes) -> bool:
    """Let the loaded function that was changed run the new source; False where the change lies outside all functions."""
    before, after = (
        list(functions(compile(source, str(file), "exec"))) for source in (old, new)
    )
    if len(before) != len(after):
        return False
    pairs = [(a, b) for a, b in zip(before, after) if meaning(a) != meaning(b)]
    by_place: dict[tuple[str, int], CodeType] = {}
    for a, b in pairs:
        inner, instead = list(within(a)), list(within(b))
        if len(inner) != len(instead):  # what was defined in it is gone
            inner, instead = [a], [b]
        for x, y in zip(inner, instead):
            by_place[x.co_qualname, x.co_firstlineno] = y
    reached = False
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename == str(file):
            place = each.__code__.co_qualname, each.__code__.co_firstlineno
            if place in by_place:
                each.__code__, reached = by_place[place], True
        elif isinstance(each, _CACHE):
            each.cache_clear()
    return reached


def verdict(mutant: Mutant, tests: list[str], seconds: float) -> str:
    """What the tests say of the package with the mutant in it, in a process of its own: one of ``VERDICTS``."""
    child = multiprocessing.get_context("fork").Process(
        target=_run, args=(mutant, tests)
    )
    child.start()
    child.join(seconds)
    if child.is_alive():
        child.kill()
        child.join()
        return "late"
    return "SURVIVES" if child.exitcode == 0 else "killed"


def _run(mutant: Mutant, tests: list[str]) -> None:
    """Change the loaded package, or a copy of the tree where the mutant is outside all functions, and run the tests."""
    import pytest

    file = ROOT / mutant.path
    source = file.read_bytes()
    changed = source[: mutant.begin] + mutant.new.encode() + source[mutant.end :]
    with tempfile.TemporaryDirectory() as folder:
        if not put_in_place(file, source, changed):
            tree = Path(folder) / "tree"
            ignored = shutil.ignore_patterns(".git", "__pycache__", ".venv", "*.pyc")
            shutil.copytree(ROOT, tree, ignore=ignored, symlinks=True)
            (tree / mutant.path).write_bytes(changed)
            os.chdir(tree)
            rest = (p for p in sys.path if Path(p or ".") != ROOT)
            sys.path[:] = [str(tree), *rest]
            for name in [m for m in sys.modules if m.partition(".")[0] == "graphscope"]:
                del sys.modules[name]
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1), os.dup2(null, 2)
        options = ["-x", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
        code = pytest.main([*options, *tests])
    os._exit(int(code))


def load_all() -> None:
    """Import what every child needs, once: it takes longer than most tests."""
    os.environ.update(_QUIET)
    import graphscope

    for name in ("tensorflow", "keras", "tf_keras"):
        if importlib.util.find_spec(name):
            importlib.import_module(name)
    for module in pkgutil.walk_packages(graphscope.__path__, "graphscope."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def files_of(tests: list[str]) -> list[str]:
    """The test files under some paths, as paths in the tree."""
    files: list[str] = []
    for test in tests:
        place = ROOT / test
        some = sorted(place.rglob("test_*.py")) if place.is_dir() else [place]
        files += [str(each.relative_to(ROOT)) for each in some]
    return files


def scores(verdicts: dict[Mutant, str]) -> Iterator[str]:
    """A line a folder of the package, and one for all: killed of judged, and how many were too late to judge."""
    folders = sorted({Path(mutant.path).parts[1] for mutant in verdicts})
    for folder in [*folders, ""]:
        some = [v for m, v in verdicts.items() if folder in ("", *Path(m.path).parts)]
        killed, alive, late = map(some.count, VERDICTS)
        yield f"{folder or 'all'}: {killed} of {killed + alive} killed, {late} late"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("folder", type=Path, nargs="+")
    parser.add_argument("--tests", nargs="+", required=True)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--nearest", type=int, default=0, metavar="FILES")
    parser.add_argument("--only", default="", help="of the mutants, as they are listed")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="a mutant")
    asked = parser.parse_args()
    places = [ROOT / folder for folder in asked.folder]
    files = [f for p in places for f in ([p] if p.is_file() else p.rglob("*.py"))]
    drawn = [each for file in sorted(files) for each in mutants(file)]
    random.Random(asked.seed).shuffle(drawn)
    drawn = [each for each in drawn if asked.only in str(each)][: asked.count]
    tests = files_of(asked.tests)
    os.chdir(ROOT)
    load_all()
    verdicts: dict[Mutant, str] = {}
    for number, mutant in enumerate(drawn, 1):
        since = time.monotonic()
        some = nearest(mutant.path, tests, asked.nearest)
        verdicts[mutant] = verdict(mutant, some, asked.seconds)
        seconds = time.monotonic() - since
        print(f"{number} {seconds:.0f} s {verdicts[mutant]} {mutant}", flush=True)
    print(*scores(verdicts), "survivors:", sep="\n")
    alive = [mutant for mutant in drawn if verdicts[mutant] == "SURVIVES"]
    print(*alive, sep="\n")
    sys.exit(bool(alive))


if __name__ == "__main__":
    main()
