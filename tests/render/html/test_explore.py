"""The page as a person uses it, in headless Chromium."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from graphscope.analysis import analyse
from graphscope.graph import Graph, Layer, Node, Tensor, TensorSpec
from graphscope.render import Drawing, renderer
from tests.export.models import save_checkpoint, save_module

from ..drawn import HOSTILE, hostile_graph, layer_graph
from .browser import Browser, browser, needs_chromium

pytestmark = needs_chromium
v1 = tf.compat.v1
BOXES = "document.querySelectorAll('[data-item]').length"
IN_VIEW = """[...document.querySelectorAll('.box')].filter(b => {
  const r = b.getBoundingClientRect(), m = document.getElementById('map').getBoundingClientRect();
  return r.left >= m.left - 1 && r.right <= m.right + 1 && r.top < m.bottom; }).length"""

UNFOLD = """(() => { const next = [...shown].find(([i, b]) => !b.open && i > 0 && isGroup(i));
  toggle(next[0]); document.body.offsetHeight; })()"""
MARKS = "[...document.querySelectorAll('.mark')].map(m => m.textContent)"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as told:
        yield told


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a training checkpoint, with statistics."""
    folder = tmp_path_factory.mktemp("training")
    page = folder / "report.html"
    analyse(save_checkpoint(folder)).render(page, statistics=True)
    return page


def item(chromium: Browser, name: str) -> int:
    return chromium.js(f"placeOf(view, {name!r})")


def test_at_first_sight_the_model_is_there(chromium: Browser, training: Path) -> None:
    chromium.open(training)
    shown = chromium.js(BOXES)
    assert shown >= 4 and chromium.js(IN_VIEW) == shown
    overview = chromium.ask(text="#side")[0]
    for words in ("images", "probabilities", "Conv2D", "parameters", "gradient"):
        assert words in overview
    assert {"input", "output"} <= {mark.split()[0] for mark in chromium.js(MARKS)}
    chromium.assert_quiet()


def test_a_click_tells_and_a_question_lights(chromium: Browser, training: Path) -> None:
    chromium.open(training)
    conv = item(chromium, "conv/kernel")
    chromium.ask(click=f"#item{conv}")
    told = chromium.ask(text="#side")[0]
    for words in (
        "Conv2D",
        "? × 4 × 4 × 16",
        "3 × 3 × 3 × 16",
        "padding",
        "MEMBERS",
        "std",
    ):
        assert words in told, words
    assert chromium.ask(count="#side .hist rect") > 4
    chromium.ask(click="[data-ask=down]")
    lit = chromium.js("[...document.querySelectorAll('.box.on')].length")
    assert 1 < lit < chromium.js(BOXES)
    chromium.ask(key="u")
    assert chromium.js(f"lit[{item(chromium, 'images')}]") == 1
    chromium.ask(key="Escape")
    assert chromium.js("selected") == -1
    chromium.assert_quiet()


def test_the_path_between_two_nodes(chromium: Browser, training: Path) -> None:
    chromium.open(training)
    chromium.js("revealName('conv/kernel')")
    chromium.ask(key="p")
    chromium.ask(click=f"#item{item(chromium, 'dense/kernel')}")
    assert 2 <= chromium.ask(count=".box.on") < chromium.js(BOXES)
    assert chromium.js(f"lit[{item(chromium, 'images')}]") == 0
    assert "the way between" in chromium.ask(text="#status")[0]


def test_altitudes_fold_and_unfold(chromium: Browser, training: Path) -> None:
    chromium.open(training)
    conv = item(chromium, "conv/kernel")
    before = chromium.js(BOXES)
    chromium.ask(double=f"#item{conv}")
    assert chromium.js(BOXES) > before
    assert chromium.js(f"document.getElementById('item{conv}').ariaExpanded") == "true"
    assert chromium.js("timings.toggle") < 60
    chromium.ask(click=f"#item{conv} .card", at={"x": 9, "y": 9})
    chromium.ask(click="[data-fold]")
    assert chromium.js(BOXES) == before
    chromium.ask(key=str(chromium.js("doc.views.length")))
    assert chromium.js("view.level") == "op"
    assert "gradient: only in training" in chromium.js(
        "document.getElementById('world').textContent"
    )
    few = chromium.js(BOXES)
    chromium.ask(key="e")
    assert chromium.js(BOXES) > 3 * few
    chromium.ask(key="c")
    assert chromium.js(BOXES) <= few
    chromium.assert_quiet()


def test_search_finds_nodes_variables_and_what_is_drawn_in_others(
    chromium: Browser, training: Path
) -> None:
    chromium.open(training)
    chromium.js("show(doc.views.length - 1)")
    for query in ("dense/kernel/Adam_1", "bn/mean", "Softmax", "conv/kernel/read"):
        chromium.ask(key="Escape")
        chromium.ask(key="/")
        chromium.ask(type=query)
        assert query.lower() in chromium.ask(text="#hits")[0].lower(), query
        chromium.ask(key="Enter")
        assert chromium.js("selected") > 0
        assert chromium.js("shown.has(selected)")
        chromium.js(
            "document.getElementById('query').value = ''; document.getElementById('map').focus()"
        )
    chromium.assert_quiet()


def test_the_keyboard_alone_is_enough(chromium: Browser, training: Path) -> None:
    chromium.open(training)
    for _ in range(30):
        chromium.ask(key="Tab")
        if chromium.js("document.activeElement.id") == "map":
            break
    chromium.ask(key="Home")
    first = chromium.js("selected")
    chromium.ask(key="ArrowDown")
    second = chromium.js("selected")
    assert first > 0 and second > 0 and first != second
    active = chromium.js(
        "document.getElementById('map').getAttribute('aria-activedescendant')"
    )
    assert active == f"item{second}"
    place = chromium.js("[left, above, scale]")
    chromium.ask(key="+")
    assert chromium.js("scale") > place[2]
    chromium.ask(key="f")
    assert chromium.js(IN_VIEW) == chromium.js(BOXES)


def test_screen_readers_meet_a_tree(chromium: Browser, training: Path) -> None:
    chromium.open(training)
    wrong = """[...document.querySelectorAll('[role=treeitem]')].filter(b => !b.ariaLabel || !(+b.ariaLevel > 0)
      || !(+b.ariaPosInSet > 0 && +b.ariaPosInSet <= +b.ariaSetSize)).length"""
    assert chromium.js(wrong) == 0
    assert chromium.ask(count="[role=treeitem]") == chromium.js("shown.size") - 1
    assert chromium.ask(count="[role=tree]") == 1
    assert chromium.ask(count="button:not([aria-label]):empty") == 0


def test_tables_sort_filter_and_lead_to_the_map(
    chromium: Browser, training: Path
) -> None:
    chromium.open(training)
    chromium.ask(click="[data-tab=variables]")
    rows = chromium.ask(count="#table tbody tr")
    assert rows == chromium.js("doc.variables.length") > 6
    chromium.ask(click="#table [data-sort='4']")
    chromium.ask(click="#table [data-sort='4']")
    sizes = chromium.js(
        "[...document.querySelectorAll('#table tbody tr')].map(r => +r.cells[4].textContent.replace(/,/g, ''))"
    )
    assert sizes == sorted(sizes, reverse=True) and sizes[0] == 1280
    assert chromium.ask(count="#table th[aria-sort=descending]") == 1
    chromium.ask(click="#query")
    chromium.ask(type="Adam")
    assert 0 < chromium.ask(count="#table tbody tr") < rows
    chromium.ask(click="#table tbody a")
    assert chromium.js("tab") == "map" and chromium.js("selected") > 0
    chromium.js("document.getElementById('query').value = ''")
    chromium.ask(click="[data-tab=layers]")
    assert "Conv2D" in chromium.ask(text="#table")[0]
    chromium.assert_quiet()


def test_a_finding_stands_at_its_place_and_leads_there(
    chromium: Browser, tmp_path: Path
) -> None:
    graph, specs = layer_graph()
    name = next(n for n in graph if graph.op(n) == "Conv2D")
    finding = {
        "severity": "warning",
        "node": [name],
        "message": "its third channel is dead",
        "remedy": "leave it out",
    }
    page = tmp_path / "findings.html"
    view = Drawing(graph, specs, "layer", facts={"findings": [finding]})
    page.write_text(str(renderer(".html")(view)))
    chromium.open(page)
    assert "its third channel is dead" in chromium.ask(text="#side")[0]
    other = next(n for n in graph if n != name)
    chromium.js(f"revealName({other!r})")
    assert "its third channel is dead" not in chromium.ask(text="#side")[0]
    chromium.ask(click="[data-tab=findings]")
    assert "leave it out" in chromium.ask(text="#table")[0]
    chromium.ask(click="#table tbody a")
    assert chromium.js("selected") == item(chromium, name)
    side = chromium.ask(text="#side")[0]
    assert "its third channel is dead" in side and "leave it out" in side
    chromium.assert_quiet()


def test_layers_without_wiring_stand_below_each_other_in_their_order(
    chromium: Browser, tmp_path: Path
) -> None:
    graph = Graph()
    for number, units in enumerate((512, 4, 64, 8)):
        graph.add(f"dense{number}", Layer("Dense", {"units": units}))
    page = tmp_path / "outline.html"
    view = Drawing(graph, {}, "layer", facts={"inferred": True, "nodes": 4})
    page.write_text(str(renderer(".html")(view)))
    chromium.open(page)
    tops = chromium.js(
        "[...document.querySelectorAll('.box')].map(b => b.getBoundingClientRect()).map(r => [r.left, r.top])"
    )
    assert len(tops) == 4 and len({round(left) for left, _ in tops}) == 1
    assert [top for _, top in tops] == sorted(top for _, top in tops)
    assert "nodes in the file" not in chromium.ask(text="#side")[0]


def test_pan_zoom_and_touch(chromium: Browser, training: Path) -> None:
    chromium.open(training, width=500, height=800, touch=True)
    assert chromium.js(IN_VIEW) > 2
    left = chromium.js("left")
    chromium.ask(drag=[40, 300, 60, 30])
    assert chromium.js("left") == pytest.approx(left + 60)
    scale = chromium.js("scale")
    chromium.ask(wheel=[200, 300, -200])
    assert chromium.js("scale") > scale
    chromium.ask(key="f")
    chromium.ask(tap=f"#item{item(chromium, 'conv/kernel')}")
    assert "Conv2D" in chromium.ask(text="#side")[0]
    pinch = """(() => { const m = document.getElementById('map'), at = (t, id, x, y) => m.dispatchEvent(
      new PointerEvent(t, {pointerId: id, clientX: x, clientY: y, bubbles: true}));
      const before = scale; at('pointerdown', 1, 100, 300); at('pointerdown', 2, 200, 300);
      at('pointermove', 2, 300, 300); at('pointerup', 1, 100, 300); at('pointerup', 2, 300, 300); return scale / before; })()"""
    assert chromium.js(pinch) == pytest.approx(2, rel=0.05)
    chromium.assert_quiet()


def test_dark_and_light(chromium: Browser, training: Path) -> None:
    colour = (
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    )
    chromium.open(training)
    assert min(chromium.js(colour)) > 200
    chromium.open(training, dark=True)
    assert max(chromium.js(colour)) < 60
    chromium.ask(click="[data-do=theme]")
    chromium.ask(click="[data-do=theme]")
    assert min(chromium.js(colour)) > 200
    chromium.assert_quiet()


def test_it_prints(chromium: Browser, training: Path, tmp_path: Path) -> None:
    chromium.open(training, dark=True)
    place = chromium.js("[left, above, scale]")
    during = "addEventListener('beforeprint', () => { window.seen = document.getElementById('map').getAttribute('viewBox'); })"
    chromium.js(during)
    assert chromium.ask(print=str(tmp_path / "page.pdf")) > 10_000
    sides = [float(side) for side in chromium.js("seen").split()]
    assert sides[2:] == chromium.js("[layout(0).w, layout(0).h]")
    assert chromium.js("[left, above, scale]") == place
    assert (
        chromium.js("document.getElementById('map').hasAttribute('viewBox')") is False
    )
    chromium.assert_quiet()


def test_a_link_leads_to_a_layer(chromium: Browser, training: Path) -> None:
    chromium.open(training)
    chromium.js("revealName('dense/kernel')")
    url = chromium.js("location.href")
    chromium.js("select(-1)")
    chromium.ask(open=url)
    assert chromium.js("labelOf(selected)").startswith("Dense")


def test_loops_and_calls_show_their_insides(chromium: Browser, tmp_path: Path) -> None:
    analyse(save_module(tmp_path / "m")).render(tmp_path / "m.html")
    chromium.open(tmp_path / "m.html")
    groups = """[...Array(view.n).keys()].filter(i => isGroup(i) && view.rows[i])
      .map(i => [labelOf(i), [...Array(view.end[i]).keys()].slice(i + 1).map(labelOf).join(' ')])"""
    inside = {label.split(" ")[0]: text for label, text in chromium.js(groups)}
    loops = [
        text for label, text in inside.items() if "While" in label or "Loop" in label
    ]
    assert loops and any("Tanh" in text or "tanh" in text for text in loops), inside
    chromium.assert_quiet()


@pytest.mark.parametrize("as_layers", [False, True])
def test_hostile_names_stay_text(
    chromium: Browser, tmp_path: Path, as_layers: bool
) -> None:
    finding = {
        "severity": HOSTILE[1],
        "message": HOSTILE[0],
        "remedy": HOSTILE[1],
        "node": HOSTILE[1],
    }
    facts = {
        "format": HOSTILE[0],
        "remarks": HOSTILE,
        "findings": [finding],
        "roles": {HOSTILE[1]: 3},
        "layers": {HOSTILE[1]: 2},
    }
    facts["outputs"] = [{"tensor": t, "dtype": t, "kind": t} for t in HOSTILE]
    rows = [{"name": t, "role": t, "dtype": t, "shape": [1]} for t in HOSTILE]
    level = "layer" if as_layers else "op"
    view = Drawing(
        hostile_graph(as_layers),
        {},
        level,
        HOSTILE[0],
        HOSTILE[:3],
        HOSTILE[:3],
        facts=facts,
        variables=rows,
    )
    page = tmp_path / "hostile.html"
    page.write_text(str(renderer(".html")(view)))
    chromium.open(page)
    tags = "[...new Set([...document.querySelectorAll('*')].map(e => e.localName))].sort().join(' ')"
    chromium.ask(key="e")
    for tab in ("variables", "findings", "layers", "map"):
        chromium.ask(click=f"[data-tab={tab}]")
        assert not {"img", "iframe"} & set(chromium.js(tags).split())
    for i in range(1, chromium.js("view.n")):
        chromium.js(f"reveal({i})")
    for text in HOSTILE:
        chromium.js(
            "document.getElementById('query').value = "
            + repr(text.encode("ascii", "ignore").decode())
            + "; search()"
        )
    assert not {"img", "iframe"} & set(chromium.js(tags).split())
    assert chromium.js("document.scripts.length") == 1
    chromium.assert_quiet()


def test_what_changed_is_coloured_and_told(chromium: Browser, tmp_path: Path) -> None:
    graph, specs = layer_graph()
    changes = {"conv1": (3, ["filters: 8 → 16"]), "fc": (1, ["only in the second"])}
    view = Drawing(graph, specs, "layer", changes=changes)
    (tmp_path / "diff.html").write_text(str(renderer(".html")(view)))
    chromium.open(tmp_path / "diff.html")
    assert chromium.ask(count=".change3") == 1 and chromium.ask(count=".change1") == 1
    chromium.ask(click=".change3", at={"x": 9, "y": 9})
    assert "filters: 8 → 16" in chromium.ask(text="#side")[0]
    chromium.assert_quiet()


def test_a_notebook_shows_the_same_in_a_frame(
    chromium: Browser, tmp_path: Path
) -> None:
    """Card and page; the frame has no origin, so that nothing in it reaches the notebook."""
    analysis = analyse(save_checkpoint(tmp_path))
    cell = analysis._repr_html_()
    (tmp_path / "cell.html").write_text(f"<body data-ready>{cell}</body>")
    chromium.open(tmp_path / "cell.html")
    assert chromium.ask(frame=BOXES) >= 4
    assert chromium.ask(frame="self.origin") == "null"
    assert "probabilities" in chromium.ask(text="body > div")[0]
    assert "probabilities" in repr(analysis) and "Adam" not in repr(analysis)
    layer = next(layer for layer in analysis.layers if layer.op == "Conv2D")
    assert "conv/kernel" in layer._repr_html_()
    assert (
        "conv/kernel"
        in analysis.model.variables[0]._repr_html_() + analysis.model._repr_html_()
    )


def test_a_frame_that_gets_its_size_late_shows_the_whole(
    chromium: Browser, tmp_path: Path
) -> None:
    """What nobody has moved is fitted anew; what somebody has, stays."""
    view = Drawing(long_graph(20))
    (tmp_path / "page.html").write_text(str(renderer(".html")(view)))
    chromium.open(tmp_path / "page.html")
    wide = chromium.js("scale")
    shrink = "(() => { const m = document.getElementById('map').style; m.maxWidth = m.width = '%s'; m.maxHeight = '%s'; dispatchEvent(new Event('resize')); })()"
    chromium.js(shrink % ("120px", "90px"))
    small = chromium.js("scale")
    chromium.js(shrink % ("", ""))
    assert small < wide and chromium.js("scale") == wide
    chromium.js("zoom(.5, 0, 0)")
    chromium.js(shrink % ("120px", "90px"))
    assert chromium.js("scale") == wide * 0.5


def long_graph(nodes: int) -> Graph:
    """Blocks of twelve ops with a shortcut, forty blocks a stage."""
    graph = Graph()
    graph.add("x", Node("Placeholder", {"dtype": "float32"}))
    last = entry = "x"
    kinds = ("Conv2D", "Relu", "BiasAdd", "MatMul", "Tanh", "AddV2")
    for i in range(nodes):
        if i % 12 == 0:
            entry = last
        name = f"net/stage{i // 480}/block{i // 12 % 40}/{kinds[i % 6]}_{i % 12}"
        sources = [last] if i % 2 else [last, entry]
        graph.add(name, Node(kinds[i % 6], {"T": "float32"}), map(Tensor, sources))
        last = name
    return graph


@pytest.mark.slow
@pytest.mark.parametrize(("nodes", "limit"), [(20_000, 500), (100_000, 1000)])
def test_large_graphs_open_at_once(
    chromium: Browser, tmp_path: Path, nodes: int, limit: float
) -> None:
    page = tmp_path / "large.html"
    page.write_text(str(renderer(".html")(Drawing(long_graph(nodes), level="op"))))
    chromium.open(page)
    first = chromium.ask(cpu=True)
    took = []
    for _ in range(12):
        before = chromium.ask(cpu=True)
        chromium.js(UNFOLD)
        took.append(chromium.ask(cpu=True) - before)
    assert first < limit
    assert sorted(took)[6] < 60
    chromium.assert_quiet()


@pytest.mark.slow
def test_inception_in_training_is_a_megabyte_and_half_a_second(
    chromium: Browser, tmp_path: Path
) -> None:
    """TF-slim's own graph, with its optimizer, averages and summaries: 18,000 nodes."""
    from tests.architectures.legacy import slim, tensorflow_1

    with tensorflow_1():
        train_inception(slim)
        v1.train.export_meta_graph(str(tmp_path / "inception.meta"))
    page = tmp_path / "page.html"
    analyse(tmp_path / "inception.meta").render(page)
    assert page.stat().st_size < 1_000_000
    chromium.open(page)
    assert chromium.ask(cpu=True) < 500
    assert "Mixed_7c" in chromium.js("document.getElementById('world').textContent")
    chromium.js("show(doc.views.length - 1)")
    assert "gradient: only in training" in chromium.js(
        "document.getElementById('world').textContent"
    )
    chromium.assert_quiet()


def train_inception(slim: Any) -> None:
    nets = importlib.import_module("tf_slim.nets.inception_v3")
    images = v1.placeholder(tf.float32, [None, 299, 299, 3], name="images")
    labels = v1.placeholder(tf.int64, [None], name="labels")
    with slim.arg_scope(nets.inception_v3_arg_scope()):
        logits, ends = nets.inception_v3(images, num_classes=1001, is_training=True)
    for scores in (logits, ends["AuxLogits"]):
        v1.losses.sparse_softmax_cross_entropy(labels, scores)
    step = v1.train.get_or_create_global_step()
    optimizer = v1.train.RMSPropOptimizer(0.1, 0.9, momentum=0.9)
    grads = optimizer.compute_gradients(v1.losses.get_total_loss())
    for gradient, variable in grads:
        v1.summary.histogram(f"{variable.op.name}/gradient", gradient)
    with tf.control_dependencies([optimizer.apply_gradients(grads, step)]):
        tf.train.ExponentialMovingAverage(0.999, step).apply(v1.trainable_variables())
    v1.train.Saver(v1.global_variables())


TEXT_FAULTS = """(() => { const bad = [];
  for (const box of document.querySelectorAll('.box')) {
    const card = box.querySelector('.card').getBoundingClientRect(), texts = [...box.querySelectorAll('text')].map(t => t.getBoundingClientRect());
    texts.forEach((a, i) => { if (a.left < card.left - 1 || a.right > card.right + 1) bad.push(box.textContent);
      texts.slice(0, i).forEach(b => { if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2) bad.push(box.textContent); }); });
  } return bad; })()"""


def test_no_word_leaves_its_box_or_meets_another(
    chromium: Browser, tmp_path: Path
) -> None:
    """Wide letters, long scopes, other scripts, directions that turn, classes and shapes without end."""
    names = ["W" * 300, "/".join(["scope"] * 40), "größe漢字" * 30, "\u202eturned" * 9]
    graph = Graph()
    graph.add("in", Layer("InputLayer", {}))
    specs = {}
    for number, name in enumerate(names):
        config = {"filters": 1234567, "activation": "long_" * 9, "other": "x" * 200}
        op = ("Conv2D", "CustomLayer" * 9)[number % 2]
        graph.add(name, Layer(op, config, output=Tensor(name)), [Tensor("in")])
        specs[Tensor(name)] = TensorSpec("float32", (None, *[123456789] * 7))
    graph.add("out", Layer("Concatenate", {}), [Tensor(name) for name in names])
    page = tmp_path / "names.html"
    view = Drawing(graph, specs, "layer", "T" * 300, ("in",), ("out", names[0]))
    page.write_text(renderer(".html")(view))
    chromium.open(page)
    assert chromium.js(BOXES) == chromium.js(IN_VIEW) == 6
    assert chromium.js(TEXT_FAULTS) == []


def test_what_is_empty_says_so(chromium: Browser, tmp_path: Path) -> None:
    page = tmp_path / "none.html"
    page.write_text(renderer(".html")(Drawing(Graph(), {}, "op", "none")))
    chromium.open(page)
    drawn = chromium.js("document.getElementById('map').textContent")
    assert "nothing to draw" in drawn
    assert "COLOURS" not in chromium.ask(text="#side")[0].upper()
