"""A worker on a Ray cluster and its job as the driver sees them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import ray

from tuner.execution.handle import Job
from tuner.execution.ray_worker import RemoteOrder


class RayWorker:
    """An actor and its job as the driver sees them.

    Attributes:
        job: What it trains; None while it has nothing to do.
        is_ready: Whether it has a place on a node, and its framework.
        awaited: What Ray is to wait for.
    """

    def __init__(self, actor: Any) -> None:
        """Take the actor, which Ray may still have to find a place for."""
        self.job: Job | None = None
        self.is_ready = False
        self.awaited: Any = actor.version.remote()
        self._actor = actor
        self._life: Any = None
        self._number = 0
        self._asked_s: float | None = None

    @property
    def is_free(self) -> bool:
        """Whether it can begin a task."""
        return self.is_ready and self.job is None

    @property
    def busy(self) -> Job:
        """The job of a worker that has one."""
        assert self.job is not None
        return self.job

    def begin(self, job: Job, data: Any, number: int, checkpoint_s: float) -> None:
        """Let it train; `data` is Ray's reference to them."""
        order = RemoteOrder(
            number=number,
            task=job.task,
            parent=_content(job.task.resume_from),
            own=_content(job.task.save_to),
            checkpoint_s=checkpoint_s,
        )
        self.job, self._number, self._asked_s = job, number, None
        self.awaited = self._actor.train.options(num_returns="streaming").remote(order, data)

    def message(self) -> object:
        """What it has said.

        Raises:
            RayError: If it has died.
        """
        is_stream = isinstance(self.awaited, ray.ObjectRefGenerator)
        return ray.get(next(self.awaited) if is_stream else self.awaited)

    def rest(self) -> None:
        """Have nothing to do but to live."""
        self.is_ready, self.job = True, None
        self._life = self._life or self._actor.live.remote()
        self.awaited = self._life

    def ask_to_stop(self) -> None:
        """Ask it, once, to end its task after the epoch under way."""
        if self._asked_s is None:
            self._asked_s = time.monotonic()
            self._actor.ask_to_stop.remote(self._number)

    def is_overdue(self, grace_s: float) -> bool:
        """Whether it was asked to stop longer ago than that."""
        return self._asked_s is not None and time.monotonic() - self._asked_s > grace_s

    def end(self) -> None:
        """Kill it, if it is alive."""
        ray.kill(self._actor)


def _content(path: Path | None) -> bytes | None:
    return path.read_bytes() if path and path.exists() else None
