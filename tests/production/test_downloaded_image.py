"""Images from web addresses."""

from __future__ import annotations

import pytest

from tests.local_server import CONTENT
from tuner.data.decoding.decode import UnreadableImageError
from tuner.production import downloaded_image
from tuner.production.downloaded_image import downloaded


@pytest.mark.parametrize("path", ["/image", "/moved"])
def test_content_is_a_file_as_long_as_it_is_needed(address: str, path: str) -> None:
    with downloaded(address + path) as file:
        assert file.read_bytes() == CONTENT
    assert not file.exists()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/gone", "the server answers 404 Not Found"),
        ("/local", "the server answers 302"),
        ("/short", "cannot be downloaded: it ends after 7 of 8 bytes"),
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


def test_answer_that_comes_too_slowly_is_not_waited_for(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has sent a part, and sends no more."""
    monkeypatch.setattr(downloaded_image, "_DEADLINE_S", 0.0)
    with (
        pytest.raises(UnreadableImageError, match="cannot be downloaded: it takes more than 0 s"),
        downloaded(f"{address}/slow"),
    ):
        pass


@pytest.mark.parametrize("name", ["http://127.0.0.1:1/a.png", "http://[odd/a.png"])
def test_server_that_is_not_there(name: str) -> None:
    with pytest.raises(UnreadableImageError, match="cannot be downloaded: "), downloaded(name):
        pass
