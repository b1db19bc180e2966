"""A worker and its job as the driver sees them."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from pathlib import Path

from tuner.execution import worker
from tuner.execution.memory import used_bytes
from tuner.execution.shared_data import SharedData
from tuner.execution.start import start_process
from tuner.execution.worker import Order, WorkerSettings
from tuner.records.training import EpochMetrics, Failure, TrainResult, TrainTask


@dataclass(slots=True, kw_only=True)
class Job:
    """A task under way, over all workers that it gets.

    Attributes:
        task: The order.
        epochs: Those heard of.
        n_lost: Workers that died under it.
        began_s: Monotonic seconds.
    """

    task: TrainTask
    epochs: list[EpochMetrics] = field(default_factory=list)
    n_lost: int = 0
    began_s: float = field(default_factory=time.monotonic)

    def is_new(self, epoch: EpochMetrics) -> bool:
        """Whether nobody has heard of an epoch; a worker that takes over may train some again."""
        return not self.epochs or epoch.epoch > self.epochs[-1].epoch

    def cut_off(self, failure: Failure | None) -> TrainResult:
        """The result of a task whose worker did not live to tell it: a failure, or None where it was asked to stop."""
        return TrainResult(
            task_id=self.task.task_id,
            epochs=tuple(self.epochs),
            duration_s=time.monotonic() - self.began_s,
            failure=failure,
            ended_by="last_epoch" if failure else "request",
            n_lost_workers=self.n_lost,
        )


class WorkerHandle:
    """Starts a worker, gives it orders, listens to it and ends it.

    Attributes:
        slot: Its number among the workers, from 0.
        job: What it trains; None while it has nothing to do.
        saved: Where its tasks left checkpoints.
        heard_s: When it last gave a sign of life, in monotonic seconds.
        asked_s: When its task was asked to stop; None if it was not.
        connection: What it says comes here.
        sentinel: Ready when it has died.
    """

    def __init__(self, method: str, slot: int, settings: WorkerSettings) -> None:
        """Start it."""
        self.slot = slot
        self.job: Job | None = None
        self.saved: set[Path] = set()
        self.heard_s = 0.0
        self.asked_s: float | None = None
        self.connection, other_end = Pipe()
        self._process = start_process(method, f"worker-{slot}", worker.main, other_end, settings)
        # Else the end of the worker would not be the end of what it says.
        other_end.close()
        self.sentinel = self._process.sentinel

    def is_alive(self) -> bool:
        """Whether it has not died."""
        return self._process.is_alive()

    def begin(self, job: Job, data: SharedData) -> None:
        """Let it train."""
        self.job, self.heard_s, self.asked_s = job, time.monotonic(), None
        if job.task.save_to:
            self.saved.add(job.task.save_to)
        self._say(Order(task=job.task, data=data))

    def ask_to_stop(self) -> None:
        """Ask it, once, to end its task after the epoch under way."""
        if self.asked_s is None:
            self.asked_s = time.monotonic()
            self._say(None)

    def is_overdue(self, grace_s: float) -> bool:
        """Whether it was asked to stop longer ago than that."""
        return self.asked_s is not None and time.monotonic() - self.asked_s > grace_s

    def messages(self) -> Iterator[object]:
        """What it has said since."""
        # It has died, perhaps in the middle of a message; the sentinel says so too.
        with suppress(EOFError, OSError):
            while self.connection.poll():
                message = self.connection.recv()
                self.heard_s = time.monotonic()
                yield message

    def used_bytes(self) -> int:
        """Memory that it has taken."""
        assert self._process.pid is not None
        return used_bytes(self._process.pid)

    def last_words(self) -> str:
        """How it died."""
        self._process.join()
        code = self._process.exitcode
        if code is None or code >= 0:
            return f"its worker ended with exit code {code}"
        name = signal.Signals(-code).name
        why = "; the system kills processes so when memory runs out" if name == "SIGKILL" else ""
        return f"its worker was killed by {name}{why}"

    def end(self) -> None:
        """Kill it, if it is alive."""
        self._process.kill()
        self._process.join()
        # A worker whose fork server has died passes for dead; it leaves by itself when this is closed.
        self._process.close()
        self.connection.close()

    def _say(self, message: object) -> None:
        # It has died; the sentinel will say so.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(message)
