"""What a process that runs somebody's model may use: no network, bounded time, memory and files, a scratch folder to work in.

The second fence: what could reach outside is refused before it is run (``safety``), unless the user trusts it.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import prod

import numpy as np

from ... import ops
from ...graph import Graph
from ...graph.edit import duplicate, put

SECONDS = 4 * 3600  # of processor time, over all threads
FILE_BYTES = 1 << 30
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000  # CLONE_NEWUSER, CLONE_NEWNET
_MOST_LISTED = 5
LARGE = 1 << 20  # numbers in a constant that is worth a file of its own
_MAPPED = ("float16", "float32", "float64", "int8", "uint8", "int32")


def restrict_process(network: bool = False) -> None:
    """Bound what this process and its children may use; no more than the system lets itself be asked for."""
    if not network:
        _leave_network()
    try:
        import resource
    except ImportError:  # not on Windows
        return
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for kind, most in (
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        resource.setrlimit(kind, (most, hard))


def _leave_network() -> bool:
    """Move to a network namespace of its own, in which there is nothing; False where the system has none or forbids it."""
    unshare = (
        getattr(ctypes.CDLL(None), "unshare", None) if os.name == "posix" else None
    )
    if unshare is None:
        return False
    user, group = os.getuid(), os.getgid()
    if unshare(_NEW_NETWORK) == 0:
        return True
    if unshare(_NEW_USER | _NEW_NETWORK) != 0:
        return False
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        try:
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
        except OSError:  # the ids stay unnamed: files can be used all the same
            pass
    return True


@contextmanager
def scratch_folder(remarks: list[str], source: str) -> Iterator[None]:
    """A folder of its own as the working directory; what is left in it is reported among the remarks and removed."""
    home = os.getcwd()
    folder = tempfile.mkdtemp(prefix="graphscope-")
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(home)
        written = [
            os.path.relpath(os.path.join(place, name), folder)
            for place, _, names in os.walk(folder)
            for name in names
        ]
        shutil.rmtree(folder, ignore_errors=True)
        if written:
            remarks.append(_report(source, sorted(written)))


def map_constants(graph: Graph, folder: str) -> Graph:
    """``Const(value) -> ImmutableConst(file)`` for large weights: their bytes are mapped from files in ``folder``.

    A constant is otherwise in memory some six times: in three messages, in the graph, in its kernel and on the way between.
    No kernel owns what is mapped, so an element-wise op would take it for its own buffer and write its result there:
    into pages that can only be read. So only what convolutions, products and look-ups read is mapped.
    """
    copy = duplicate(graph)
    for number, name in enumerate(list(copy.by_op("Const"))):
        node = copy.node(name)
        dtype = str(node.attrs.get("dtype"))
        shape = getattr(node.attrs, "shape", None)
        if dtype not in _MAPPED or shape is not None and prod(shape) < LARGE:
            continue
        if not _only_read(graph, name):
            continue
        value = node.attrs["value"]
        if not LARGE <= value.size or value.nbytes > FILE_BYTES:
            continue
        path = os.path.join(folder, str(number))
        with open(path, "wb") as file:
            np.ascontiguousarray(value).tofile(file)
        attrs = {"dtype": dtype, "shape": value.shape, "memory_region_name": path}
        put(copy, name, replace(node, op="ImmutableConst", attrs=attrs), ())
    return copy


def _only_read(graph: Graph, name: str) -> bool:
    """Whether only kernels with a buffer of their own see a node's, through Identity too, which hands it on."""
    stack = [name]
    while stack:
        for reader, _ in graph.consumers(stack.pop()):
            if graph.op(reader) == "Identity":
                stack.append(reader)
            elif "own-buffer" not in ops.traits(graph.op(reader)):
                return False
    return True


def _report(source: str, written: list[str]) -> str:
    more = len(written) - _MOST_LISTED
    names = ", ".join(written[:_MOST_LISTED]) + (
        f" and {more} more" if more > 0 else ""
    )
    return f"running {source} wrote files into its scratch folder, now removed: {names}"
