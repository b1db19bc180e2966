"""A worker on a Ray cluster as the driver sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ray

from tuner.execution.assignment import Assignment
from tuner.execution.ray.trainer import RemoteOrder


class RayWorker:
    """An actor and its assignment as the driver sees them.

    Attributes:
        assignment: What it trains; None while it has nothing to do.
        is_ready: Whether it has a place on a node, and its framework.
        awaited: What Ray is to wait for.
    """

    def __init__(self, actor: Any) -> None:
        """Take the actor, which Ray may still have to find a place for."""
        self.assignment: Assignment | None = None
        self.is_ready = False
        self.awaited: Any = actor.version.remote()
        self._actor = actor
        self._death: Any = None
        self._number = 0

    @property
    def is_free(self) -> bool:
        """Whether it can begin a task."""
        return self.is_ready and self.assignment is None

    def begin(
        self, assignment: Assignment, data: Any, number: int, checkpoint_s: float | None
    ) -> None:
        """Let it train; `data` is Ray's reference to them."""
        task = assignment.task
        order = RemoteOrder(
            number=number,
            task=task,
            parent=_content(task.resume_from),
            own=_content(task.save_to),
            checkpoint_s=checkpoint_s,
        )
        self.assignment, self._number = assignment, number
        assignment.begin(is_ready=True)
        self.awaited = self._actor.train.options(num_returns="streaming").remote(order, data)

    def message(self) -> object:
        """The message that Ray has of it.

        Raises:
            RayError: If it has died.
        """
        is_stream = isinstance(self.awaited, ray.ObjectRefGenerator)
        message = ray.get(next(self.awaited) if is_stream else self.awaited)
        if self.assignment:
            self.assignment.mark_alive()
        return message

    def release(self) -> None:
        """Be ready for a task: Ray waits for nothing but its death now."""
        self.is_ready, self.assignment = True, None
        self._death = self._death or self._actor.wait_forever.remote()
        self.awaited = self._death

    def ask_to_stop(self) -> None:
        """Ask it, once, to end its task after the epoch under way."""
        if self.assignment and self.assignment.ask_to_stop():
            self._actor.ask_to_stop.remote(self._number)

    def end(self) -> None:
        """Kill it, if it is alive."""
        ray.kill(self._actor)


def _content(path: Path | None) -> bytes | None:
    return path.read_bytes() if path and path.exists() else None
