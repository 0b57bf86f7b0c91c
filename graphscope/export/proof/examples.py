"""Arrays that a user gives, one for each input of a signature: an ``.npz``, or a folder of them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...errors import FormatError, GraphscopeError
from ...graph import Signature
from ..frozen import Frozen


def read_examples(
    path: str, frozen: Frozen, signature: Signature
) -> dict[str, np.ndarray]:
    """The arrays of one ``.npz`` by the source's names of the inputs (``"x:0"``); in the file they may bear these or the signature's.

    Raises FormatError where it is no such file, GraphscopeError where it cannot be read, or an input has no array there or one of another
    dtype or rank.
    """
    arrays = _load(Path(path))
    return {
        frozen.origin(tensor): _array(path, arrays, key, frozen, signature)
        for key, tensor in signature.inputs.items()
    }


def example_files(path: str) -> Iterator[str]:
    """The ``.npz`` files that a path stands for: itself, or all in a folder; none for ``""``."""
    if not path:
        return
    place = Path(path)
    files = sorted(place.glob("*.npz")) if place.is_dir() else [place]
    if not place.exists():
        raise GraphscopeError(f"{path}: there is no such file or folder of .npz")
    if not files:
        raise GraphscopeError(f"{path}: a folder without any .npz")
    yield from map(str, files)


def _load(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except OSError as error:
        raise GraphscopeError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, zipfile.BadZipFile, AttributeError, EOFError) as error:
        raise FormatError(
            f"{path}: no .npz of plain arrays ({error}); write one with numpy.savez"
        ) from None


def _array(
    path: str,
    arrays: dict[str, np.ndarray],
    key: str,
    frozen: Frozen,
    signature: Signature,
) -> np.ndarray:
    tensor = signature.inputs[key]
    spec, origin = signature.specs[tensor], frozen.origin(tensor)
    names = (key, origin, origin.removesuffix(":0"))
    name = next((each for each in names if each in arrays), None)
    if name is None:
        raise GraphscopeError(
            f"{path} has no array {key!r}; it has {', '.join(arrays) or 'none'}"
        )
    value = arrays[name]
    if spec.shape is not None and not _fits(value.shape, spec.shape):
        raise GraphscopeError(
            f"{path}: {key!r} has the shape {list(value.shape)}, and the model takes {list(spec.shape)}"
        )
    return value.astype(spec.dtype) if spec.dtype != "string" else value.astype(object)


def _fits(shape: tuple[int, ...], declared: tuple[int | None, ...]) -> bool:
    return len(shape) == len(declared) and all(
        want in (None, size) for size, want in zip(shape, declared)
    )
