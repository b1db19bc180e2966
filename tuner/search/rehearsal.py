"""A search on clocks alone: the method is the real one, workers and scores are made up."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol

from tuner.records.trial import Trial
from tuner.search.study import Study


class Clock:
    """Workers that are busy for as long as they are told.

    Attributes:
        now: Time since they began, in the unit of the durations.
        idle: Numbers of the workers that have nothing to do.
    """

    def __init__(self, n_workers: int) -> None:
        """Begin at 0 with so many workers."""
        self.now = 0.0
        self.idle = list(range(n_workers))
        self._busy: list[tuple[float, int, str]] = []

    @property
    def has_idle(self) -> bool:
        """Whether another training may begin."""
        return bool(self.idle)

    @property
    def has_busy(self) -> bool:
        """Whether a training is under way."""
        return bool(self._busy)

    def occupy(self, task_id: str, duration: float, worker: int | None = None) -> None:
        """Give a task to an idle worker, by default the one that has been idle for longest."""
        worker = self.idle[0] if worker is None else worker
        self.idle.remove(worker)
        heapq.heappush(self._busy, (self.now + duration, worker, task_id))

    def next_end(self) -> str:
        """Go on to the end of the next task, and name it."""
        self.now, worker, task_id = heapq.heappop(self._busy)
        self.idle.append(worker)
        return task_id


class AnySetting:
    """In the place of proposals, where settings do not matter."""

    rejected: Mapping[str, str] = {}

    def first_of(self, proposed: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        """A setting without values."""
        return {}

    def take(self, values: Mapping[str, Any]) -> None:
        """Nothing to remember."""

    def news(self) -> dict[str, Any]:
        """Nothing to keep."""
        return {}

    def restore(
        self, tried: Iterable[Mapping[str, Any]], news: Iterable[Mapping[str, Any]]
    ) -> None:
        """Nothing to restore."""


class _Workers(Protocol):
    @property
    def has_idle(self) -> bool: ...

    @property
    def has_busy(self) -> bool: ...

    def next_end(self) -> str: ...


def rehearse(
    study: Study,
    workers: _Workers,
    begin: Callable[[Trial], None],
    score: Callable[[Trial], float],
) -> Iterator[Trial]:
    """Play a search through.

    Args:
        study: What is searched, and how.
        workers: Clocks.
        begin: Gives a trial to one of the workers.
        score: What a trial is worth.

    Yields:
        Each trial that has ended.
    """
    while True:
        while workers.has_idle and (trial := study.next_trial()) is not None:
            begin(trial)
        if not workers.has_busy:
            return
        trial = study.board.trials[workers.next_end()]
        ended = replace(trial, score=score(trial))
        study.end(ended)
        yield ended
