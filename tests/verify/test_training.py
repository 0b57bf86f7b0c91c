"""A checkpoint whose graph only trains is compared by its inference form, and that is said."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from graphscope.freeze import freeze_model
from graphscope.read import load
from graphscope.verify import compare

v1 = tf.compat.v1


@pytest.mark.parametrize("habit", ["batch norm", "dropout"])
def test_a_graph_that_only_trains(tmp_path, habit):
    v1.disable_control_flow_v2()
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 2, 2, 3], name="x")
        mean, variance, scale = (
            v1.get_variable(n, initializer=np.float32([1, 2, 3]), use_resource=False)
            for n in ("mean", "variance", "scale")
        )
        if habit == "dropout":
            y = tf.nn.dropout(x * scale, 0.5)
        else:
            y, m, v = v1.nn.fused_batch_norm(x, scale, tf.zeros([3]))
            for moving, batch in ((mean, m), (variance, v)):
                v1.assign_sub(moving, (moving - batch) * 0.1)
        tf.identity(y, name="y")
        session.run(v1.global_variables_initializer())
        path = v1.train.Saver().save(session, str(tmp_path / "m.ckpt"))
    freeze_model(load(path), ["y"], tmp_path / "f.pb")
    found = compare(path, tmp_path / "f.pb")
    assert found.passed and "its inference form" in found.remarks[0]
    assert "statistics of the batch" in found.remarks[0] or "drops" in found.remarks[0]
    freeze_model(load(path), ["y"], tmp_path / "as-is.pb", as_is=True)
    found = compare(path, tmp_path / "as-is.pb")
    assert not any("inference form" in remark for remark in found.remarks)
    assert found.passed or habit == "dropout"
