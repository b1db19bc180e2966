"""Where a training runs: one interface for all executors.

Search and retraining are the same whichever member runs their tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tuner.records.events import EpochEnded, FoldEnded, Listener
from tuner.records.training import EpochMetrics, FoldDone, TrainResult, TrainTask
from tuner.training.data import TrainingData


def _never() -> bool:
    return False


def _nothing(task: TrainTask, fold: FoldDone) -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """What an executor reports, and asks, while tasks run.

    All of it is called in the thread that waits for results.

    Attributes:
        on_epoch: Called after each epoch of each task.
        is_stopping: Whether all tasks are to end: then each ends after the epoch under way, with
            its checkpoint written, and its result says `request`.
        on_fold: Called after each fold's part of an epoch, where there are several folds.
    """

    on_epoch: Callable[[TrainTask, EpochMetrics], None]
    is_stopping: Callable[[], bool] = _never
    on_fold: Callable[[TrainTask, FoldDone], None] = _nothing


class Executor(Protocol):
    """Takes tasks and gives results back, in the order in which they end.

    `close` it, or use it in a `with`.

    Attributes:
        n_workers: How many tasks run at a time.
    """

    n_workers: int

    def add_data(self, name: str, data: TrainingData) -> None:
        """Take data that tasks will name; shared by all workers, never copied into each."""

    def submit(self, task: TrainTask) -> None:
        """Take a task; at most `n_workers` may be pending."""

    def next_result(self) -> TrainResult:
        """Wait for a pending task to end; a worker's death is a result too.

        Raises:
            OSError: If a checkpoint cannot be written: no fault of the task.
        """

    def close(self) -> None:
        """End all workers at once, whatever they do; none is left behind."""

    def __enter__(self) -> Executor: ...

    def __exit__(self, *error: object) -> None: ...


def epoch_listener(listener: Listener) -> Callable[[TrainTask, EpochMetrics], None]:
    """What an executor calls after each epoch, to tell a listener."""

    def on_epoch(task: TrainTask, epoch: EpochMetrics) -> None:
        listener(EpochEnded(task_id=task.task_id, last_epoch=task.last_epoch, epoch=epoch))

    return on_epoch


def fold_listener(listener: Listener) -> Callable[[TrainTask, FoldDone], None]:
    """What an executor calls after each fold's part of an epoch, to tell a listener."""

    def on_fold(task: TrainTask, fold: FoldDone) -> None:
        listener(FoldEnded(task_id=task.task_id, last_epoch=task.last_epoch, fold=fold))

    return on_fold
