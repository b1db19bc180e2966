"""What a tracker costs the loop that hands out trials, and how long after it a tracker is done.

    python benchmarks/tracker_overhead.py [--trials 40] [--delay 0.2]

A made-up search tells an event every 10 ms or so: it works for 2 ms, as a driver does, and sleeps.
It is timed without a tracker, with one that sleeps at each call, and with each that is installed,
in turn. The first column is the loop's time against that without a tracker; the second is what
handing an event over takes; the last is how long the tracker works on when the loop has ended.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tuner.errors import ConfigurationError
from tuner.records.events import (
    SEARCHING,
    EpochEnded,
    Event,
    StageStarted,
    TrialEnded,
    TrialStarted,
)
from tuner.records.training import EpochMetrics
from tuner.records.trial import Trial
from tuner.space.definition import Objective, Parameter
from tuner.space.trackers import TRACKERS
from tuner.trackers.background import BackgroundTracker
from tuner.trackers.make_tracker import check_installed, make_tracker
from tuner.trackers.tracked import Points, RunEnd, TrackedRun, Training
from tuner.trackers.tracker import Tracker

N_EPOCHS = 5
WORK_S, PAUSE_S = 0.002, 0.008


class Slow(Tracker):
    """Sleeps at each call, as a server far away makes one."""

    delay_s = 0.2

    def open(self) -> None:
        """Sleep."""
        time.sleep(self.delay_s)

    def begin(self, training: Training) -> Points:
        """Sleep."""
        time.sleep(self.delay_s)
        return {}

    def discard(self, training: Training) -> None:
        """Sleep."""
        time.sleep(self.delay_s)

    def add(self, training: Training, points: Points) -> None:
        """Sleep."""
        time.sleep(self.delay_s)

    def end(self, training: Training) -> None:
        """Sleep."""
        time.sleep(self.delay_s)

    def finish(self, end: RunEnd) -> None:
        """Sleep."""
        time.sleep(self.delay_s)

    @property
    def viewer(self) -> str:
        """Nothing."""
        return ""


def main() -> int:
    """Time the loop with each tracker."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--delay", type=float, default=Slow.delay_s, help="seconds of a slow call")
    options = parser.parse_args()
    Slow.delay_s = options.delay
    print("tracker       loop, ratio  handing over, ms (99th percentile)  done after, s")
    with tempfile.TemporaryDirectory() as folder:
        makers: dict[str, Callable[[TrackedRun], Tracker]] = {f"sleeps {options.delay} s": Slow}
        makers |= {name: maker(name) for name in TRACKERS if is_installed(name)}
        for number, (name, make) in enumerate(makers.items()):
            run = tracked(Path(folder) / "reports" / "made-up" / f"run-{number}")
            usual_s, _ = timed(options.trials, None)
            background = BackgroundTracker(name, lambda make=make, run=run: make(run))
            loop_s, costs = timed(options.trials, background)
            background.end()
            start = time.perf_counter()
            is_done = background.wait(120)
            after = f"{time.perf_counter() - start:.1f}" if is_done else "more than 120"
            high = sorted(costs)[int(0.99 * (len(costs) - 1))]
            print(
                f"{name:13} {loop_s / usual_s:11.2f} {statistics.median(costs):18.3f}"
                f" ({high:.3f}) {after:>27} {background.failure or ''}"
            )
    return 0


def maker(name: str) -> Callable[[TrackedRun], Tracker]:
    """What makes a tracker of a run."""
    return lambda run: make_tracker(name, run)


def is_installed(name: str) -> bool:
    """Whether a tracker can work here."""
    try:
        check_installed([name])
    except ConfigurationError:
        return False
    return True


def tracked(folder: Path) -> TrackedRun:
    """A run of one hyperparameter."""
    folder.mkdir(parents=True)
    return TrackedRun(
        folder=folder,
        objective=Objective(name="val_accuracy", direction="max"),
        parameters=(Parameter(name="dropout", kind="float", low=0.0, high=1.0),),
        max_epochs=N_EPOCHS,
        comparable=0.5,
    )


def timed(n_trials: int, tracker: BackgroundTracker | None) -> tuple[float, list[float]]:
    """Seconds of the loop, and milliseconds that each handing over took."""
    costs, began = list[float](), time.perf_counter()
    for event in events(n_trials):
        until = time.perf_counter() + WORK_S
        while time.perf_counter() < until:
            pass
        if tracker is not None:
            start = time.perf_counter()
            tracker.put(event)
            costs.append(1e3 * (time.perf_counter() - start))
        time.sleep(PAUSE_S)
    return time.perf_counter() - began, costs


def events(n_trials: int) -> Iterator[Event]:
    """What is told of a search in one worker."""
    yield StageStarted(title=SEARCHING)
    for number in range(n_trials):
        epochs = tuple(
            EpochMetrics(
                epoch=n, metrics={"loss": 1 / n, "val_accuracy": 1 - 1 / (n + 1)}, duration_s=0.1
            )
            for n in range(1, N_EPOCHS + 1)
        )
        trial = Trial(
            trial_id=f"{number:04d}",
            values={"dropout": number / n_trials},
            bracket=0,
            rung=0,
            parent_id=None,
            first_epoch=1,
            last_epoch=N_EPOCHS,
            score=epochs[-1].metrics["val_accuracy"],
            epochs=epochs,
        )
        yield TrialStarted(trial=trial)
        for epoch in epochs:
            yield EpochEnded(task_id=trial.trial_id, last_epoch=N_EPOCHS, epoch=epoch)
        yield TrialEnded(trial=trial, is_best=False)


if __name__ == "__main__":
    sys.exit(main())
