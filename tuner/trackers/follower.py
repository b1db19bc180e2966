"""From the events of a run to what a tracker writes; the same live and after the fact."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from tuner.records.events import (
    SEARCHING,
    EpochEnded,
    Event,
    SearchResumed,
    StageStarted,
    TrialEnded,
    TrialStarted,
)
from tuner.records.results import Results
from tuner.records.training import EpochMetrics
from tuner.records.trial import Trial
from tuner.trackers.tracked import (
    Points,
    TrackedRun,
    Training,
    end_of,
    of_results,
    of_trials,
)
from tuner.trackers.tracker import Tracker

# States of a run whose search is over.
_SEARCHED = ("retraining", "complete")


class Follower:
    """Keeps a tracker's store in line with a run.

    Attributes:
        n_trainings: Trainings that were written or found there.
    """

    def __init__(self, tracker: Tracker) -> None:
        """Take a tracker that is open."""
        self._tracker = tracker
        self._run: TrackedRun = tracker.run
        # The first trial of each trial's setting, and the trials of each setting by it.
        self._roots: dict[str, str] = {}
        self._chains: dict[str, list[Trial]] = {}
        self._stored: dict[str, dict[int, dict[str, float]]] = {}
        self._settled: set[str] = set()
        self._deepest = 0
        self._has_searched = False

    @property
    def n_trainings(self) -> int:
        """Trainings in the store."""
        return len(self._stored)

    def take(self, event: Event) -> None:
        """Write what an event is worth."""
        match event:
            case SearchResumed():
                for trial in event.trials:
                    self._end(trial)
            case TrialStarted():
                self._write(self._extended(event.trial))
            case EpochEnded() if event.task_id in self._roots:
                self._add_epoch(event.task_id, event.epoch)
            case TrialEnded():
                self._end(event.trial)
            case StageStarted() if event.title == SEARCHING:
                self._has_searched = True
            case StageStarted() if self._has_searched:
                self._settle_all()

    def take_results(self, results: Results) -> None:
        """Write the retrainings and what the run has come to."""
        if results.run.state in _SEARCHED:
            self._settle_all()
        for training in of_results(results):
            self._write(training)
            self._written_end(training)
        self._tracker.finish(end_of(results))

    def _end(self, trial: Trial) -> None:
        root = self._extended(trial)
        if trial.score is not None:
            self._deepest = max(self._deepest, trial.depth)
        self._write(self._training(root))
        self._written_end(self._training(root))

    def _written_end(self, training: Training) -> None:
        self._tracker.end(training)
        if training.is_settled and training.key not in self._settled:
            self._settled.add(training.key)
            self._tracker.settle(training)

    def _settle_all(self) -> None:
        for root in self._chains:
            training = self._training(root, is_over=True)
            if training.key not in self._settled and training.status != "running":
                self._settled.add(training.key)
                self._tracker.settle(training)

    def _extended(self, trial: Trial) -> str:
        """Keep a trial with those that it continues, and return the first of them."""
        root = self._roots.get(trial.trial_id) or self._continued(trial) or trial.trial_id
        self._roots[trial.trial_id] = root
        chain = [one for one in self._chains.get(root, ()) if one.trial_id != trial.trial_id]
        self._chains[root] = [*chain, trial]
        return root

    def _continued(self, trial: Trial) -> str | None:
        """The first trial of the setting that a trial continues, if it is the first to do so."""
        root = self._roots.get(trial.parent_id or "")
        is_last = root is not None and self._chains[root][-1].trial_id == trial.parent_id
        return root if is_last else None

    def _add_epoch(self, trial_id: str, epoch: EpochMetrics) -> None:
        root = self._roots[trial_id]
        *before, trial = self._chains[root]
        # One that failed is trained again from its first epoch.
        kept = tuple(one for one in trial.epochs if one.epoch < epoch.epoch)
        self._chains[root] = [*before, replace(trial, epochs=(*kept, epoch))]
        self._write(self._training(root))

    def _training(self, root: str, *, is_over: bool = False) -> Training:
        return of_trials(self._chains[root], self._run, self._deepest, is_over=is_over)

    def _write(self, training: Training | str) -> None:
        """Bring the store in line with a training."""
        if isinstance(training, str):
            training = self._training(training)
        wanted = {
            step: {
                self._tracker.named(name): value
                for name, value in metrics.items()
                if self._tracker.keeps(name)
            }
            for step, metrics in training.points.items()
        }
        if training.key not in self._stored:
            self._stored[training.key] = _copied(self._tracker.begin(training))
        stored = self._stored[training.key]
        if _is_of_another_try(stored, wanted, is_whole=training.status != "running"):
            self._tracker.discard(training)
            stored = self._stored[training.key] = {}
        if new := _missing(stored, wanted):
            self._tracker.add(training, new)
            for step, metrics in new.items():
                stored.setdefault(step, {}).update(metrics)


def _copied(points: Points) -> dict[int, dict[str, float]]:
    return {step: dict(metrics) for step, metrics in points.items()}


def _is_of_another_try(stored: Points, wanted: Points, *, is_whole: bool) -> bool:
    """Whether the store has other numbers than a training, or of an ended one more."""
    if is_whole and stored.keys() - wanted.keys():
        return True
    return any(
        _differ(metrics[name], value)
        for step, metrics in stored.items()
        for name, value in wanted.get(step, {}).items()
        if name in metrics
    )


def _differ(one: float, other: float) -> bool:
    return one != other and not (math.isnan(one) and math.isnan(other))


def _missing(stored: Points, wanted: Points) -> dict[int, Mapping[str, float]]:
    found = {
        step: {name: value for name, value in metrics.items() if name not in stored.get(step, {})}
        for step, metrics in sorted(wanted.items())
    }
    return {step: metrics for step, metrics in found.items() if metrics}
