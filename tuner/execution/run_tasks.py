"""Keeping the workers of an executor busy."""

from __future__ import annotations

from collections.abc import Callable

from tuner.execution.executor import Executor
from tuner.records.training import TrainResult, TrainTask


def run_tasks(
    executor: Executor,
    next_task: Callable[[], TrainTask | None],
    take: Callable[[TrainResult], None],
) -> None:
    """Run tasks until none is left: as soon as a worker is idle, the next task is submitted.

    Args:
        executor: Trains; nothing is pending there.
        next_task: Called for each worker that is idle, and again after each result; None where
            there is nothing to start now.
        take: Called with each result, in the order in which the tasks end.

    Raises:
        OSError: If a checkpoint cannot be written: no fault of the task.
    """
    n_running = 0
    while True:
        while n_running < executor.n_workers and (task := next_task()) is not None:
            n_running += 1
            executor.submit(task)
        if not n_running:
            return
        result = executor.next_result()
        n_running -= 1
        take(result)
