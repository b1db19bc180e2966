"""The rules of a pool of workers: processes of this machine, or actors on a cluster."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from dataclasses import replace
from typing import Generic, Protocol, Self, TypeVar

from tuner.execution.assignment import Assignment, PauseDetector
from tuner.execution.executor import Reports
from tuner.records.training import EpochMetrics, Failure, FoldDone, TrainResult, TrainTask
from tuner.training.data import TrainingData


class PoolWorker(Protocol):
    """A worker as the driver sees it.

    Attributes:
        assignment: What it trains; None while it is idle.
    """

    assignment: Assignment | None

    def ask_to_stop(self) -> None:
        """Ask it, once, to end its task after the epoch under way."""

    def release(self) -> None:
        """Take its task from it, which has ended."""

    def end(self) -> None:
        """Kill it, if it is alive."""


Worker = TypeVar("Worker", bound=PoolWorker)


class WorkerPool(ABC, Generic[Worker]):
    """An executor whose workers train elsewhere.

    How they start and send messages is the member's part.

    A task whose worker dies begins again, a few times, from its last checkpoint. One whose worker
    makes no step in time has failed; so has one whose worker exceeds a limit of the member.

    Attributes:
        n_workers: How many tasks run at a time.
    """

    n_workers: int

    def __init__(self, reports: Reports, trial_timeout_s: float | None) -> None:
        """Take the reports, and the seconds without a step after which a task has failed."""
        self._reports, self._timeout_s = reports, trial_timeout_s
        self._waiting: deque[Assignment] = deque()
        self._results: deque[TrainResult] = deque()
        self._workers: list[Worker] = []
        self._pauses = PauseDetector()

    @abstractmethod
    def add_data(self, name: str, data: TrainingData) -> None:
        """Take data that tasks will name."""

    def submit(self, task: TrainTask) -> None:
        """Take a task, and start it where a worker is free."""
        self._waiting.append(Assignment(task=task))
        self._assign()

    def next_result(self) -> TrainResult:
        """Wait for a pending task to end.

        Raises:
            OSError: If a checkpoint or an array cannot be written or read: no fault of the task.
            ConfigurationError: If workers cannot start.
        """
        while not self._results:
            self._assign()
            self._listen()
            self._look_after()
        return self._results.popleft()

    def close(self) -> None:
        """Kill all workers, and drop what is pending."""
        while self._workers:
            self._workers.pop().end()
        self._waiting.clear()
        self._results.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @abstractmethod
    def _assign(self) -> None:
        """Give waiting tasks to idle workers, and start workers for the rest."""

    @abstractmethod
    def _listen(self) -> None:
        """Wait a moment at most for messages, and `_take` or `_lose` whatever comes."""

    def _excess(self, worker: Worker) -> Failure | None:
        """Why a busy worker must end, where a limit of the member says so."""
        del worker
        return None

    def _is_worn_out(self, worker: Worker) -> bool:
        """Whether an idle worker is to be replaced by a new one."""
        del worker
        return False

    def _take(self, worker: Worker, message: object) -> None:
        """Take a message of a busy worker; None is a sign of life.

        Raises:
            Exception: The message itself, where it is one: no fault of the task.
        """
        assignment = worker.assignment
        assert assignment is not None
        match message:
            case EpochMetrics() if assignment.is_new(message):
                assignment.epochs.append(message)
                self._reports.on_epoch(assignment.task, message)
            case FoldDone():
                self._reports.on_fold(assignment.task, message)
            case TrainResult():
                worker.release()
                self._results.append(replace(message, n_lost_workers=assignment.n_lost))
            case Exception():
                worker.release()
                raise message

    def _lose(self, worker: Worker, failure: Failure) -> None:
        """Begin the task of a dead worker again, unless it died too often or for lack of memory."""
        assignment = worker.assignment
        self._remove(worker)
        if assignment is None:
            return
        if failure.kind == "memory":
            self._results.append(assignment.cut_off(failure))
        elif result := assignment.lose(failure, is_stopping=self._reports.is_stopping()):
            self._results.append(result)
        else:
            self._waiting.appendleft(assignment)

    def _look_after(self) -> None:
        """Ask to stop where that is due, and end workers that hang or exceed a limit."""
        is_stopping, pause_s = self._reports.is_stopping(), self._pauses.pause_s()
        for worker in list(self._workers):
            if worker.assignment:
                worker.assignment.ignore_pause(pause_s)
                self._look_after_busy(worker, worker.assignment, is_stopping)
            elif self._is_worn_out(worker):
                self._remove(worker)

    def _look_after_busy(self, worker: Worker, assignment: Assignment, is_stopping: bool) -> None:
        if is_stopping:
            worker.ask_to_stop()
        failure = assignment.hang(self._timeout_s) or self._excess(worker)
        if failure or assignment.is_overdue():
            self._remove(worker)
            self._results.append(assignment.cut_off(failure))

    def _remove(self, worker: Worker) -> None:
        self._workers.remove(worker)
        worker.end()
