"""Half floats are written as Keras computes in them: a policy said once, and no cast that its layers make."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphscope.analysis.results import Analysis
from graphscope.graph import Tensor
from graphscope.read import load
from graphscope.render.keras.program.half_precision import autocast
from graphscope.render.keras.program.program import Step, hole
from tests.recovery import freeze_model

keras = pytest.importorskip("keras")
layers = keras.layers


@pytest.fixture(autouse=True)
def usual_policy() -> Iterator[None]:
    yield
    keras.config.set_dtype_policy("float32")


def normalised() -> Any:
    x = inputs = keras.Input((8, 8, 3))
    for norm in (layers.BatchNormalization(), layers.LayerNormalization()):
        x = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
        x = norm(x)
    return keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))


def with_wide_end() -> Any:
    """As Keras's guide to mixed precision ends a model."""
    inputs = keras.Input((6,))
    x = layers.Dense(8, activation="relu")(layers.Dense(8)(inputs))
    return keras.Model(inputs, layers.Dense(2, dtype="float32")(x))


def mostly_wide() -> Any:
    inputs = keras.Input((6,))
    x = layers.Dense(8, dtype="float32")(layers.Dense(8)(inputs))
    return keras.Model(inputs, layers.Dense(2, dtype="float32")(x))


def squeezed() -> Any:
    """MobileNetV3's slope: a sixth, which no half float is."""
    inputs = keras.Input((4, 4, 3))
    x = layers.Conv2D(6, 1)(inputs)
    return keras.Model(inputs, layers.ReLU(6.0)(x + 3.0) * (1.0 / 6.0))


def in_blocks() -> Any:
    """Blocks between whose layers the graph casts to float32 and back."""
    x = inputs = keras.Input((8, 8, 2))
    for _ in range(4):
        y = layers.Conv2D(2, 1, use_bias=False)(x)
        y = layers.BatchNormalization()(y)
        y = layers.ReLU()(y)
        y = layers.Conv2D(2, 1, use_bias=False)(y)
        y = layers.BatchNormalization()(y)
        x = layers.Add()([x, y])
    return keras.Model(inputs, x)


def source(build: Callable[[], Any], policy: str, folder: Path, kept: bool) -> str:
    """The source of a model of that policy, as Keras saves it or frozen, which is proven equal and leaves Keras as it was."""
    keras.config.set_dtype_policy(policy)
    model = build()
    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    keras.config.set_dtype_policy("float32")
    if kept:
        model.save(folder / "model.keras")
        found = Analysis(load(folder / "model.keras"))
    else:
        _, outputs = freeze_model(model, folder / "frozen.pb")
        names = [str(tensor) for tensor in outputs]
        found = Analysis(load(folder / "frozen.pb"), outputs=names)
    found.write_keras(folder / "keras")
    proof = found.prove(folder / "keras")
    assert proof.numbers == "equal", proof.remarks
    assert keras.config.dtype_policy().name == "float32"
    return (folder / "keras" / "model.py").read_text()


@pytest.mark.parametrize("kept", [False, True], ids=["frozen", "as Keras saves it"])
@pytest.mark.parametrize("policy", ["mixed_float16", "bfloat16"])
def test_a_policy_is_said_once(policy: str, kept: bool, tmp_path: Path) -> None:
    text = source(normalised, policy, tmp_path, kept)
    assert f'keras.config.set_dtype_policy("{policy}")' in text
    assert "ops.cast" not in text and "dtype=" not in text
    keras.config.set_dtype_policy(
        "mixed_bfloat16"
    )  # as its user has it, and has it still
    runpy.run_path(str(tmp_path / "keras" / "model.py"))["build_model"]()
    assert keras.config.dtype_policy().name == "mixed_bfloat16"


@pytest.mark.parametrize("kept", [False, True], ids=["frozen", "as Keras saves it"])
def test_a_layer_of_another_type_says_so(kept: bool, tmp_path: Path) -> None:
    text = source(with_wide_end, "mixed_float16", tmp_path, kept)
    assert "set_dtype_policy" in text and text.count('dtype="float32"') == 1


def test_a_model_of_few_half_floats_has_no_policy(tmp_path: Path) -> None:
    text = source(mostly_wide, "float16", tmp_path, kept=False)
    assert "set_dtype_policy" not in text and '"float16"' in text


@pytest.mark.parametrize("policy", ["mixed_float16", "bfloat16"])
def test_a_number_of_half_floats_is_the_one_next_to_it(
    policy: str, tmp_path: Path
) -> None:
    assert "hard_sigmoid" in source(squeezed, policy, tmp_path, kept=False)


def test_blocks_are_those_of_float32(tmp_path: Path) -> None:
    """But for the policy, which takes three lines."""
    (tmp_path / "half").mkdir()
    half = source(in_blocks, "mixed_float16", tmp_path / "half", kept=False)
    wide = source(in_blocks, "float32", tmp_path, kept=False)
    assert half.count("\n") == wide.count("\n") + 3


def norm_of_half(*after: Step, wide_end: bool = False) -> tuple[list[str], Tensor]:
    """The nodes left of ``cast(norm(cast(x)))`` and of what follows, and the output."""
    wide, half = (f"ops.cast({hole(0)}, {to!r})" for to in ("float32", "float16"))
    kind = "BatchNormalization"
    steps = [
        Step("in", wide, (Tensor("x"),)),
        Step("bn", hole(0), (Tensor("in"),), f"layers.{kind}", kind),
        Step("out", half, (Tensor("bn"),)),
        *after,
    ]
    end = Tensor("bn" if wide_end else "out")
    halves = {"x": "float16", "out": "float16"}
    left, (end,) = autocast(steps, [end], lambda t: halves.get(t.node, "float32"))
    return [step.node for step in left], end


def test_a_norm_yields_half_floats_where_nothing_reads_more() -> None:
    assert norm_of_half() == (["bn"], Tensor("bn"))
    read = Step("read", f"{hole(0)} + 1.0", (Tensor("bn"),))
    assert norm_of_half(read) == (["bn", "out", "read"], Tensor("out"))
    read = Step("read", f"{hole(0)} + 1.0", (Tensor("out"),))
    assert norm_of_half(read) == (["bn", "read"], Tensor("bn"))
    assert norm_of_half(read, wide_end=True) == (["bn", "out", "read"], Tensor("bn"))


def images(flat: bool = False) -> Any:
    x = inputs = keras.Input((3, 8, 8))
    x = layers.Conv2D(4, 3, padding="same", data_format="channels_first")(x)
    x = layers.BatchNormalization(axis=1)(x)
    x = layers.MaxPooling2D(data_format="channels_first")(x)
    x = layers.UpSampling2D(data_format="channels_last" if flat else "channels_first")(
        x
    )
    return keras.Model(
        inputs, layers.Dense(2)(layers.Flatten(data_format="channels_last")(x))
    )


def test_channels_first_is_said_once(tmp_path: Path) -> None:
    keras.config.set_image_data_format("channels_last")
    model = images()
    model.save(tmp_path / "model.keras")
    found = Analysis(load(tmp_path / "model.keras"))
    found.write_keras(tmp_path / "keras")
    text = (tmp_path / "keras" / "model.py").read_text()
    assert 'keras.config.set_image_data_format("channels_first")' in text
    assert text.count("data_format=") == 1  # Flatten's, which is told the usual one
    assert keras.config.image_data_format() == "channels_last"
    keras.config.set_image_data_format("channels_first")
    runpy.run_path(str(tmp_path / "keras" / "model.py"))["build_model"]()
    places = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_last")
    assert places == "channels_first"
