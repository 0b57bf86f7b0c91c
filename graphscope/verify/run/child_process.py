"""A proof in a process of its own: what TensorFlow runs may end its process, by a failed check or for want of memory."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from signal import Signals
from typing import TypeVar

from ...errors import GraphscopeError, NotRunnable
from .limits import restrict_process

T = TypeVar("T")


def apart(work: Callable[[], T], network: bool = False) -> T:
    """What ``work`` gives, or the GraphscopeError that it raises; both must be picklable.

    The process has no network (unless ``network``: the model itself is fetched), and limits on time, memory and files. It runs here where TensorFlow is loaded already (its threads would not survive a fork) or the system cannot fork. Raises
    NotRunnable where the other process ended without an answer.
    """
    if "tensorflow" in sys.modules or not hasattr(os, "fork"):
        return work()
    sys.stdout.flush()
    sys.stderr.flush()
    receiving, sending = os.pipe()
    child = os.fork()
    if not child:
        os.close(receiving)
        restrict_process(network)
        _answer(work, sending)
    os.close(sending)
    with os.fdopen(receiving, "rb") as pipe:
        message = pipe.read()
    _, status = os.waitpid(child, 0)
    if not message:
        raise NotRunnable(
            f"TensorFlow's process ended without an answer ({_end(status)})"
        )
    answer, error, arguments = pickle.loads(message)  # our own child's words
    if error is not None:
        raise error(*arguments)
    return answer  # type: ignore[no-any-return]


def _answer(work: Callable[[], T], sending: int) -> None:
    """Work, send what came of it, end; a traceback of what should not happen goes to stderr.

    Of an error its class and words are sent: where tblib is installed (dask has it) an exception takes its traceback and its causes
    along, and those hold objects of TensorFlow's that nothing can pickle.
    """
    answer, error, arguments = None, None, ()
    try:
        try:
            answer = work()
        except GraphscopeError as raised:
            error, arguments = type(raised), raised.args
        with os.fdopen(sending, "wb") as pipe:
            pickle.dump((answer, error, arguments), pipe)
    finally:
        if sys.exc_info()[0] not in (None, KeyboardInterrupt):
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _end(status: int) -> str:
    if not os.WIFSIGNALED(status):
        return f"exit status {os.waitstatus_to_exitcode(status)}"
    number = os.WTERMSIG(status)
    named = {each.value: each.name for each in Signals}
    reason = ", most likely for want of memory" if number == 9 else ""
    return f"{named.get(number, f'signal {number}')}{reason}"
