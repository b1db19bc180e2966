"""Workers on a Ray cluster of one or many machines.

Ray finds the place, starts them and detects their deaths.

Each worker is an actor, not a task: framework, GPU and traced models stay from training to
training, and a request to stop reaches it while it trains. The driver keeps all files and all
decisions.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray.exceptions import OutOfMemoryError, RayError, RayTaskError

import tuner
from tuner.data.decoding.streaming import StreamedImages
from tuner.errors import ConfigurationError
from tuner.execution.assignment import MAX_LOST
from tuner.execution.execution_options import TRIAL_TIMEOUT_S, ExecutionOptions
from tuner.execution.executor import Reports
from tuner.execution.pool import WorkerPool
from tuner.execution.ray.connection import check_share, connect, last_line, n_places, worker_options
from tuner.execution.ray.ray_worker import RayWorker
from tuner.execution.ray.trainer import Saved, Trainer
from tuner.records.training import Failure, TrainTask
from tuner.store.files.whole_files import write_atomically
from tuner.training.data import TrainingData

_POLL_S = 0.2

_SAME_EVERYWHERE = "every node needs the same Python, tuner and Ray; see docs/ray.md."


class RayExecutor(WorkerPool[RayWorker]):
    """Trains on the nodes of a Ray cluster; a node that dies costs its trainings some time only."""

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
        super().__init__(reports, trial_timeout_s)
        check_share(gpus_per_trial)
        self._is_ours = not ray.is_initialized()
        if self._is_ours:
            connect(address)
        self._checkpoint_s = checkpoint_s
        self._actor_class = ray.remote(Trainer)
        self._options = worker_options(gpus_per_trial)
        self._data: dict[str, Any] = {}
        self._numbers = count(1)
        self._n_false_starts = 0
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

    def close(self) -> None:
        """Kill all workers; end Ray if it was started here, else leave the cluster as it was."""
        super().close()
        self._data.clear()
        if self._is_ours:
            ray.shutdown()
        self._is_ours = False

    def _assign(self) -> None:
        # A worker that has no place on a node yet holds no task.
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
        for worker in self._ready():
            try:
                message = worker.message()
            except RayTaskError:
                raise
            except RayError as error:
                if not worker.is_ready:
                    self._count_false_start(error)
                self._lose(worker, _failure(error))
            else:
                self._take(worker, message)

    def _ready(self) -> list[RayWorker]:
        """The workers that have sent something or died, after a moment at most."""
        awaited = [worker.awaited for worker in self._workers]
        done, _ = ray.wait(awaited, timeout=_POLL_S, fetch_local=False)
        if done:
            # The first call ends with the first message; others that have come are not to wait for
            # the next round.
            done, _ = ray.wait(awaited, num_returns=len(awaited), timeout=0, fetch_local=False)
        return [worker for worker in self._workers if worker.awaited in done]

    def _take(self, worker: RayWorker, message: object) -> None:
        match message:
            case str():
                self._check_version(message)
                worker.release()
            case Saved():
                assert worker.assignment is not None
                _write(message.content, worker.assignment.task)
            case _:
                super()._take(worker, message)

    def _check_version(self, version: str) -> None:
        if version != tuner.__version__:
            raise ConfigurationError(
                f"a Ray node has tuner {version}, this machine {tuner.__version__}",
                _SAME_EVERYWHERE,
            )
        self._n_false_starts = 0

    def _count_false_start(self, error: RayError) -> None:
        self._n_false_starts += 1
        if self._n_false_starts > MAX_LOST:
            reason = last_line(error)
            raise ConfigurationError(
                f"no worker starts on the Ray cluster: {reason}", _SAME_EVERYWHERE
            ) from error

    def _look_after(self) -> None:
        if self._reports.is_stopping():
            # Nothing more is started.
            self._results.extend(assignment.cut_off(None) for assignment in self._waiting)
            self._waiting.clear()
        super()._look_after()


def _write(content: bytes, task: TrainTask) -> None:
    assert task.save_to is not None
    with write_atomically(task.save_to) as file:
        file.write(content)


def _failure(error: RayError) -> Failure:
    """How a worker died."""
    if isinstance(error, OutOfMemoryError):
        return Failure(reason="its node ran out of memory", traceback=str(error), kind="memory")
    reason = "its worker died, or the node that it was on"
    return Failure(reason=reason, traceback=str(error), kind="lost")


def make(
    options: ExecutionOptions, reports: Reports, scratch: Path, log: Path | None
) -> RayExecutor:
    """Make the executor, connected; the nodes keep their own scratch files and logs."""
    del scratch, log
    return RayExecutor(
        reports,
        n_workers=options.workers,
        address=options.ray_address,
        gpus_per_trial=options.gpus_per_trial,
        trial_timeout_s=options.trial_timeout_s,
    )
