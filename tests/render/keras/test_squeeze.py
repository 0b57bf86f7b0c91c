"""``tf.squeeze`` without axes, of a batch whose size nobody knows."""

from pathlib import Path

from graphscope.analysis import Analysis
from graphscope.read import load

GRAPH = """
node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } }
  attr { key: "shape" value { shape { dim { size: -1 } dim { size: 4 } } } } }
node { name: "w" op: "Const" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "value" value { tensor {
  dtype: DT_FLOAT tensor_shape { dim { size: 4 } dim { size: 1 } } float_val: 1 float_val: 2 float_val: 3 float_val: 4 } } } }
node { name: "m" op: "MatMul" input: "x" input: "w" attr { key: "T" value { type: DT_FLOAT } } }
node { name: "out" op: "Squeeze" input: "m" attr { key: "T" value { type: DT_FLOAT } } }
versions { producer: 27 }
"""


def test_the_model_builds_and_computes_the_same(tmp_path: Path) -> None:
    """A batch of one loses its axis too, as in TensorFlow; Keras is told of the shape of all others."""
    path = tmp_path / "squeeze.pbtxt"
    path.write_text(GRAPH)
    found = Analysis(load(path))
    found.write_keras(tmp_path / "keras")
    assert "KerasTensor((None,)" in (tmp_path / "keras" / "model.py").read_text()
    assert found.prove(tmp_path / "keras").passed
