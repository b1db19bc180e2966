"""Workers on a Ray cluster, one or many machines: Ray finds the place, starts them and notices when they die.

Each worker is an actor, not a task: framework, GPU and traced models stay from training to
training, and a request to stop reaches it while it trains. The driver keeps all files and all
decisions.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import ray
from ray.exceptions import OutOfMemoryError, RayError, RayTaskError

import tuner
from tuner.data.streaming import StreamedImages
from tuner.errors import ConfigurationError
from tuner.execution.assignment import MAX_LOST, Assignment, Lookout
from tuner.execution.execution_options import TRIAL_TIMEOUT_S
from tuner.execution.executor import Reports
from tuner.execution.ray_connection import check_share, connect, last_line, n_places, worker_options
from tuner.execution.ray_handle import RayWorker
from tuner.execution.ray_worker import Saved, Trainer
from tuner.records.training import EpochMetrics, Failure, FoldDone, TrainResult, TrainTask
from tuner.store.files import write_atomically
from tuner.training.data import TrainingData

_POLL_S = 0.2

_SAME_EVERYWHERE = "every node needs the same Python, tuner and Ray; see docs/ray.md."


class RayExecutor:
    """Trains on the nodes of a Ray cluster; a node that dies costs its trainings some time, and the others nothing.

    Attributes:
        n_workers: How many tasks run at a time.
    """

    def __init__(
        self,
        reports: Reports,
        *,
        n_workers: int | None = None,
        address: str | None = None,
        gpus_per_trial: float = 0.0,
        trial_timeout_s: float | None = TRIAL_TIMEOUT_S,
        checkpoint_s: float | None = None,
    ) -> None:
        """Connect; workers start when the first tasks need them.

        Args:
            reports: What is told, and asked, while tasks run.
            n_workers: Trainings at a time; None takes as many as the cluster has room for.
            address: `HOST:PORT` of a running cluster; None starts Ray on this machine, unless this
                process has.
            gpus_per_trial: Share of a GPU that a training takes, from 0 to 1; with 0 it trains on
                CPUs.
            trial_timeout_s: Seconds without a step after which a task has failed; None waits for
                ever.
            checkpoint_s: Seconds between two checkpoints that come back to the driver; None: as
                without executor.

        Raises:
            ConfigurationError: If the share is not from 0 to 1, nothing answers at the address, or
                no node has what a training takes.
        """
        check_share(gpus_per_trial)
        self._is_ours = not ray.is_initialized()
        if self._is_ours:
            connect(address)
        self._reports, self._timeout_s, self._checkpoint_s = reports, trial_timeout_s, checkpoint_s
        self._actor_class = ray.remote(Trainer)
        self._options = worker_options(gpus_per_trial)
        self._data: dict[str, Any] = {}
        self._numbers = count(1)
        self._n_false_starts = 0
        self._lookout = Lookout()
        self._waiting: deque[Assignment] = deque()
        self._results: deque[TrainResult] = deque()
        self._workers: list[RayWorker] = []
        try:
            places = n_places(gpus_per_trial)
        except ConfigurationError:
            self.close()
            raise
        self.n_workers = n_workers or places

    def add_data(self, name: str, data: TrainingData) -> None:
        """Take data that tasks will name; each node gets one copy, which its workers share."""
        # Ray shares plain arrays only, not memory maps of files that nodes may not have. Streamed
        # images are too large for that: the nodes need the same files at the same place.
        is_streamed = isinstance(data.inputs, StreamedImages)
        plain = replace(
            data,
            inputs=data.inputs if is_streamed else np.ascontiguousarray(data.inputs),
            labels=np.ascontiguousarray(data.labels),
        )
        self._data[name] = ray.put(plain)

    def submit(self, task: TrainTask) -> None:
        """Take a task, and start it where a worker is free."""
        self._waiting.append(Assignment(task=task))
        self._assign()

    def next_result(self) -> TrainResult:
        """Wait for a pending task to end.

        Raises:
            OSError: If a checkpoint cannot be written or read, here or on a node: no fault of the
                task.
            ConfigurationError: If workers cannot start.
        """
        while not self._results:
            self._assign()
            self._listen()
            self._look_after()
        return self._results.popleft()

    def close(self) -> None:
        """Kill all workers; end Ray if it was started here, else leave the cluster as it was."""
        while self._workers:
            self._workers.pop().end()
        self._waiting.clear()
        self._results.clear()
        self._data.clear()
        if self._is_ours:
            ray.shutdown()
        self._is_ours = False

    def __enter__(self) -> RayExecutor:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _assign(self) -> None:
        """Give tasks to workers that are free, and start workers for the rest; one without a place holds no task."""
        while self._waiting and (worker := next((w for w in self._workers if w.is_free), None)):
            assignment = self._waiting.popleft()
            worker.begin(
                assignment,
                self._data[assignment.task.data],
                next(self._numbers),
                self._checkpoint_s,
            )
        n_starting = sum(not worker.is_ready for worker in self._workers)
        for _ in range(min(len(self._waiting) - n_starting, self.n_workers - len(self._workers))):
            self._workers.append(RayWorker(self._actor_class.options(**self._options).remote()))

    def _listen(self) -> None:
        """Hear what the workers say, for a moment at most."""
        for worker in self._ready():
            try:
                message = worker.message()
            except RayTaskError:
                raise
            except RayError as error:
                self._lose(worker, error)
            else:
                self._hear(worker, message)

    def _ready(self) -> list[RayWorker]:
        """The workers that have said something, after a moment at most."""
        awaited = [worker.awaited for worker in self._workers]
        heard, _ = ray.wait(awaited, timeout=_POLL_S, fetch_local=False)
        if heard:
            # The first call ends with the first message; others that have come are not to wait for
            # the next round.
            heard, _ = ray.wait(awaited, num_returns=len(awaited), timeout=0, fetch_local=False)
        return [worker for worker in self._workers if worker.awaited in heard]

    def _hear(self, worker: RayWorker, message: object) -> None:
        match message:
            case str():
                self._welcome(worker, message)
            case EpochMetrics() if worker.busy.is_new(message):
                worker.busy.epochs.append(message)
                self._reports.on_epoch(worker.busy.task, message)
            case FoldDone():
                self._reports.on_fold(worker.busy.task, message)
            case Saved():
                _write(message.content, worker.busy.task)
            case TrainResult():
                self._results.append(replace(message, n_lost_workers=worker.busy.n_lost))
                worker.rest()
            case Exception():
                worker.rest()
                raise message

    def _welcome(self, worker: RayWorker, version: str) -> None:
        if version != tuner.__version__:
            raise ConfigurationError(
                f"a Ray node has tuner {version}, this machine {tuner.__version__}",
                _SAME_EVERYWHERE,
            )
        self._n_false_starts = 0
        worker.rest()

    def _lose(self, worker: RayWorker, error: RayError) -> None:
        """Begin the task of a dead worker again, a few times; it goes on from the checkpoint that came back last."""
        assignment = worker.assignment
        self._remove(worker)
        if not worker.is_ready:
            self._count_false_start(error)
        if assignment is None:
            return
        if result := self._result_of_lost(assignment, error):
            self._results.append(result)
        else:
            self._waiting.appendleft(assignment)

    def _result_of_lost(self, assignment: Assignment, error: RayError) -> TrainResult | None:
        if isinstance(error, OutOfMemoryError):
            return assignment.cut_off(_failure("its node ran out of memory", error, "memory"))
        failure = _failure("its worker died, or the node that it was on", error, "lost")
        return assignment.lose(failure, is_stopping=self._reports.is_stopping())

    def _count_false_start(self, error: RayError) -> None:
        self._n_false_starts += 1
        if self._n_false_starts > MAX_LOST:
            reason = last_line(error)
            raise ConfigurationError(
                f"no worker starts on the Ray cluster: {reason}", _SAME_EVERYWHERE
            ) from error

    def _look_after(self) -> None:
        """Ask to stop where that is due, and end workers that hang or do not heed it."""
        is_stopping, pause_s = self._reports.is_stopping(), self._lookout.pause_s()
        if is_stopping:
            # Nothing more is started.
            self._results.extend(assignment.cut_off(None) for assignment in self._waiting)
            self._waiting.clear()
        for worker in [w for w in self._workers if w.assignment]:
            worker.busy.forgive(pause_s)
            self._look_after_busy(worker, is_stopping)

    def _look_after_busy(self, worker: RayWorker, is_stopping: bool) -> None:
        if is_stopping:
            worker.ask_to_stop()
        failure = worker.busy.hang(self._timeout_s)
        if failure or worker.busy.is_overdue():
            self._results.append(worker.busy.cut_off(failure))
            self._remove(worker)

    def _remove(self, worker: RayWorker) -> None:
        self._workers.remove(worker)
        worker.end()


def _write(content: bytes, task: TrainTask) -> None:
    assert task.save_to is not None
    with write_atomically(task.save_to) as file:
        file.write(content)


def _failure(reason: str, error: RayError, kind: str) -> Failure:
    return Failure(reason=reason, traceback=str(error), kind=kind)
