"""Trainings that are stopped anywhere and go on as if nothing had happened."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.images import SMALL_CNN, stopping, train_task, training_data
from tuner.records.training import EpochMetrics, TrainResult, TrainTask
from tuner.training.checkpoint import (
    Checkpoint,
    load_checkpoint,
    own_checkpoint,
    save_checkpoint,
    task_digest,
)
from tuner.training.fit import run_task
from tuner.training.hooks import Hooks
from tuner.training.prepared import PreparedModels

DATA = training_data()
MODELS = PreparedModels()
N_EPOCHS = 5


class KilledError(BaseException):
    """Stands for the end of the process."""


def run(task: TrainTask, **hooks: Any) -> TrainResult:
    usual: dict[str, Any] = {"on_epoch": lambda task, epoch: None}
    return run_task(task, DATA, Hooks(**usual | hooks), MODELS)


def whole(task: TrainTask) -> TrainResult:
    return run(replace(task, save_to=None))


def stop_after(epoch: int) -> Callable[..., bool]:
    """Asks for the end once so many epochs have been seen; `on_epoch` counts them."""
    seen: list[int] = []

    def ask(task: TrainTask | None = None, ended: EpochMetrics | None = None) -> bool:
        if ended is not None:
            seen.append(ended.epoch)
        return len(seen) >= epoch

    return ask


def curve(result: TrainResult) -> list[dict[str, float]]:
    assert result.failure is None, result.failure
    return [dict(epoch.metrics) for epoch in result.epochs]


RULES = {
    "no rule": None,
    "keeps best": stopping(monitor="val_loss", direction="min"),
    "patience": stopping(patience=2, keeps_best=False),
    "value reached": stopping(stop_metric="accuracy", stop_value=0.6, keeps_best=False),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("cut", range(N_EPOCHS))
def test_training_asked_to_stop_goes_on_to_the_same_end(
    tmp_path: Path, cut: int, rule: Any
) -> None:
    task = train_task(last_epoch=N_EPOCHS, save_to=tmp_path / "t.npz", early_stopping=rule)
    undisturbed, ask = whole(task), stop_after(cut)
    stopped = run(task, on_epoch=ask, is_stopping=ask)
    ends_before = cut >= len(undisturbed.epochs)
    assert stopped.ended_by == (undisturbed.ended_by if ends_before else "request")
    assert len(stopped.epochs) == min(cut, len(undisturbed.epochs))
    resumed = run(task)
    assert curve(resumed) == curve(undisturbed)
    assert (resumed.best_epoch, resumed.ended_by) == (undisturbed.best_epoch, undisturbed.ended_by)


def test_augmented_training_goes_on_with_the_numbers_it_would_have_drawn(tmp_path: Path) -> None:
    values = {**SMALL_CNN, "flip": True, "rotation": 10.0, "random_erasing": 0.5, "mixup": 0.2}
    for imbalance in ("class_weights", "balanced_sampling"):
        task = train_task(
            values={**values, "imbalance": imbalance},
            last_epoch=N_EPOCHS,
            save_to=tmp_path / f"{imbalance}.npz",
        )
        ask = stop_after(2)
        assert len(run(task, on_epoch=ask, is_stopping=ask).epochs) == 2
        assert curve(run(task)) == curve(whole(task))


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_killed_training_goes_on_from_its_last_checkpoint_with_the_same_weights(
    tmp_path: Path, rule: Any
) -> None:
    undisturbed = train_task(
        last_epoch=N_EPOCHS, save_to=tmp_path / "whole" / "t.npz", early_stopping=rule
    )
    wanted = run(undisturbed)
    task, trained = replace(undisturbed, save_to=tmp_path / "t.npz"), []

    dies = min(3, len(wanted.epochs))

    def die(task: TrainTask, epoch: EpochMetrics) -> None:
        trained.append(epoch.epoch)
        if epoch.epoch == dies:
            raise KilledError

    with pytest.raises(KilledError):
        run(task, on_epoch=die, checkpoint_s=0.0)
    result = run(task, on_epoch=lambda task, epoch: trained.append(epoch.epoch))
    assert curve(result) == curve(wanted)
    # Its last epoch was told, and the checkpoint of the one before is the last one on the disk.
    assert trained == [*range(1, dies + 1), *range(dies, len(wanted.epochs) + 1)]
    ends = load_checkpoint(tmp_path / "t.npz"), load_checkpoint(tmp_path / "whole" / "t.npz")
    for one, other in zip(ends[0].weights, ends[1].weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_finished_training_is_not_trained_again(tmp_path: Path) -> None:
    task = train_task(save_to=tmp_path / "t.npz")
    first = run(task)
    told: list[EpochMetrics] = []
    again = run(task, on_epoch=lambda task, epoch: told.append(epoch))
    assert replace(again, duration_s=0.0) == replace(first, duration_s=0.0)
    assert not told


@pytest.mark.parametrize(
    "changes", [{"seed": 2}, {"values": {**SMALL_CNN, "filters": 5}}, {"last_epoch": 3}]
)
def test_checkpoint_of_another_order_is_not_taken_over(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    task = train_task(save_to=tmp_path / "t.npz")
    run(task)
    other = replace(task, **changes)
    assert own_checkpoint(other) is None
    assert curve(run(other)) == curve(whole(other))


def test_order_does_not_depend_on_where_files_lie_or_how_long_there_is_time(tmp_path: Path) -> None:
    task = train_task(save_to=tmp_path / "a" / "t.npz", resume_from=tmp_path / "a" / "p.npz")
    moved = replace(
        task, save_to=tmp_path / "b" / "t.npz", resume_from=tmp_path / "b" / "p.npz", stop_at=1.0
    )
    assert task_digest(moved) == task_digest(task)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
def test_damaged_checkpoint_costs_time_and_nothing_else(tmp_path: Path, share: float) -> None:
    task = train_task(save_to=tmp_path / "t.npz")
    first = run(task)
    content = (tmp_path / "t.npz").read_bytes()
    (tmp_path / "t.npz").write_bytes(content[: int(share * len(content))])
    assert curve(run(task)) == curve(first)


def test_deadline_ends_a_training_after_the_epoch_under_way(tmp_path: Path) -> None:
    result = run(train_task(last_epoch=N_EPOCHS, stop_at=time.time(), save_to=tmp_path / "t.npz"))
    assert (result.ended_by, len(result.epochs), result.best_epoch) == ("deadline", 1, 1)


def test_training_killed_between_the_value_it_was_to_reach_and_its_end_trains_no_more(
    tmp_path: Path,
) -> None:
    task = train_task(
        last_epoch=N_EPOCHS, save_to=tmp_path / "t.npz", early_stopping=RULES["value reached"]
    )
    n = len(whole(task).epochs)
    assert n < N_EPOCHS
    saved = []

    def die_at_the_second_writing_of_the_last_epoch(checkpoint: Checkpoint, path: Path) -> None:
        saved.append(len(checkpoint.epochs))
        if saved[-2:] == [n, n]:
            raise KilledError
        save_checkpoint(checkpoint, path)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(
            "tuner.training.fit.save_checkpoint", die_at_the_second_writing_of_the_last_epoch
        )
        run(task, checkpoint_s=0.0)
    assert len(run(task).epochs) == n


def test_training_that_the_deadline_cut_goes_on_with_more_time(tmp_path: Path) -> None:
    task = train_task(
        last_epoch=N_EPOCHS, save_to=tmp_path / "t.npz", early_stopping=RULES["keeps best"]
    )
    assert len(run(replace(task, stop_at=time.time())).epochs) == 1
    assert curve(run(task)) == curve(whole(task))


def test_memory_that_runs_out_over_a_checkpoint_fails_the_training_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(model: object) -> None:
        raise MemoryError("no room for a copy")

    monkeypatch.setattr("tuner.training.folds.take_state", refuse)
    result = run(train_task(save_to=tmp_path / "t.npz"))
    assert result.failure is not None
    assert (result.failure.kind, result.failure.reason) == (
        "memory",
        "MemoryError: no room for a copy",
    )


def test_early_stopping_reaches_over_promotions(tmp_path: Path) -> None:
    rule = stopping(patience=2, keeps_best=False)
    values = {**SMALL_CNN, "learning_rate": 1e-8}
    undisturbed = run(train_task(values=values, last_epoch=20, early_stopping=rule))
    n = len(undisturbed.epochs)
    assert n < 20
    parts, before = [], None
    for first, last in ((1, n - 1), (n, n + 3), (n + 4, n + 5)):
        task = train_task(
            values=values, first_epoch=first, last_epoch=last, early_stopping=rule,
            resume_from=before, save_to=tmp_path / f"{first}.npz",
        )  # fmt: skip
        result = run(task)
        parts += curve(result)
        before = task.save_to
    assert parts == curve(undisturbed)
    # The last promotion of a training that had stopped trains nothing.
    assert (result.ended_by, result.epochs) == ("early_stopping", ())
