"""DCGAN's two nets from one checkpoint, against the graph in its author's idiom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from graphscope import analyse
from graphscope.verify.run.keras_source import run_source
from tests.architectures import dcgan
from tests.architectures.legacy import tensorflow_1

v1 = tf.compat.v1


def test_both_nets_are_named_and_equal(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    noise = rng.normal(size=(dcgan.BATCH, dcgan.Z)).astype("float32")
    images = rng.normal(size=(dcgan.BATCH, dcgan.SIZE, dcgan.SIZE, 3)).astype("float32")
    with tensorflow_1(), v1.Session() as session:
        z = v1.placeholder(tf.float32, noise.shape, "z")
        real = v1.placeholder(tf.float32, images.shape, "real_images")
        drawn = dcgan._generator(z, train=False)
        verdict, _ = dcgan._discriminator(real, train=False)
        for variable in v1.global_variables():
            value = rng.uniform(0.5, 1.0, variable.shape.as_list())
            signs = rng.choice([-0.2, 0.2], value.shape) if value.ndim > 1 else 1.0
            session.run(variable.assign(value * signs))
        saver = v1.train.Saver()
        path = saver.save(session, str(tmp_path / "m"), write_meta_graph=False)
        expected = session.run([drawn, verdict], {z: noise, real: images})
    analysis = analyse(path)
    claim = analysis.family.claim
    assert claim is not None, analysis.family.remarks
    assert str(claim).startswith("DCGAN, noise of 10, 2 layers up, 3 down, 4 channels")
    analysis.write_keras(tmp_path / "keras")
    outputs = run_source(tmp_path / "keras")([noise, images])
    actual = {np.ndim(output): np.asarray(output) for output in outputs}
    for each in expected:
        np.testing.assert_allclose(actual[each.ndim], each, atol=1e-4)
