"""Arrays over mapped files are read in pieces, and their pages given back."""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
import pytest

from graphscope.wire.mapped import PIECE, pieces, release

KILOBYTE = 1 << 10


def mapped(path: Path, array: np.ndarray) -> np.ndarray:
    """The array over a read-only mapping of a file, some bytes in, as readers give it."""
    path.write_bytes(b"header" + bytes(2) + array.tobytes())
    with open(path, "rb") as file:
        source = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return np.frombuffer(source, array.dtype, array.size, 8).reshape(array.shape)


def resident() -> int:
    """The kilobytes of files that this process holds in memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssFile"))


@pytest.mark.parametrize(
    "shape", [(3 * PIECE // 4 + 4096,), (96, 128 * KILOBYTE), (1, PIECE), (), (0, 4)]
)
def test_pieces_are_the_whole(shape: tuple[int, ...], tmp_path: Path) -> None:
    values = np.arange(np.prod(shape), dtype="float32").reshape(shape)
    found = np.zeros_like(values)
    for cut, piece in pieces(mapped(tmp_path / "file", values) if shape else values):
        found[cut if shape else ()] = piece
    assert np.array_equal(found, values)


def test_large_arrays_are_cut_and_transposed_ones_are_not() -> None:
    array = np.zeros((1024, 16 * KILOBYTE), "float32")  # 64 MB
    assert len(list(pieces(array))) == 4
    assert len(list(pieces(array.T))) == 1


@pytest.mark.parametrize("size", [PIECE, 256 * KILOBYTE])
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
def test_pages_are_given_back(size: int, tmp_path: Path) -> None:
    array = mapped(tmp_path / "file", np.ones((4096, 4096), "float32"))  # 64 MB
    before = resident()
    for _, piece in pieces(array, size):
        piece.sum()
        assert resident() - before < 32 * KILOBYTE
    assert resident() - before < KILOBYTE
    assert array.sum() == array.size  # still there, in the file


def test_what_lies_in_no_file_stays_as_it_is() -> None:
    array = np.arange(6.0).reshape(2, 3)
    for each in (array, array[:, ::-1], array[:0], np.frombuffer(b"1234", np.uint8)):
        release(each)
    assert array.sum() == 15
