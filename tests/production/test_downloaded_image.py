"""Images from web addresses; the server is in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tuner.data.decoding.decode import UnreadableImageError
from tuner.production import downloaded_image
from tuner.production.downloaded_image import downloaded


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        moved = {"/moved": "/image", "/local": "file:///etc/hostname"}.get(self.path)
        self.send_response(302 if moved else 200 if self.path == "/image" else 404)
        if moved:
            self.send_header("Location", moved)
        self.end_headers()
        if self.path == "/image":
            self.wfile.write(b"content")

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["/image", "/moved"])
def test_content_is_a_file_as_long_as_it_is_needed(address: str, path: str) -> None:
    with downloaded(address + path) as file:
        assert file.read_bytes() == b"content"
    assert not file.exists()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/gone", "the server answers 404 Not Found"),
        ("/local", "the server answers 302"),
    ],
)
def test_address_without_an_image(address: str, path: str, reason: str) -> None:
    with pytest.raises(UnreadableImageError, match=reason), downloaded(address + path):
        pass


def test_endless_content_is_cut_off(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloaded_image, "_MOST_BYTES", 3)
    with (
        pytest.raises(UnreadableImageError, match="more than 0 MB"),
        downloaded(f"{address}/image"),
    ):
        pass


@pytest.mark.parametrize("name", ["http://127.0.0.1:1/a.png", "http://[odd/a.png"])
def test_server_that_is_not_there(name: str) -> None:
    with pytest.raises(UnreadableImageError, match="cannot be downloaded: "), downloaded(name):
        pass
