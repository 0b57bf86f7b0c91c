"""Every frozen graph imports in TensorFlow and computes what the author's evaluation computes."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from graphscope.freeze import freeze_model
from graphscope.read import load
from graphscope.verify.differences import difference

_spec = importlib.util.spec_from_file_location(
    "freeze_cases", Path(__file__).parent / "cases.py"
)
cases = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = cases  # dataclasses look their module up there
_spec.loader.exec_module(cases)
v1 = tf.compat.v1


def save(build, folder: Path):
    """Build a case, save it as its author would; the checkpoint, and what evaluation computes."""
    v1.disable_control_flow_v2()
    with tf.Graph().as_default() as graph:
        v1.set_random_seed(1)
        case = build()
        saver = v1.train.Saver(write_version=case.write_version)
        with v1.Session(
            graph=graph, config=v1.ConfigProto(allow_soft_placement=True)
        ) as session:
            session.run(v1.global_variables_initializer())
            session.run(v1.tables_initializer())
            for op in graph.get_operations():
                if op.type == "NoOp" and op.name in case.steps:
                    session.run(op, case.feeds)
            path = saver.save(session, str(folder / "model.ckpt"))
            fetch = f"{case.reference or case.output}:0"
            expected = session.run(fetch, {**case.feeds, **case.settings})
    return path, case, expected


def run_frozen(path: Path, case, report) -> np.ndarray:
    """The three lines of every tutorial."""
    graph_def = v1.GraphDef.FromString(path.read_bytes())
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
        with v1.Session(graph=graph) as session:
            for name in report.initialisers:
                session.run(name)
            return session.run(report.outputs[0], case.feeds)


@pytest.mark.parametrize("build", cases.CASES, ids=lambda build: build.__name__)
def test_a_frozen_graph_computes_what_evaluation_computes(build, tmp_path):
    checkpoint, case, expected = save(build, tmp_path)
    frozen = tmp_path / "frozen.pb"
    report = freeze_model(load(checkpoint), [case.output], frozen)
    found = run_frozen(frozen, case, report)
    worst, relative = difference(expected, found)
    assert relative <= 1e-5, f"{worst} absolute, {relative} relative"
    assert report.bytes == frozen.stat().st_size
    assert set(report.inputs) == set(case.feeds), "no input but the data is left"
    message = v1.GraphDef.FromString(frozen.read_bytes())
    kinds = {node.op for node in message.node}
    loops = "TensorArrayV3" in kinds or "Enter" in kinds
    assert loops or not kinds & {"Switch", "Merge"}
    assert not kinds & {"VariableV2", "VarHandleOp", "Assert", "RandomUniform"}
