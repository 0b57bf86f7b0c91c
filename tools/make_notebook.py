"""Write notebooks/quickstart.ipynb from the cells below (without outputs: the tests execute it).

.venv/bin/python tools/make_notebook.py
"""

from __future__ import annotations

from pathlib import Path

import nbformat

CELLS = (
    """# graphscope in ten minutes

Somebody left you a TensorFlow checkpoint: no training script, no output names. Find out what it is, draw it, get
Keras source with the weights in place, freeze it, and prove that all of them compute the same.""",
    """First a checkpoint. The demo trains one as programs of 2017 did (in a process of its own: graphscope itself does
not import TensorFlow). With a file of your own, skip this cell and set `checkpoint`.""",
    """>>>
import subprocess, sys, tempfile
from pathlib import Path

folder = Path(tempfile.mkdtemp(prefix="graphscope-"))
subprocess.run([sys.executable, "-m", "graphscope.cli.demo.train", folder], check=True, capture_output=True)
checkpoint = str(next(folder.glob("*.index")).with_suffix(""))
checkpoint""",
    """## What is it?

Opening a file costs its structure, not its weights.""",
    """>>>
import graphscope

found = graphscope.analyse(checkpoint)
print(found.model.format, "|", found.model.producer)
print(found.model.graph.number_of_nodes(), "nodes,", len(found.model.variables), "variables")""",
    """## What goes in, what comes out?

The placeholder called `output` is the label; the prediction is no sink. The evidence says how graphscope knows.""",
    """>>>
for candidate in (*found.candidates.inputs, *found.candidates.outputs[:2]):
    print(candidate.kind, candidate.tensor, candidate.spec.shape)
    for evidence in candidate.evidence:
        print("    ", evidence)""",
    """## Its layers""",
    """>>>
found.layer_table()""",
    """>>>
found.layer_graph""",
    """## As Keras source""",
    """>>>
found.write_keras(folder / "keras")
print((folder / "keras" / "model.py").read_text())""",
    """## Frozen, and proven

This is the first cell that loads TensorFlow.""",
    """>>>
found.freeze(folder / "frozen.pb")

from graphscope.verify import compare

for made in ("frozen.pb", "keras"):
    result = compare(checkpoint, str(folder / made))
    print(made, "passed" if result.passed else "DIFFERS", result.max_rel)
    if not result.passed:
        raise SystemExit(f"{made} does not compute what the checkpoint computes")""",
)


def make() -> nbformat.NotebookNode:
    """The notebook; cell ids are counted so that the file is the same every time."""
    made = nbformat.v4.new_notebook()
    for index, text in enumerate(CELLS):
        if text.startswith(">>>\n"):
            cell = nbformat.v4.new_code_cell(text[4:])
        else:
            cell = nbformat.v4.new_markdown_cell(text)
        cell["id"] = f"cell-{index}"
        made.cells.append(cell)
    made.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    return made


if __name__ == "__main__":
    path = Path(__file__).parent.parent / "notebooks" / "quickstart.ipynb"
    path.parent.mkdir(exist_ok=True)
    nbformat.write(make(), path)
