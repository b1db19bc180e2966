"""A worker process: trains one task after the other.

It keeps its models and data for the next task.

It sends None as a sign of life, the first when it is ready, an `EpochMetrics` after each epoch,
with folds a `FoldDone` after each fold's part of it, and in the end a `TrainResult`, or the
exception that is no fault of the task. No framework is imported at module level: the driver imports
this module too.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.backend import framework
from tuner.execution.channel import Channel
from tuner.execution.picklable import picklable
from tuner.execution.process.process_tree import adopt_orphans, end_own_tree
from tuner.execution.shared_data import SharedData, open_shared
from tuner.records.training import TrainResult, TrainTask
from tuner.training.data import TrainingData

if TYPE_CHECKING:
    from tuner.training.prepared import PreparedModels


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """What a worker needs to know for good.

    Attributes:
        checkpoint_s: Seconds between two checkpoints; None for the usual.
        gpu: The GPU that it sees, as `CUDA_VISIBLE_DEVICES` names it; None changes nothing.
        log: Where what it prints is appended; None for where the driver's stderr led when the fork
            server started.
    """

    checkpoint_s: float | None = None
    gpu: str | None = None
    log: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A task with its data; None in its place asks to stop after the epoch under way."""

    task: TrainTask
    data: SharedData


def main(connection: Connection[object, object], settings: WorkerSettings) -> None:
    """Train until the driver is gone."""
    _set_up(settings)
    framework.start(1)
    from tuner.training.prepared import PreparedModels

    server = TaskServer(connection, settings.checkpoint_s, PreparedModels())
    try:
        connection.send(None)
        while True:
            server.serve(connection.recv())
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _set_up(settings: WorkerSettings) -> None:
    adopt_orphans()
    threading.Thread(target=_exit_with_driver, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Standard output is the driver's results; what a builder prints must not end up among them.
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    if settings.log is not None:
        _print_to(settings.log)
    if settings.gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = settings.gpu


def _print_to(log: Path) -> None:
    """Append what Python and its children print to a log.

    TensorFlow's own lines stay on descriptor 2.
    """
    # A folder that was deleted meanwhile is the driver's to notice.
    with suppress(OSError):
        target = os.open(log, os.O_WRONLY | os.O_APPEND)
        os.dup2(target, 1)
        os.close(target)
        sys.stdout = sys.stderr = os.fdopen(
            1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
        )


def _exit_with_driver() -> None:
    """End at once when the driver is gone, whatever the main thread does."""
    driver = multiprocessing.parent_process()
    assert driver is not None
    driver.join()
    end_own_tree()


class TaskServer:
    """Serves one task after the other, and keeps models and data for the next."""

    def __init__(
        self,
        connection: Connection[object, object],
        checkpoint_s: float | None,
        models: PreparedModels,
    ) -> None:
        """Take the connection, the seconds between checkpoints, and where models are kept."""
        self._connection, self._checkpoint_s, self._models = connection, checkpoint_s, models
        self._data: dict[str, tuple[SharedData, TrainingData]] = {}

    def serve(self, order: object) -> None:
        """Train as ordered, and send what came of it."""
        # Asked to stop when the training had just ended.
        if not isinstance(order, Order):
            return
        try:
            answer: object = self._train(order)
        except Exception as error:
            answer = picklable(error)
        self._connection.send(answer)

    def _train(self, order: Order) -> TrainResult:
        from tuner.training.fit import run_task

        stop = _StopSignal(self._connection)
        hooks = Channel(self._connection.send).hooks(stop.is_set, self._checkpoint_s)
        return run_task(order.task, self._opened(order.task.data, order.data), hooks, self._models)

    def _opened(self, name: str, shared: SharedData) -> TrainingData:
        if name not in self._data or self._data[name][0] != shared:
            self._data[name] = shared, open_shared(shared)
        return self._data[name][1]


class _StopSignal:
    """The request to stop during one task: meanwhile the driver sends nothing else."""

    def __init__(self, connection: Connection[object, object]) -> None:
        self._connection = connection
        self._is_set = False

    def is_set(self) -> bool:
        if not self._is_set and self._connection.poll():
            self._connection.recv()
            self._is_set = True
        return self._is_set
