"""A worker on a node of a Ray cluster: trains what it is sent, in a temporary folder.

Nodes need not share a disk.

Nothing here imports Ray, and no framework is imported at module level: the driver imports this
module too.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING

import tuner
from tuner.backend import framework
from tuner.execution.channel import Channel
from tuner.execution.picklable import picklable
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

    def wait_forever(self) -> None:
        """Never return: the call fails when the worker dies, even while it is idle."""
        threading.Event().wait()

    def train(self, order: RemoteOrder, data: TrainingData) -> Iterator[Message]:
        """Messages as they come; last the result, or the exception that is no fault of the task."""
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

    def _run(self, order: RemoteOrder, data: TrainingData, send: Callable[[Message], None]) -> None:
        try:
            with TemporaryDirectory(prefix="tuner-") as folder:
                outcome: Message = self._train(order, data, Path(folder), send)
        except Exception as error:
            outcome = _for_driver(error, order.task)
        except BaseException:
            # A builder that leaves the program; the driver would not see it otherwise.
            os._exit(1)
        send(outcome)

    def _train(
        self, order: RemoteOrder, data: TrainingData, folder: Path, send: Callable[[Message], None]
    ) -> TrainResult:
        from tuner.training.fit import run_task

        task = _with_local_files(order, folder)
        channel = _CheckpointChannel(task.save_to, send)
        hooks = channel.hooks(lambda: self._asked >= order.number, order.checkpoint_s)
        features = data.features and self._features / data.features.name
        result = run_task(task, replace(data, features=features), hooks, self._models)
        channel.send_checkpoint()
        return result


class _CheckpointChannel(Channel):
    """Sends checkpoints too: the driver cannot read this node's files."""

    def __init__(self, saved: Path | None, send: Callable[[Message], None]) -> None:
        super().__init__(send)
        self._saved = saved
        self._sent_version = _version(saved)

    def send_epoch(self, task: TrainTask, epoch: EpochMetrics) -> None:
        # Written since the last epoch.
        self.send_checkpoint()
        super().send_epoch(task, epoch)

    def send_checkpoint(self) -> None:
        if self._saved and _version(self._saved) != self._sent_version:
            self._sent_version = _version(self._saved)
            self.send(Saved(content=self._saved.read_bytes()))


def _prepare() -> PreparedModels:
    # The driver has sent the settings that change numbers; the folder for compiled programs is this
    # node's own.
    framework.start(1)
    from tuner.training.prepared import PreparedModels

    return PreparedModels()


def _with_local_files(order: RemoteOrder, folder: Path) -> TrainTask:
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


def _version(path: Path | None) -> int:
    return path.stat().st_mtime_ns if path and path.exists() else 0


def _for_driver(error: Exception, task: TrainTask) -> Exception:
    """The error with its traceback.

    One of a disk names the node, and the file as the driver names it.
    """
    if isinstance(error, OSError) and error.errno is not None and task.save_to:
        known = OSError(
            error.errno, f"{error.strerror} on node {socket.gethostname()}", str(task.save_to)
        )
        error = known.with_traceback(error.__traceback__)
    return picklable(error)
