"""Workers in processes of their own: a crash, a leak, a hang or a kill costs one training, never the search."""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import wait
from pathlib import Path

from tuner.execution.executor import Reports
from tuner.execution.handle import Job, WorkerHandle
from tuner.execution.memory import default_limit_bytes, in_gib
from tuner.execution.shared_data import SharedData, share
from tuner.execution.start import default_start_method
from tuner.execution.worker import WorkerSettings
from tuner.records.training import EpochMetrics, Failure, TrainResult, TrainTask
from tuner.training.data import TrainingData

# Seconds that a task has for the epoch under way once it is asked to stop.
GRACE_S = 30.0

# A task whose workers die is begun again this often.
MAX_LOST = 2

_POLL_S = 0.2

# A worker that holds this share of its limit after a task is replaced: what it holds it would not give back.
_RETIRING_SHARE = 0.75


class ProcessExecutor:
    """Trains in warm processes, which keep their framework, models and data from task to task.

    Attributes:
        n_workers: How many tasks run at a time.
    """

    def __init__(
        self,
        reports: Reports,
        *,
        n_workers: int,
        scratch: Path,
        trial_timeout_s: float | None = 600.0,
        worker_memory_bytes: int | None = None,
        start_method: str | None = None,
        checkpoint_s: float = 30.0,
        gpus: Sequence[str] = (),
    ) -> None:
        """Take the settings; a worker starts when the first task needs it.

        Args:
            reports: What is told, and asked, while tasks run.
            n_workers: Processes.
            scratch: Folder for arrays, which no other executor uses at the same time.
            trial_timeout_s: Seconds without a step after which a task has failed; None waits for ever.
            worker_memory_bytes: Memory at which a worker is killed; None: its part of 0.8 of what there is.
            start_method: `forkserver` or `spawn`; None: what suits the system.
            checkpoint_s: Seconds between two checkpoints of a task.
            gpus: What each worker sees of `CUDA_VISIBLE_DEVICES`, in turn; empty for a machine without.
        """
        self.n_workers = n_workers
        self._reports = reports
        self._folder = scratch / "arrays"
        self._timeout_s = trial_timeout_s
        self._memory_bytes = worker_memory_bytes or default_limit_bytes(n_workers)
        self._start_method = start_method or default_start_method()
        self._checkpoint_s, self._gpus = checkpoint_s, gpus
        self._data: dict[str, SharedData] = {}
        self._n_added = 0
        self._waiting: deque[Job] = deque()
        self._results: deque[TrainResult] = deque()
        self._workers: list[WorkerHandle] = []
        # What a driver that was killed left behind.
        shutil.rmtree(self._folder, ignore_errors=True)

    def add_data(self, name: str, data: TrainingData) -> None:
        """Take data that tasks will name; data of the same name is replaced.

        Raises:
            OSError: If arrays cannot be written to the scratch folder.
        """
        self._n_added += 1
        self._data[name] = share(data, self._folder / str(self._n_added))

    def submit(self, task: TrainTask) -> None:
        """Take a task, and start it where a worker is free."""
        self._waiting.append(Job(task=task))
        self._assign()

    def next_result(self) -> TrainResult:
        """Wait for a pending task to end.

        Raises:
            OSError: If a checkpoint or an array cannot be written or read: no fault of the task.
        """
        while not self._results:
            self._assign()
            self._listen()
            self._look_after()
        return self._results.popleft()

    def close(self) -> None:
        """Kill all workers, and delete the arrays."""
        while self._workers:
            self._workers.pop().end()
        self._waiting.clear()
        self._results.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> ProcessExecutor:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _assign(self) -> None:
        while self._waiting and (worker := self._free_worker(self._waiting[0].task)):
            job = self._waiting.popleft()
            worker.begin(job, self._data[job.task.data])

    def _free_worker(self, task: TrainTask) -> WorkerHandle | None:
        """An idle worker, best the one that trained what the task goes on from, or a new one; None if all are busy."""
        idle = [w for w in self._workers if w.job is None]
        if idle:
            return max(idle, key=lambda w: task.resume_from in w.saved)
        return self._new_worker() if len(self._workers) < self.n_workers else None

    def _new_worker(self) -> WorkerHandle:
        slot = min(set(range(self.n_workers)) - {worker.slot for worker in self._workers})
        # One thread each, but no core of its own: the system's choice is as fast, and faster beside other work.
        gpu = self._gpus[slot % len(self._gpus)] if self._gpus else None
        worker = WorkerHandle(self._start_method, slot, WorkerSettings(checkpoint_s=self._checkpoint_s, gpu=gpu))
        self._workers.append(worker)
        return worker

    def _listen(self) -> None:
        """Hear what the workers say, for a moment at most."""
        wait([handle for w in self._workers for handle in (w.connection, w.sentinel)], _POLL_S)
        for worker in list(self._workers):
            # Asked first: what it said before it died is still to be heard.
            is_alive = worker.is_alive()
            for message in worker.messages():
                self._hear(worker, message)
            if not is_alive:
                self._lose(worker)

    def _hear(self, worker: WorkerHandle, message: object) -> None:
        job = worker.job
        assert job is not None
        match message:
            case EpochMetrics() if job.is_new(message):
                job.epochs.append(message)
                self._reports.on_epoch(job.task, message)
            case TrainResult():
                worker.job = None
                self._results.append(replace(message, n_lost_workers=job.n_lost))
            case Exception():
                worker.job = None
                raise message

    def _lose(self, worker: WorkerHandle) -> None:
        """Begin the task of a dead worker again, a few times; it goes on from its checkpoint."""
        job, reason = worker.job, worker.last_words()
        self._remove(worker)
        if job is None:
            return
        job.n_lost += 1
        if job.n_lost > MAX_LOST:
            self._results.append(job.cut_off(Failure(reason=reason, kind="lost")))
        else:
            self._waiting.appendleft(job)

    def _look_after(self) -> None:
        """Ask to stop where that is due, and end workers that hang or have taken too much."""
        is_stopping = self._reports.is_stopping()
        for worker in list(self._workers):
            if worker.job:
                self._look_after_busy(worker, worker.job, is_stopping)
            elif worker.used_bytes() > self._memory_bytes * _RETIRING_SHARE:
                self._remove(worker)

    def _look_after_busy(self, worker: WorkerHandle, job: Job, is_stopping: bool) -> None:
        if is_stopping:
            worker.ask_to_stop()
        failure = self._hang(worker) or self._excess(worker)
        if failure or worker.is_overdue(GRACE_S):
            self._remove(worker)
            self._results.append(job.cut_off(failure))

    def _hang(self, worker: WorkerHandle) -> Failure | None:
        if self._timeout_s is None or time.monotonic() - worker.heard_s <= self._timeout_s:
            return None
        return Failure(reason=f"no step in {self._timeout_s:g} s", kind="hang")

    def _excess(self, worker: WorkerHandle) -> Failure | None:
        used = worker.used_bytes()
        if used <= self._memory_bytes:
            return None
        reason = f"its worker used {in_gib(used)}; the limit is {in_gib(self._memory_bytes)}"
        return Failure(reason=reason, kind="memory")

    def _remove(self, worker: WorkerHandle) -> None:
        self._workers.remove(worker)
        worker.end()
