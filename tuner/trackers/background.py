"""A tracker in a thread of its own, so that a slow or broken one holds up nothing."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from tuner.records.error_text import reason_of, short_line
from tuner.records.events import EpochEnded, Event, FoldEnded, StageAdvanced
from tuner.records.results import Results
from tuner.trackers.follower import Follower
from tuner.trackers.secrets import without_secrets
from tuner.trackers.tracker import Tracker

# Epochs that wait; later ones are left out, as the end of their trial brings them again.
MOST_WAITING = 5_000

_Item = Event | Results | None


class BackgroundTracker:
    """Feeds one tracker from a queue.

    Attributes:
        name: The tracker's.
        failure: Why it gave up, without secrets; None as long as it works.
    """

    def __init__(self, name: str, make: Callable[[], Tracker]) -> None:
        """Take the tracker's name and what makes it, and start."""
        self.name = name
        self.failure: str | None = None
        self._make = make
        self._items: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        # One thread counts the first, the other one the second.
        self._n_put = self._n_written = 0
        # A server that does not answer must not keep the process from ending.
        self._thread = threading.Thread(target=self._work, name=f"track-{name}", daemon=True)
        self._thread.start()

    @property
    def n_waiting(self) -> int:
        """Events that are still to be written."""
        return self._n_put - self._n_written

    def put(self, item: Event | Results) -> None:
        """Take what has happened; returns at once."""
        is_small = isinstance(item, EpochEnded | FoldEnded | StageAdvanced)
        if self.failure is None and not (is_small and self.n_waiting >= MOST_WAITING):
            self._n_put += not isinstance(item, Results)
            self._items.put(item)

    def end(self) -> None:
        """Let it end once all is written; `wait` says when that is."""
        self._items.put(None)

    def wait(self, seconds: float) -> bool:
        """Wait for its end, so long at most, and return whether it has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            tracker = self._make()
            try:
                tracker.open()
                self._follow(Follower(tracker))
            finally:
                tracker.close()
        # Whatever a library raises, SystemExit included, must not reach the run.
        except BaseException as error:
            self.failure = failure_of(error)

    def _follow(self, follower: Follower) -> None:
        while (item := self._items.get()) is not None:
            if isinstance(item, Results):
                follower.take_results(item)
            else:
                follower.take(item)
                self._n_written += 1


def failure_of(error: BaseException) -> str:
    """What went wrong with a tracker, in one line without secrets."""
    return short_line(without_secrets(reason_of(error)))
