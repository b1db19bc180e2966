"""How far a run is, counted from its events."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

from tuner.metrics.score_text import score_text
from tuner.records.events import (
    EpochEnded,
    Event,
    FoldEnded,
    ModelStarted,
    ModelTrained,
    RunStarted,
    SearchResumed,
    SearchSized,
    StageAdvanced,
    StageStarted,
    TrialEnded,
    TrialStarted,
)
from tuner.records.training import EpochMetrics, FoldDone
from tuner.records.trial import Trial
from tuner.space.definition import as_cost

# A setting of the space may cost a fraction or a multiple of the mean one.
LOW, HIGH = 0.6, 1.7
N_TOP = 5


@dataclass(slots=True, kw_only=True)
class Running:
    """A training under way.

    Attributes:
        title: What people call it: `trial 0003`, or a model with its seed.
        first_epoch: First epoch that it trains, from 1.
        last_epoch: Last epoch, included.
        began_s: When it began, in monotonic seconds.
        last: The last epoch that ended in this session; None before the first.
        fold: The last fold's part of an epoch that ended; None before the first, and without folds.
    """

    title: str
    first_epoch: int
    last_epoch: int
    began_s: float
    last: EpochMetrics | None = None
    fold: FoldDone | None = None

    @property
    def epoch(self) -> int:
        """The last epoch that ended, whichever training or session it was in; 0 where none has."""
        return self.last.epoch if self.last else self.first_epoch - 1

    @property
    def state(self) -> str:
        """How far it is, in words."""
        if self.fold and self.fold.epoch > self.epoch:
            folds = f"fold {self.fold.n_done} of {self.fold.n_folds}"
            return f"epoch {self.fold.epoch} of {self.last_epoch}, {folds}"
        if self.last:
            return f"epoch {self.epoch} of {self.last_epoch}"
        # To build and trace a large network takes minutes, in which nothing else is to be seen.
        return f"starting, {short_time(time.monotonic() - self.began_s)}"

    @property
    def share(self) -> tuple[int, int]:
        """How much is done of how much, in epochs or in folds' parts of them."""
        if self.fold is None:
            return self.epoch, self.last_epoch
        n_folds, is_under_way = self.fold.n_folds, self.fold.epoch > self.epoch
        n_done = self.epoch * n_folds + (self.fold.n_done if is_under_way else 0)
        return n_done, self.last_epoch * n_folds


class Progress:
    """Counts of a run.

    Attributes:
        n_ok: Trials that were trained to their end.
        n_stopped: Trials that the time budget ended.
        n_failed: Trials that failed.
        best: The best trials so far, the best first.
        running: The trainings under way, by task.
        stage: What goes on now; empty before the first stage.
        parts: Parts of the stage that are done, and all of them; None where it has none.
    """

    def __init__(self, time_budget_s: float | None = None) -> None:
        """Start from nothing; the estimate never exceeds what is left of a time budget."""
        self._end_s = math.inf if time_budget_s is None else time.monotonic() + time_budget_s
        self._begin_run(None)

    def _begin_run(self, started: RunStarted | None) -> None:
        """Count from nothing: one run may follow another."""
        self.started = started
        self.n_ok = self.n_stopped = self.n_failed = 0
        self.best: list[Trial] = []
        self.running: dict[str, Running] = {}
        self.stage = ""
        self.parts: tuple[int, int] | None = None
        self._stage_began_s = time.monotonic()
        self._n_epochs_ended = 0
        self._pace = _Pace()

    @property
    def objective(self) -> str:
        """What the search optimises; empty before the run has started."""
        return self.started.objective if self.started else ""

    def score_text(self, score: float | None) -> str:
        """A score of the objective: `81.23 %`, or `0.6412` for a loss."""
        return score_text(score, self.objective, 2)

    @property
    def n_trials(self) -> int:
        """Trials planned; 0 before the run has started."""
        return self.started.n_trials if self.started else 0

    @property
    def n_ended(self) -> int:
        """Trials that ended, well or not."""
        return self.n_ok + self.n_stopped + self.n_failed

    @property
    def n_epochs(self) -> int:
        """Finished epochs of the search; those that failed or stopped trials left out count too."""
        return self._n_epochs_ended + sum(
            task.epoch - task.first_epoch + 1 for task in self.running.values()
        )

    @property
    def stage_s(self) -> float:
        """Seconds since the stage began."""
        return time.monotonic() - self._stage_began_s

    @property
    def stage_state(self) -> str:
        """The stage and how far it is, without its time."""
        done = f": {self.parts[0]} of {self.parts[1]}" if self.parts else ""
        return f"{self.stage}{done}"

    def hear(self, event: Event) -> None:
        """Count an event."""
        match event:
            case RunStarted():
                self._begin_run(event)
            case StageStarted():
                self.stage, self.parts = event.title, None
                self._stage_began_s = time.monotonic()
                self.running.clear()
            case StageAdvanced():
                self.parts = event.n_done, event.n
            case SearchSized() if self.started:
                self.started = replace(
                    self.started,
                    n_trials=event.n_trials,
                    n_epochs=event.n_epochs,
                    is_exact=event.is_exact,
                )
            case SearchResumed():
                for trial in event.trials:
                    self._end(trial)
            case TrialStarted(trial=trial):
                self._begin(trial)
            case ModelStarted():
                title = f"{event.title}, seed {event.seed}"
                self.running[event.task_id] = _begun(title, 1, event.last_epoch)
            case EpochEnded():
                self._count_epoch(event)
            case FoldEnded() if event.task_id in self.running:
                self.running[event.task_id].fold = event.fold
            case TrialEnded(trial=trial):
                self._end(trial)
            case ModelTrained():
                title = f"{event.title}, seed {event.seed}"
                self.running = {
                    key: task for key, task in self.running.items() if task.title != title
                }

    def _begin(self, trial: Trial) -> None:
        title = f"trial {trial.trial_id}"
        self.running[trial.trial_id] = _begun(title, trial.first_epoch, trial.last_epoch)
        self._pace.start(len(self.running))

    def _count_epoch(self, event: EpochEnded) -> None:
        task = self.running.setdefault(event.task_id, _begun(event.task_id, 1, event.last_epoch))
        self._pace.count(event.epoch, is_first=task.last is None)
        task.last = event.epoch

    def _end(self, trial: Trial) -> None:
        self.running.pop(trial.trial_id, None)
        self._n_epochs_ended += trial.last_epoch - trial.first_epoch + 1
        self.n_ok += trial.status == "completed"
        self.n_stopped += trial.status == "stopped"
        self.n_failed += trial.status == "failed"
        if trial.score is not None:
            self.best = sorted([*self.best, trial], key=self._rank)[:N_TOP]

    def _rank(self, trial: Trial) -> float:
        """Small for a good trial.

        Sorting is stable: of equal scores, the earlier trial stays ahead.
        """
        return as_cost(trial.score or 0.0, self.started.direction if self.started else "max")

    def remaining(self) -> str:
        """Time that the search still needs, as a range in words."""
        if not self.started or not self._pace.is_known:
            return "remaining time not known yet"
        n_epochs = self.started.n_epochs - self.n_epochs
        if n_epochs <= 0:
            return "search nearly done"
        n_beginning = sum(task.last is None for task in self.running.values())
        n_starts = n_beginning + max(self.n_trials - self.n_ended - len(self.running), 0)
        longest = max((task.last_epoch - task.epoch for task in self.running.values()), default=0)
        seconds = self._pace.seconds(n_starts, n_epochs, longest)
        left = max(self._end_s - time.monotonic(), 0.0)
        return f"search: {short_range(min(LOW * seconds, left), min(HIGH * seconds, left))} left"


def _begun(title: str, first_epoch: int, last_epoch: int) -> Running:
    return Running(
        title=title, first_epoch=first_epoch, last_epoch=last_epoch, began_s=time.monotonic()
    )


class _Pace:
    """How quickly trials start and epochs pass in this session.

    An earlier session may have had another pace.
    """

    def __init__(self) -> None:
        self._began_s = 0.0
        self._n_started = self._n_parallel = self._n_epochs = self._n_later = 0
        self._later_s = 0.0

    @property
    def is_known(self) -> bool:
        return self._n_started > 0 and self._n_epochs > 0

    def start(self, n_running: int) -> None:
        if not self._n_started:
            self._began_s = time.monotonic()
        self._n_started += 1
        self._n_parallel = max(self._n_parallel, n_running)

    def count(self, epoch: EpochMetrics, *, is_first: bool) -> None:
        self._n_epochs += 1
        if not is_first:
            self._n_later += 1
            self._later_s += epoch.duration_s

    def seconds(self, n_starts: int, n_epochs: int, longest: int) -> float:
        """Time for so many epochs, including those that begin a trial.

        One trial trains `longest` of them in a row.
        """
        # A trial's start takes long, its first epoch included, in which the step is traced; later
        # epochs are quicker.
        worked_s = (time.monotonic() - self._began_s) * self._n_parallel
        start_s = max(worked_s - self._later_s, 0.0) / self._n_started
        epoch_s = self._later_s / self._n_later if self._n_later else start_s
        work_s = n_starts * start_s + max(n_epochs - n_starts, 0) * epoch_s
        return max(work_s / self._n_parallel, longest * epoch_s)


def short_time(seconds: float) -> str:
    """Seconds in words: `40 s`, `5 min`, `2.5 h`."""
    unit = _unit(seconds)
    return f"{unit.number(seconds)} {unit.name}"


def short_range(low_s: float, high_s: float) -> str:
    """Two times in the unit of the longer one: `20 to 60 s`, `1 to 3 min`, `up to 2 min`."""
    unit = _unit(high_s)
    low, high = unit.number(low_s), unit.number(high_s)
    if low == high:
        return f"{high} {unit.name}"
    return f"{f'{low} to' if float(low) else 'up to'} {high} {unit.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    name: str
    seconds: float
    digits: int

    def number(self, seconds: float) -> str:
        return f"{seconds / self.seconds:.{self.digits}f}"


_SECONDS = _Unit(name="s", seconds=1.0, digits=0)
_MINUTES = _Unit(name="min", seconds=60.0, digits=0)
_HOURS = _Unit(name="h", seconds=3600.0, digits=1)


def _unit(seconds: float) -> _Unit:
    if seconds < 90:
        return _SECONDS
    return _MINUTES if seconds < 5400 else _HOURS
