"""Which models a command is about: one, several, those that a glob matches, what comes through standard input."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click

from ..errors import GraphscopeError

STDIN = "-"
LINES = "graphscope.lines"  # in a context's meta: the model of which a line is printed
_PART = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})$")


def model_files(words: Sequence[str]) -> list[str]:
    """What the words stand for, each model once: globs expanded, the files of one checkpoint taken together.

    Raises GraphscopeError where a glob matches nothing.
    """
    paths = [path for word in words for path in _matches(word)]
    return list(dict.fromkeys(_whole(path) for path in paths))


def _matches(word: str) -> list[str]:
    from glob import glob

    if not set("*?[") & set(word) or os.path.exists(word) or "://" in word:
        return [word]
    matches = sorted(glob(word, recursive=True))
    if not matches:
        raise GraphscopeError(f"{word}: no file matches")
    return matches


def _whole(path: str) -> str:
    """The prefix of a checkpoint for one of its files."""
    prefix = _PART.sub("", path)
    is_stored = prefix != path and os.path.exists(f"{prefix}.index")
    return prefix if is_stored else path


def on_disk(word: str) -> str:
    """The path of a model; what comes through standard input is put into a file for it, until the program ends.

    Raises GraphscopeError where nothing comes.
    """
    if word != STDIN:
        return word
    import atexit
    import shutil
    import tempfile

    if sys.stdin.isatty():
        raise GraphscopeError("-: nothing is piped into standard input")
    folder = tempfile.mkdtemp(prefix="graphscope-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder, "stdin")
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    if not path.stat().st_size:
        raise GraphscopeError("-: standard input is empty")
    return str(path)


def with_file(function: Callable[..., None]) -> Callable[..., None]:
    """Note on an error which MODEL it is about."""

    @wraps(function)
    def attempt(model: str, **options: object) -> None:
        try:
            function(model=model, **options)
        except GraphscopeError as error:
            error.file = error.file or model
            raise

    return attempt


def over_models(function: Callable[..., None]) -> Callable[..., None]:
    """Run a command on one MODEL once for each of several; one that cannot be read stops none of the others.

    Exit status 1 where one of them failed.
    """

    @wraps(function)
    def each(models: tuple[str, ...], json_wanted: bool, **options: object) -> None:
        paths = model_files(models)
        if len(paths) == 1:
            function(model=paths[0], json_wanted=json_wanted, **options)
            return
        statuses = set(_run_each(function, paths, json_wanted, options))
        if statuses:
            sys.exit(max(statuses))

    return each


def _run_each(
    function: Callable[..., None],
    paths: list[str],
    json_wanted: bool,
    options: dict[str, Any],
) -> Iterator[int]:
    """The exit statuses that are not 0."""
    from .endings import error_line, error_text
    from .text.show import show, show_error

    context = click.get_current_context()
    for number, path in enumerate(paths):
        context.meta[LINES] = path
        if not json_wanted:
            show(("\n" if number else "") + f"==> {path} <==")
        try:
            function(model=path, json_wanted=json_wanted, **options)
        except SystemExit as stop:
            yield int(stop.code or 0)
        except BrokenPipeError:  # who read the first ones wants no more
            raise
        except (GraphscopeError, OSError) as error:
            if json_wanted:
                click.echo(error_text(error, path, 1, indent=None))
            show_error(error_line(error))
            yield 1
