"""What no class computes is an RNN with a cell of its own, in ``keras.ops``; what a step sees of all steps is the cell's memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graphscope.graph import RNN
from tests.render.keras.loop_models import Made, recovered_v1


def dynamic(cell: Callable[[Any], Any], lengths: bool = False) -> Callable[[Any], Any]:
    """A cell of TensorFlow 1 in ``dynamic_rnn``."""

    def build(v1: Any) -> Any:
        from tf_keras.src.layers.rnn import legacy_cells as cells

        x = v1.placeholder(v1.float32, (None, 6, 5), "x")
        n = v1.placeholder(v1.int32, (None,), "lengths") if lengths else None
        y, _ = v1.nn.dynamic_rnn(cell(cells), x, n, dtype=v1.float32)
        return v1.identity(y, name="y")

    return build


def attention(v1: Any) -> Any:
    """A decoder that looks at a memory at each step."""
    x = v1.placeholder(v1.float32, (None, 6, 5), "x")
    memory = v1.placeholder(v1.float32, (None, 4, 3), "memory")
    query = v1.get_variable("query", (8, 3))
    kernel, bias = v1.get_variable("w", (16, 8)), v1.get_variable("b", (8,))
    keys = v1.tensordot(memory, v1.get_variable("keys", (3, 3)), 1)

    def step(states: Any, item: Any) -> Any:
        asked = v1.expand_dims(v1.matmul(states[0], query), 1)
        shares = v1.nn.softmax(v1.reduce_sum(keys * asked, 2))
        context = v1.reduce_sum(v1.expand_dims(shares, 2) * memory, 1)
        joined = v1.concat([item, states[0], context], 1)
        return v1.tanh(v1.matmul(joined, kernel) + bias), context

    batch = v1.shape(x)[0]
    first = (v1.zeros((batch, 8)), v1.zeros((batch, 3)))
    y, seen = v1.scan(step, v1.transpose(x, (1, 0, 2)), initializer=first)
    return v1.transpose(v1.concat([y, seen], 2), (1, 0, 2), name="y")


def normalised(v1: Any) -> Any:
    """A layer norm in the step, the last state asked for."""
    x = v1.placeholder(v1.float32, (None, 6, 5), "x")
    w, u, gamma = (v1.get_variable(n, s) for n, s in NORMALISED.items())

    def step(h: Any, item: Any) -> Any:
        z = v1.matmul(item, w) + v1.matmul(h, u)
        mean, variance = v1.nn.moments(z, [1], keepdims=True)
        return v1.tanh((z - mean) * v1.rsqrt(variance + 1e-5) * gamma)

    zero = v1.zeros((v1.shape(x)[0], 4))
    y = v1.scan(step, v1.transpose(x, (1, 0, 2)), initializer=zero)
    return v1.identity(y[-1], name="y")


NORMALISED = {"w": (5, 4), "u": (4, 4), "gamma": (4,)}


def leaky(v1: Any) -> Any:
    """An author's own cell, its steps written out; ``1 - a`` is computed from a weight."""
    x = v1.placeholder(v1.float32, (None, 6, 5), "x")
    w, u, a = (v1.get_variable(n, s) for n, s in LEAKY.items())
    h, ys = v1.zeros((v1.shape(x)[0], 4)), []
    for t in range(6):
        z = v1.matmul(x[:, t], w) + v1.matmul(h, u)
        h = a * h + (1 - a) * v1.nn.relu(z)
        ys.append(h)
    return v1.stack(ys, 1, name="y")


LEAKY = {"w": (5, 4), "u": (4, 4), "a": (4,)}

MODELS = {
    "peepholes": dynamic(lambda c: c.LSTMCell(4, use_peepholes=True), lengths=True),
    "a projection": dynamic(lambda c: c.LSTMCell(4, num_proj=3)),
    "clipping": dynamic(lambda c: c.LSTMCell(4, cell_clip=0.5)),
    "attention": attention,
    "a layer norm": normalised,
    "an author's own": leaky,
}


@pytest.mark.parametrize("name", MODELS)
def test_a_cell_of_no_class(name: str, tmp_path: Path) -> None:
    made: Made = recovered_v1(MODELS[name], tmp_path)
    rnn = [each for each in made.analysis.layers if isinstance(each, RNN)]
    assert len(rnn) == 1
    assert not made.loops
    assert "tensorflow" not in made.source
    assert made.proof.passed, made.proof


def test_a_cell_reads_like_its_formula(tmp_path: Path) -> None:
    made = recovered_v1(leaky, tmp_path)
    assert "layers.RNN(UnrolledCell(), return_sequences=True" in made.source
    call = made.source.partition("def call")[2].partition("def ")[0]
    assert call.strip().splitlines()[1:] == [
        "        (h,) = states",
        "        relu = ops.relu(ops.matmul(inputs, self.w) + ops.matmul(h, self.u))",
        "        add = self.a * h + (1.0 - self.a) * relu",
        "        return add, add",
    ]
