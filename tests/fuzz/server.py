"""A server that lies: about sizes and ranges, in its redirects, slowly, without end."""

from __future__ import annotations

import http.server
import random
import threading
from typing import Any

LIES = "short long endless slow whole wrong_range huge negative text redirect_file redirect_loop close status".split()


class Liar(http.server.BaseHTTPRequestHandler):
    """Serves ``body`` from any path ``/LIE/name``, with that lie."""

    body = b""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Silence."""

    def do_HEAD(self) -> None:
        self.answer(False)

    def do_GET(self) -> None:
        self.answer(True)

    def answer(self, is_body: bool) -> None:
        lie = self.path.split("/")[1]
        start, stop = self._range()
        part = self.body[start:stop]
        if lie == "redirect_file" or lie == "redirect_loop":
            self.send_response(302)
            target = "file:///etc/passwd" if lie == "redirect_file" else self.path
            self.send_header("Location", target)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if lie == "close":
            self.close_connection = True
            return
        is_part = "Range" in self.headers and lie != "whole"
        self.send_response(599 if lie == "status" else 206 if is_part else 200)
        length = {"huge": 1 << 50, "negative": -5, "text": "abc"}.get(lie, len(part))
        if lie == "short":
            length = len(part) + 100
        self.send_header("Content-Length", str(length))
        self.send_header("Accept-Ranges", "bytes")
        if is_part:
            where = start + 7 if lie == "wrong_range" else start
            self.send_header(
                "Content-Range", f"bytes {where}-{stop - 1}/{len(self.body)}"
            )
        self.end_headers()
        self.close_connection = True
        if is_body:
            self.send(lie, part)

    def send(self, lie: str, part: bytes) -> None:
        try:
            if lie == "endless":
                for _ in range(1 << 14):
                    self.wfile.write(b"\0" * (1 << 16))
            elif lie == "slow":
                for place in range(len(part)):
                    self.wfile.write(part[place : place + 1])
                    threading.Event().wait(0.2)
            else:
                self.wfile.write(part + b"\0" * (1 << 20) if lie == "long" else part)
        except OSError:
            pass

    def _range(self) -> tuple[int, int]:
        told = self.headers.get("Range", "")
        first, _, last = told.removeprefix("bytes=").partition("-")
        if not first.isdecimal():
            return 0, len(self.body)
        return int(first), int(last) + 1 if last.isdecimal() else len(self.body)


def serve(body: bytes) -> tuple[http.server.ThreadingHTTPServer, str]:
    """A server of one body, and where it is."""
    handler = type("Handler", (Liar,), {"body": body})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}"


def url(draw: random.Random, base: str, name: str) -> str:
    """A URL of one lie."""
    return f"{base}/{draw.choice(LIES)}/{name}"
