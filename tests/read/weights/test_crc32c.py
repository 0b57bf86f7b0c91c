"""CRC32C against the standard's vectors and against itself in pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from graphscope.read.weights.crc32c import crc32c, masked, unmasked


def slowly(data: bytes) -> int:
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = (state >> 1) ^ (0x82F63B78 if state & 1 else 0)
    return ~state & 0xFFFFFFFF


def test_vectors_of_rfc_3720() -> None:
    assert crc32c(b"") == 0
    assert crc32c(b"\0" * 32) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"123456789") == 0xE3069283


def test_long_runs_equal_the_plain_loop() -> None:
    for length in (63, 64, 255, 256, 257, 511, 1000, 4096, 5001):
        data = bytes(n * n % 251 for n in range(length))
        assert crc32c(data) == slowly(data), length


@given(st.binary(max_size=2000), st.integers(0, 2000))
def test_in_two_pieces(data: bytes, cut: int) -> None:
    assert crc32c(data[cut:], crc32c(data[:cut])) == crc32c(data)


@given(st.integers(0, 2**32 - 1))
def test_masking(value: int) -> None:
    assert unmasked(masked(value)) == value
