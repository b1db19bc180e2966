"""What is trained for a trial, and what its training comes to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tuner.execution.seeds import TRIALS, task_seed
from tuner.models.registry import schedule_for
from tuner.records.training import EarlyStopping, Schedule, TrainResult, TrainTask
from tuner.records.trial import Trial
from tuner.space.definition import Family, Objective, Precision
from tuner.space.families import as_built


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOrder:
    """What the loop needs beside study and executor.

    Attributes:
        model: Family or builder.
        families: What is searched together, if it is more than `model`.
        objective: What is optimised.
        seed: The run's seed.
        checkpoints: Folder for the trials' checkpoints.
        patience: Epochs without improvement of the objective after which a trial ends; None never
            ends it.
        schedule: Of the learning rate; a backbone's always falls.
        schedule_epochs: Epochs that it is stretched over, whatever rung a trial is on.
        n_retries: How often a failed trial is trained again, each time with another seed.
        deadline: Unix time in seconds after which nothing is started, and what runs ends after its
            epoch; None for none.
        precision: As of `TrainTask`.
        problem: Why a trained trial counts as failed all the same, or None.
    """

    model: str
    objective: Objective
    seed: int
    checkpoints: Path
    patience: int | None = None
    schedule: Schedule = "constant"
    schedule_epochs: int | None = None
    n_retries: int = 0
    deadline: float | None = None
    precision: Precision | None = None
    families: tuple[Family, ...] = ()
    problem: Callable[[Trial], str | None] = lambda trial: None

    def built(self, trial: Trial) -> tuple[str, Mapping[str, Any]]:
        """The model of a trial, and its values in that model's own words."""
        if trial.model is not None:
            return trial.model, trial.values
        return as_built(self.model, self.families, trial.values)


def task_of(
    trial: Trial, order: SearchOrder, by_id: Mapping[str, Trial], n_tries: int
) -> TrainTask:
    """The training of a trial.

    Args:
        trial: The trial.
        order: How trials are trained.
        by_id: The trials so far, this one too.
        n_tries: How often its training has failed before.
    """
    model, values = order.built(trial)
    return TrainTask(
        task_id=trial.trial_id,
        model=model,
        values=values,
        seed=_seed(trial, order.seed, by_id, n_tries),
        first_epoch=trial.first_epoch,
        last_epoch=trial.last_epoch,
        resume_from=(
            trial_checkpoint(order.checkpoints, trial.parent_id) if trial.parent_id else None
        ),
        save_to=trial_checkpoint(order.checkpoints, trial.trial_id),
        schedule=schedule_for(model, order.schedule),
        schedule_epochs=order.schedule_epochs,
        early_stopping=_early_stopping(order),
        stop_at=order.deadline,
        precision=order.precision,
    )


def outcome(
    trial: Trial,
    result: TrainResult,
    objective: Objective,
    by_id: Mapping[str, Trial],
    n_tries: int,
) -> Trial:
    """The trial with its score and its curve, or with the reason for its failure.

    Args:
        trial: The trial as it started.
        result: What its training gave.
        objective: What is optimised.
        by_id: The trials so far.
        n_tries: How often its training has failed before.
    """
    error = result.failure.reason if result.failure else None
    found = [e.metrics[objective.name] for e in result.epochs if objective.name in e.metrics]
    scores = [score for score in found if math.isfinite(score)]
    if trial.parent_id and not result.epochs:
        # It had stopped early on the rung below, and stands where it stood.
        scores = [score for score in [by_id[trial.parent_id].score] if score is not None]
    if not error and not scores:
        missing = f"the model reports no metric {objective.name}"
        error = f"{objective.name} was never a finite number" if found else missing
    return replace(
        trial,
        score=None if error else objective.best(scores),
        error=error,
        epochs=result.epochs,
        duration_s=result.duration_s,
        n_parameters=result.n_parameters,
        is_stopped=result.ended_by == "deadline" and not error,
        n_retries=n_tries,
    )


def trial_checkpoint(folder: Path, trial_id: str) -> Path:
    """Where the checkpoint of a trial lies."""
    return folder / f"trial-{trial_id}.npz"


def root(trial: Trial, by_id: Mapping[str, Trial]) -> Trial:
    """The trial on the first rung that this one continues; itself where it is there."""
    while trial.parent_id is not None:
        trial = by_id[trial.parent_id]
    return trial


def seed_of(trial: Trial, seed: int, by_id: Mapping[str, Trial]) -> int:
    """The seed that an ended trial was trained with.

    Args:
        trial: The trial.
        seed: The run's.
        by_id: All trials.
    """
    return _seed(trial, seed, by_id, trial.n_retries)


def _seed(trial: Trial, seed: int, by_id: Mapping[str, Trial], n_tries: int) -> int:
    """A promoted trial continues its root's shuffling and dropout, as if it never stopped."""
    first = root(trial, by_id)
    tries = (first.n_retries, n_tries) if trial.parent_id else (n_tries, 0)
    return task_seed(seed, TRIALS, int(first.trial_id), *tries)


def _early_stopping(order: SearchOrder) -> EarlyStopping | None:
    if order.patience is None:
        return None
    return EarlyStopping(
        monitor=order.objective.name,
        direction=order.objective.direction,
        patience=order.patience,
        keeps_best=False,
    )
