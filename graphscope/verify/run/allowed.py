"""What the source of a model may say without ``--trust``: the vocabulary that graphscope itself writes, and nothing else.

Every node of the syntax tree must be of a kind in a closed list; every dotted name that begins at a module must stand in
``allowed.txt``; of any other value only the attributes listed there are read, and a builtin only if it is listed. So nothing is
reached through a module that hangs on an allowed one, by ``getattr``, or by a dunder. Of ``self`` what the source itself assigns may
be read too: under names that Keras's classes do not have, and no method gets a foreign ``self``, for none is a value.
"""

from __future__ import annotations

import ast
import builtins
import pkgutil
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ...ops.effects import is_harmless

_MODULES = ("jax", "keras", "numpy", "tensorflow", "torch")
_SYNTAX = (
    *(ast.Module, ast.Expr, ast.Constant, ast.Import, ast.ImportFrom, ast.alias),
    *(ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.arguments, ast.arg, ast.Return),
    *(ast.Assign, ast.AugAssign, ast.AnnAssign, ast.NamedExpr, ast.Pass, ast.Raise),
    *(ast.If, ast.For, ast.While, ast.Break, ast.Continue, ast.With, ast.withitem),
    *(ast.Call, ast.keyword, ast.Name, ast.Attribute, ast.Subscript, ast.Slice),
    *(ast.Tuple, ast.List, ast.Dict, ast.Set, ast.Starred, ast.IfExp),
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension),
    *(ast.JoinedStr, ast.FormattedValue, ast.expr_context),
    *(ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)
_SCOPES = (ast.FunctionDef, ast.Lambda)
_RAW = "tensorflow.raw_ops."
_LOOKUPS = frozenset(
    f"keras.layers.{name}"
    for name in ("IntegerLookup", "StringLookup", "TextVectorization")
)
_BUILTINS = frozenset(dir(builtins))
_OWN_WORDS = frozenset({"self", "super"})


class Refusal(NamedTuple):
    """What is not allowed, and where."""

    line: int
    word: str


@cache
def vocabulary() -> Mapping[str, frozenset[str]]:
    """Module -> the names that may be taken from it; "values", "self" and "builtins" -> names that belong to no module."""
    sections: dict[str, set[str]] = {}
    section: set[str] = set()
    for line in Path(__file__).with_suffix(".txt").read_text().splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), set())
        elif not line.startswith("#"):
            section.update(line.split())
    return {name: frozenset(words) for name, words in sections.items()}


def is_allowed(dotted: str) -> bool:
    """Whether a full dotted name is in the list; TensorFlow's raw ops are those that stay inside the session.

    >>> is_allowed("keras.layers.Dense"), is_allowed("keras.src.backend"), is_allowed("tensorflow.raw_ops.WriteFile")
    (True, False, False)
    """
    if dotted.startswith(_RAW):
        return is_harmless(dotted.removeprefix(_RAW))
    module, _, name = dotted.rpartition(".")
    return name in vocabulary().get(module, ())


def refusals(
    tree: ast.Module, inherited: frozenset[str] = frozenset()
) -> Iterator[Refusal]:
    """All that the source says and may not, in its order; ``inherited`` are attributes that its classes have from their bases."""
    yield from sorted(_Reading(tree, inherited).refusals())


def inherited_names() -> frozenset[str]:
    """The attributes of every class of Keras's in the list, as installed: what ``self`` has before the source assigns anything."""
    names: set[str] = set()
    for module, words in vocabulary().items():
        if module.partition(".")[0] == "keras":
            holder = pkgutil.resolve_name(module)
            values = [getattr(holder, word, None) for word in words]
            names.update(*(dir(value) for value in values if isinstance(value, type)))
    return frozenset(names)


class _Reading:
    """One source: which names are modules, what it binds and where."""

    def __init__(self, tree: ast.Module, inherited: frozenset[str]) -> None:
        self.tree, strange = tree, inherited - vocabulary()["values"]
        self.parents = {
            child: node
            for node in ast.walk(tree)
            for child in ast.iter_child_nodes(node)
        }
        self.modules: dict[str, str] = {}
        self.members: set[str] = set()
        for node in ast.walk(tree):
            self._import(node)
        bindings = [name for node in ast.walk(tree) for name in _bindings(node)]
        self.bound = set(bindings)
        names = [n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef)]
        self.classes = Counter(n for n in bindings if n in names)  # times it is bound
        self.own = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
            if node.attr[:1] != "_" and node.attr not in strange
        }

    def _import(self, node: ast.AST) -> None:
        for alias in node.names if isinstance(node, ast.Import) else ():
            self.modules[alias.asname or alias.name] = alias.name
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            dotted = f"{getattr(node, 'module', '')}.{alias.name}"
            if dotted in vocabulary():
                self.modules[alias.asname or alias.name] = dotted
            elif is_allowed(dotted):
                self.members.add(alias.asname or alias.name)

    def refusals(self) -> Iterator[Refusal]:
        for node in ast.walk(self.tree):
            word = self._word(node)
            if word:
                yield Refusal(getattr(node, "lineno", 1), word)

    def _word(self, node: ast.AST) -> str:
        """What is wrong with one node of the tree; "" where nothing is."""
        if not isinstance(node, _SYNTAX):
            return type(node).__name__.lower()
        if isinstance(node, ast.Import | ast.ImportFrom):
            return self._odd_import(node)
        if isinstance(node, ast.FunctionDef) and self._is_odd_function(node):
            return f"def {node.name}"
        if isinstance(node, ast.arg) and node.arg == "self":
            return "" if self._is_method_self(node) else "self"
        if isinstance(node, ast.ClassDef):
            return self._odd_class(node)
        unbindable = {*self.modules, *_OWN_WORDS} - ({"self"} & {_argument(node)})
        odd = next((n for n in _bindings(node) if n in unbindable), "")
        if odd:
            return f"{odd} = ..."
        if isinstance(node, ast.Attribute):
            return self._odd_attribute(node)
        return self._odd_name(node) if isinstance(node, ast.Name) else ""

    def _odd_class(self, node: ast.ClassDef) -> str:
        """What is wrong with a class: it must be one of Keras's, or of another class of the source."""
        if node.keywords:
            return f"class {node.name} with keywords"
        for base in node.bases:
            is_own = isinstance(base, ast.Name) and self.classes[base.id] == 1
            if not (is_own or self._path(base).startswith("keras.")):
                return f"class {node.name} of {ast.unparse(base)}"
        return (
            f"class {node.name}" if node.name in _OWN_WORDS | set(self.modules) else ""
        )

    def _odd_import(self, node: ast.Import | ast.ImportFrom) -> str:
        if isinstance(node, ast.Import):
            odd = [
                alias.name
                for alias in node.names
                if alias.name not in _MODULES or alias.asname in _OWN_WORDS
            ]
            return odd[0] if odd else ""
        module = node.module or "."
        if module == "__future__" and not node.level:
            return ""
        for alias in node.names:
            dotted = f"{module}.{alias.name}"
            if alias.asname in _OWN_WORDS:
                return f"import as {alias.asname}"
            if node.level or not (dotted in vocabulary() or is_allowed(dotted)):
                return dotted
        return ""

    def _odd_attribute(self, node: ast.Attribute) -> str:
        if isinstance(self.parents.get(node), ast.Attribute) and self._path(node):
            return ""  # judged as a part of the longer name
        path = self._path(node)
        if path:
            is_read = isinstance(node.ctx, ast.Load)
            is_permitted = (
                is_allowed(path) or self._is_loader(node) or self._is_lookup(node)
            )
            fine = is_read and is_permitted
            return "" if fine else ast.unparse(node)
        words = vocabulary()
        names = words["values"]
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            names = words["self"] | self.own
        elif isinstance(node.value, ast.Call) and ast.unparse(node.value) == "super()":
            names = words["methods"]
        elif ast.unparse(node.value) == "self.cell":  # what an RNN hands its own cell
            names = words["cell"]
        is_own = isinstance(node.ctx, ast.Load) or names is not words["values"]
        is_fine = is_own and node.attr in names
        is_hidden = _is_dunder(node.attr) and names is not words["methods"]
        return "" if is_fine and not is_hidden else ast.unparse(node)[-60:]

    def _is_odd_function(self, node: ast.FunctionDef) -> bool:
        """Whether a function bears a name by which other values are asked: it could be given a foreign ``self``."""
        words = vocabulary()
        if (
            isinstance(self.parents.get(node), ast.ClassDef)
            and node.name in words["methods"]
        ):
            return False
        return node.name in words["values"] or _is_dunder(node.name)

    def _is_method_self(self, node: ast.arg) -> bool:
        """Whether this is the first argument of a function that stands in a class."""
        arguments = self.parents.get(node)
        function = self.parents.get(arguments) if arguments is not None else None
        return (
            isinstance(function, ast.FunctionDef)
            and function.args.args[:1] == [node]
            and isinstance(self.parents.get(function), ast.ClassDef)
            and not function.decorator_list
        )

    def _path(self, node: ast.expr) -> str:
        """The full dotted name of a chain that begins at a module; "" for any other value."""
        if isinstance(node, ast.Name):
            return self.modules.get(node.id, "")
        inner = self._path(node.value) if isinstance(node, ast.Attribute) else ""
        return (
            f"{inner}.{node.attr}" if inner and isinstance(node, ast.Attribute) else ""
        )

    def _is_loader(self, node: ast.Attribute) -> bool:
        """Whether this is ``np.load(path)`` of the path that a function is given; it unpickles nothing by itself."""
        call = self.parents.get(node)
        return (
            isinstance(call, ast.Call)
            and call.func is node
            and self._path(node) == "numpy.load"
            and ast.unparse(call) == f"{ast.unparse(node)}(path)"
            and self._is_for_loading(call)
        )

    def _is_for_loading(self, call: ast.Call) -> bool:
        """Whether a call stands in the module's ``load_weights(model, path)``, which nothing in the source calls."""
        here: ast.AST | None = call
        while here is not None and not isinstance(here, _SCOPES):
            here = self.parents.get(here)
        names = [n.id for n in ast.walk(self.tree) if isinstance(n, ast.Name)]
        return (
            isinstance(here, ast.FunctionDef)
            and here.name == "load_weights"
            and [argument.arg for argument in here.args.args] == ["model", "path"]
            and self.parents.get(here) is self.tree
            and "load_weights" not in names
        )

    def _is_lookup(self, node: ast.Attribute) -> bool:
        """Whether this makes a lookup layer that is given its words, and not the name of a file that holds them."""
        call = self.parents.get(node)
        if self._path(node) not in _LOOKUPS or not isinstance(call, ast.Call):
            return False
        words = [each.value for each in call.keywords if each.arg == "vocabulary"]
        is_named = call.func is node and not call.args
        is_plain = all(each.arg is not None for each in call.keywords)
        return is_named and is_plain and all(_is_listed(each) for each in words)

    def _is_method(self, node: ast.Name) -> bool:
        """Whether the name stands for a method's bare function: it is read where a class is made, not where a function runs."""
        child: ast.AST = node
        here = self.parents.get(node)
        while here is not None and not isinstance(here, ast.ClassDef):
            if isinstance(here, _SCOPES) and _is_in_body(child, here):
                return False
            child, here = here, self.parents.get(here)
        functions = [f.name for f in getattr(here, "body", ()) if hasattr(f, "name")]
        return node.id in functions

    def _odd_name(self, node: ast.Name) -> str:
        name = node.id
        if isinstance(node.ctx, ast.Load) and self._is_method(node):
            return name
        if name == "type" and not _asks_type(self.parents.get(node), node):
            return name
        if name in self.modules:
            chained = isinstance(self.parents.get(node), ast.Attribute)
            return "" if chained else name  # a module is nothing to hand about
        if name in vocabulary()["builtins"] or name in self.members:
            return ""
        if _is_dunder(name):
            return name
        if name in _BUILTINS:
            return "" if name in self._locals(node) else name
        return "" if name in self.bound else name

    def _locals(self, node: ast.AST) -> set[str]:
        """The arguments of the functions in whose bodies a node stands; not of one whose default or decorator it is."""
        names: set[str] = set()
        child, here = node, self.parents.get(node)
        while here is not None:
            if isinstance(here, _SCOPES) and _is_in_body(child, here):
                names |= {n for part in ast.walk(here.args) for n in _bindings(part)}
            child, here = here, self.parents.get(here)
        return names


def _is_listed(node: ast.expr) -> bool:
    return isinstance(node, ast.List | ast.Tuple) and all(
        isinstance(each, ast.Constant | ast.UnaryOp) for each in node.elts
    )


def _is_in_body(child: ast.AST, scope: ast.AST) -> bool:
    """Whether a part of a function runs when it is called: not a default, a decorator, an annotation."""
    body = getattr(scope, "body", None)
    return child in body if isinstance(body, list) else child is body


def _asks_type(call: ast.AST | None, name: ast.Name) -> bool:
    """Whether a call asks for the class of one value; with more arguments ``type`` makes classes."""
    return (
        isinstance(call, ast.Call)
        and call.func is name
        and len(call.args) == 1
        and not call.keywords
        and not isinstance(call.args[0], ast.Starred)
    )


def _bindings(node: ast.AST) -> Iterator[str]:
    """The names that one node binds, imports aside."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name


def _argument(node: ast.AST) -> str:
    return node.arg if isinstance(node, ast.arg) else ""


def _is_dunder(name: str) -> bool:
    return name.startswith("__")
