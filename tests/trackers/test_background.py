"""A tracker that is slow or broken holds up nothing, and says so in one line without secrets."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.trackers.tracked_runs import TRIALS, epoch, events, finished, tracked
from tuner.records.events import EpochEnded, TrialEnded
from tuner.trackers.background import MOST_WAITING, BackgroundTracker
from tuner.trackers.secrets import without_secrets
from tuner.trackers.tracked import Points, RunEnd, TrackedRun, Training
from tuner.trackers.tracker import Tracker


class Kept(Tracker):
    """Keeps what it is given in memory."""

    def __init__(self, run: TrackedRun, gate: threading.Event | None = None) -> None:
        super().__init__(run)
        self.gate = gate
        self.points: dict[str, dict[int, dict[str, float]]] = {}
        self.end_of_run: RunEnd | None = None
        self.is_closed = False

    def open(self) -> None:
        if self.gate is not None:
            assert self.gate.wait(60)

    def begin(self, training: Training) -> Points:
        return {}

    def discard(self, training: Training) -> None:
        self.points.pop(training.key, None)

    def add(self, training: Training, points: Points) -> None:
        kept = self.points.setdefault(training.key, {})
        for step, metrics in points.items():
            kept.setdefault(step, {}).update(metrics)

    def end(self, training: Training) -> None:
        pass

    def finish(self, end: RunEnd) -> None:
        self.end_of_run = end

    def close(self) -> None:
        self.is_closed = True

    @property
    def viewer(self) -> str:
        return "nothing"


class Broken(Kept):
    """Fails at its third training."""

    def begin(self, training: Training) -> Points:
        if training.key == "trial 0002":
            raise OSError(28, "No space left on device")
        return {}


@pytest.fixture
def run(tmp_path: Path) -> TrackedRun:
    return tracked(tmp_path)


def test_what_was_put_is_written_in_the_background(run: TrackedRun) -> None:
    kept = Kept(run)
    background = BackgroundTracker("kept", lambda: kept)
    for event in events():
        background.put(event)
    background.put(finished())
    background.end()
    assert background.wait(60)
    assert background.failure is None
    assert kept.points["trial 0003"][4]["val_accuracy"] == 2 / 3
    assert kept.end_of_run is not None
    assert kept.end_of_run.words["recommended"] == "baseline"
    assert kept.is_closed


def test_a_tracker_that_does_not_answer_holds_up_nothing(run: TrackedRun) -> None:
    gate = threading.Event()
    kept = Kept(run, gate)
    background = BackgroundTracker("slow", lambda: kept)
    told = list(events())
    for event in told:
        background.put(event)
    assert background.n_waiting == len(told)
    background.end()
    assert not background.wait(0)
    gate.set()
    assert background.wait(60)
    assert len(kept.points["trial 0000"]) == 4


def test_epochs_that_a_full_queue_leaves_out_come_with_the_end_of_their_trial(
    run: TrackedRun,
) -> None:
    gate = threading.Event()
    kept = Kept(run, gate)
    background = BackgroundTracker("slow", lambda: kept)
    for number in range(1, MOST_WAITING + 100):
        background.put(EpochEnded(task_id="other", last_epoch=1, epoch=epoch(number, 0.5)))
    assert background.n_waiting == MOST_WAITING
    for event in events():
        background.put(event)
    n_ends = sum(not isinstance(event, EpochEnded) for event in events())
    assert background.n_waiting == MOST_WAITING + n_ends
    gate.set()
    background.end()
    assert background.wait(60)
    for trial in TRIALS[:2]:
        assert kept.points[f"trial {trial.trial_id}"].keys() >= {e.epoch for e in trial.epochs}


def test_a_failure_is_kept_as_one_line_and_takes_nothing_more(run: TrackedRun) -> None:
    broken = Broken(run)
    background = BackgroundTracker("broken", lambda: broken)
    for event in events():
        background.put(event)
    assert background.wait(60)
    assert background.failure == "OSError: [Errno 28] No space left on device"
    before = background.n_waiting
    background.put(TrialEnded(trial=TRIALS[0], is_best=False))
    assert background.n_waiting == before
    assert broken.is_closed


def test_a_tracker_that_exits_the_process_is_a_failure_too(run: TrackedRun) -> None:
    def make() -> Tracker:
        raise SystemExit(3)

    background = BackgroundTracker("exiting", make)
    assert background.wait(60)
    assert background.failure == "SystemExit: 3"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET http://me:pass-word@host:5000/api failed", "GET http://***@host:5000/api failed"),
        ("https://host/x?token=abc123&y=1 is gone", "https://host/x?token=***&y=1 is gone"),
        ("header Authorization: Bearer abcdefgh123", "header Authorization: Bearer ***"),
        ("invalid key 0123456789abcdef given", "invalid key *** given"),
        ("no secret here", "no secret here"),
    ],
)
def test_secrets_are_hidden(text: str, shown: str) -> None:
    environment = {"WANDB_API_KEY": "0123456789abcdef", "A_TOKEN": "here", "HOME": "secret"}
    assert without_secrets(text, environment) == shown
