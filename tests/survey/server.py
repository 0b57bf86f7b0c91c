"""A web server on this machine that lists folders and serves byte ranges, and counts what it sends."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Ranges(SimpleHTTPRequestHandler):
    """Files by ranges, with an etag; folders as pages."""

    sent: list[int] = []

    def do_GET(self) -> None:  # noqa: N802
        path, asked = Path(self.translate_path(self.path)), self.headers.get("Range")
        if not path.is_file():
            super().do_GET()
            return
        data = path.read_bytes()
        first, last = re.match(r"bytes=(\d+)-(\d+)", asked or "bytes=0-999999999999").groups()  # type: ignore[union-attr]
        part = data[int(first) : int(last) + 1]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(part)))
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.end_headers()
        self.sent.append(len(part))
        self.wfile.write(part)

    def end_headers(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.is_file():
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("ETag", f'"{path.stat().st_mtime_ns}"')
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, list[int]]]:
    """The URL of a folder, and the bytes of each answer."""
    Ranges.sent = []
    handler = partial(Ranges, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", Ranges.sent
        server.shutdown()
