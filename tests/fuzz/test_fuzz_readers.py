"""Every reader has a fuzz target, and each stands any reader's bytes; the long runs are started by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphscope.read.loading import readers
from tests.fuzz.fuzz_readers import target_of
from tests.read.test_hostile import SEEDS

NAMES = [reader.__name__.rpartition(".")[2] for reader in readers()]


@pytest.mark.parametrize("name", NAMES)
def test_each_reader_stands_the_files_of_all(name: str, corpus: Path) -> None:
    target = target_of(name)
    for seed in SEEDS.values():
        target((corpus / seed).read_bytes())


@pytest.mark.parametrize("name", [*NAMES, "load"])
@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=300))
def test_each_reader_stands_noise(name: str, data: bytes) -> None:
    target_of(name)(data)


def test_an_unknown_reader_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        target_of("gone")
