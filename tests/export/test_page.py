"""The page beside a TensorFlow.js model: it answers in a real browser, and no name in a model file can run script in it."""

from __future__ import annotations

import json
import re
import subprocess
import zlib
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from graphscope.analysis import analyse

from .models import freeze_to, save_checkpoint, values
from .runtimes import HERE, MODULES, _packages, needs_chromium

v1 = tf.compat.v1
__all__ = ["_packages"]


def visit(
    folder: Path, backend: str = "wasm", numbers: str = "", picture: str = ""
) -> dict:
    line = [
        "node",
        str(HERE / "page.cjs"),
        str(folder),
        str(MODULES),
        backend,
        numbers,
        picture,
    ]
    done = subprocess.run(line, capture_output=True, text=True, timeout=180)
    return json.loads(done.stdout)


def png(path: Path, pixels: np.ndarray) -> str:
    """A PNG of 8-bit RGB."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels.astype(np.uint8))
    sizes = (
        width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    )
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in (
        (b"IHDR", sizes),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ):
        data += len(body).to_bytes(4, "big") + kind + body
        data += zlib.crc32(kind + body).to_bytes(4, "big")
    path.write_bytes(data)
    return str(path)


@needs_chromium
def test_a_page_of_numbers_gives_what_tensorflow_gives(tmp_path):
    kernel = values(6, 4)

    def build():
        x = v1.placeholder(tf.float32, [None, 6], name="measures")
        tf.nn.softmax(x @ kernel, name="classes")

    path = freeze_to(tmp_path / "net.pb", build)
    report = analyse(path).export(tmp_path / "m", "tfjs", page=True, verify=False)
    assert any("http.server" in remark for remark in report.remarks)
    given = values(1, 6, seed=3)
    seen = visit(tmp_path / "m", numbers=", ".join(map(repr, given.ravel().tolist())))
    assert seen["state"] == ["Ready, on wasm."] and not seen["errors"], seen
    assert re.fullmatch(r"[0-9.]+ ms", seen["time"][0])
    expected = tf.nn.softmax(given @ kernel).numpy().ravel()
    lines = seen["outputs"][0].split("\n")
    shown = {int(a): float(b) for a, b in zip(lines[1::2], lines[2::2])}
    assert shown == pytest.approx(dict(enumerate(expected)), rel=1e-3)


@needs_chromium
def test_a_training_checkpoint_answers_to_a_picture_in_the_browser(tmp_path):
    """The seed of the question: a checkpoint, to TensorFlow.js, a page that answers."""
    checkpoint = save_checkpoint(tmp_path)
    analyse(checkpoint).export(tmp_path / "web", "tfjs", page=True, verify=False)
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3))
    seen = visit(tmp_path / "web", "webgl", picture=png(tmp_path / "x.png", pixels))
    assert seen["state"] == ["Ready, on webgl."] and not seen["errors"], seen
    with tf.Graph().as_default() as graph, v1.Session() as session:
        saver = v1.train.import_meta_graph(f"{checkpoint}.meta")
        saver.restore(session, str(checkpoint))
        feeds = {"images:0": pixels[None] / 255.0}
        expected = session.run(graph.get_tensor_by_name("probabilities:0"), feeds)[0]
    lines = seen["outputs"][0].split("\n")
    shown = {int(a): float(b) for a, b in zip(lines[1::2], lines[2::2])}
    assert shown == pytest.approx(dict(enumerate(expected)), rel=5e-3)


@needs_chromium
def test_a_microphone_and_texts_are_inputs_too(tmp_path):
    """Chromium's own fake microphone beeps once a second, so a second of it is loud somewhere and silent elsewhere."""

    def hear():
        x = v1.placeholder(tf.float32, [None, 16000], name="wave")
        parts = tf.reshape(x, [-1, 10, 1600])
        tf.sqrt(tf.reduce_mean(parts * parts, 2), name="loudness")

    path = freeze_to(tmp_path / "hear.pb", hear)
    analyse(path).export(tmp_path / "hear", "tfjs", page=True, verify=False)
    seen = visit(tmp_path / "hear")
    assert seen["state"] == ["Ready, on wasm."] and not seen["errors"], seen
    shown = [float(each) for each in seen["outputs"][0].split("\n")[2::2]]
    assert 0.02 < shown[0] < 1 and len(shown) == 5

    def spell():
        words = v1.placeholder(tf.string, [None], name="words")
        filling = tf.lookup.KeyValueTensorInitializer(
            ["cat", "dog"], tf.constant([4, 5], tf.int64)
        )
        table = tf.lookup.StaticHashTable(filling, 0)
        tf.identity(tf.cast(table.lookup(words), tf.float32) / 2, name="scores")

    path = freeze_to(tmp_path / "spell.pb", spell)
    analyse(path).export(tmp_path / "spell", "tfjs", page=True, verify=False)
    seen = visit(tmp_path / "spell", numbers="emu\ncat\ndog")
    assert seen["outputs"] == ["scores (3)\n0  2  2.5"], seen


class Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)


def test_no_name_of_a_model_can_run_script(tmp_path):
    folder = tmp_path / "<img src=x onerror=alert(1)>"
    folder.mkdir()

    def build():
        x = v1.placeholder(tf.float32, [None, 3], name="x")
        tf.tanh(x, name="y")

    path = freeze_to(folder / "a<script>b.pb", build)
    analyse(path).export(tmp_path / "m", "tfjs", page=True, verify=False)
    text = (tmp_path / "m" / "index.html").read_text()
    parser = Scripts()
    parser.feed(text)
    assert "img" not in parser.tags and parser.tags.count("script") == 4
    assert "@TITLE@" not in text and "@SIGNATURE@" not in text


def test_without_packages_the_page_takes_them_from_the_network(tmp_path, monkeypatch):
    def build():
        tf.tanh(v1.placeholder(tf.float32, [None, 3], name="x"), name="y")

    monkeypatch.setenv("PATH", "")
    path = freeze_to(tmp_path / "net.pb", build)
    analyse(path).export(tmp_path / "m", "tfjs", page=True, verify=False)
    names = sorted(p.name for p in (tmp_path / "m").iterdir())
    assert names == ["group1-shard1of1.bin", "index.html", "model.json"]
    assert (
        "https://cdn.jsdelivr.net/npm/@tensorflow/tfjs@4.22.0/"
        in (tmp_path / "m" / "index.html").read_text()
    )
