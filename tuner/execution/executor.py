"""Where a training runs: one interface, so that the search never knows which member it talks to."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from tuner.records.events import EpochEnded, Listener
from tuner.records.training import EpochMetrics, TrainResult, TrainTask
from tuner.training.data import TrainingData
from tuner.training.fit import OnEpoch, run_task


class Executor(Protocol):
    """Takes orders and gives results back, in whatever order they end.

    Attributes:
        n_workers: How many tasks run at a time.
    """

    n_workers: int

    def submit(self, task: TrainTask) -> None:
        """Take a task; at most `n_workers` may be pending."""

    def next_result(self) -> TrainResult:
        """Wait for a pending task to end."""


class InlineExecutor:
    """Trains in this process, one task at a time."""

    n_workers = 1

    def __init__(self, data: TrainingData, on_epoch: OnEpoch) -> None:
        """Take the data of all tasks, and what is called after each of their epochs."""
        self._data = data
        self._on_epoch = on_epoch
        self._pending: deque[TrainTask] = deque()

    def submit(self, task: TrainTask) -> None:
        """Take a task."""
        self._pending.append(task)

    def next_result(self) -> TrainResult:
        """Run the oldest pending task."""
        return run_task(self._pending.popleft(), self._data, self._on_epoch)


def epoch_listener(listener: Listener) -> OnEpoch:
    """What an executor calls after each epoch, to tell a listener."""

    def on_epoch(task: TrainTask, epoch: EpochMetrics) -> None:
        listener(EpochEnded(task_id=task.task_id, last_epoch=task.last_epoch, epoch=epoch))

    return on_epoch
