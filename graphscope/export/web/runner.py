"""A TensorFlow.js model in a JavaScript runtime -> a Runner: one process, asked line by line."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from select import select
from typing import Any
from weakref import finalize

import numpy as np

from ...errors import GraphscopeError, NotRunnable
from ...graph import Model, Signature
from ...graph.named_values import Document
from ...verify.feeds.noise import Noise
from ...verify.run.runner import LONGEST
from ..frozen import Frozen
from ..proof.endpoints import EndpointRunner, Endpoints
from .manifest import JS_TYPES

HERE = Path(__file__).parent
PACKAGE = "@tensorflow/tfjs"
WASM = "@tensorflow/tfjs-backend-wasm"
MODULES = "GRAPHSCOPE_NODE_MODULES"  # where npm packages lie, if not below here
_NUMPY = {"float32": "<f4", "int32": "<i4", "bool": "?", "complex64": "<c8"}


def open_in_node(place: Path, frozen: Frozen, signature: Signature) -> JavaScriptRunner:
    """The model in Node: with the wasm backend where that is installed and has all kernels, else in plain JavaScript.

    Raises NotRunnable where there is no Node, or no TensorFlow.js for it.
    """
    modules = find_modules()
    ends = Endpoints.of(frozen, signature)
    backends = ("wasm", "cpu") if (modules / WASM).is_dir() else ("cpu",)
    return JavaScriptRunner(
        ends, place, [_node_line(place, b, modules) for b in backends]
    )


def open_folder(place: Path, model: Model) -> JavaScriptRunner | None:
    """The TensorFlow.js graph model of a folder in Node, by its own signature; None where it declares none.

    Raises NotRunnable as ``open_in_node`` does.
    """
    if not model.signatures:
        return None
    frozen = Frozen(model.graph, model.signatures)
    _, signature = frozen.signature()
    return open_in_node(place, frozen, signature)


def _node_line(place: Path, backend: str, modules: Path) -> tuple[str, list[str]]:
    node = shutil.which("node") or "node"
    line = [node, str(HERE / "node.js"), str(place), backend, str(modules)]
    return f"TensorFlow.js ({backend}, Node)", line


def find_modules() -> Path:
    """The ``node_modules`` that holds TensorFlow.js."""
    if shutil.which("node") is None:
        raise NotRunnable("Node is not installed, so nothing here runs TensorFlow.js")
    for folder in _places():
        if (folder / PACKAGE).is_dir():
            return folder.resolve()
    raise NotRunnable(
        f"TensorFlow.js is not installed for Node: npm install {PACKAGE} {WASM}"
    )


def _places() -> Iterator[Path]:
    if os.environ.get(MODULES):
        yield Path(os.environ[MODULES])
    yield from map(
        Path, filter(None, os.environ.get("NODE_PATH", "").split(os.pathsep))
    )
    here = Path.cwd()
    yield from (folder / "node_modules" for folder in (here, *here.parents))
    npm = shutil.which("npm")
    if npm:
        done = subprocess.run([npm, "root", "-g"], capture_output=True, text=True)
        yield Path(done.stdout.strip() or "node_modules")


class JavaScriptRunner(EndpointRunner):
    """The model in the first of some runtimes that can run it; each is a name and the command line that starts it."""

    def __init__(
        self, ends: Endpoints, place: Path, runtimes: Sequence[tuple[str, list[str]]]
    ) -> None:
        self.ends, self.source = ends, str(place)
        self.model: Model | None = None
        self.remarks: list[str] = []
        self.elapsed: float | None = None
        self._left = list(runtimes)
        self._next()

    def _next(self) -> None:
        self.runtime, line = self._left.pop(0)
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
        self._process = subprocess.Popen(line, stderr=subprocess.DEVNULL, **pipes)
        finalize(self, _end, self._process)
        ready = self._answer()
        if "error" in ready:
            self._give_up(str(ready["error"]))

    def _give_up(self, reason: str) -> None:
        """Go on with the next runtime; raises GraphscopeError where there is none left."""
        if not self._left:
            raise GraphscopeError(f"{self.runtime} cannot run it: {reason}")
        _end(self._process)
        self.remarks.append(f"{self.runtime} cannot run it: {reason}")
        self._next()

    def _answer(self) -> Any:
        stream = self._process.stdout
        if stream is None or not select([stream], [], [], LONGEST)[0]:
            return {"error": f"no answer within {LONGEST} s"}
        line = stream.readline()
        return json.loads(line) if line else {"error": "its process ended"}

    def run(
        self,
        feeds: Mapping[str, object],
        outputs: Sequence[str],
        noise: Noise | None = None,
    ) -> list[np.ndarray]:
        ports = {name: self.ends.port(name).dtype for name in feeds}
        arguments = {
            self.ends.name_of(n): _coded(value, ports[n]) for n, value in feeds.items()
        }
        request = {"feeds": arguments, "names": [self.ends.name_of(n) for n in outputs]}
        while True:
            answer = self._ask(request)
            if "error" not in answer:
                break
            self._give_up(str(answer["error"]))
        self.elapsed = float(answer["milliseconds"])
        return [_decoded(each) for each in answer["outputs"]]

    def _ask(self, request: object) -> Any:
        stream = self._process.stdin
        if stream is None:
            return {"error": "its process has no input"}
        try:
            stream.write(json.dumps(request).encode() + b"\n")
            stream.flush()
        except BrokenPipeError:
            return {"error": "its process ended"}
        return self._answer()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


def _coded(value: object, dtype: str) -> Document:
    array, kind = np.asarray(value), JS_TYPES[dtype]
    coded: dict[str, object] = {"dtype": kind, "shape": list(array.shape)}
    if kind == "string":
        texts = [v if isinstance(v, bytes) else str(v).encode() for v in array.ravel()]
        return coded | {"strings": [text.decode("utf-8", "replace") for text in texts]}
    data = np.ascontiguousarray(array.astype(_NUMPY[kind])).tobytes()
    return coded | {"base64": base64.b64encode(data).decode()}


def _decoded(answer: Document) -> np.ndarray:
    shape = tuple(answer["shape"])
    if answer["dtype"] == "string":
        texts = [text.encode() for text in answer["strings"]]
        return np.array(texts, object).reshape(shape)
    data = base64.b64decode(answer["base64"])
    return np.frombuffer(data, _NUMPY[answer["dtype"]]).reshape(shape)
