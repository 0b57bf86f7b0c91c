"""The targets, found by listing their folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Protocol

from ..errors import GraphscopeError
from ..verify.run.runner import Runner
from . import targets
from .frozen import Frozen
from .options import Options
from .report import Lack


class Target(Protocol):
    """One module of ``targets/``.

    ``EXTRA`` is the extra of the package that brings what ``NEEDS`` (import names) lists; ``MARK`` the file by which a folder of this kind
    is known; ``WISHES`` the fields of Options that it honours; ``QUANTIZE`` the kinds of weights beside float.
    """

    NAME: str
    SUMMARY: str
    RUNTIME: str
    EXTRA: str
    NEEDS: tuple[str, ...]
    IS_FOLDER: bool
    MARK: str
    WISHES: frozenset[str]
    QUANTIZE: tuple[str, ...]
    ONE_SIGNATURE: bool

    def unsupported(self, frozen: Frozen) -> list[Lack]:
        """The ops that the target cannot run; nothing heavy is imported to tell."""

    def write(self, frozen: Frozen, place: Path, options: Options) -> list[str]:
        """Write the file or folder ``place``, which is not there yet; what there is to say of it."""

    def run(self, place: Path, frozen: Frozen, signature: str) -> Runner:
        """What was written, in the target's own runtime; names are those of the source (``frozen.origin``).

        Raises NotRunnable where the runtime is not to be had.
        """


@cache
def all_targets() -> Mapping[str, Target]:
    """Every target by its name; raises ValueError where two modules claim one."""
    by_name: dict[str, Target] = {}
    for info in iter_modules(targets.__path__):
        module = import_module(f"{targets.__name__}.{info.name}")
        if module.NAME in by_name:
            raise ValueError(f"two targets are called {module.NAME!r}")
        by_name[module.NAME] = module  # type: ignore[assignment]
    return by_name


def target_of(name: str) -> Target:
    """The target of that name; raises GraphscopeError with those there are."""
    targets = all_targets()
    if name not in targets:
        raise GraphscopeError(
            f"no target is called {name!r}; there are {', '.join(sorted([*targets, 'keras']))}"
        )
    return targets[name]


def check_installed(target: Target) -> None:
    """Raise GraphscopeError with the line that installs what the target needs and this Python lacks."""
    missing = [name for name in target.NEEDS if find_spec(name) is None]
    if missing:
        raise GraphscopeError(
            f"--to {target.NAME} needs {', '.join(missing)}: pip install 'tf-graphscope[{target.EXTRA}]'"
        )


def check_wishes(target: Target, options: Options) -> None:
    """Raise GraphscopeError where something is asked for that the target does not do."""
    for name in sorted(options.asked() - target.WISHES - {"within", "feeds"}):
        able = [t.NAME for t in all_targets().values() if name in t.WISHES]
        raise GraphscopeError(
            f"--{name} is not for --to {target.NAME}; it is for {', '.join(able)}"
        )
    if options.quantize and options.quantize not in target.QUANTIZE:
        raise GraphscopeError(
            f"--to {target.NAME} quantizes to {', '.join(target.QUANTIZE)}, not {options.quantize}"
        )
