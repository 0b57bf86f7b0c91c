"""The guide's pictures that Graphviz draws, and its gallery, all by graphscope's own renderers.

    .venv/bin/python tools/figures.py FOLDER [CORPUS]    # a demo folder with frozen.pb; rewrites docs/pictures, with CORPUS the gallery

The gallery's models are published ones under free licences; ``tests/test_guide.py`` looks whether what it shows is what is recovered.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from graphscope.analysis import Analysis, analyse  # noqa: E402
from graphscope.graph import Graph, Tensor  # noqa: E402
from graphscope.read import load  # noqa: E402
from graphscope.render import write  # noqa: E402
from graphscope.render.dot import to_dot  # noqa: E402
from graphscope.render.picture import to_svg  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
GALLERY = ROOT / "docs" / "gallery"


class Shown(NamedTuple):
    """One model of the gallery: file name, title, where it is published, its licence, what to look at, altitude of the picture."""

    name: str
    title: str
    source: str
    licence: str
    words: str
    level: str = "layer"

    @property
    def repository(self) -> str:
        return self.source.split("/")[0].replace("+", "/")


SHOWN = (
    Shown(
        "keyword_cnn",
        "Spoken words, convolutions",
        "ARM-software+ML-KWS-for-MCU/Pretrained_models/CNN/CNN_S.pb",
        "Apache-2.0",
        "A frozen TensorFlow 1 graph. The sound is decoded in the graph itself: those operations belong to no layer of Keras, are drawn "
        "dashed, and become small layers in the source.",
    ),
    Shown(
        "keyword_crnn",
        "Spoken words, recurrent",
        "ARM-software+ML-KWS-for-MCU/Pretrained_models/CRNN/CRNN_S.pb",
        "Apache-2.0",
        "Two GRU cells in one while loop of TensorFlow 1: two layers of Keras, one below the other.",
    ),
    Shown(
        "associative_lstm",
        "An unrolled LSTM",
        "AjayTalati+AssociativeRetrieval/save/LSTM/save-56000.meta",
        "Apache-2.0",
        "A training graph without its weights. Each step of the recurrence is written out; the steps are rolled up into one LSTM.",
    ),
    Shown(
        "word_cnn",
        "Sentences, three convolutions side by side",
        "SciSharp+TensorFlow.NET/graph/word_cnn_untrained.meta",
        "Apache-2.0",
        "A training graph: loss, optimizer, gradients and summaries are told from the model by what they do.",
    ),
    Shown(
        "vgg",
        "Small pictures, VGG",
        "h2oai+deepwater/tensorflow/src/main/resources/vgg_32x32x3_10.meta",
        "Apache-2.0",
        "Each convolution is followed by ReLU twice: the first is its own activation, the second its author's.",
    ),
    Shown(
        "census",
        "Columns of a table",
        "kaiwaehner+kafka-streams-machine-learning-examples/tensorflow-image-recognition/src/main/resources/generatedModels/"
        "TensorFlow_Census",
        "Apache-2.0",
        "A SavedModel with thirteen inputs; words are hashed or looked up, then embedded.",
    ),
    Shown(
        "genome",
        "Gaps in a genome",
        "LucaCappelletti94+repairing_genomic_gaps/_history/0e4c51361f",
        "MIT",
        "A SavedModel of TensorFlow 2: the calls of functions are taken apart.",
    ),
    Shown(
        "micro_speech",
        "A microcontroller's ear",
        "tensorflow+tflite-micro/tensorflow/lite/micro/examples/micro_speech/models/micro_speech_quantized.tflite",
        "Apache-2.0",
        "An integer model of TensorFlow Lite: its operators become the real numbers that they stand for.",
    ),
    Shown(
        "basecaller",
        "A checkpoint alone",
        "MADscientist314+tensorflow_basecaller/training_10/cp.ckpt.index",
        "Apache-2.0",
        "No graph at all: the object graph inside the checkpoint says which layers there were.",
    ),
    Shown(
        "pitch",
        "Notes in music",
        "spotify+basic-pitch/basic_pitch/saved_models/icassp_2022/nmp",
        "Apache-2.0",
        "A constant-Q transform built of convolutions: the nine octaves repeat, so they are blocks in the picture and functions in the "
        "source.",
        "block",
    ),
)


def main(folder: Path, corpus: Path | None) -> None:
    """Write every figure; the gallery only where the published models are."""
    PICTURES.mkdir(exist_ok=True)
    of_tour(folder)
    of_formula(folder)
    of_passes(folder, corpus)
    if corpus and not sys.argv[3:]:
        gallery(corpus)


def of_tour(folder: Path) -> None:
    analyse(folder / "model.ckpt-400").render(PICTURES / "tour_layers.svg")


def of_formula(folder: Path) -> None:
    """A convolution with batch normalisation written as arithmetic: as operations, as tiles, as layers."""
    part = Analysis(load(folder / "frozen.pb"), outputs=("conv1/pool",))
    drawing = replace(part.drawing("op"), title="")
    write(drawing, PICTURES / "formula_ops.svg")
    write(replace(part.drawing("layer"), title=""), PICTURES / "formula_layers.svg")
    tile_of = {
        member: f"{layer.op}/{member.rpartition('/')[2]}"
        for layer in part.layers
        for member in layer.members
    }
    tiled = renamed(drawing.graph, tile_of)
    write(replace(drawing, graph=tiled, outputs=(), specs={}), PICTURES / "tiling.svg")


def renamed(graph: Graph, names: Mapping[str, str]) -> Graph:
    """The graph with other names for some of its nodes."""
    copy = Graph()
    for name in graph:
        inputs = [Tensor(names.get(t.node, t.node), t.port) for t in graph.inputs(name)]
        copy.add(names.get(name, name), graph.node(name), inputs)
    return copy


def of_passes(folder: Path, corpus: Path | None) -> None:
    """The parts of a training file by role; a loop as it lies in the file, lifted, and recovered."""
    whole = analyse(folder / "model.ckpt-400")
    drawing = whole.drawing("op")
    dot = to_dot(
        whole.flat.graph, outputs=drawing.outputs, roles=whole.roles, budget=14
    )
    (PICTURES / "passes_roles.svg").write_text(to_svg(dot))
    if corpus:
        speech = analyse(corpus / SHOWN[1].source)
        lifted = speech.state_after("lift_loops").graph
        for graph, name in (
            (speech.flat.graph, "file"),
            (lifted, "lifted"),
            (speech.layer_graph, "layers"),
        ):
            near = neighbourhood(graph, "rnn")
            (PICTURES / f"passes_loop_{name}.svg").write_text(
                to_svg(to_dot(near, speech.specs, budget=60))
            )


def neighbourhood(graph: Graph, scope: str) -> Graph:
    """The nodes of one scope, and what they read."""
    names = {name for name in graph if name.split("/")[0].startswith(scope)}
    names |= {tensor.node for name in names for tensor in graph.inputs(name)}
    part = Graph()
    for name in graph:
        if name in names:
            part.add(
                name,
                graph.node(name),
                [t for t in graph.inputs(name) if t.node in names],
            )
    return part


def gallery(corpus: Path) -> None:
    """A page of its own for the list, and beside it a picture and a source for each model."""
    GALLERY.mkdir(exist_ok=True)
    lines = [
        "Gallery",
        "=======",
        "",
        "Ten published models, each as its picture and as the Keras source that was recovered from it. Nothing was known of them but",
        "their files. (``tools/figures.py`` writes this page; weights are not shown.)",
        "",
        ".. contents::",
        "   :local:",
        "",
    ]
    for shown in SHOWN:
        analysis = analyse(corpus / shown.source)
        write(
            replace(analysis.drawing(shown.level), title=""),
            GALLERY / f"{shown.name}.svg",
        )
        (GALLERY / f"{shown.name}.py.txt").write_text(source_of(analysis))
        lines += entry(shown, analysis)
    (ROOT / "docs" / "gallery.rst").write_text("\n".join(lines))


def source_of(analysis: Analysis) -> str:
    """The recovered ``model.py``."""
    with tempfile.TemporaryDirectory() as folder:
        analysis.write_keras(folder, incomplete=True)
        return Path(folder, "model.py").read_text()


def entry(shown: Shown, analysis: Analysis) -> list[str]:
    file = shown.source.partition("/")[2]
    count = len(analysis.layers)
    return [
        shown.title,
        "-" * len(shown.title),
        "",
        f"``{file}`` of `{shown.repository} <https://github.com/{shown.repository}>`_ ({shown.licence}): {analysis.model.format}, "
        f"{count} layers. {shown.words}",
        "",
        f".. image:: gallery/{shown.name}.svg",
        f"   :alt: {shown.title}: the recovered layers",
        "",
        f".. literalinclude:: gallery/{shown.name}.py.txt",
        "   :language: python",
        "",
    ]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else None)
