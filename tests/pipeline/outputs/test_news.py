"""The page of a search that goes on."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from tuner.pipeline.outputs.news import News
from tuner.records.events import Notice, TrialEnded
from tuner.records.trial import Trial


def trial(number: int, score: float | None = 0.5) -> Trial:
    return Trial(
        trial_id=f"{number:04d}",
        values={},
        bracket=0,
        rung=0,
        parent_id=None,
        first_epoch=1,
        last_epoch=1,
        score=score,
        error=None if score is not None else "boom",
    )


class Clock:
    """Time as the test has it; a page takes three seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 0.0
        self.pages: list[list[str]] = []
        monkeypatch.setattr(time, "monotonic", lambda: self.now_s)

    def publish(self, trials: Sequence[Trial]) -> None:
        self.pages.append([one.trial_id for one in trials])
        self.now_s += 3.0


def ends(news: News, one: Trial) -> None:
    news.hear(TrialEnded(trial=one, is_best=False))


def test_a_page_comes_after_a_minute_and_then_as_rarely_as_it_is_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)
    news = News([trial(0)], clock.publish)
    for number, at in enumerate([59.0, 61.0, 150.0, 213.9, 214.1], start=1):
        clock.now_s = at
        news.hear(Notice(text="nothing to show"))
        ends(news, trial(number))
    # Three seconds of a page are two per cent of 150.
    assert [len(page) for page in clock.pages] == [3, 6]
    assert clock.pages[0] == ["0000", "0001", "0002"]


def test_without_a_score_there_is_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    news = News([], clock.publish)
    clock.now_s = 100.0
    ends(news, trial(0, score=None))
    assert clock.pages == []


def test_a_page_that_cannot_be_written_stops_no_search(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock(monkeypatch)

    def fail(trials: Sequence[Trial]) -> None:
        raise OSError("no space left on device")

    news = News([], fail)
    clock.now_s = 100.0
    ends(news, trial(0))
    assert "the page of the search under way could not be written" in caplog.text
