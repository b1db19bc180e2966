"""Retraining.

Once per seed, under the contender's rules, on training and validation images only.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.images import SMALL_CNN, stopping, training_data
from tests.search.fakes import FakeExecutor
from tuner.data.splits.fold import Fold
from tuner.execution.executor import Reports
from tuner.execution.inline import InlineExecutor
from tuner.execution.stop import StopRequest
from tuner.records.contender import Contender, Trained
from tuner.records.events import Event, ModelStarted, ModelTrained, StageStarted
from tuner.records.training import EpochMetrics, TrainTask
from tuner.retrain.retrain import RetrainOrder, retrain
from tuner.training.data import TrainingData

SEEDS = [11, 22, 33]


def contender(**changes: Any) -> Contender:
    usual: dict[str, Any] = {
        "name": "tuned",
        "title": "Tuned",
        "model": "cnn",
        "values": SMALL_CNN,
        "max_epochs": 3,
        "early_stopping": stopping(),
        "schedule": "cosine",
    }
    return Contender(**usual | changes)


def answer(task: TrainTask, epoch: int) -> dict[str, float] | str:
    return "out of memory" if task.seed == 22 else {"val_accuracy": epoch / 10}


def run(
    *chosen: Contender, data: TrainingData, folder: Path, n_workers: int = 1
) -> tuple[list[list[Trained]], FakeExecutor, list[Event]]:
    executor, events = FakeExecutor(answer, n_workers), []
    seeds = {one.name: SEEDS for one in chosen}
    order = RetrainOrder(seeds=seeds, checkpoints=folder, precision="mixed_bfloat16")
    trained = retrain(chosen, data, order, executor, events.append, StopRequest())
    return trained, executor, events


def test_every_seed_is_trained_under_the_contenders_rules(tmp_path: Path) -> None:
    chosen = contender()
    (trained,), executor, _ = run(chosen, data=training_data(), folder=tmp_path)
    assert [(t.seed, t.task_seed) for t in trained] == [(0, 11), (1, 22), (2, 33)]
    assert [task.seed for task in executor.tasks] == SEEDS
    for task, entry in zip(executor.tasks, trained, strict=True):
        assert (task.model, task.values) == ("cnn", SMALL_CNN)
        assert (task.first_epoch, task.last_epoch, task.schedule) == (1, 3, "cosine")
        assert task.early_stopping == chosen.early_stopping
        assert task.resume_from is None
        assert task.precision == "mixed_bfloat16"
        assert task.save_to == entry.checkpoint
    assert len({entry.checkpoint for entry in trained}) == 3


def test_seed_by_seed_each_contender_has_its_own_number(tmp_path: Path) -> None:
    executor = FakeExecutor(answer)
    order = RetrainOrder(seeds={"a": [11, 33, 44], "b": [11]}, checkpoints=tmp_path)
    both = [contender(name=name) for name in "ab"]
    trained = retrain(both, training_data(), order, executor, lambda event: None, StopRequest())
    assert [[one.seed for one in of_one] for of_one in trained] == [[0, 1, 2], [0]]
    assert [task.task_id for task in executor.tasks] == ["a-0", "b-0", "a-1", "a-2"]


def test_where_time_may_run_out_each_model_has_had_its_first_seed(tmp_path: Path) -> None:
    executor = FakeExecutor(answer)
    order = RetrainOrder(
        seeds={"tuned": [11, 33, 44], "backbone": [11], "baseline": [11, 33, 44]},
        checkpoints=tmp_path,
        deadline=time.time() + 100,
        is_planned=True,
    )
    all_three = [contender(name=name) for name in ("tuned", "backbone", "baseline")]
    retrain(all_three, training_data(), order, executor, lambda event: None, StopRequest())
    started = [task.task_id.partition("-")[0] for task in executor.tasks]
    assert started == ["tuned", "backbone", "baseline", *["tuned", "baseline"] * 2]


def test_failed_seed_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    (trained,), _, events = run(contender(), data=training_data(), folder=tmp_path)
    assert [t.result.failure is None for t in trained] == [True, False, True]
    assert [event.task_id for event in events if isinstance(event, ModelStarted)] == [
        "tuned-0",
        "tuned-1",
        "tuned-2",
    ]
    assert [event for event in events if not isinstance(event, ModelStarted)] == [
        StageStarted(title="Retraining Tuned"),
        ModelTrained(title="Tuned", seed=0, text="3 epochs, val_accuracy 30.00 % in epoch 3"),
        ModelTrained(title="Tuned", seed=1, text="failed: out of memory"),
        ModelTrained(title="Tuned", seed=2, text="3 epochs, val_accuracy 30.00 % in epoch 3"),
    ]


@pytest.mark.parametrize("n_workers", [1, 2, 8])
def test_contenders_train_side_by_side_each_on_its_own_data(tmp_path: Path, n_workers: int) -> None:
    few, many = contender(name="few", max_train_images=10), contender(name="many")
    trained, executor, _ = run(
        few, many, data=training_data(), folder=tmp_path, n_workers=n_workers
    )
    assert [[t.seed for t in of_one] for of_one in trained] == [[0, 1, 2], [0, 1, 2]]
    assert [len(executor.data[name].folds[0].train) for name in ("few-fold0", "many-fold0")] == [
        10,
        48,
    ]
    assert [task.data for task in executor.tasks] == ["few-fold0", "many-fold0"] * 3
    assert len({task.save_to for task in executor.tasks}) == 6


def really(
    folder: Path, request: StopRequest | None = None, deadline: float | None = None
) -> list[Trained]:
    """Two seeds of a small network, trained in this process."""
    request = request or StopRequest()

    def on_epoch(task: TrainTask, epoch: EpochMetrics) -> None:
        told.append(f"{task.task_id} {epoch.epoch}")
        if request.is_heeded and len(told) == 4:
            request.reason = "interrupted"

    told: list[str] = []
    order = RetrainOrder(seeds={"tuned": SEEDS[:2]}, checkpoints=folder, deadline=deadline)
    with InlineExecutor(Reports(on_epoch=on_epoch, is_stopping=request.is_made)) as executor:
        chosen = contender(schedule="constant")
        return retrain(
            [chosen], training_data(32, 16), order, executor, lambda event: None, request
        )[0]


def test_interrupted_retraining_goes_on_to_the_same_end(tmp_path: Path) -> None:
    undisturbed = really(tmp_path / "whole")
    with StopRequest() as request:
        stopped = really(tmp_path / "stopped", request)
    assert [t.seed for t in stopped] == [0]
    resumed = really(tmp_path / "stopped")
    assert [[dict(e.metrics) for e in t.result.epochs] for t in resumed] == [
        [dict(e.metrics) for e in t.result.epochs] for t in undisturbed
    ]


def test_after_the_deadline_the_winner_alone_is_trained_for_an_epoch(tmp_path: Path) -> None:
    first, second = really(tmp_path, deadline=time.time())
    assert (len(first.result.epochs), first.result.ended_by, first.result.failure) == (
        1,
        "deadline",
        None,
    )
    assert second.result.failure is not None
    assert second.result.failure.reason == "the time budget was over before its training began"


def test_time_is_shared_among_the_trainings(tmp_path: Path) -> None:
    executor, deadline = FakeExecutor(answer, n_workers=2), time.time() + 100
    order = RetrainOrder(seeds={"a": SEEDS, "b": SEEDS}, checkpoints=tmp_path, deadline=deadline)
    retrain(
        [contender(name=n) for n in "ab"],
        training_data(),
        order,
        executor,
        lambda event: None,
        StopRequest(),
    )
    # Six trainings on two workers: each has a third of the time; the last two may use what the
    # others left.
    ends = [task.stop_at - deadline + 100 for task in executor.tasks if task.stop_at]
    assert ends == pytest.approx([100 / 3, 100 / 3, 50, 50, 100, 100], abs=5)


def test_fewer_training_images_are_drawn_once_and_validation_stays(tmp_path: Path) -> None:
    data = training_data()
    part, again = (
        run(contender(max_train_images=10), data=data, folder=tmp_path)[1]
        .data["tuned-fold0"]
        .folds[0]
        for _ in range(2)
    )
    assert len(set(part.train)) == 10
    assert set(part.train) <= set(data.folds[0].train)
    np.testing.assert_array_equal(part.train, again.train)
    np.testing.assert_array_equal(part.validation, data.folds[0].validation)


def test_seeds_take_turns_with_the_folds(tmp_path: Path) -> None:
    first = training_data().folds[0]
    second = Fold(train=np.arange(16, 64), validation=np.arange(16))
    executor = FakeExecutor(answer)
    order = RetrainOrder(seeds={"tuned": SEEDS}, checkpoints=tmp_path)
    data = replace(training_data(), folds=(first, second))
    retrain([contender()], data, order, executor, lambda event: None, StopRequest())
    validated = [executor.data[task.data].folds[0].validation[0] for task in executor.tasks]
    assert validated == [48, 0, 48]


@pytest.mark.parametrize("limit", [None, 48, 1000])
def test_limit_above_the_training_part_leaves_it_whole(tmp_path: Path, limit: int | None) -> None:
    data = training_data()
    part = (
        run(contender(max_train_images=limit), data=data, folder=tmp_path)[1]
        .data["tuned-fold0"]
        .folds[0]
    )
    assert part is data.folds[0]
