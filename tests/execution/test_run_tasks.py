"""Idle workers get the next task at once, and nothing is submitted beyond them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, cast

import pytest

from tests.images import train_task
from tuner.execution.executor import Executor
from tuner.execution.run_tasks import run_tasks
from tuner.records.training import TrainResult, TrainTask


class FakeExecutor:
    """Ends the tasks in the order in which they came.

    Attributes:
        n_pending: How many tasks were pending after each submission.
    """

    def __init__(self, n_workers: int) -> None:
        self.n_workers = n_workers
        self.n_pending: list[int] = []
        self._pending: deque[TrainTask] = deque()

    def submit(self, task: TrainTask) -> None:
        self._pending.append(task)
        self.n_pending.append(len(self._pending))

    def next_result(self) -> TrainResult:
        return TrainResult(task_id=self._pending.popleft().task_id, epochs=(), duration_s=0.0)


def run(executor: FakeExecutor, waiting: Sequence[str], more: dict[str, str]) -> list[str]:
    """Run tasks, some of which only come once another has ended; returns the order of results."""
    queue, ended = deque(waiting), []

    def take(result: TrainResult) -> None:
        ended.append(result.task_id)
        if result.task_id in more:
            queue.append(more[result.task_id])

    def next_task() -> TrainTask | None:
        return train_task(task_id=queue.popleft()) if queue else None

    run_tasks(cast(Executor, cast(Any, executor)), next_task, take)
    return ended


@pytest.mark.parametrize("n_workers", [1, 2, 5])
def test_every_task_runs_and_no_more_at_a_time_than_there_are_workers(n_workers: int) -> None:
    executor = FakeExecutor(n_workers)
    assert run(executor, "abcd", {}) == list("abcd")
    assert max(executor.n_pending) == min(n_workers, 4)


def test_task_that_only_comes_with_a_result_is_started_after_it() -> None:
    executor = FakeExecutor(2)
    assert run(executor, "a", {"a": "b", "b": "c"}) == ["a", "b", "c"]
    assert executor.n_pending == [1, 1, 1]


def test_nothing_to_start_ends_at_once() -> None:
    executor = FakeExecutor(2)
    assert run(executor, "", {}) == []
    assert executor.n_pending == []
