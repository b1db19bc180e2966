"""What every executor does with its tasks; a new member joins `EXECUTORS`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.images import train_task, training_data
from tuner.execution.executor import Executor, InlineExecutor
from tuner.records.training import EpochMetrics, TrainTask
from tuner.training.data import TrainingData
from tuner.training.fit import OnEpoch

EXECUTORS: list[Callable[[TrainingData, OnEpoch], Executor]] = [InlineExecutor]

DATA = training_data(20, 10)


@pytest.fixture(params=EXECUTORS)
def make(request: pytest.FixtureRequest) -> Callable[[TrainingData, OnEpoch], Executor]:
    """Makes an executor."""
    return request.param


def test_every_task_gets_its_own_result(make: Callable[[TrainingData, OnEpoch], Executor]) -> None:
    told: list[tuple[TrainTask, EpochMetrics]] = []
    executor = make(DATA, lambda task, epoch: told.append((task, epoch)))
    tasks = [train_task(task_id=name, last_epoch=n) for name, n in (("a", 1), ("b", 2))]
    results = {}
    for task in tasks:
        executor.submit(task)
        result = executor.next_result()
        results[result.task_id] = result
    assert {name: len(result.epochs) for name, result in results.items()} == {"a": 1, "b": 2}
    assert [(task.task_id, epoch.epoch) for task, epoch in told] == [("a", 1), ("b", 1), ("b", 2)]


def test_failed_task_is_a_result_and_the_next_one_runs(make: Callable[[TrainingData, OnEpoch], Executor]) -> None:
    executor = make(DATA, lambda task, epoch: None)
    executor.submit(train_task(model="tests.training.builders:build_broken"))
    failed = executor.next_result()
    assert failed.failure is not None
    assert failed.failure.reason == "ValueError: this builder is broken"
    executor.submit(train_task(last_epoch=1))
    assert executor.next_result().failure is None
