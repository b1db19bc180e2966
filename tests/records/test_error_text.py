"""Whatever an error says, a line of it can be written anywhere and read again."""

from __future__ import annotations

import json
import os
import pickle
from typing import Any

import pytest

from tuner.errors import DataError, TunerError
from tuner.records.error_text import (
    LONGEST_LINE,
    reason_of,
    several_lines,
    short_line,
    traceback_of,
)
from tuner.records.training import EpochMetrics, Failure

HOSTILE = {
    "undecodable": "cannot read " + os.fsdecode(b"caf\xe9.png"),
    "half": "\ud800 and \udfff",
    "breaks": "a\nb\r\nc\x0bd\x0ce\x85f\u2028g\u2029h",
    "nul": "a\0b",
    "escapes": "\x1b[2J\x1b]0;title\x07\x9b31m",
    "direction": "\u202eabc\u2066",
    "huge": "x" * 5_000_000,
    "spaces": " " * 5_000_000 + "end",
    "empty": "",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_line_is_one_line_that_can_be_written_and_steers_nothing(kind: str) -> None:
    line = short_line(HOSTILE[kind])
    assert len(line) <= LONGEST_LINE
    assert line.isprintable() or "\N{REPLACEMENT CHARACTER}" in line
    assert len(line.splitlines()) <= 1
    assert not set(line) & set("\x1b\0\u202e\u2028")
    assert json.loads(json.dumps(line)) == line
    assert line.encode("utf-8").decode("utf-8") == line
    assert short_line(line) == line


def test_text_in_any_script_stays_as_it_is() -> None:
    text = "Größe 画像 \N{GRINNING FACE} – ½"
    assert short_line(text) == text
    assert several_lines(f"{text}\n\t{text}") == f"{text}\n\t{text}"


def test_very_long_traceback_keeps_begin_and_end() -> None:
    text = several_lines("begin" + "x" * 10**7 + "end")
    assert len(text) < 21_000
    assert (text[:5], text[-3:]) == ("begin", "end")
    assert "characters left out" in text


def error_with(say: Any) -> Exception:
    class OddError(Exception):
        def __str__(self) -> str:
            found: str = say() if callable(say) else say
            return found

        __repr__ = __str__

    return OddError("a", object())


def fails(error: BaseException) -> Any:
    def say() -> str:
        raise error

    return say


@pytest.mark.parametrize(
    ("say", "reason"),
    [
        (fails(RuntimeError("no words")), "OddError: <its text is unavailable: RuntimeError>"),
        (fails(SystemExit(3)), "OddError: <its text is unavailable: SystemExit>"),
        (fails(RecursionError()), "OddError: <its text is unavailable: RecursionError>"),
        (None, "OddError: <its text is unavailable: TypeError>"),
        (b"bytes", "OddError: <its text is unavailable: TypeError>"),
        ("two\nlines", "OddError: two lines"),
    ],
)
def test_error_that_cannot_say_what_it_is_has_a_reason_and_a_traceback(
    say: Any, reason: str
) -> None:
    error = error_with(say)
    assert reason_of(error) == reason
    assert "OddError" in traceback_of(error)


def test_error_of_ours_says_its_message_alone() -> None:
    assert reason_of(DataError("a.png: cannot be read", "look at it.")) == "a.png: cannot be read"
    assert reason_of(TunerError(3)).startswith("TunerError: ")  # type: ignore[arg-type]


def test_failure_is_clean_whoever_makes_it() -> None:
    failure = Failure(reason="\ud800\nb", traceback="\x1b[2J\nline")
    assert (failure.reason, failure.traceback) == (
        "\N{REPLACEMENT CHARACTER} b",
        "\N{REPLACEMENT CHARACTER}[2J\nline",
    )
    assert pickle.loads(pickle.dumps(failure)) == failure


def test_metrics_have_names_that_a_file_can_hold() -> None:
    epoch = EpochMetrics(epoch=1, metrics={"val_\ud800\n": 0.5, "loss": 1.0}, duration_s=0.0)
    assert epoch.metrics == {"val_\N{REPLACEMENT CHARACTER}": 0.5, "loss": 1.0}
