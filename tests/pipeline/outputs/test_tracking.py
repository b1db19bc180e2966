"""The trackers of a run: what is told of one that fails, and of one that is too slow."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.comparison.jobs import job
from tests.trackers.tracked_runs import events, finished
from tuner.pipeline.outputs import tracking
from tuner.pipeline.outputs.tracking import Trackers
from tuner.records.events import Event, Notice
from tuner.trackers.make_tracker import make_tracker
from tuner.trackers.tracked import Points, RunEnd, TrackedRun, Training
from tuner.trackers.tracker import Tracker

GATE = threading.Event()


class Slow(Tracker):
    """Writes nothing until its gate opens."""

    def open(self) -> None:
        assert GATE.wait(60)

    def begin(self, training: Training) -> Points:
        return {}

    def discard(self, training: Training) -> None:
        pass

    def add(self, training: Training, points: Points) -> None:
        pass

    def end(self, training: Training) -> None:
        pass

    def finish(self, end: RunEnd) -> None:
        pass

    def close(self) -> None:
        pass

    @property
    def viewer(self) -> str:
        return "nothing"


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tracking, "make_tracker", lambda _, run: Slow(run))
    monkeypatch.setattr(tracking, "PATIENCE_S", 0.0)
    GATE.clear()
    yield
    GATE.set()
    for thread in threading.enumerate():
        if thread.name.startswith("track-"):
            thread.join(60)


def notes(told: list[Event]) -> list[str]:
    return [event.text for event in told if isinstance(event, Notice)]


def test_a_package_that_cannot_be_imported_leaves_its_tracker_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(name: str, run: TrackedRun) -> Tracker:
        if name == "mlflow":
            raise ImportError("cannot import name 'x' from 'sqlalchemy'")
        return make_tracker(name, run)

    monkeypatch.setattr(tracking, "make_tracker", make)
    told = list[Event]()
    run = job(tmp_path / "my place", told)
    with Trackers(("mlflow", "tensorboard"), told.append) as trackers:
        trackers.begin(run)
        trackers.end(None, is_stopped=False)
    failed, tracked = notes(told)
    assert failed == (
        "mlflow does not track this run: ImportError: cannot import name 'x' from 'sqlalchemy';"
        f" the run continues, and `python -m tuner track '{run.folder.path.as_posix()}' --to"
        " mlflow` adds what is missing"
    )
    assert tracked.startswith("tracked by TensorBoard: ")


@pytest.mark.usefixtures("slow")
def test_at_its_end_a_run_says_what_a_slow_tracker_has_not_written(tmp_path: Path) -> None:
    told = list[Event]()
    run = job(tmp_path, told)
    with Trackers(("optuna",), told.append) as trackers:
        tracked = trackers.begin(run)
        for event in list(events())[:3]:
            tracked.tell(event)
        trackers.end(finished(), is_stopped=False)
    path = run.folder.path.as_posix()
    assert notes(told)[1:] == [
        "optuna was too slow: 3 events not written; `python -m tuner track"
        f" {path} --to optuna` adds what is missing"
    ]


@pytest.mark.usefixtures("slow")
def test_results_alone_are_no_events(tmp_path: Path) -> None:
    told = list[Event]()
    with Trackers(("optuna",), told.append) as trackers:
        trackers.begin(job(tmp_path, told))
        trackers.end(finished(), is_stopped=False)
    assert "optuna was too slow: the results not written; " in notes(told)[1]
