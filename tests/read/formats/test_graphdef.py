"""GraphDefs that lack something: nodes that they read, the version that says what their shapes mean."""

from pathlib import Path

import pytest

from graphscope.analysis import Analysis
from graphscope.errors import MissingWeight
from graphscope.read import load

CUT = """
node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "shape" value { shape { } } } }
node { name: "m" op: "MatMul" input: "x" input: "w" attr { key: "T" value { type: DT_FLOAT } } }
node { name: "s" op: "Softmax" input: "m" attr { key: "T" value { type: DT_FLOAT } } }
"""


def test_a_node_that_the_file_lacks_is_a_placeholder(tmp_path: Path) -> None:
    """Weights are kept elsewhere: the graph is read, its output known, and only who needs the value refuses."""
    path = tmp_path / "cut.pbtxt"
    path.write_text(CUT)
    found = Analysis(load(path))
    assert found.model.graph.op("w") == "Placeholder"
    assert found.model.graph.attrs("w")["dtype"] == "float32"
    assert list(map(str, found.outputs)) == ["s:0"]
    assert [str(c.tensor) for c in found.candidates.inputs] == ["x:0"]
    assert "nodes-missing" in {f.id for f in found.findings}
    with pytest.raises(MissingWeight, match="'w'.*--input w"):
        found.freeze(tmp_path / "f.pb")
    with pytest.raises(MissingWeight, match="'w'.*--input w"):
        found.write_keras(tmp_path / "k")
    Analysis(load(path), inputs=("x", "w")).freeze(tmp_path / "f.pb")


def test_a_scalar_placeholder_of_no_version_has_an_unknown_shape(
    tmp_path: Path,
) -> None:
    path = tmp_path / "cut.pbtxt"
    path.write_text(CUT)
    assert Analysis(load(path)).candidates.inputs[0].spec.shape is None
    path.write_text(CUT + "versions { producer: 27 }")
    assert Analysis(load(path)).candidates.inputs[0].spec.shape == ()
