"""Which input and output of one model is which of the other, where names alone would mislead; and all signatures that both have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope.analysis.results import Analysis
from graphscope.freeze import freeze_model
from graphscope.read import load
from graphscope.verify import Verification, compare

v1 = tf.compat.v1


def elements(parts: int) -> Any:
    arrays = tuple(np.ones((4, 3), "f") for _ in range(parts))
    data = tf.data.Dataset.from_tensors(arrays if parts > 1 else arrays[0])
    return v1.data.make_one_shot_iterator(data.repeat())


def four_iterators() -> Iterator[Any]:
    for _ in range(4):
        yield from elements(2).get_next()


def one_called_as_the_part_of_another() -> Iterator[Any]:
    yield from elements(4).get_next()
    yield elements(1).get_next("IteratorGetNext_3")


@pytest.mark.parametrize("build", [four_iterators, one_called_as_the_part_of_another])
def test_parts_of_elements_whose_names_clash(
    build: Callable[[], Iterator[Any]], tmp_path: Path
) -> None:
    with tf.Graph().as_default() as graph:
        scaled = [part * float(k + 1) for k, part in enumerate(build())]
        tf.add_n(scaled, name="y")
    path = tmp_path / "graph.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    freeze_model(load(str(path)), ["y"], tmp_path / "f.pb")
    assert compare(path, tmp_path / "f.pb").verdict == "equal"
    analysis = Analysis(load(str(path)), outputs=["y"])
    analysis.write_keras(tmp_path / "k")
    assert analysis.prove(tmp_path / "k").verdict == "equal"


class Two(tf.Module):
    """Two signatures whose inputs and outputs are called alike."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.first = tf.Variable(np.ones((3, 2), "f"))
        self.second = tf.Variable(factor * np.ones((3, 2), "f"))

    def save(self, folder: Path, *names: str) -> Path:
        spec = tf.TensorSpec([None, 3], name="x")
        calls = {
            "f": tf.function(lambda x: {"a": x @ self.first}, [spec]),
            "g": tf.function(lambda x: {"a": x @ self.second}, [spec]),
        }
        named = {name: calls[name] for name in names}
        tf.saved_model.save(self, str(folder), signatures=named)
        return folder


def of_two(folder: Path, factor: float, *names: str) -> Verification:
    ours = Two(2.0).save(folder / "a", "f", "g")
    return compare(ours, Two(factor).save(folder / "b", *names))


def test_every_signature_that_both_have_is_compared(tmp_path: Path) -> None:
    alike = of_two(tmp_path / "alike", 2.0, "f", "g")
    assert alike.verdict == "equal" and not alike.remarks
    assert [row["signature"] for row in alike.outputs] == ["f", "g"]
    other = of_two(tmp_path / "other", 6.0, "f", "g")
    assert other.verdict == "different" and other.max_rel == pytest.approx(2)
    assert [row["passed"] for row in other.outputs] == [True, False]


def test_signatures_of_which_nothing_was_compared_are_named(tmp_path: Path) -> None:
    proof = of_two(tmp_path, 6.0, "f")
    assert proof.verdict == "equal"
    assert "not compared: the signatures g" in proof.remarks
