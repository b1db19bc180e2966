"""How far a run is, counted from its events."""

from __future__ import annotations

import time

from tuner.records.events import EpochEnded, Event, RunStarted, StageStarted, TrialEnded, TrialStarted
from tuner.records.trial import Trial

# A setting of the space may cost a fraction or a multiple of the mean one.
LOW, HIGH = 0.6, 1.7
N_TOP = 5


class Progress:
    """Counts of a run.

    Attributes:
        n_trials: Trials planned.
        n_ended: Trials that ended, failed ones included.
        n_failed: Trials that failed.
        best: The best trials so far, the best first.
        running: The trials under way.
        epoch: The last epoch that ended, with its task.
        stage: What goes on now.
    """

    def __init__(self) -> None:
        """Start from nothing."""
        self.started: RunStarted | None = None
        self.n_ended = self.n_failed = 0
        self.best: list[Trial] = []
        self.running: dict[str, Trial] = {}
        self.epoch: EpochEnded | None = None
        self.stage = ""
        self._epochs_done = 0
        self._search_started_s: float | None = None

    @property
    def n_trials(self) -> int:
        """Trials planned; 0 before the run has started."""
        return self.started.n_trials if self.started else 0

    def hear(self, event: Event) -> None:
        """Count an event."""
        match event:
            case RunStarted():
                self.started = event
            case StageStarted():
                self.stage, self.epoch = event.title, None
            case TrialStarted():
                self._search_started_s = self._search_started_s or time.monotonic()
                self.running[event.trial.trial_id] = event.trial
                self.epoch = None
            case EpochEnded():
                self.epoch = event
                self._epochs_done += event.task_id in self.running
            case TrialEnded():
                self._end(event)

    def _end(self, event: TrialEnded) -> None:
        self.running.pop(event.trial.trial_id, None)
        self.n_ended += 1
        if event.trial.score is None:
            self.n_failed += 1
            return
        self.best = sorted([*self.best, event.trial], key=self._rank)[:N_TOP]

    def _rank(self, trial: Trial) -> float:
        """Small for a good trial; sorting is stable, so of equal scores the earlier trial stays ahead."""
        score = trial.score or 0.0
        return score if self.started and self.started.direction == "min" else -score

    def remaining(self) -> str:
        """Time that the search still needs, as a range in words."""
        if not self.started or not self._epochs_done or self._search_started_s is None:
            return "remaining time not known yet"
        left = max(self.started.n_epochs - self._epochs_done, 0)
        seconds = left * (time.monotonic() - self._search_started_s) / self._epochs_done
        return f"search: {short_time(LOW * seconds)} to {short_time(HIGH * seconds)} left" if left else "search done"


def short_time(seconds: float) -> str:
    """Seconds in words: `40 s`, `5 min`, `2.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
