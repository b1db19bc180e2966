"""A run in plain lines."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from tests.cli.run_views.events import epoch, heard, started, trial
from tuner.cli.run_views.plain_lines import PlainLines, describe
from tuner.cli.run_views.progress import Progress
from tuner.cli.terminal import output
from tuner.cli.terminal.signals import STOPPING
from tuner.execution.stop import StopRequest
from tuner.records.events import (
    ModelTrained,
    Notice,
    SearchResumed,
    StageAdvanced,
    StageStarted,
    TrialEnded,
    TrialStarted,
)


def test_a_promotion_names_the_trial_that_it_continues() -> None:
    promoted = replace(trial(8, 0.94), parent_id="0004", first_epoch=2)
    line = describe(TrialEnded(trial=promoted, is_best=False), heard(started()))
    assert line.startswith("  trial 0008, continues 0004 (0 of 7): 94.00 % (epochs 2-4, ")


def test_events_as_lines() -> None:
    progress = heard(started(), TrialEnded(trial=trial(0, 0.5), is_best=True))
    lines = [
        describe(event, progress)
        for event in (
            started(),
            StageStarted(title="Searching"),
            Notice(text="odd"),
            ModelTrained(title="Tuned", seed=1, text="4 epochs"),
            TrialEnded(trial=trial(0, 0.5), is_best=True),
            TrialEnded(trial=trial(1, error="no memory"), is_best=False),
            TrialEnded(trial=trial(2, 0.25, is_stopped=True), is_best=False),
            SearchResumed(trials=(trial(0, 0.5),)),
            epoch(1),
        )
    ]
    assert lines == [
        (
            "Photos, 1,200 training, 150 validation, 150 test images\n"
            "7 trials, 20 epochs planned; objective val_accuracy\nlog reports/x/1/run.log"
        ),
        "Searching ...",
        "  note: odd",
        "  Tuned, seed 1: 4 epochs",
        (
            "  trial 0000 (1 of 7): 50.00 % (epochs 1-4, 1.2 s), best so far, remaining time not"
            " known yet"
        ),
        "  trial 0001 (1 of 7): failed: no memory, remaining time not known yet",
        (
            "  trial 0002 (1 of 7): 25.00 % (epochs 1-2, 1.2 s), stopped by the time budget,"
            " remaining time not known yet"
        ),
        "  1 of 7 trials ended earlier; best 50.00 %",
        "",
    ]


def test_size_that_is_not_known_exactly_is_about_right() -> None:
    event = replace(started(), is_exact=False)
    line = describe(event, heard(event)).splitlines()[1]
    assert line.startswith("about 7 trials, 20 epochs planned; ")


def test_plain_lines_give_a_sign_of_life_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = io.StringIO()
    monkeypatch.setattr(output, "ERRORS", errors)
    clock = {"now": 0.0}
    monkeypatch.setattr("tuner.cli.run_views.plain_lines.time.monotonic", lambda: clock["now"])
    lines = PlainLines(StopRequest(), Progress())
    for now in (30.0, 61.0, 100.0, 122.0, 400.0, 700.0):
        clock["now"] = now
        if now == 100.0:
            lines(TrialStarted(trial=trial(0)))
            lines(TrialStarted(trial=trial(1)))
            lines(epoch(3))
        lines.give_sign_of_life()
    assert errors.getvalue().splitlines() == [
        "  running: starting, 61 s",
        "  running: trial 0000 (epoch 3 of 4), trial 0001 (starting, 22 s)",
        # Nothing has changed at 400 s.
        "  running: trial 0000 (epoch 3 of 4), trial 0001 (starting, 10 min)",
    ]


def test_a_stage_with_parts_says_how_many_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = io.StringIO()
    monkeypatch.setattr(output, "ERRORS", errors)
    clock = {"now": 0.0}
    monkeypatch.setattr("tuner.cli.run_views.plain_lines.time.monotonic", lambda: clock["now"])
    lines = PlainLines(StopRequest(), Progress())
    lines(StageStarted(title="Measuring models"))
    for now, n_done in ((61.0, 6), (130.0, 6), (480.0, 7)):
        clock["now"] = now
        lines(StageAdvanced(n_done=n_done, n=11))
        lines.give_sign_of_life()
    assert errors.getvalue().splitlines() == [
        "Measuring models ...",
        "  running: Measuring models: 6 of 11, 61 s",
        "  running: Measuring models: 7 of 11, 8 min",
    ]


def test_plain_lines_tell_once_that_the_run_is_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = io.StringIO()
    monkeypatch.setattr(output, "ERRORS", errors)
    request = StopRequest()
    lines = PlainLines(request, Progress())
    lines.give_sign_of_life()
    assert errors.getvalue() == ""
    request.reason = "interrupted"
    lines.give_sign_of_life()
    lines.give_sign_of_life()
    assert errors.getvalue() == f"{STOPPING}\n"
