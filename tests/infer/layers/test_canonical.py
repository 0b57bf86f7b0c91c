"""What several ops spell becomes one op for the solver: what is left of them, and what the layers name."""

from __future__ import annotations

from typing import Any

import pytest

tf = pytest.importorskip("tensorflow")

from graphscope.graph import Layer, Tensor  # noqa: E402
from graphscope.infer.layers.canonical import canonical_view, standing  # noqa: E402
from graphscope.infer.shapes.forward import infer_shapes  # noqa: E402
from tests.patterns.spelling import check_sound, found_in, image, weight  # noqa: E402


def on_a_line(x: Any, name: str, outputs: int = 3) -> Any:
    wide = tf.expand_dims(x, 2)
    kernel = weight(name, 3, 1, 3, outputs)
    return tf.squeeze(tf.nn.conv2d(wide, kernel, 1, "SAME"), [2])


def test_a_graph_that_spells_nothing_stays_itself() -> None:
    found = found_in(lambda: tf.nn.conv2d(image(), weight("w", 3, 3, 3, 4), 1, "SAME"))
    assert found.view.graph is found.graph and not found.view.origin


def test_the_layer_names_every_node_that_it_explains() -> None:
    found = found_in(lambda: on_a_line(image(None, 9, 3), "w"))
    (layer,) = found.layers
    ops = {found.graph.op(name) for name in layer.members}
    assert {"ExpandDims", "Conv2D", "Squeeze"} <= ops
    assert layer.output.node in found.graph
    assert all(tensor.node in found.graph for tensor in layer.inputs.values())


def test_what_only_its_shape_is_asked_of_hides_nothing() -> None:
    """A causal Pad before it is seen, though the shape of the padded tensor is asked for."""

    def build() -> Any:
        padded = tf.pad(image(None, None, 3), [[0, 0], [2, 0], [0, 0]])
        wide = tf.expand_dims(padded, 2)
        inner = tf.nn.conv2d(wide, weight("w", 3, 1, 3, 4), 1, "VALID")
        size = tf.shape(inner)[1]
        line = tf.squeeze(inner, [2])
        return tf.reshape(line, tf.stack([-1, size, 4]))

    found = found_in(build)
    layer = next(each for each in found.layers if each.op == "Conv1D")
    assert layer.attrs["padding"] == "causal"
    check_sound(found)


def test_an_identity_before_what_became_one_op_does_not_stay() -> None:
    def build() -> Any:
        padded = tf.pad(image(None, 9, 3), [[0, 0], [2, 0], [0, 0]])
        wide = tf.expand_dims(tf.identity(padded), 2)
        inner = tf.nn.conv2d(wide, weight("w", 3, 1, 3, 4), 1, "VALID")
        return tf.squeeze(inner, [2])

    (layer,) = found_in(build).layers
    assert layer.attrs["padding"] == "causal"


def test_a_node_that_is_kept_is_not_hidden() -> None:
    found = found_in(lambda: on_a_line(image(None, 9, 3), "w"))
    inner = next(found.graph.by_op("Conv2D"))
    specs = infer_shapes(found.graph, functions=found.model.functions)
    view = canonical_view(found.graph, found.model, specs, keep={inner})
    assert not view.origin


def test_a_value_that_something_else_reads_is_not_hidden() -> None:
    def build() -> Any:
        wide = tf.nn.conv2d(
            tf.expand_dims(image(None, 9, 3), 2), weight("w", 3, 1, 3, 4), 1, "SAME"
        )
        return tf.squeeze(wide, [2]), tf.tanh(wide)

    found = found_in(build)
    assert not found.view.origin
    assert "Conv2D" in {layer.op for layer in found.layers}


def test_forms_are_put_one_upon_the_other() -> None:
    def build() -> Any:
        first = on_a_line(image(None, 9, 3), "a")
        return on_a_line(first, "b", 4)

    found = found_in(build)
    assert [layer.op for layer in found.layers] == ["Conv1D", "Conv1D"]
    check_sound(found)


def layer(output: str, *inputs: str) -> Layer:
    tensors = {f"x{i}": Tensor(name) for i, name in enumerate(inputs)}
    return Layer("Any", output=Tensor(output), inputs=tensors)


def test_a_tensor_of_no_file_needs_a_layer_at_both_ends() -> None:
    graph = found_in(lambda: image(None, 3)).graph
    first, second = layer("x:new", "x"), layer("x", "x:new")
    assert standing([first, second], graph) == [first, second]
    assert standing([first], graph) == []
    assert standing([second], graph) == []
    chain = [layer("x:a", "x"), layer("x:b", "x:a"), layer("x", "x:c")]
    assert standing(chain, graph) == []
