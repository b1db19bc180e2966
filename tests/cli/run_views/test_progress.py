"""Counting of events, and the time that is left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.cli.run_views.events import epoch, heard, started, trial
from tuner.cli.run_views.plain_lines import describe
from tuner.cli.run_views.progress import Progress, short_range, short_time
from tuner.records.events import (
    ModelStarted,
    ModelTrained,
    SearchResumed,
    SearchSized,
    StageStarted,
    TrialEnded,
    TrialStarted,
)
from tuner.records.training import EpochMetrics


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        ("max", ["0005", "0000", "0004", "0001", "0006"]),
        ("min", ["0003", "0006", "0001", "0000", "0004"]),
    ],
)
def test_best_trials_are_sorted_by_direction_and_the_earlier_of_equals_leads(
    direction: str, expected: list[str]
) -> None:
    scores = [0.5, 0.4, None, 0.1, 0.5, 0.9, 0.3]
    ended = [
        TrialEnded(trial=trial(i, score, None if score else "x"), is_best=False)
        for i, score in enumerate(scores)
    ]
    progress = heard(started(direction), *ended)
    assert [t.trial_id for t in progress.best] == expected
    assert (progress.n_ended, progress.n_failed, progress.n_trials) == (7, 1, 7)


def test_run_that_follows_another_is_counted_from_nothing() -> None:
    first = (started(), TrialStarted(trial=trial(0)), TrialEnded(trial=trial(0, 0.9), is_best=True))
    progress = heard(*first, started(), TrialEnded(trial=trial(1, 0.5), is_best=True))
    assert ([t.trial_id for t in progress.best], progress.n_ended, progress.n_epochs) == (
        ["0001"],
        1,
        4,
    )


def test_numbers_of_a_sized_search_take_the_place_of_none() -> None:
    before = replace(started(), n_trials=0, n_epochs=0)
    sized = SearchSized(n_trials=9, n_epochs=30, is_exact=False, text="30 min: 5 settings")
    progress = heard(before)
    assert describe(before, progress).splitlines()[1] == "objective val_accuracy"
    progress.hear(sized)
    assert progress.n_trials == 9
    assert describe(sized, progress).splitlines() == [
        "  30 min: 5 settings",
        "  about 9 trials, 30 epochs planned",
    ]


class Clock:
    """Time as a test wants it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("tuner.cli.run_views.progress.time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_remaining_time_is_a_range_that_shrinks_as_epochs_end(clock: Clock) -> None:
    progress = heard(started(), TrialStarted(trial=trial(0)))
    assert progress.remaining() == "remaining time not known yet"
    clock.now += 10
    progress.hear(epoch(1))
    # Nothing but a start of 10 s is known: 6 more of them, and 13 epochs as slow.
    assert progress.remaining() == "search: 2 to 5 min left"
    clock.now += 3
    for number in (2, 3, 4):
        progress.hear(epoch(number))
    # 6 more starts of 10 s each, and 10 later epochs of 1 s.
    assert progress.remaining() == "search: 1 to 2 min left"


def test_two_workers_need_half_the_time_of_one(clock: Clock) -> None:
    alone = heard(started(), TrialStarted(trial=trial(0)))
    both = heard(started(), TrialStarted(trial=trial(0)), TrialStarted(trial=trial(1)))
    clock.now += 10
    alone.hear(epoch(1))
    both.hear(epoch(1))
    both.hear(epoch(1, "0001"))
    # 19 epochs of 10 s one after the other; 18 by two workers.
    assert alone.remaining() == "search: 2 to 5 min left"
    assert both.remaining() == "search: 1 to 3 min left"


def test_one_long_trial_cannot_be_shared_out(clock: Clock) -> None:
    long = TrialStarted(trial=replace(trial(2), last_epoch=18))
    progress = heard(started(), TrialStarted(trial=trial(0)), TrialStarted(trial=trial(1)))
    for end in (
        TrialEnded(trial=trial(0, 0.5), is_best=True),
        TrialEnded(trial=trial(1, 0.5), is_best=False),
        long,
    ):
        progress.hear(end)
    for number in (1, 2):
        clock.now += 10
        progress.hear(
            replace(
                epoch(number, "0002"), epoch=EpochMetrics(epoch=number, metrics={}, duration_s=10.0)
            )
        )
    # 10 planned epochs are left, 16 of this trial: they take 160 s however many workers there are.
    assert progress.remaining() == "search: 2 to 5 min left"


def test_time_budget_limits_what_is_said_to_remain(clock: Clock) -> None:
    progress = Progress(time_budget_s=30.0)
    for event in (started(), TrialStarted(trial=trial(0))):
        progress.hear(event)
    clock.now += 10
    progress.hear(epoch(1))
    assert progress.remaining() == "search: 20 s left"


def test_what_an_earlier_session_did_counts_but_not_for_the_pace(clock: Clock) -> None:
    before = SearchResumed(
        trials=(trial(0, 0.5), trial(1, error="odd"), trial(2, 0.75, is_stopped=True))
    )
    progress = heard(started(), before)
    assert (progress.n_ok, progress.n_failed, progress.n_stopped, progress.n_epochs) == (
        1,
        1,
        1,
        12,
    )
    assert [t.trial_id for t in progress.best] == ["0002", "0000"]
    assert progress.remaining() == "remaining time not known yet"
    progress.hear(TrialStarted(trial=trial(3)))
    clock.now += 10
    progress.hear(epoch(1, "0003"))
    # Of 20 epochs 7 are left, 3 of them begin trials; all are as slow as the one seen, 10 s.
    assert progress.remaining() == "search: 1 to 2 min left"


def test_several_retrainings_run_at_a_time_under_their_own_names() -> None:
    first = ModelStarted(task_id="tuned-0", title="Tuned", seed=0, last_epoch=4)
    second = ModelStarted(task_id="tuned-1", title="Tuned", seed=1, last_epoch=4)
    progress = heard(
        started(), StageStarted(title="Retraining Tuned"), first, second, epoch(2, "tuned-1")
    )
    assert [(t.title, t.state) for t in progress.running.values()] == [
        ("Tuned, seed 0", "starting, 0 s"),
        ("Tuned, seed 1", "epoch 2 of 4"),
    ]
    progress.hear(ModelTrained(title="Tuned", seed=0, text=""))
    assert list(progress.running) == ["tuned-1"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(4.4, "4 s"), (89, "89 s"), (91, "2 min"), (5399, "90 min"), (9000, "2.5 h")],
)
def test_short_time(seconds: float, words: str) -> None:
    assert short_time(seconds) == words


@pytest.mark.parametrize(
    ("low_s", "high_s", "words"),
    [
        (20.0, 60.0, "20 to 60 s"),
        (70.0, 180.0, "1 to 3 min"),
        (20.0, 100.0, "up to 2 min"),
        (3240.0, 84_240.0, "0.9 to 23.4 h"),
        (20.0, 20.4, "20 s"),
    ],
)
def test_both_ends_of_a_range_have_the_unit_of_the_longer_one(
    low_s: float, high_s: float, words: str
) -> None:
    assert short_range(low_s, high_s) == words
