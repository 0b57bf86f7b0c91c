"""The house rules that a machine can see (DESIGN sections 3 and 9): imports, lengths, names."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import networkx as nx

PACKAGE = Path(__file__).parent.parent / "graphscope"
FILES = sorted(PACKAGE.rglob("*.py"))

# Who may import whom; arrows never point back, for types neither. A part is a file or folder of graphscope/.
_BASE = {"errors", "graph", "wire"}
ARROWS = {
    "errors": set(),
    "graph": {"errors"},
    "wire": {"errors", "graph"},
    "read": _BASE,
    "ops": _BASE,
    "match": {*_BASE, "ops"},
    "patterns": {*_BASE, "ops", "match"},
    "simplify": {*_BASE, "ops"},
    "render": {*_BASE, "ops"},
    "families": {*_BASE, "read"},
    "infer": {*_BASE, "ops", "read", "match", "patterns", "simplify"},
    "freeze": {*_BASE, "ops", "read", "simplify", "infer"},
    "verify": {*_BASE, "ops", "read", "simplify", "infer", "freeze"},
    "export": {*_BASE, "ops", "read", "simplify", "infer", "freeze", "verify"},
    "analysis": {
        *_BASE,
        *"export families freeze infer match ops patterns read render simplify verify".split(),
    },
    "survey": {
        *_BASE,
        *"analysis export families infer read verify".split(),
    },
    "cli": {"errors", "analysis", "read", "survey", "verify", "wire"},
    "__main__": {"cli"},
}
FREE = {"__init__"}  # the face: names what is public
MOST_ENTRIES = 12
MAY_IMPORT_TENSORFLOW = {"verify", "export", "cli"}  # cli: the demo's training
HEAVY = ("tensorflow", "keras", "pandas", "h5py", "fsspec", "rich", "networkx", "click")


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


def imports(path: Path) -> set[str]:
    """Every module that a file imports anywhere, in functions and for types too, as an absolute dotted name."""
    package = ("graphscope", *path.relative_to(PACKAGE).parts[:-1])
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            whole = ".".join((*base, *filter(None, [node.module])))
            inner = {f"{whole}.{alias.name}" for alias in node.names}
            known = inner & set(MODULES)
            modules |= known | ({whole} if inner - known else set())
    return modules


def test_imports_follow_the_arrows() -> None:
    wrong = [
        f"{module_of(path)} imports {module}"
        for path in FILES
        if (part := part_of(path)) not in FREE
        for module in imports(path)
        if module.startswith("graphscope.")
        and module.split(".")[1] not in {part, *ARROWS[part]}
    ]
    assert not wrong


def test_no_modules_import_each_other() -> None:
    graph = nx.DiGraph(
        (module, other)
        for module, path in MODULES.items()
        for other in imports(path) & set(MODULES)
        if other != module
    )
    circles = [c for c in nx.strongly_connected_components(graph) if len(c) > 1]
    assert not circles


def test_no_folder_has_more_entries_than_a_page() -> None:
    folders = {path.parent for path in FILES} - {PACKAGE}  # the root is the pipeline
    full = {
        str(folder.relative_to(PACKAGE)): count
        for folder in folders
        if (count := len(entries(folder))) > MOST_ENTRIES
    }
    assert not full


def entries(folder: Path) -> list[Path]:
    return [
        entry
        for entry in folder.iterdir()
        if entry.is_dir()
        and any(entry.glob("*.py"))
        or entry.suffix == ".py"
        and entry.stem not in ("__init__", "__main__")
    ]


def test_only_the_runners_import_tensorflow() -> None:
    wrong = [
        path
        for path in FILES
        if part_of(path) not in MAY_IMPORT_TENSORFLOW
        and {module.split(".")[0] for module in imports(path)} & {"tensorflow", "keras"}
    ]
    assert not wrong


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


def test_nothing_that_hides_faults() -> None:
    wrong = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assert):
                wrong.append(f"{path}:{node.lineno}: assert")
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else ""
                if caught in ("", "Exception", "BaseException"):
                    wrong.append(f"{path}:{node.lineno}: catch-all")
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
                if part_of(path) != "cli":
                    wrong.append(f"{path}:{node.lineno}: print")
    assert not wrong


def test_the_spellings_of_an_op_stand_once() -> None:
    """``("Switch", "RefSwitch")`` is ``spellings.SWITCHES``: who lists them again forgets one of them some day."""
    from graphscope.ops import spellings

    groups = {
        name: set(group)
        for name, group in vars(spellings).items()
        if name.isupper() and isinstance(group, tuple)
    }
    parts = {part for part, others in ARROWS.items() if "ops" in others}
    again = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}: spellings.{name}"
        for path in FILES
        if part_of(path) in parts - {"patterns"}
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Tuple | ast.Set | ast.Call)
        for name, group in groups.items()
        if group <= _texts_in(node)
    ]
    assert not again


def _texts_in(node: ast.Tuple | ast.Set | ast.Call) -> set[object]:
    """The texts of a literal collection, or of the arguments of a call."""
    elements = node.args if isinstance(node, ast.Call) else node.elts
    return {each.value for each in elements if isinstance(each, ast.Constant)}


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


def test_a_command_loads_what_it_needs(tmp_path: Path) -> None:
    """A start that loads networkx, pandas, h5py, the browser or another format's reader costs more than most commands do."""
    from graphscope.freeze.stream import write_graph
    from graphscope.graph import Graph, Node, Tensor
    from graphscope.graph.edit import put

    graph = Graph()
    put(graph, "x", Node("Placeholder", {"dtype": "float32", "shape": (None, 4)}))
    put(graph, "y", Node("Relu", {"T": "float32"}), [Tensor("x")])
    path = tmp_path / "relu.pb"
    write_graph(graph, path, {}, {"producer": 27})
    spare = ("networkx", "pandas", "h5py", "webbrowser", "graphscope.read.keras.model")
    late = ("graphscope.render", "graphscope.verify", "graphscope.infer.attention")
    code = (
        "import sys; from graphscope.cli import cli\n"
        "try: cli.main(sys.argv[1:], standalone_mode=False)\n"
        f"finally: print('LOADED', [m for m in {(*spare, *late)} if m in sys.modules])"
    )
    frozen = ["freeze", str(path), "-o", str(tmp_path / "frozen.pb"), "--output", "y"]
    for command, more in ((frozen, ()), (["inspect", str(path)], late)):
        done = subprocess.run(
            [sys.executable, "-c", code, *command], capture_output=True, text=True
        )
        loaded = eval(done.stdout.rpartition("LOADED")[2])
        assert set(loaded) <= set(more), done.stdout + done.stderr
