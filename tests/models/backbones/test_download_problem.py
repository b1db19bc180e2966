"""A failed download in a few words, which blame the network only where the error does."""

from __future__ import annotations

import pytest

from tuner.models.backbones.download_problem import download_problem

URL = "URL fetch failure on https://storage.example/b2_notop.h5: "


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (f"{URL}None -- [Errno -2] Name or service not known", "no network"),
        (f"{URL}None -- [Errno -3] Temporary failure in name resolution", "no network"),
        (f"{URL}None -- [Errno 101] Network is unreachable", "no network"),
        (f"{URL}None -- [Errno 11001] getaddrinfo failed", "no network"),
        (f"{URL}404 -- Not Found", "404 -- Not Found"),
        (f"{URL}None -- [Errno 111] Connection refused", "[Errno 111] Connection refused"),
        ("[Errno 13] Permission denied: 'x'\nmore", "[Errno 13] Permission denied: 'x'"),
        ("x" * 200, "x" * 79 + "…"),
    ],
)
def test_only_an_error_of_the_network_is_called_that(said: str, words: str) -> None:
    assert download_problem(Exception(said)) == words
