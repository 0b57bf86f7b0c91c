"""A small page beside a TensorFlow.js model that loads it, takes an input of its kind and shows the answer and the milliseconds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from html import escape
from pathlib import Path

from ...errors import NotRunnable
from ...graph import Signature, Tensor
from .manifest import JS_TYPES
from .runner import HERE, PACKAGE, WASM, find_modules

VERSION = "4.22.0"
NETWORK = "https://cdn.jsdelivr.net/npm/"  # where a page without packages beside it finds them
SCRIPTS = {PACKAGE: "tf.min.js", WASM: "tf-backend-wasm.min.js"}


def write_page(place: Path, signature: Signature, source: str) -> str:
    """Write ``index.html`` beside ``model.json``, and TensorFlow.js with it where npm's packages are at hand; what there is to say of it."""
    try:
        modules = find_modules()
    except NotRunnable:
        modules = None
    local = modules is not None and all((modules / name).is_dir() for name in SCRIPTS)
    if modules is not None and local:
        _copy(modules, place)
    values = {
        "TITLE": escape(Path(source).name),
        "SCRIPTS": "\n".join(map(_script, _sources(local))),
        "WASM": "" if local else f"{NETWORK}{WASM}@{VERSION}/dist/",
        "RUN": (HERE / "run.js").read_text(),
        "SIGNATURE": _in_script(_described(signature)),
    }
    text = (HERE / "page.html").read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    (place / "index.html").write_text(text)
    brings = "brings" if local else "takes from the network"
    return f"the page index.html {brings} TensorFlow.js; a browser loads it from a server: python3 -m http.server in that folder"


def _copy(modules: Path, place: Path) -> None:
    for package, script in SCRIPTS.items():
        shutil.copyfile(modules / package / "dist" / script, place / script)
    for binary in (modules / WASM / "dist").glob("*.wasm"):
        shutil.copyfile(binary, place / binary.name)


def _sources(local: bool) -> list[str]:
    if local:
        return list(SCRIPTS.values())
    return [f"{NETWORK}{name}@{VERSION}/dist/{file}" for name, file in SCRIPTS.items()]


def _script(source: str) -> str:
    return f'<script src="{source}" crossorigin="anonymous"></script>'


def _described(signature: Signature) -> dict[str, object]:
    return {
        "inputs": _side(signature, signature.inputs),
        "outputs": _side(signature, signature.outputs),
    }


def _side(signature: Signature, tensors: Mapping[str, Tensor]) -> dict[str, object]:
    return {
        key: {
            "node": str(tensor) if tensor.port else tensor.node,
            "dtype": JS_TYPES.get(signature.specs[tensor].dtype, "float32"),
            "shape": signature.specs[tensor].shape,
        }
        for key, tensor in tensors.items()
    }


def _in_script(value: object) -> str:
    """JSON that no name of the model can leave."""
    coded = json.dumps(value)
    return coded.replace("<", "\\u003c").replace("\u2028", "").replace("@", "\\u0040")
