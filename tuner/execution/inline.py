"""Training in this process, for debugging and notebooks."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from tuner.execution.execution_options import ExecutionOptions
from tuner.execution.executor import Reports
from tuner.records.training import TrainResult, TrainTask
from tuner.training.data import TrainingData
from tuner.training.fit import run_task
from tuner.training.hooks import Hooks
from tuner.training.prepared import PreparedModels


class InlineExecutor:
    """Trains in this process, one task at a time.

    A task that hangs or runs out of memory takes the process along.
    """

    n_workers = 1

    def __init__(self, reports: Reports) -> None:
        """Take what is told after epochs."""
        self._hooks = Hooks(
            on_epoch=reports.on_epoch, on_fold=reports.on_fold, is_stopping=reports.is_stopping
        )
        self._data: dict[str, TrainingData] = {}
        self._models = PreparedModels()
        self._pending: deque[TrainTask] = deque()

    def add_data(self, name: str, data: TrainingData) -> None:
        """Take data that tasks will name."""
        self._data[name] = data

    def submit(self, task: TrainTask) -> None:
        """Take a task."""
        self._pending.append(task)

    def next_result(self) -> TrainResult:
        """Run the oldest pending task."""
        task = self._pending.popleft()
        return run_task(task, self._data[task.data], self._hooks, self._models)

    def close(self) -> None:
        """Forget what waits."""
        self._pending.clear()

    def __enter__(self) -> InlineExecutor:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def make(
    options: ExecutionOptions, reports: Reports, scratch: Path, log: Path | None
) -> InlineExecutor:
    """Make the executor; the options for workers have no meaning here."""
    del options, scratch, log
    return InlineExecutor(reports)
