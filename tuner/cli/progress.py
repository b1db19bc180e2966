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
        self._n_started = self._n_epochs = self._n_later_epochs = 0
        self._later_epochs_s = 0.0
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
                self._n_started += 1
                self.epoch = None
            case EpochEnded():
                self.epoch = event
                if event.task_id in self.running:
                    self._count_epoch(event, self.running[event.task_id])
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

    def _count_epoch(self, event: EpochEnded, trial: Trial) -> None:
        self._n_epochs += 1
        if event.epoch.epoch > trial.first_epoch:
            self._n_later_epochs += 1
            self._later_epochs_s += event.epoch.duration_s

    def remaining(self) -> str:
        """Time that the search still needs, as a range in words."""
        if not self.started or not self._n_epochs or self._search_started_s is None:
            return "remaining time not known yet"
        n_epochs = self.started.n_epochs - self._n_epochs
        if n_epochs <= 0:
            return "search done"
        # A trial's start takes long, its first epoch included, in which the step is traced; later epochs are quicker.
        elapsed_s = time.monotonic() - self._search_started_s
        start_s = (elapsed_s - self._later_epochs_s) / self._n_started
        epoch_s = self._later_epochs_s / self._n_later_epochs if self._n_later_epochs else start_s
        n_starts = max(self.n_trials - self._n_started, 0)
        seconds = n_starts * start_s + max(n_epochs - n_starts, 0) * epoch_s
        return f"search: {short_time(LOW * seconds)} to {short_time(HIGH * seconds)} left"


def short_time(seconds: float) -> str:
    """Seconds in words: `40 s`, `5 min`, `2.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
