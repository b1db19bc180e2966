"""A worker on a node of a Ray cluster: trains what it is sent, in a temporary folder: nodes need not share a disk.

Nothing here knows of Ray, and no framework is imported at module level: the driver imports this
module too.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING

import tuner
from tuner.backend import environment
from tuner.execution.assignment import LIFE_S
from tuner.execution.picklable import portable
from tuner.records.training import EpochMetrics, FoldDone, TrainResult, TrainTask
from tuner.training.data import TrainingData

if TYPE_CHECKING:
    from tuner.training.prepared import PreparedModels


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteOrder:
    """A task with the files that it names.

    Attributes:
        number: Counts the orders of a driver, from 1.
        task: Its paths are the driver's.
        parent: What the file `resume_from` holds; None where there is none.
        own: What the file `save_to` holds already; None where there is none.
        checkpoint_s: Seconds between two checkpoints; None for the usual.
    """

    number: int
    task: TrainTask
    parent: bytes | None
    own: bytes | None
    checkpoint_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A checkpoint that the driver is to write to `save_to`."""

    content: bytes


# None is a sign of life.
Message = EpochMetrics | FoldDone | Saved | TrainResult | Exception | None


class Trainer:
    """Trains one task at a time, and keeps framework and models from task to task."""

    def __init__(self) -> None:
        """Load the framework."""
        # One thread for all tasks: Keras keeps state for each.
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._models = self._thread.submit(_prepare).result()
        # The driver's folder may not be there on this node.
        self._features = Path(mkdtemp(prefix="tuner-features-"))
        weakref.finalize(self, shutil.rmtree, self._features, ignore_errors=True)
        self._asked = 0

    def version(self) -> str:
        """Of this package; the answer says that the worker is ready, too."""
        return tuner.__version__

    def live(self) -> None:
        """Never return: who waits for it hears of the worker's death, even while it has nothing to do."""
        threading.Event().wait()

    def train(self, order: RemoteOrder, data: TrainingData) -> Iterator[Message]:
        """What is told as it comes; last the result, or the exception that is no fault of the task."""
        messages: SimpleQueue[Message] = SimpleQueue()
        self._thread.submit(self._run, order, data, messages.put)
        while True:
            message = messages.get()
            yield message
            if isinstance(message, TrainResult | Exception):
                return

    def ask_to_stop(self, number: int) -> None:
        """End an order, and those before it, after the epoch under way."""
        self._asked = max(self._asked, number)

    def _run(self, order: RemoteOrder, data: TrainingData, tell: Callable[[Message], None]) -> None:
        try:
            with TemporaryDirectory(prefix="tuner-") as folder:
                outcome: Message = self._train(order, data, Path(folder), tell)
        except Exception as error:
            outcome = _for_driver(error, order.task)
        except BaseException:
            # A builder that leaves the program; nobody would hear of it otherwise.
            os._exit(1)
        tell(outcome)

    def _train(
        self, order: RemoteOrder, data: TrainingData, folder: Path, tell: Callable[[Message], None]
    ) -> TrainResult:
        from tuner.training.fit import run_task
        from tuner.training.hooks import CHECKPOINT_S, Hooks

        task = _at_home(order, folder)
        line = _Line(task.save_to, tell)
        hooks = Hooks(
            on_epoch=line.tell_epoch,
            on_fold=line.tell_fold,
            on_step=line.tell_life,
            is_stopping=lambda: self._asked >= order.number,
            checkpoint_s=CHECKPOINT_S if order.checkpoint_s is None else order.checkpoint_s,
        )
        features = data.features and self._features / data.features.name
        result = run_task(task, replace(data, features=features), hooks, self._models)
        line.tell_checkpoint()
        return result


class _Line:
    """What is said to the driver during one task."""

    def __init__(self, saved: Path | None, tell: Callable[[Message], None]) -> None:
        self._saved, self._send = saved, tell
        self._sent = _changed(saved)
        self._told_s = time.monotonic()

    def tell_epoch(self, task: TrainTask, epoch: EpochMetrics) -> None:
        del task
        # Written since the last epoch.
        self.tell_checkpoint()
        self._tell(epoch)

    def tell_fold(self, task: TrainTask, fold: FoldDone) -> None:
        del task
        self._tell(fold)

    def tell_life(self) -> None:
        if time.monotonic() - self._told_s >= LIFE_S:
            self._tell(None)

    def tell_checkpoint(self) -> None:
        if self._saved and _changed(self._saved) != self._sent:
            self._sent = _changed(self._saved)
            self._tell(Saved(content=self._saved.read_bytes()))

    def _tell(self, message: Message) -> None:
        self._send(message)
        self._told_s = time.monotonic()


def _prepare() -> PreparedModels:
    # Before the framework: the driver sends the settings that change numbers, not the folder for
    # compiled programs.
    environment.prepare()
    from tuner.backend.active import prepare_devices
    from tuner.training.prepared import PreparedModels

    prepare_devices(1)
    return PreparedModels()


def _at_home(order: RemoteOrder, folder: Path) -> TrainTask:
    """The task with its files in a folder of this node."""
    task = order.task
    return replace(
        task,
        resume_from=_placed(folder / "parent", task.resume_from, order.parent),
        save_to=_placed(folder / "own", task.save_to, order.own),
    )


def _placed(folder: Path, path: Path | None, content: bytes | None) -> Path | None:
    if path is None:
        return None
    folder.mkdir()
    # The name stays: it is part of what a checkpoint is known by.
    placed = folder / path.name
    if content is not None:
        placed.write_bytes(content)
    return placed


def _changed(path: Path | None) -> int:
    return path.stat().st_mtime_ns if path and path.exists() else 0


def _for_driver(error: Exception, task: TrainTask) -> Exception:
    """The error with its traceback; one of a disk names the node, and the file as the driver knows it."""
    if isinstance(error, OSError) and error.errno is not None and task.save_to:
        told = OSError(
            error.errno, f"{error.strerror} on node {socket.gethostname()}", str(task.save_to)
        )
        error = told.with_traceback(error.__traceback__)
    return portable(error)
