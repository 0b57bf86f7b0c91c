"""URLs: an HTTP server with range requests, and memory://; only the bytes needed are read."""

from __future__ import annotations

import http.server
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from graphscope.errors import FormatError
from graphscope.read import load
from graphscope.wire import messages as proto
from graphscope.wire import remote
from tests.fuzz import server as liar
from tests.fuzz.server import LIES
from tests.read.checkpoint.test_bundle import save


class Ranges(http.server.SimpleHTTPRequestHandler):
    """Serves byte ranges and counts what it sent."""

    ranges = True

    def send_head(self):
        path = self.translate_path(self.path)
        if not os.path.isfile(path):
            return self.send_error(404)
        data = Path(path).read_bytes()
        wanted = self.headers.get("Range") if self.ranges else None
        self.send_response(206 if wanted else 200)
        if wanted:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            data = data[int(first) : int(last) + 1]
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Accept-Ranges", "bytes" if self.ranges else "none")
        self.end_headers()
        if self.command == "GET":
            self.server.sent[os.path.basename(path)] = self.server.sent.get(
                os.path.basename(path), 0
            ) + len(data)
            self.wfile.write(data)
        return None

    def do_GET(self):
        self.send_head()

    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def serve(tmp_path: Path):
    """Starts a server over tmp_path; gives its URL and the bytes sent by file name."""
    started = []

    def start(ranges: bool = True):
        handler = type("Handler", (Ranges,), {"ranges": ranges})

        def bound(*args):
            return handler(*args, directory=str(tmp_path))

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), bound)
        server.sent = {}
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started.append(server)
        return f"http://127.0.0.1:{server.server_port}", server.sent

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


def two_weights(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    import tensorflow as tf

    small = np.arange(50, dtype=np.float32)
    large = np.random.default_rng(0).standard_normal((500, 1000)).astype(np.float32)
    save(folder / "m", {"small": tf.constant(small), "large": tf.constant(large)})
    return small, large


def test_http_reads_the_index_and_the_tensors_asked_for(tmp_path, serve) -> None:
    small, large = two_weights(tmp_path)
    url, sent = serve()
    model = load(f"{url}/m")
    assert {v.name: v.shape for v in model.variables} == {
        "small": (50,),
        "large": (500, 1000),
    }
    assert set(sent) == {"m.index"}
    assert sent["m.index"] <= 4 * (tmp_path / "m.index").stat().st_size
    assert np.array_equal(model.weights["small"], small)
    assert sent["m.data-00000-of-00001"] == small.nbytes
    assert np.array_equal(model.weights["large"], large)
    assert sent["m.data-00000-of-00001"] == small.nbytes + large.nbytes
    assert model.weights.extents("small") is None


def test_http_frozen_graph_without_its_weights(tmp_path, serve) -> None:
    from graphscope.wire import messages as proto

    graph = proto.GraphDef()
    values = np.random.default_rng(0).standard_normal(1_000_000).astype(np.float32)
    for number in range(3):
        tensor = graph.node.add(name=f"w{number}", op="Const").attr["value"].tensor
        tensor.dtype, tensor.tensor_content = 1, values.tobytes()
        tensor.tensor_shape.dim.add(size=values.size)
    (tmp_path / "g.pb").write_bytes(graph.SerializeToString())
    url, sent = serve()
    model = load(f"{url}/g.pb")
    assert list(model.graph) == ["w0", "w1", "w2"]
    assert sent["g.pb"] < 1 << 20
    assert np.array_equal(model.graph.attrs("w1")["value"], values)
    assert sent["g.pb"] < 5 << 20


def test_http_without_ranges_is_read_whole(tmp_path, serve) -> None:
    small, _ = two_weights(tmp_path)
    url, _ = serve(ranges=False)
    assert np.array_equal(load(f"{url}/m.index").weights["small"], small)


def test_http_saved_model_and_checkpoint_folders(tmp_path, serve, corpus) -> None:
    import shutil

    source = corpus / "tensorflow+tfjs/tfjs-node/test_objects/saved_model"
    shutil.copytree(source / "module_with_multiple_signatures", tmp_path / "s")
    url, _ = serve()
    model = load(f"{url}/s")
    assert model.format == "SavedModel v2" and len(model.weights) == 3
    small, _ = two_weights(tmp_path)
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "m"')
    assert np.array_equal(load(url).weights["small"], small)


def test_http_errors_are_one_line(tmp_path, serve) -> None:
    url, _ = serve()
    with pytest.raises(FormatError, match="no such file"):
        load(f"{url}/gone.pb")
    with pytest.raises(FormatError, match="cannot be reached|refused"):
        load("http://127.0.0.1:9/gone.pb")
    with pytest.raises(FormatError, match="nosuchscheme"):
        load("nosuchscheme://a/b.pb")


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_server_costs_a_line(lie: str, monkeypatch) -> None:
    monkeypatch.setattr(remote, "PATIENCE", 1)
    body = proto.GraphDef(node=[{"name": f"n{n}", "op": "NoOp"} for n in range(9000)])
    server, base = liar.serve(body.SerializeToString())
    begin = time.monotonic()
    try:
        assert len(load(f"{base}/{lie}/m.pb").graph) == 9000
    except FormatError as error:
        assert str(error).count("\n") == 0 and base in str(error)
        assert "root:" not in str(error)
    finally:
        server.shutdown()
    assert time.monotonic() - begin < 20


def test_memory_files(tmp_path) -> None:
    import fsspec

    small, large = two_weights(tmp_path)
    memory = fsspec.filesystem("memory")
    for path in tmp_path.glob("m.*"):
        memory.pipe(f"/models/x/{path.name}", path.read_bytes())
    memory.pipe("/models/x/checkpoint", b'model_checkpoint_path: "m"')
    for place in ("m", "m.index", "m.data-00000-of-00001", "checkpoint", ""):
        model = load(f"memory://models/x/{place}")
        assert np.array_equal(model.weights["large"], large), place
        assert np.array_equal(model.weights["small"], small), place
    with pytest.raises(FormatError, match="nearest: 'm.index'"):
        load("memory://models/x/m.indx")
