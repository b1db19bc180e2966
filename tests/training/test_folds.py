"""Cross-validation in one training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.images import stopping, train_task, training_data
from tuner.data.splits.fold import Fold
from tuner.records.training import EpochMetrics, TrainResult, TrainTask
from tuner.training.checkpoint import load_checkpoint
from tuner.training.data import TrainingData
from tuner.training.fit import run_task
from tuner.training.hooks import Hooks
from tuner.training.prepared import PreparedModels

MODELS = PreparedModels()
FIRST = Fold(train=np.arange(32), validation=np.arange(32, 48))
SECOND = Fold(train=np.arange(16, 48), validation=np.arange(16))
BOTH = replace(training_data(), folds=(FIRST, SECOND))


def silent(task: TrainTask, epoch: EpochMetrics) -> None:
    """Hear nothing."""


def run(data: TrainingData = BOTH, hooks: Hooks | None = None, **changes: Any) -> TrainResult:
    result = run_task(train_task(**changes), data, hooks or Hooks(on_epoch=silent), MODELS)
    assert result.failure is None, result.failure
    return result


def metrics(result: TrainResult) -> list[dict[str, float]]:
    return [dict(epoch.metrics) for epoch in result.epochs]


def test_an_epoch_is_one_of_every_fold() -> None:
    both, first = run(last_epoch=3), run(replace(BOTH, folds=(FIRST,)), last_epoch=3)
    assert [epoch.epoch for epoch in both.epochs] == [1, 2, 3]
    assert both.n_parameters == first.n_parameters
    assert metrics(both) != metrics(first)


def test_a_fold_never_learns_from_another_folds_training() -> None:
    """Other labels of images that only the first fold trains on do not move the second's curve."""
    changed = BOTH.labels.copy()
    changed[:16] = 1 - changed[:16]
    only_second = Fold(train=np.arange(16, 48), validation=np.arange(48, 64))
    folds = (Fold(train=np.arange(16), validation=np.arange(48, 64)), only_second)

    def second(labels: np.ndarray) -> list[float]:
        data = replace(BOTH, labels=labels, folds=folds)
        both, first = run(data, last_epoch=2), run(replace(data, folds=folds[:1]), last_epoch=2)
        return [
            2 * b["val_loss"] - f["val_loss"]
            for b, f in zip(metrics(both), metrics(first), strict=True)
        ]

    assert second(changed) == pytest.approx(second(BOTH.labels), abs=1e-5)


def test_promotions_give_the_same_folds_as_training_in_one_go(tmp_path: Path) -> None:
    whole = run(last_epoch=4, save_to=tmp_path / "whole.npz")
    run(last_epoch=1, save_to=tmp_path / "low.npz")
    rest = run(
        first_epoch=2, last_epoch=4, resume_from=tmp_path / "low.npz", save_to=tmp_path / "high.npz"
    )
    assert metrics(rest) == metrics(whole)[1:]
    states = [load_checkpoint(tmp_path / name).state for name in ("whole.npz", "high.npz")]
    for one, other in zip(*states, strict=True):
        np.testing.assert_array_equal(one, other)


def test_interrupted_training_goes_on_with_every_fold(tmp_path: Path) -> None:
    whole = run(last_epoch=3)
    told: list[EpochMetrics] = []
    hooks = Hooks(on_epoch=lambda task, epoch: told.append(epoch), is_stopping=lambda: bool(told))
    stopped = run(hooks=hooks, last_epoch=3, save_to=tmp_path / "own.npz")
    assert (stopped.ended_by, len(stopped.epochs)) == ("request", 1)
    assert metrics(run(last_epoch=3, save_to=tmp_path / "own.npz")) == metrics(whole)


def test_early_stopping_watches_the_mean() -> None:
    rule = replace(stopping(), patience=1)
    result = run(last_epoch=30, early_stopping=rule)
    sign = 1 if rule.direction == "max" else -1
    ranks = [
        (sign * epoch.metrics[rule.monitor], -epoch.metrics["val_loss"]) for epoch in result.epochs
    ]
    assert result.best_epoch == 1 + ranks.index(max(ranks))


def test_checkpoint_of_another_number_of_folds_is_refused(tmp_path: Path) -> None:
    run(last_epoch=1, save_to=tmp_path / "low.npz")
    three = replace(BOTH, folds=(FIRST, SECOND, FIRST))
    task = train_task(first_epoch=2, last_epoch=2, resume_from=tmp_path / "low.npz")
    failure = run_task(task, three, Hooks(on_epoch=silent), MODELS).failure
    assert failure is not None and "the checkpoint belongs to another n" in failure.reason
