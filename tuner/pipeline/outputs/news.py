"""While a search goes on, its page is written again now and then."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from tuner.records.events import Event, TrialEnded
from tuner.records.trial import Trial

LOG = logging.getLogger("tuner")

# Seconds between two pages; more where a page takes long, so that pages take no more than the share
# of the time.
_INTERVAL_S = 60.0
_SHARE = 0.02


class News:
    """Publishes a search's trials from time to time."""

    def __init__(
        self, earlier: Sequence[Trial], publish: Callable[[Sequence[Trial]], None]
    ) -> None:
        """Publish for the first time after a minute.

        Args:
            earlier: Trials of earlier sessions.
            publish: Called with all trials so far.
        """
        self._trials = list(earlier)
        self._publish = publish
        self._next_s = time.monotonic() + _INTERVAL_S

    def hear(self, event: Event) -> None:
        """Take a trial that has ended; a page that cannot be written stops no search."""
        if not isinstance(event, TrialEnded):
            return
        self._trials.append(event.trial)
        began_s = time.monotonic()
        if began_s < self._next_s or all(trial.score is None for trial in self._trials):
            return
        try:
            self._publish(self._trials)
        except Exception:
            LOG.exception("the page of the search under way could not be written")
        now_s = time.monotonic()
        self._next_s = now_s + max(_INTERVAL_S, (now_s - began_s) / _SHARE)
