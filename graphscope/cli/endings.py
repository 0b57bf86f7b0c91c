"""How the program ends: by a signal, by what the system refuses, by what a proof says or that none can be had."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Mapping
from typing import NoReturn

import click

from ..wire.beside import remove_unfinished

DIFFERENT, NOT_PROVEN = 3, 4
_SHRANK = b"graphscope: a file became shorter while it was read, so its values are gone: copy it again\n"


def end_by_signal() -> None:
    """Let SIGTERM end the program as an exit does: unfinished files are removed on the way."""

    def end(*_: object) -> None:
        sys.exit(128 + signal.SIGTERM)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, end)
        end_by_bus_error()


def _end_of_mapping(_: int) -> None:
    os.write(2, _SHRANK)
    remove_unfinished()
    os._exit(1)


_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_int)(
    _end_of_mapping
)  # kept: C holds no count


def end_by_bus_error() -> None:
    """Make one line and exit 1 of SIGBUS, which is what reading a mapped file that shrank gives.

    Python's own handlers run between two of its instructions, and this one never ends: the handler is set below Python.
    """
    if os.name == "posix" and hasattr(signal, "SIGBUS"):
        ctypes.CDLL(None).signal(int(signal.SIGBUS), _HANDLER)


def os_text(error: OSError) -> str:
    """What the system refused, without its number.

    >>> os_text(FileExistsError(17, "File exists", "out")), os_text(OSError(28, "No space left on device"))
    ('out: File exists, and it is no folder', 'No space left on device')
    """
    if error.strerror is None:
        return str(error)
    reason = error.strerror
    if isinstance(error, FileExistsError | NotADirectoryError):
        reason += ", and it is no folder"
    return reason if error.filename is None else f"{error.filename}: {reason}"


def can_run() -> bool:
    """Whether TensorFlow is installed; nothing is imported to find out."""
    from importlib.util import find_spec

    return find_spec("tensorflow") is not None


def exit_by(proof: Mapping[str, object] | None, must_prove: bool) -> None:
    """End with 3 where a comparison found a difference, with 4 where a proof was asked for and there is none."""
    verdict = proof["verdict"] if proof else "not proven"
    if verdict == "different":
        sys.exit(DIFFERENT)
    if verdict != "equal" and must_prove:
        sys.exit(NOT_PROVEN)


def message_of(error: BaseException) -> str:
    """What went wrong, in one line that no file can steer the terminal with."""
    from .terminal import printable

    if isinstance(error, click.ClickException):
        text = error.format_message()
    else:
        text = os_text(error) if isinstance(error, OSError) else str(error)
    return printable(" ".join(text.split()))


def error_line(error: BaseException) -> str:
    """The line for a person."""
    return f"graphscope: {message_of(error)}"


def error_text(
    error: BaseException, file: str, status: int, indent: int | None = 2
) -> str:
    """The JSON document of an error: ``error`` (the line), ``kind`` (the exception's class), ``file``, ``status``."""
    import json

    document = {"error": message_of(error), "kind": type(error).__name__}
    return json.dumps({**document, "file": file, "status": status}, indent=indent)


def fail(error: BaseException, status: int) -> NoReturn:
    """One line on stderr, under --json a document on stdout too, then the exit."""
    from .text.show import show_error

    if "--json" in sys.argv[1:]:
        click.echo(error_text(error, getattr(error, "file", ""), status))
    if isinstance(error, click.ClickException):
        error.show()
    else:
        show_error(error_line(error))
    sys.exit(status)
