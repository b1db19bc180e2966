"""What reaches the terminal and programs is harmless and plain."""

from __future__ import annotations

import io
import json

import pytest

from tuner.cli.terminal import output
from tuner.cli.terminal.output import is_all_on_terminal, plain, print_json


@pytest.mark.parametrize(
    "letter", ["\x1b", "\x07", "\r", "\x9b", "\x7f", "\u202e", "\u2066", "\u2028", "\udcff"]
)
def test_what_steers_a_terminal_is_replaced(letter: str) -> None:
    assert plain(f"a{letter}b") == "a\N{REPLACEMENT CHARACTER}b"


def test_ordinary_text_stays_as_it_is() -> None:
    assert plain("naïve 漢字 😀 <b>\n\tx") == "naïve 漢字 😀 <b>\n\tx"


def test_json_lines_are_valid_and_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    results = io.StringIO()
    monkeypatch.setattr(output, "RESULTS", results)
    print_json(
        {
            "name": "\x9b31m \udcff 漢",
            "scores": [float("nan"), float("inf"), 0.5],
            "at": {"x": float("-inf")},
        }
    )
    line = results.getvalue()
    assert line.isascii()
    assert json.loads(line) == {
        "name": "\x9b31m \udcff 漢",
        "scores": [None, None, 0.5],
        "at": {"x": None},
    }


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("results", "errors", "is_all"),
    [
        (Terminal(), Terminal(), True),
        (io.StringIO(), Terminal(), False),
        (Terminal(), io.StringIO(), False),
        (None, Terminal(), False),
    ],
)
def test_a_summary_replaces_the_result_only_where_people_see_both(
    monkeypatch: pytest.MonkeyPatch,
    results: io.StringIO | None,
    errors: io.StringIO,
    *,
    is_all: bool,
) -> None:
    monkeypatch.setattr(output, "RESULTS", results)
    monkeypatch.setattr(output, "ERRORS", errors)
    assert is_all_on_terminal() is is_all
