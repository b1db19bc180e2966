"""The journal of a run: every event in events.jsonl and run.log."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from types import TracebackType

from tuner.errors import ConfigurationError
from tuner.records.error_text import reason_of
from tuner.records.events import Event, FoldEnded, Listener, StageAdvanced
from tuner.store.run_folder import RunFolder

LOG = logging.getLogger("tuner")


class _QuietFileHandler(logging.FileHandler):
    """A log that cannot be written must not hide the error that ended the run."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say nothing."""


class Journal:
    """Keeps every event of a run in events.jsonl and run.log, and passes it on."""

    def __init__(self, folder: RunFolder, listener: Listener) -> None:
        """Take the run's folder and who else listens."""
        self._folder = folder
        self._listener = listener
        self._handler = _QuietFileHandler(folder.log, encoding="utf-8", errors="backslashreplace")
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))

    def __enter__(self) -> Journal:
        LOG.setLevel(logging.INFO)
        LOG.propagate = False
        LOG.addHandler(self._handler)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            LOG.error("the run ended: %s", reason_of(error), exc_info=error)
        LOG.removeHandler(self._handler)
        # On a full disk the last lines cannot be flushed; the first error says more.
        with suppress(OSError):
            self._handler.close()

    def tell(self, event: Event) -> None:
        """Keep an event and pass it on; parts of an epoch or a stage are not logged."""
        if isinstance(event, FoldEnded | StageAdvanced):
            self._listener(event)
            return
        # Writing would make the folder again, and go on as if nothing of the run were lost.
        if not self._folder.is_unfinished:
            raise _deleted(self._folder)
        record = {"event": type(event).__name__, "time_s": round(time.time(), 3), **asdict(event)}
        self._folder.events.append(record)
        LOG.info("%s", event)
        self._listener(event)


@contextmanager
def unless_deleted(folder: RunFolder) -> Iterator[None]:
    """Say so where a file of the run is not there because its folder was deleted or moved.

    Raises:
        ConfigurationError: In place of the missing file's error.
    """
    try:
        yield
    except FileNotFoundError as error:
        if folder.is_unfinished:
            raise
        raise _deleted(folder) from error


def _deleted(folder: RunFolder) -> ConfigurationError:
    return ConfigurationError(
        f"{folder.path}: the run's folder was deleted or moved during the run, with its trials",
        "move it back and run the same command to resume; if it is gone, the same command starts a"
        " new run.",
    )
