"""Write the notebooks from the cells below, run them, and store them with what they print.

    .venv/bin/python tools/make_notebook.py

``tests/test_notebooks.py`` runs them and compares what is stored with what comes out.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
CHECKPOINT = """>>>
from pathlib import Path

from graphscope.cli.demo.chain import train_elsewhere

checkpoint = "model.ckpt-400"
if not Path(checkpoint + ".index").exists():
    train_elsewhere(Path.cwd())"""
QUICKSTART = (
    """# graphscope in ten minutes

Somebody left you a TensorFlow checkpoint: no training script, no output names. Find out what it is, draw it, get
Keras source with the weights in place, freeze it, and prove that all of them compute the same.""",
    """First a checkpoint. The demo trains one as programs of 2017 did (in a process of its own: graphscope itself does
not import TensorFlow). With a file of your own, skip this cell and set `checkpoint`.""",
    CHECKPOINT,
    """## What is it?

Opening a file costs its structure, not its weights.""",
    """>>>
import graphscope

found = graphscope.analyse(checkpoint)
print(found.model.format, "|", found.model.producer)
print(found.model.graph.number_of_nodes(), "nodes,", len(found.model.variables), "variables")""",
    """An analysis shows itself: a card, and the page to explore. Fold and unfold, search, click.""",
    """>>>
found""",
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
found.write_keras("keras")
print(Path("keras/model.py").read_text())""",
    """## Frozen, and proven

This is the first cell that loads TensorFlow.""",
    """>>>
found.freeze("frozen.pb")

from graphscope.verify import compare

for file in ("frozen.pb", "keras"):
    result = compare(checkpoint, file)
    print(file, result.verdict)
    if not result.passed:
        raise SystemExit(f"{file} does not compute what the checkpoint computes")""",
)


BARE = (
    """# A checkpoint and nothing else

No `.meta`, no code: names and shapes of the variables are all there is. What can be said, and what cannot?""",
    CHECKPOINT,
    """The graph is taken away.""",
    """>>>
import shutil

Path("bare").mkdir(exist_ok=True)
for part in Path().glob(checkpoint + "*"):
    if part.suffix != ".meta":
        shutil.copy(part, "bare")
sorted(part.name for part in Path("bare").iterdir())""",
    """>>>
import graphscope

found = graphscope.analyse("bare/model.ckpt-400")
print(found)""",
    """## What it holds

Every variable has a role. Optimizer slots are told from weights by their names and shapes, and belong to a weight.""",
    """>>>
for variable in found.model.variables[:9]:
    print(f"{variable.role:18} {str(variable.shape):16} {variable.name}")""",
    """## Its layers

An outline: which layers own the weights, in the order of the file. How they are wired is not in the file.""",
    """>>>
found.layer_table()""",
    """>>>
found.layer_graph""",
    """## Source that owns the weights

Its first lines say what names and shapes leave open. A known architecture (MobileNet, ResNet, BERT ...) leaves nothing open: there
the source computes what the original computes.""",
    """>>>
found.write_keras("outline")
print(Path("outline/model.py").read_text())""",
)
WHY = (
    """# Why?

Why is this an output, and why is that no layer? Every answer of graphscope has its reasons; here is how to ask for them.""",
    CHECKPOINT,
    """## Why is this the output?

Each piece of evidence counts points; the sum became the score by what was right on models whose outputs are known.""",
    """>>>
import graphscope

found = graphscope.analyse(checkpoint)
print(found.candidates.explain("probabilities:0"))""",
    """>>>
print(found.candidates.explain("fc2/logits:0"))""",
    """>>>
found.layer_graph""",
    """>>>
found.layer_table().head(4)""",
    """## Why is this no layer?

Here is a layer normalisation by somebody who added epsilon after the root, not before. (This is graphscope's text form of a graph: any
picture of a model can be written as `.txt`, edited and read back.)""",
    """>>>
graph = '''# graphscope graph 1
x: f32[?,8] = Placeholder(dtype=float32, shape=[?,8])
axis: i32[1] = Const(dtype=int32, value=i32[1]{-1})
gamma: f32[8] = Const(dtype=float32, value=f32[8]{1.0,2.0,3.0,4.0,5.0,6.0,7.0,8.0})
beta: f32[8] = Const(dtype=float32, value=f32[8]{0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.25})
epsilon: f32[] = Const(dtype=float32, value=f32[]{0.001})
mean = Mean(x, axis, T=float32, keep_dims=true)
away = Sub(x, mean, T=float32)
square = Square(away, T=float32)
variance = Mean(square, axis, T=float32, keep_dims=true)
root = Sqrt(variance, T=float32)
safe = AddV2(root, epsilon, T=float32)
normal = RealDiv(away, safe, T=float32)
scaled = Mul(normal, gamma, T=float32)
out = AddV2(scaled, beta, T=float32)
'''
Path("near.txt").write_text(graph)
near = graphscope.analyse("near.txt")
[layer.op for layer in near.layers]""",
    """No LayerNormalization. Why not? Each line is one way in which the formula failed, with the place:""",
    """>>>
print(near.explain("LayerNormalization", "out"))""",
    """The last line is it: inside the formula, where the reciprocal root stands, there is the addition `safe`. With epsilon inside the
root it matches, and says what it bound:""",
    """>>>
right = graph.replace("root = Sqrt(variance, T=float32)", "inside = AddV2(variance, epsilon, T=float32)")
right = right.replace("safe = AddV2(root, epsilon, T=float32)", "safe = Sqrt(inside, T=float32)")
Path("right.txt").write_text(right)
print(graphscope.analyse("right.txt").explain("LayerNormalization", "out"))""",
)
WEB = (
    """# A SavedModel to the web

From a folder that somebody exported to a page that runs it in a browser.""",
    CHECKPOINT,
    """First a SavedModel, as TensorFlow Serving takes it. With one of your own, skip this cell.""",
    """>>>
import graphscope

graphscope.analyse(checkpoint).export("saved", "savedmodel", verify=False)
sorted(part.name for part in Path("saved").iterdir())""",
    """## What is in it?""",
    """>>>
found = graphscope.analyse("saved")
print(found)""",
    """>>>
found.layer_table()""",
    """>>>
found.layer_graph""",
    """## To TensorFlow.js

`page=True` writes a web page beside the model; `quantize="uint8"` stores a weight in one byte. (`verify=True`, the default, runs both
and compares them, where Node and TensorFlow are installed.)""",
    """>>>
report = found.export("web", "tfjs", verify=False, page=True, quantize="uint8")
for name, signature in report.signatures.items():
    print(name, signature["inputs"], signature["outputs"])
for change in report.changed:
    print("-", change)
sorted(part.name for part in Path("web").iterdir())""",
    """A browser loads the page from a server: `python3 -m http.server --directory web`, then open http://localhost:8000.""",
)
NOTEBOOKS = {
    "quickstart": QUICKSTART,
    "bare_checkpoint": BARE,
    "why": WHY,
    "to_the_web": WEB,
}


def make(cells: tuple[str, ...]) -> nbformat.NotebookNode:
    """A notebook; cell ids are counted so that the file is the same every time."""
    notebook = nbformat.v4.new_notebook()
    for index, text in enumerate(cells):
        if text.startswith(">>>\n"):
            cell = nbformat.v4.new_code_cell(text[4:])
        else:
            cell = nbformat.v4.new_markdown_cell(text)
        cell["id"] = f"cell-{index}"
        notebook.cells.append(cell)
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    return notebook


def run(notebook: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    """The notebook with its outputs, run in a folder; when a cell ran is not kept, so that the file is the same every time."""
    place = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=300, resources=place).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if "outputs" in cell:
            cell["outputs"] = [o for o in cell["outputs"] if o.get("name") != "stderr"]
            for output in cell["outputs"]:  # an address in memory is another each time
                if plain := output.get("data", {}).get("text/plain"):
                    output["data"]["text/plain"] = re.sub(r" at 0x\w+", "", plain)
    return notebook


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="graphscope-") as folder:
        for name, cells in NOTEBOOKS.items():
            place = Path(folder, "demo")
            place.mkdir(exist_ok=True)
            nbformat.write(run(make(cells), place), FOLDER / f"{name}.ipynb")
