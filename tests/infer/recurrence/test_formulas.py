"""Every cell's formula is what Keras's own cell computes; what differs from it in one thing is no such cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphscope.graph import Tensor
from graphscope.infer.recurrence.turn.cells import INVERTIBLE, _Layout
from graphscope.infer.recurrence.turn.linear import Linear, Term
from graphscope.match import WeightRef
from graphscope.match.formula import terms as f
from graphscope.patterns.recurrent import CELLS, Cell
from tests.infer.recurrence.test_settle import classes
from tests.render.keras.loop_models import recovered_v1

ACTIVATIONS = ("tanh", "relu", "elu", "softsign", "linear")
GATES = ("sigmoid", "hard_sigmoid", "tanh", "relu")


class Drawn:
    """A cell of random sizes, activations, weights and states."""

    def __init__(self, cell: Cell, seed: int) -> None:
        self.cell, self.rng = cell, np.random.default_rng([seed, len(cell.gates)])
        self.features, self.units = (int(n) for n in self.rng.integers(2, 9, 2))
        self.x = self._array(3, self.features)
        self.states = {name: self._array(3, self.units) for name in cell.states}
        gates = [g for g in GATES if not cell.inverted or g in INVERTIBLE]
        self.config = {
            "activation": str(self.rng.choice(ACTIVATIONS)),
            "recurrent_activation": str(self.rng.choice(gates)),
        }
        self.gates = {name: self._gate(name) for name in cell.gates}
        if cell.inner:
            self.gates[cell.inner] = self._linear("h")

    def _array(self, *shape: int) -> np.ndarray:
        return self.rng.normal(0, 0.7, shape).astype("float32")

    def _gate(self, name: str) -> Linear:
        return self._linear("x" if self.cell.inner and name == "n" else "xh")

    def _linear(self, vectors: str) -> Linear:
        widths = {"x": self.features, "h": self.units}
        terms = [Term(Tensor(v), self._weight(widths[v], self.units)) for v in vectors]
        return Linear(tuple(terms), (self._weight(self.units),))

    def _weight(self, *shape: int) -> WeightRef:
        return WeightRef("", shape, value=self._array(*shape))

    # -- the formula ------------------------------------------------------------------------
    def value(self, term: f.Term, name: str = "") -> Any:
        """What a formula computes; each of its spellings the same."""
        if isinstance(term, f.Named):
            return self.value(term.term, term.name)
        if isinstance(term, f.Const):
            return term.value
        if isinstance(term, f.Var):
            return self.x if term.name == "us" else self.states[term.name]
        if isinstance(term, f.Neg):
            return -self.value(term.term)
        if isinstance(term, f.OneOf):
            values = [self.value(each) for each in term.terms]
            for each in values[1:]:
                np.testing.assert_allclose(each, values[0], atol=1e-5)
            return values[0]
        if isinstance(term, f.Sum | f.Product):
            combine = np.add if isinstance(term, f.Sum) else np.multiply
            return reduce(combine, map(self.value, term.terms))
        if not isinstance(term, f.Call):
            raise TypeError(f"no such term in a cell: {type(term).__name__}")
        if term.op == "Gate":
            return self._summed(name, [self.value(each) for each in term.args])
        return self._activated(str(term.attrs["activation"]), *term.args)

    def _summed(self, name: str, vectors: list[np.ndarray]) -> np.ndarray:
        gate = self.gates[name]
        pairs = zip(vectors, gate.terms, strict=True)
        products = [v @ t.kernel.value for v, t in pairs]
        return reduce(np.add, products) + gate.biases[0].value

    def _activated(self, attr: str, term: f.Term) -> np.ndarray:
        import keras

        function = keras.activations.get(self.config[attr])
        return np.asarray(function(np.asarray(self.value(term), "float32")))

    # -- Keras ------------------------------------------------------------------------------
    def keras_step(self) -> np.ndarray:
        """The output of Keras's cell with the weights as this library lays them out."""
        import keras

        config: dict[str, Any] = dict(self.config)
        if self.cell.op == "SimpleRNN":
            del config["recurrent_activation"]
        config |= self.cell.pattern.constants
        cell = getattr(keras.layers, f"{self.cell.op}Cell")(self.units, **config)
        cell.build((None, self.features))
        weights = _Layout(self.cell, self.gates, {}).weights() or {}
        arrays: Mapping[str, Any] = {k: u.array(None) for k, u in weights.items()}  # type: ignore[arg-type]
        kernels = ("kernel", "recurrent_kernel", "bias")
        cell.set_weights([arrays[f"cell/{name}"] for name in kernels])
        output, _ = cell(self.x, [*self.states.values()])
        return np.asarray(output)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.pattern.name)
def test_a_formula_is_keras_s_cell(cell: Cell, seed: int) -> None:
    drawn = Drawn(cell, seed)
    expected = drawn.keras_step()
    computed = drawn.value(cell.pattern.formula)
    np.testing.assert_allclose(computed, expected, atol=2e-5, rtol=1e-5)


# -- near misses ----------------------------------------------------------------------------
class Step:
    """A cell by hand, over vectors or pictures, in which one thing may be wrong."""

    def __init__(self, v1: Any, kind: str, wrong: str) -> None:
        self.v1, self.kind, self.wrong = v1, kind, wrong
        self.spatial = (6, 6) if kind.startswith("Conv") else ()
        self.states = 2 if "LSTM" in kind else 1

    def product(self, name: str, x: Any, inputs: int) -> Any:
        scope = self.v1.variable_scope("cell", reuse=self.v1.AUTO_REUSE)
        with scope:
            window = (3, 3) if self.spatial else ()
            w = self.v1.get_variable(name, (*window, inputs, 4))
            if self.spatial:
                return self.v1.nn.conv2d(x, w, 1, "SAME")
            return self.v1.matmul(x, w)

    def gate(self, name: str, x: Any, h: Any) -> Any:
        return self.product(f"w{name}", x, 3) + self.product(f"u{name}", h, 4)

    def __call__(self, x: Any, h: Any, *cs: Any, other: str = "") -> list[Any]:
        self.other = other
        kind = "lstm" if cs else self.kind.replace(" ", "_").lower()
        h, *cs = getattr(self, kind)(x, h, *cs)
        if self.wrong == "one op more":
            h = h * 0.5
        return [h, *cs]

    def lstm(self, x: Any, h: Any, c: Any) -> list[Any]:
        v1 = self.v1
        i, f_, g, o = (self.gate(n + self.other, x, h) for n in "ifgo")
        squash = {"g": v1.tanh, "o": v1.sigmoid}
        if self.wrong == "swapped gates":
            squash = {"g": v1.sigmoid, "o": v1.tanh}
        new = v1.sigmoid(f_) * c + v1.sigmoid(i) * squash["g"](g)
        h = squash["o"](o) * v1.tanh(new)
        return [h, self.leaking(new, c)]

    def gru(self, x: Any, h: Any) -> list[Any]:
        v1 = self.v1
        z, r = (v1.sigmoid(self.gate(n + self.other, x, h)) for n in "zr")
        new = v1.tanh(self.gate(f"n{self.other}", x, r * h))
        return [self.mixed(z, r, h, new)]

    def gru_after(self, x: Any, h: Any) -> list[Any]:
        v1, n = self.v1, f"n{self.other}"
        z, r = (v1.sigmoid(self.gate(n + self.other, x, h)) for n in "zr")
        inner = r * self.product(f"u{n}", h, 4)
        return [self.mixed(z, r, h, v1.tanh(self.product(f"w{n}", x, 3) + inner))]

    def mixed(self, z: Any, r: Any, h: Any, new: Any) -> Any:
        share = r if self.wrong == "swapped gates" else z
        return self.leaking(share * h + (1.0 - z) * new, h)

    def simplernn(self, x: Any, h: Any) -> list[Any]:
        after = self.v1.tanh(self.gate(f"n{self.other}", x, h))
        return [self.leaking(after, h)]

    def leaking(self, after: Any, before: Any) -> Any:
        is_wrong = self.wrong == "a state that leaks"
        return after + 0.1 * before if is_wrong else after


def looped(kind: str, wrong: str) -> Callable[[Any], Any]:
    def build(v1: Any) -> Any:
        step = Step(v1, kind, wrong)
        x = v1.placeholder(v1.float32, (None, 5, *step.spatial, 3), "x")
        axes = (1, 0, *range(2, 3 + len(step.spatial)))
        rows = v1.TensorArray(v1.float32, 5).unstack(v1.transpose(x, axes))
        zero = v1.zeros((v1.shape(x)[0], *step.spatial, 4))

        def body(t: Any, *states: Any) -> Any:
            item = v1.ensure_shape(rows.read(t), (None, *step.spatial, 3))
            return (t + 1, *step(item, *states))

        turns = 4 if wrong == "a wrong trip count" else 5
        first = (0, *[zero] * step.states)
        _, h, *_ = v1.while_loop(lambda t, *_: t < turns, body, first)
        return v1.identity(h, name="y")

    return build


def unrolled(kind: str, wrong: str) -> Callable[[Any], Any]:
    def build(v1: Any) -> Any:
        step = Step(v1, kind, "")
        x = v1.placeholder(v1.float32, (None, 5, *step.spatial, 3), "x")
        states = [v1.zeros((v1.shape(x)[0], *step.spatial, 4))] * step.states
        for t in range(5):
            other = "_other" if wrong and t == 3 else ""
            states = step(x[:, t], *states, other=other)
        return v1.identity(states[0], name="y")

    return build


KINDS = ("LSTM", "GRU", "GRU after", "SimpleRNN", "ConvLSTM2D")
WRONG = ("swapped gates", "one op more", "a wrong trip count", "a state that leaks")
MISSES = [
    (kind, wrong)
    for kind in KINDS
    for wrong in WRONG
    if (kind, wrong) != ("SimpleRNN", "swapped gates")  # it has one
]


@pytest.mark.slow
@pytest.mark.parametrize("form", [looped, unrolled])
@pytest.mark.parametrize("kind", KINDS)
def test_the_twin_is_the_class(kind: str, form: Any, tmp_path: Path) -> None:
    made = recovered_v1(form(kind, ""), tmp_path)
    assert classes(made.analysis) == Counter([kind.partition(" ")[0]])
    assert made.proof.passed, made.proof


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "wrong"), MISSES)
def test_a_near_miss_is_not(kind: str, wrong: str, tmp_path: Path) -> None:
    made = recovered_v1(looped(kind, wrong), tmp_path)
    assert not classes(made.analysis)
    assert made.proof.passed, made.proof


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_one_step_with_other_weights_is_not(kind: str, tmp_path: Path) -> None:
    made = recovered_v1(unrolled(kind, "another weight"), tmp_path)
    assert not classes(made.analysis)
    assert made.proof.passed, made.proof
