"""A web server in this process: `from tests.local_server import address`."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

CONTENT = b"content"
# Ends what a slow answer waits for.
GO_ON = threading.Event()


def a_picture() -> bytes:
    """A PNG."""
    file = io.BytesIO()
    Image.new("L", (8, 8), 200).save(file, format="PNG")
    return file.getvalue()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        moved = {"/moved": "/image", "/local": "file:///etc/hostname"}.get(self.path)
        content = {"/a.png": a_picture()}.get(self.path, CONTENT)
        is_there = self.path in ("/image", "/a.png", "/slow", "/short")
        self.send_response(302 if moved else 200 if is_there else 404)
        if moved:
            self.send_header("Location", moved)
        if self.path == "/short":
            self.send_header("Content-Length", str(len(content) + 1))
        self.end_headers()
        if not is_there:
            return
        self.wfile.write(content)
        if self.path == "/slow":
            GO_ON.wait()
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The server's."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    GO_ON.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        GO_ON.set()
        server.shutdown()
        thread.join()
