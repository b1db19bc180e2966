"""A search without any training: spaces, an study, and scores that a function makes up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tuner.records.training import EpochMetrics, Failure, TrainResult, TrainTask
from tuner.records.trial import StartSetting, Trial
from tuner.search.methods.method import Setup, method_class
from tuner.search.study import Study
from tuner.search.study import make_study as _make_study
from tuner.space.definition import Objective, Parameter, Space
from tuner.space.search_settings import SearchSettings
from tuner.training.data import TrainingData

ACCURACY = Objective(name="val_accuracy", direction="max")
WIDE = Space(
    parameters=(Parameter(name="x", kind="float", low=0.0, high=1.0),), fixed={"conv_blocks": 1}
)


def settings(
    max_epochs: int = 9,
    factor: int = 3,
    iterations: int = 1,
    *,
    method: str = "hyperband",
    max_trials: int | None = None,
    max_total_epochs: int | None = None,
) -> SearchSettings:
    return SearchSettings(
        method=method,
        max_epochs=max_epochs,
        factor=factor,
        iterations=iterations,
        max_trials=max_trials,
        max_total_epochs=max_total_epochs,
    )


def total(search: SearchSettings, n_settings: int | None = None) -> tuple[int, int]:
    """Trials and epochs that the method says it will train."""
    cost = method_class(search.method).cost(search, n_settings)
    return cost.n_trials, cost.n_epochs


def make_study(
    space: Space = WIDE,
    *,
    search: SearchSettings | None = None,
    objective: Objective = ACCURACY,
    seed: int = 1,
    problem: Callable[[Mapping[str, Any]], str | None] = lambda values: None,
    n_workers: int = 1,
    n_wanted: int = 0,
    starts: Sequence[StartSetting] = (),
) -> Study:
    return _make_study(
        space=space,
        objective=objective,
        settings=search or settings(),
        seed=seed,
        problem=problem,
        n_workers=n_workers,
        n_wanted=n_wanted,
        starts=starts,
    )


def setup_of(search: SearchSettings, space: Space = WIDE) -> Setup:
    """What a method is made from; one worker, seed 0."""
    return Setup(
        settings=search,
        space=space,
        objective=ACCURACY,
        generator=np.random.default_rng(0),
        seed=0,
        n_workers=1,
    )


def by_x(trial: Trial) -> float:
    return float(trial.values["x"])


def ended(trial: Trial, score: Callable[[Trial], float | None] = by_x) -> Trial:
    """The trial with the score that it gets; a score of None is a failure."""
    found = score(trial)
    return replace(trial, score=found, error="broken" if found is None else None)


def drive(
    study: Study,
    score: Callable[[Trial], float | None] = by_x,
    n_workers: int = 1,
) -> list[Trial]:
    """All trials of a search, `n_workers` at a time, oldest ends first; no score is a failure."""
    trials: list[Trial] = []
    running: list[Trial] = []
    while True:
        while len(running) < n_workers and (trial := study.next_trial()):
            running.append(trial)
        if not running:
            return trials
        trials.append(ended(running.pop(0), score))
        study.end(trials[-1])


def rung_sizes(trials: list[Trial]) -> dict[tuple[int, int], int]:
    """Number of trials by (bracket, rung)."""
    return dict(Counter((trial.bracket, trial.rung) for trial in trials))


def n_epochs(trials: list[Trial]) -> int:
    return sum(trial.last_epoch - trial.first_epoch + 1 for trial in trials)


class FakeExecutor:
    """Ends the oldest task first; `answer` gives an epoch's metrics, or says why the task fails."""

    def __init__(
        self, answer: Callable[[TrainTask, int], Mapping[str, float] | str], n_workers: int = 1
    ) -> None:
        self.n_workers = n_workers
        self.tasks: list[TrainTask] = []
        self.data: dict[str, TrainingData] = {}
        self._pending: list[TrainTask] = []
        self._answer = answer

    def add_data(self, name: str, data: TrainingData) -> None:
        self.data[name] = data

    def submit(self, task: TrainTask) -> None:
        assert len(self._pending) < self.n_workers
        self.tasks.append(task)
        self._pending.append(task)

    def next_result(self) -> TrainResult:
        task = self._pending.pop(0)
        epochs = []
        for epoch in range(task.first_epoch, task.last_epoch + 1):
            answer = self._answer(task, epoch)
            if isinstance(answer, str):
                return TrainResult(
                    task_id=task.task_id,
                    epochs=tuple(epochs),
                    duration_s=1.0,
                    failure=Failure(reason=answer),
                )
            epochs.append(EpochMetrics(epoch=epoch, metrics=answer, duration_s=0.1))
        return TrainResult(
            task_id=task.task_id, epochs=tuple(epochs), duration_s=1.0, best_epoch=task.last_epoch
        )

    def close(self) -> None:
        self._pending.clear()

    def __enter__(self) -> FakeExecutor:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
