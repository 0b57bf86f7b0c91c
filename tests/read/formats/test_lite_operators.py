"""Operators of TensorFlow Lite one by one: what they become computes what LiteRT does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphscope.analysis import analyse
from graphscope.errors import FormatError
from graphscope.infer.lookup_tables import table_contents
from graphscope.read import load
from graphscope.read.deployment.flexbuffer import decode
from graphscope.verify import compare
from tests.read.formats.lite_operators import Fed, State, single

B, T, D, U, P = 2, 5, 3, 4, 2  # examples, steps, features, units, projected units


class Draw:
    """Constants of a test model."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def __call__(self, *shape: int) -> np.ndarray:
        return self.rng.normal(0, 0.5, shape).astype("f")

    def lstm(
        self, projection: int = 0, peephole: bool = False, coupled: bool = False
    ) -> list[Any]:
        """Kernels, recurrent kernels, peepholes, biases and projection, in the order of the operators."""
        out = projection or U
        parts: list[Any] = [self(U, D) for _ in range(4)]
        parts += [self(U, out) for _ in range(4)]
        parts += [self(U) for _ in range(3)] if peephole else [None] * 3
        parts += [self(U) for _ in range(4)]
        parts += [self(projection, U), self(projection)] if projection else [None] * 2
        if coupled:
            for place in (0, 4, 8, 11):
                parts[place] = None
        return parts

    def norms(self) -> list[Any]:
        return [self(U) for _ in range(4)]


def options(kind: str, **known: Any) -> Any:
    from tensorflow.lite.python import schema_py_generated as schema

    made = getattr(schema, f"{kind}OptionsT")()
    for name, value in known.items():
        setattr(made, name, value)
    return made


def _states(batch: int, units: int) -> list[Any]:
    return [State((batch, units)), State((batch, U))]


def _sequence(draw: Draw, clip: float = 0.0, major: bool = False, **kind: Any) -> bytes:
    """UNIDIRECTIONAL_SEQUENCE_LSTM."""
    norms = draw.norms() if kind.pop("norms", False) else [None] * 4
    out = kind.get("projection", 0) or U
    inputs = [Fed((T, B, D) if major else (B, T, D)), *draw.lstm(**kind)]
    known = options(
        "UnidirectionalSequenceLSTM",
        fusedActivationFunction=4,
        cellClip=clip,
        projClip=clip,
        timeMajor=major,
    )
    shape = (T, B, out) if major else (B, T, out)
    whole = [*inputs, *_states(B, out), *norms]
    return single("UNIDIRECTIONAL_SEQUENCE_LSTM", whole, [shape], known)


def _bidirectional(draw: Draw, merged: bool, major: bool = False, **kind: Any) -> bytes:
    """BIDIRECTIONAL_SEQUENCE_LSTM; LiteRT's own of merged outputs reads beside its states where there are two examples."""
    examples = 1 if merged and not major else B
    out = kind.get("projection", 0) or U
    both = [*draw.lstm(**kind), *draw.lstm(**kind)]
    inputs = [
        Fed((T, examples, D) if major else (examples, T, D)),
        *both,
        *_states(examples, out),
        *_states(examples, out),
    ]
    known = options(
        "BidirectionalSequenceLSTM",
        fusedActivationFunction=4,
        mergeOutputs=merged,
        timeMajor=major,
    )
    ends = (T, examples) if major else (examples, T)
    shapes = [(*ends, 2 * out)] if merged else [(*ends, out)] * 2
    whole = [*inputs, *[None] * 9]
    return single("BIDIRECTIONAL_SEQUENCE_LSTM", whole, shapes, known)


def _bidirectional_rnn(draw: Draw, merged: bool) -> bytes:
    one = [draw(U, D), draw(U, U), draw(U), State((B, U))]
    two = [draw(U, D), draw(U, U), draw(U), State((B, U))]
    known = options(
        "BidirectionalSequenceRNN", fusedActivationFunction=4, mergeOutputs=merged
    )
    shapes = [(B, T, 2 * U)] if merged else [(B, T, U)] * 2
    inputs = [Fed((B, T, D)), *one, *two, None, None, None]
    return single("BIDIRECTIONAL_SEQUENCE_RNN", inputs, shapes, known)


def _svdf(draw: Draw, rank: int) -> bytes:
    filters, memory = U * rank, 6
    inputs = [
        Fed((B, D)),
        draw(filters, D),
        draw(filters, memory),
        draw(U),
        State((B, filters * memory)),
    ]
    known = options("SVDF", rank=rank, fusedActivationFunction=1)
    return single("SVDF", inputs, [(B, U)], known)


def _step(draw: Draw) -> bytes:
    inputs = [Fed((B, D)), *draw.lstm(peephole=True), *_states(B, U)]
    return single("LSTM", inputs, [(B, U)], options("LSTM", fusedActivationFunction=4))


def _basic_step(draw: Draw) -> bytes:
    inputs = [Fed((B, D)), Fed((B, U)), draw(4 * U, D + U), draw(4 * U), Fed((B, U))]
    shapes = [(B, U), (B, U), (B, D + U), (B, 4 * U)]
    known = options("LSTM", fusedActivationFunction=4, kernelType=1)
    return single("LSTM", inputs, shapes, known)


def _simple_step(draw: Draw) -> bytes:
    inputs = [Fed((B, D)), draw(U, D), draw(U, U), draw(U), State((B, U))]
    return single("RNN", inputs, [(B, U)], options("RNN", fusedActivationFunction=4))


OPERATORS: dict[str, Callable[[Draw], bytes]] = {
    "lstm": lambda d: _sequence(d),
    "lstm, steps first": lambda d: _sequence(d, major=True),
    "lstm, clipped": lambda d: _sequence(d, clip=0.1),
    "lstm, projected": lambda d: _sequence(d, projection=P, clip=0.7),
    "lstm, peepholes": lambda d: _sequence(d, peephole=True),
    "lstm, coupled gates": lambda d: _sequence(d, coupled=True),
    "lstm, normalised gates": lambda d: _sequence(d, norms=True),
    "lstm, normalised, peepholes": lambda d: _sequence(d, norms=True, peephole=True),
    "both ways": lambda d: _bidirectional(d, merged=True),
    "both ways, apart": lambda d: _bidirectional(d, merged=False),
    "both ways, steps first": lambda d: _bidirectional(d, merged=True, major=True),
    "both ways, projected": lambda d: _bidirectional(d, merged=True, projection=P),
    "simple both ways": lambda d: _bidirectional_rnn(d, merged=True),
    "simple both ways, apart": lambda d: _bidirectional_rnn(d, merged=False),
    "svdf": lambda d: _svdf(d, rank=1),
    "svdf of two": lambda d: _svdf(d, rank=2),
    "one step": _step,
    "one older step": _basic_step,
    "one simple step": _simple_step,
}


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_means_what_litert_computes(name: str, tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(OPERATORS[name](Draw()))
    found = analyse(str(path))
    assert not [f for f in found.findings if f.severity == "error"]
    found.write_keras(tmp_path / "keras")
    proof = found.prove(tmp_path / "keras")
    assert proof.passed and proof.max_rel < 1e-5, proof.remarks


def _converted(*functions: Any, signatures: Any = None, flex: bool = False) -> bytes:
    """What LiteRT's converter writes of functions, or of a module with signatures."""
    import tensorflow as tf

    concrete = [f.get_concrete_function() for f in functions]
    converter = tf.lite.TFLiteConverter.from_concrete_functions(concrete, signatures)
    if flex:
        kinds = tf.lite.OpsSet
        converter.target_spec.supported_ops = [
            kinds.TFLITE_BUILTINS,
            kinds.SELECT_TF_OPS,
        ]
    return converter.convert()  # type: ignore[no-any-return]


def _saved(module: Any, folder: Path, **signatures: Any) -> bytes:
    import tensorflow as tf

    tf.saved_model.save(module, str(folder), signatures=signatures)
    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(folder), signature_keys=[*signatures]
    )
    return converter.convert()  # type: ignore[no-any-return]


def _proof(data: bytes, folder: Path) -> Any:
    path = folder / "m.tflite"
    path.write_bytes(data)
    found = analyse(str(path))
    assert not [f for f in found.findings if f.severity == "error"]
    found.freeze(folder / "frozen.pb")
    return compare(str(path), str(folder / "frozen.pb"))


def test_an_op_of_tensorflow_is_read_as_itself(tmp_path: Path) -> None:
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([2, 3, 3], tf.float32)])
    def inverse(x):
        return tf.linalg.inv(x + 9 * tf.eye(3), adjoint=True)

    data = _converted(inverse, flex=True)
    assert _proof(data, tmp_path).passed
    graph = load(tmp_path / "m.tflite").graph
    (name,) = graph.by_op("MatrixInverse")
    assert graph.attrs(name)["adjoint"] is True


def test_tables_hold_what_fills_them(tmp_path: Path) -> None:
    import tensorflow as tf

    class Words(tf.Module):
        def __init__(self) -> None:
            keys, values = tf.constant(["a", "b", "c"]), tf.constant(
                [5, 7, 9], tf.int64
            )
            filled = tf.lookup.KeyValueTensorInitializer(keys, values)
            self.table = tf.lookup.StaticHashTable(filled, -1)

        @tf.function(input_signature=[tf.TensorSpec([3], tf.string)])
        def find(self, x):
            return {"id": self.table.lookup(x)}

    words = Words()
    data = _saved(words, tmp_path / "saved", find=words.find)
    assert _proof(data, tmp_path).passed
    model = load(tmp_path / "m.tflite")
    ((keys, values),) = table_contents(model.graph, model).values()
    assert [*keys] == [b"a", b"b", b"c"] and [*values] == [5, 7, 9]


def test_a_variable_begins_with_what_it_is_assigned_once(tmp_path: Path) -> None:
    import tensorflow as tf

    class Counter(tf.Module):
        def __init__(self) -> None:
            self.total = tf.Variable(tf.ones([2, 4]))

        @tf.function(input_signature=[tf.TensorSpec([2, 4], tf.float32)])
        def add(self, x):
            before = self.total.read_value()
            self.total.assign_add(2 * x)
            return {"y": self.total.read_value() * before}

    counter = Counter()
    data = _saved(counter, tmp_path / "saved", add=counter.add)
    assert _proof(data, tmp_path).passed


def test_every_signature_is_in_the_graph(tmp_path: Path) -> None:
    """Each has a subgraph of its own; what both read is one weight."""
    import tensorflow as tf

    class Coder(tf.Module):
        def __init__(self) -> None:
            self.kernel = tf.Variable(Draw()(4, 16))

        @tf.function(input_signature=[tf.TensorSpec([2, 4], tf.float32)])
        def encode(self, x):
            return {"code": tf.nn.relu(tf.matmul(x, self.kernel))}

        @tf.function(input_signature=[tf.TensorSpec([2, 4], tf.float32)])
        def squash(self, x):
            return {"y": tf.tanh(tf.matmul(x, self.kernel))}

    coder = Coder()
    data = _saved(coder, tmp_path / "saved", encode=coder.encode, squash=coder.squash)
    assert _proof(data, tmp_path).passed
    model = load(tmp_path / "m.tflite")
    assert {*model.signatures} == {"encode", "squash"} and not model.functions
    ends = [str(t) for s in model.signatures.values() for t in s.outputs.values()]
    found = analyse(str(tmp_path / "m.tflite"), outputs=ends)
    assert found.layer_table()["parameters"].sum() == 4 * 16
    found.write_keras(tmp_path / "keras")
    proof = found.prove(tmp_path / "keras")
    assert proof.passed and len(proof.outputs) == 2


def test_boxes_buckets_and_slices(tmp_path: Path) -> None:
    import tensorflow as tf

    boxes, row = tf.TensorSpec([8, 4], tf.float32), tf.TensorSpec([8], tf.float32)

    @tf.function(input_signature=[boxes, row])
    def choose(b, s):
        best = tf.raw_ops.NonMaxSuppressionV4(
            boxes=b,
            scores=s,
            max_output_size=4,
            iou_threshold=0.5,
            score_threshold=0.1,
            pad_to_max_output_size=True,
        )
        bucket = tf.raw_ops.Bucketize(input=s, boundaries=[-1.0, 0.0, 1.0])
        waves = tf.abs(tf.signal.rfft2d(b))
        return best.selected_indices, best.valid_outputs, bucket, waves

    assert _proof(_converted(choose), tmp_path).passed


def test_options_of_custom_operators_are_attributes(tmp_path: Path) -> None:
    from flatbuffers import flexbuffers

    text = bytes(flexbuffers.Dumps({"detections": 10, "share": 0.5, "name": "post"}))
    path = tmp_path / "m.tflite"
    path.write_bytes(single("", [Fed((2, 3))], [(2, 3)], custom=("Post", text)))
    model = load(path)
    (name,) = model.graph.by_op("Post")
    known = dict(model.graph.attrs(name))
    assert known == {"detections": 10, "share": 0.5, "name": "post"}


def test_flexbuffers() -> None:
    from flatbuffers import flexbuffers

    value = {"a": 1, "b": [1.5, 2.5], "c": "x" * 300, "d": {"e": True, "f": None}}
    data = bytes(flexbuffers.Dumps(value))
    assert decode(data) == {**value, "c": b"x" * 300}
    assert decode(bytes(flexbuffers.Dumps([*range(300)]))) == [*range(300)]
    rng = np.random.default_rng(0)
    for _ in range(2000):
        broken = bytearray(data)
        for place in rng.integers(0, len(data), 3):
            broken[place] = rng.integers(0, 256)
        try:
            decode(bytes(broken))
        except FormatError as error:
            assert "FlexBuffer" in str(error)
