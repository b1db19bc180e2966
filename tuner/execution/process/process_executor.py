"""Workers in processes of their own.

A crash, a leak, a hang or a kill costs one training, never the search.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from multiprocessing.connection import wait
from pathlib import Path
from tempfile import mkdtemp

from tuner.backend.environment import gpus
from tuner.cores import n_cores
from tuner.execution.execution_options import TRIAL_TIMEOUT_S, ExecutionOptions
from tuner.execution.executor import Reports
from tuner.execution.memory import default_limit_bytes, in_gib
from tuner.execution.pool import WorkerPool
from tuner.execution.process.start import StartMethod, default_start_method
from tuner.execution.process.task_server import WorkerSettings
from tuner.execution.process.worker_process import WorkerProcess
from tuner.execution.shared_data import SharedData, share
from tuner.records.training import Failure, TrainTask
from tuner.training.data import TrainingData

_POLL_S = 0.2

# How the folders of arrays begin, in the scratch folder.
_ARRAYS = "arrays-"

# A worker with TensorFlow and a small network takes half of this.
MIN_WORKER_BYTES = 10**9

# A worker that holds this share of its limit after a task is replaced: what it holds it would not
# give back.
_RETIRING_SHARE = 0.75


class ProcessExecutor(WorkerPool[WorkerProcess]):
    """Trains in warm processes, which keep their framework, models and data from task to task."""

    def __init__(
        self,
        reports: Reports,
        *,
        n_workers: int,
        scratch: Path,
        trial_timeout_s: float | None = TRIAL_TIMEOUT_S,
        worker_memory_bytes: int | None = None,
        start_method: StartMethod | None = None,
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
        super().__init__(reports, trial_timeout_s)
        self.n_workers = n_workers
        self._scratch = scratch
        self._memory_bytes = worker_memory_bytes or default_limit_bytes(n_workers)
        self._start_method = start_method or default_start_method()
        self._checkpoint_s, self._gpus, self._log = checkpoint_s, gpus, log
        self._data: dict[str, SharedData] = {}
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

    def close(self) -> None:
        """Kill all workers, and delete the arrays."""
        super().close()
        self._sweep()

    def _assign(self) -> None:
        while self._waiting and (worker := self._free_worker(self._waiting[0].task)):
            assignment = self._waiting.popleft()
            worker.begin(assignment, self._data[assignment.task.data])

    def _free_worker(self, task: TrainTask) -> WorkerProcess | None:
        """An idle worker, best the one that trained what the task goes on from, or a new one."""
        idle = [worker for worker in self._workers if worker.assignment is None]
        if idle:
            return max(idle, key=lambda worker: task.resume_from in worker.saved)
        return self._new_worker() if len(self._workers) < self.n_workers else None

    def _new_worker(self) -> WorkerProcess:
        slot = min(set(range(self.n_workers)) - {worker.slot for worker in self._workers})
        # One thread each, but no core of its own: the system's choice is as fast, and faster beside
        # other work.
        gpu = self._gpus[slot % len(self._gpus)] if self._gpus else None
        settings = WorkerSettings(checkpoint_s=self._checkpoint_s, gpu=gpu, log=self._log)
        worker = WorkerProcess(self._start_method, slot, settings)
        self._workers.append(worker)
        return worker

    def _listen(self) -> None:
        # Windows waits for 63 handles at most: one for each worker, which its death makes ready
        # too.
        wait([worker.connection for worker in self._workers], _POLL_S)
        for worker in list(self._workers):
            # Asked first: what it sent before it died is still to be read.
            is_alive = worker.is_alive()
            for message in worker.messages():
                self._take(worker, message)
            if not is_alive:
                self._lose(worker, Failure(reason=worker.exit_reason(), kind="lost"))

    def _excess(self, worker: WorkerProcess) -> Failure | None:
        used = worker.used_bytes()
        if used <= self._memory_bytes:
            return None
        reason = f"its worker used {in_gib(used)}; the limit is {in_gib(self._memory_bytes)}"
        return Failure(reason=reason, kind="memory")

    def _is_worn_out(self, worker: WorkerProcess) -> bool:
        return worker.used_bytes() > self._memory_bytes * _RETIRING_SHARE

    def _sweep(self) -> None:
        for folder in self._scratch.glob(f"{_ARRAYS}*"):
            shutil.rmtree(folder, ignore_errors=True)


def make(
    options: ExecutionOptions, reports: Reports, scratch: Path, log: Path | None
) -> ProcessExecutor:
    """Make the executor, with as many workers as you asked for or as the machine allows."""
    return ProcessExecutor(
        reports,
        n_workers=options.workers or _default_workers(),
        scratch=scratch,
        trial_timeout_s=options.trial_timeout_s,
        worker_memory_bytes=options.worker_memory_bytes,
        gpus=gpus(),
        log=log,
    )


def _default_workers() -> int:
    """One per GPU; without any, one per core that memory allows."""
    n_that_fit = max(1, default_limit_bytes(1) // MIN_WORKER_BYTES)
    return len(gpus()) or min(n_cores(), n_that_fit)
