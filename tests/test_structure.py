"""The house rules that a machine can see (DESIGN sections 3 and 9): imports, lengths, names."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "graphscope"
FILES = sorted(PACKAGE.rglob("*.py"))

# Who may import whom; arrows never point back. A part is a file or folder of graphscope/.
ARROWS = {
    "errors": set(),
    "graph": {"errors", "render"},  # render: only inside _repr_svg_, for notebooks
    "opdefs": {"errors", "read"},
    "read": {"errors", "graph", "opdefs"},
    "ops": {"errors", "graph", "opdefs", "read"},
    "write": {"errors", "graph", "opdefs", "read"},
    "constants": {"errors", "graph", "opdefs", "ops"},
    "match": {"errors", "graph", "opdefs", "ops", "constants"},
    "patterns": {"errors", "graph", "opdefs", "ops", "constants", "match"},
    "ordering": set(),
    "mapped": set(),
    "simplify": {"errors", "graph", "opdefs", "ops", "constants", "read", "write"},
    "infer": {
        "errors",
        "graph",
        "opdefs",
        "ops",
        "constants",
        "read",
        "match",
        "patterns",
        "simplify",
        "write",
        "ordering",
    },
    "render": {"errors", "graph", "opdefs", "ops", "constants", "ordering", "mapped"},
    "freeze": {
        "errors",
        "graph",
        "opdefs",
        "ops",
        "constants",
        "read",
        "write",
        "simplify",
        "infer",
    },
    "verify": {
        "constants",
        "errors",
        "graph",
        "opdefs",
        "ops",
        "read",
        "write",
        "simplify",
        "infer",
        "freeze",
    },
    "demo": {"errors"},
}
FACADES = {
    "__init__",
    "__main__",
    "analysis",
    "cli",
    "console",
    "options",
    "report",
} | {"stages"}
MAY_IMPORT_TENSORFLOW = {"verify", "export", "demo"}
HEAVY = ("tensorflow", "keras", "pandas", "h5py", "fsspec", "rich", "networkx", "click")


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> list[tuple[str, bool]]:
    """Every module imported, as an absolute dotted name, and whether it is at the top of the file."""
    tree = ast.parse(path.read_text())
    package = ("graphscope", *path.relative_to(PACKAGE).parts[:-1])
    found = []
    for node in ast.walk(tree):
        top = node in tree.body
        if isinstance(node, ast.Import):
            found += [(alias.name, top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if not node.level:
                found.append((node.module or "", top))
                continue
            base = ".".join(package[: len(package) - node.level + 1])
            if node.module:
                found.append((f"{base}.{node.module}", top))
            else:
                found += [(f"{base}.{alias.name}", top) for alias in node.names]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_follow_the_arrows(path: Path) -> None:
    part = part_of(path)
    for module, _ in imports(path):
        if not module.startswith("graphscope.") or part in FACADES:
            continue
        other = module.split(".")[1]
        if other == part:
            continue
        assert other in ARROWS[part], f"{part} must not import {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_the_runners_import_tensorflow(path: Path) -> None:
    names = {module.split(".")[0] for module, _ in imports(path)}
    if part_of(path) not in MAY_IMPORT_TENSORFLOW:
        assert not names & {"tensorflow", "keras"}


def test_no_file_is_longer_than_400_lines() -> None:
    long = {p.name: n for p in FILES if (n := len(p.read_text().splitlines())) > 400}
    assert not long


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        p
        for p in FILES
        if p.read_text() and not ast.get_docstring(ast.parse(p.read_text()))
    ]
    assert not silent


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty = {
        "util",
        "utils",
        "helper",
        "helpers",
        "common",
        "misc",
        "manager",
        "handler",
    }
    assert not [p for p in FILES if p.stem in empty]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_nothing_that_hides_faults(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        assert not isinstance(node, ast.Assert), f"assert at line {node.lineno}"
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else ""
            assert caught not in (
                "",
                "Exception",
                "BaseException",
            ), f"catch-all at line {node.lineno}"
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
            assert part_of(path) == "cli", f"print at line {node.lineno}"


def test_import_graphscope_loads_nothing_heavy() -> None:
    code = "import sys, graphscope; print([m for m in %r if m in sys.modules])" % (
        HEAVY,
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_loading_a_model_needs_no_tensorflow() -> None:
    code = "import sys, graphscope; graphscope.load, graphscope.analyse, graphscope.Graph; "
    code += "print([m for m in ('tensorflow', 'keras') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
