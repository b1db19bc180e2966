"""Workers in processes of their own: a crash, a leak, a hang or a kill costs one training, never the search."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import wait
from pathlib import Path
from tempfile import mkdtemp

from tuner.execution.assignment import Assignment, Lookout
from tuner.execution.execution_options import TRIAL_TIMEOUT_S
from tuner.execution.executor import Reports
from tuner.execution.handle import WorkerHandle
from tuner.execution.memory import default_limit_bytes, in_gib
from tuner.execution.shared_data import SharedData, share
from tuner.execution.start import default_start_method
from tuner.execution.worker import WorkerSettings
from tuner.records.training import EpochMetrics, Failure, FoldDone, TrainResult, TrainTask
from tuner.training.data import TrainingData

_POLL_S = 0.2

# How the folders of arrays begin, in the scratch folder.
_ARRAYS = "arrays-"

# A worker that holds this share of its limit after a task is replaced: what it holds it would not
# give back.
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
        trial_timeout_s: float | None = TRIAL_TIMEOUT_S,
        worker_memory_bytes: int | None = None,
        start_method: str | None = None,
        checkpoint_s: float | None = None,
        gpus: Sequence[str] = (),
        log: Path | None = None,
    ) -> None:
        """Take the settings; a worker starts when the first task needs it.

        Args:
            reports: What is told, and asked, while tasks run.
            n_workers: Processes.
            scratch: Folder for arrays, which no other executor uses at the same time.
            trial_timeout_s: Seconds without a step after which a task has failed; None waits for
                ever.
            worker_memory_bytes: Memory at which a worker is killed; None: its part of 0.8 of what
                there is.
            start_method: `forkserver` or `spawn`; None: what suits the system.
            checkpoint_s: Seconds between two checkpoints of a task; None: as a training does
                without executor.
            gpus: What each worker sees of `CUDA_VISIBLE_DEVICES`, in turn; empty for a machine
                without.
            log: Where workers' prints are appended; None for nowhere in particular.
        """
        self.n_workers = n_workers
        self._reports = reports
        self._scratch = scratch
        self._timeout_s = trial_timeout_s
        self._memory_bytes = worker_memory_bytes or default_limit_bytes(n_workers)
        self._start_method = start_method or default_start_method()
        self._checkpoint_s, self._gpus, self._log = checkpoint_s, gpus, log
        self._data: dict[str, SharedData] = {}
        self._waiting: deque[Assignment] = deque()
        self._results: deque[TrainResult] = deque()
        self._workers: list[WorkerHandle] = []
        self._lookout = Lookout()
        # What a driver that was killed left behind.
        self._sweep()

    def add_data(self, name: str, data: TrainingData) -> None:
        """Take data that tasks will name; data of the same name is replaced.

        Raises:
            OSError: If arrays cannot be written to the scratch folder.
        """
        self._scratch.mkdir(parents=True, exist_ok=True)
        # A new name each time: where a worker still holds files open, some systems do not delete
        # them.
        self._data[name] = share(data, Path(mkdtemp(prefix=_ARRAYS, dir=self._scratch)))

    def submit(self, task: TrainTask) -> None:
        """Take a task, and start it where a worker is free."""
        self._waiting.append(Assignment(task=task))
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
        self._sweep()

    def __enter__(self) -> ProcessExecutor:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _assign(self) -> None:
        while self._waiting and (worker := self._free_worker(self._waiting[0].task)):
            assignment = self._waiting.popleft()
            worker.begin(assignment, self._data[assignment.task.data])

    def _free_worker(self, task: TrainTask) -> WorkerHandle | None:
        """An idle worker, best the one that trained what the task goes on from, or a new one; None if all are busy."""
        idle = [w for w in self._workers if w.assignment is None]
        if idle:
            return max(idle, key=lambda w: task.resume_from in w.saved)
        return self._new_worker() if len(self._workers) < self.n_workers else None

    def _new_worker(self) -> WorkerHandle:
        slot = min(set(range(self.n_workers)) - {worker.slot for worker in self._workers})
        # One thread each, but no core of its own: the system's choice is as fast, and faster beside
        # other work.
        gpu = self._gpus[slot % len(self._gpus)] if self._gpus else None
        settings = WorkerSettings(checkpoint_s=self._checkpoint_s, gpu=gpu, log=self._log)
        worker = WorkerHandle(self._start_method, slot, settings)
        self._workers.append(worker)
        return worker

    def _listen(self) -> None:
        """Hear what the workers say, for a moment at most."""
        # Windows waits for 63 handles at most: one for each worker, which its death makes ready
        # too.
        wait([worker.connection for worker in self._workers], _POLL_S)
        for worker in list(self._workers):
            # Asked first: what it said before it died is still to be heard.
            is_alive = worker.is_alive()
            for message in worker.messages():
                self._hear(worker, message)
            if not is_alive:
                self._lose(worker)

    def _hear(self, worker: WorkerHandle, message: object) -> None:
        assignment = worker.assignment
        assert assignment is not None
        match message:
            case EpochMetrics() if assignment.is_new(message):
                assignment.epochs.append(message)
                self._reports.on_epoch(assignment.task, message)
            case FoldDone():
                self._reports.on_fold(assignment.task, message)
            case TrainResult():
                worker.assignment = None
                self._results.append(replace(message, n_lost_workers=assignment.n_lost))
            case Exception():
                worker.assignment = None
                raise message

    def _lose(self, worker: WorkerHandle) -> None:
        """Begin the task of a dead worker again, a few times; it goes on from its checkpoint."""
        assignment, failure = worker.assignment, Failure(reason=worker.last_words(), kind="lost")
        self._remove(worker)
        if assignment is None:
            return
        if result := assignment.lose(failure, is_stopping=self._reports.is_stopping()):
            self._results.append(result)
        else:
            self._waiting.appendleft(assignment)

    def _look_after(self) -> None:
        """Ask to stop where that is due, and end workers that hang or have taken too much."""
        is_stopping, pause_s = self._reports.is_stopping(), self._lookout.pause_s()
        for worker in list(self._workers):
            if worker.assignment:
                worker.assignment.forgive(pause_s)
                self._look_after_busy(worker, worker.assignment, is_stopping)
            elif worker.used_bytes() > self._memory_bytes * _RETIRING_SHARE:
                self._remove(worker)

    def _look_after_busy(
        self, worker: WorkerHandle, assignment: Assignment, is_stopping: bool
    ) -> None:
        if is_stopping:
            worker.ask_to_stop()
        failure = assignment.hang(self._timeout_s) or self._excess(worker)
        if failure or assignment.is_overdue():
            self._remove(worker)
            self._results.append(assignment.cut_off(failure))

    def _excess(self, worker: WorkerHandle) -> Failure | None:
        used = worker.used_bytes()
        if used <= self._memory_bytes:
            return None
        reason = f"its worker used {in_gib(used)}; the limit is {in_gib(self._memory_bytes)}"
        return Failure(reason=reason, kind="memory")

    def _remove(self, worker: WorkerHandle) -> None:
        self._workers.remove(worker)
        worker.end()

    def _sweep(self) -> None:
        for folder in self._scratch.glob(f"{_ARRAYS}*"):
            shutil.rmtree(folder, ignore_errors=True)
