"""Convolutions of parts of the channels, and what is no grouped convolution."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf

from tests.patterns.spelling import (
    NearMiss,
    Spelling,
    check_near_miss,
    check_spelling,
    image,
    spell,
    v1,
    weight,
)

SHAPES = {1: (None, 9, 6), 2: (None, 8, 8, 6), 3: (None, 4, 4, 4, 6)}


def convolved(x: Any, kernel: Any, stride: int = 1) -> Any:
    rank = len(x.shape) - 2
    run = {1: tf.nn.conv1d, 2: tf.nn.conv2d, 3: tf.nn.conv3d}[rank]
    return run(x, kernel, [1] + [stride] * rank + [1] if rank > 1 else stride, "SAME")


def grouped(
    rank: int = 2, groups: int = 3, axis: int = -1, joint: int = -1, **options: Any
) -> Any:
    """``own``: each group has variables of its own; ``bias``: where it is added; ``uneven``: the last stride."""
    parts = tf.split(image(*SHAPES[rank]), groups, axis)
    inside, size = parts[0].shape[-1], (3,) * rank
    if options.get("own"):
        kernels = [weight(f"w{i}", *size, inside, 4) for i in range(groups)]
    else:
        kernels = tf.split(weight("w", *size, inside, 4 * groups), groups, -1)
    if options.get("turned"):
        kernels = kernels[::-1]
    made = [convolved(x, w) for x, w in zip(parts, kernels)]
    if options.get("dilated"):
        made[-1] = tf.nn.conv2d(parts[-1], kernels[-1], 1, "SAME", dilations=2)
    if options.get("bias") == "inside":
        made = [x + weight(f"b{i}", 4) for i, x in enumerate(made)]
    if options.get("bias") == "one inside":
        made[-1] = made[-1] + weight("b", 4)
    if options.get("bias") == "rows inside":
        made = [x + weight(f"b{i}", 8, 1, 1) for i, x in enumerate(made)]
    if options.get("activation"):
        made[-1] = tf.nn.relu(made[-1])
    joined = tf.concat(made, joint)
    after = options.get("bias") in ("after", "inside and after")
    return joined + weight("b", 4 * groups) if after else joined


def by_sizes(*sizes: int) -> Any:
    parts = tf.split(image(*SHAPES[2]), list(sizes or (3, 3)), -1)
    return tf.concat(
        [
            convolved(x, weight(f"w{i}", 3, 3, x.shape[-1], 4))
            for i, x in enumerate(parts)
        ],
        -1,
    )


def of_unknown_axis() -> Any:
    """The axis of the split is fed: it could be any."""
    axis = v1.placeholder_with_default(-1, (), "axis")
    x = image(*SHAPES[2])
    parts = tf.raw_ops.Split(axis=axis, value=x, num_split=2)
    parts = [tf.reshape(part, [-1, 8, 8, 3]) for part in parts]
    made = [
        convolved(part, weight(f"w{i}", 3, 3, 3, 4)) for i, part in enumerate(parts)
    ]
    return tf.concat(made, -1)


def channels_first(axis: int = 1, joint: int = 1) -> Any:
    x = image(None, 6, 6, 6)
    parts = tf.split(x, 2, axis)
    made = [
        tf.nn.conv2d(
            part,
            weight(f"w{i}", 3, 3, part.shape[1], 6 // 2),
            1,
            "SAME",
            data_format="NCHW",
        )
        for i, part in enumerate(parts)
    ]
    return tf.concat(made, joint)


SPELLINGS = [
    spell("on a line", "grouped_conv1d", lambda: grouped(1), "kernel", groups=3),
    spell("image", "grouped_conv2d", grouped, "kernel", groups=3, filters=12),
    spell(
        "image with bias",
        "grouped_conv2d",
        lambda: grouped(bias="after"),
        "kernel bias",
        use_bias=True,
    ),
    spell(
        "own variables",
        "grouped_conv2d",
        lambda: grouped(own=True, groups=2),
        "kernel",
        groups=2,
    ),
    spell("kernels in another order", "grouped_conv2d", lambda: grouped(turned=True)),
    spell("split by sizes", "grouped_conv2d", by_sizes, groups=2),
    spell(
        "biases of the groups",
        "grouped_conv2d",
        lambda: grouped(bias="inside"),
        "kernel bias",
        use_bias=True,
    ),
    spell(
        "channels first",
        "grouped_conv2d",
        channels_first,
        data_format="channels_first",
        groups=2,
    ),
    spell("volume", "grouped_conv3d", lambda: grouped(3), "kernel", groups=3),
]


def near(name: str, pattern: str, build: Any) -> NearMiss:
    return NearMiss(name, pattern, build)


NEAR_MISSES = [
    near("joined along rows", "grouped_conv1d", lambda: grouped(1, joint=1)),
    near("joined along rows, image", "grouped_conv2d", lambda: grouped(joint=1)),
    near("one part is activated", "grouped_conv2d", lambda: grouped(activation=True)),
    near("rows are split", "grouped_conv2d", lambda: grouped(groups=2, axis=1)),
    near("a part is dilated", "grouped_conv2d", lambda: grouped(dilated=True)),
    near("of unequal parts", "grouped_conv2d", lambda: by_sizes(2, 4)),
    near("along an unknown axis", "grouped_conv2d", of_unknown_axis),
    near("rows, channels first", "grouped_conv2d", lambda: channels_first(2)),
    near("joined by rows, first", "grouped_conv2d", lambda: channels_first(1, 2)),
    near("one has a bias", "grouped_conv2d", lambda: grouped(bias="one inside")),
    near("biases of rows", "grouped_conv2d", lambda: grouped(bias="rows inside")),
    near("depth is split", "grouped_conv3d", lambda: grouped(3, groups=2, axis=1)),
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_a_spelling_is_found_and_sound(spelling: Spelling) -> None:
    check_spelling(spelling)


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=str)
def test_a_near_miss_is_no_match(miss: NearMiss) -> None:
    check_near_miss(miss)
