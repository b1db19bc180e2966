"""What third-party code writes to file descriptors 1 and 2: kept for the run's log, or stderr."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuner.cli.terminal.output import say

# What a builder may print before there is a log; it is read into memory.
MAX_KEPT_BYTES = 100_000


@contextmanager
def chatter_kept_away() -> Iterator[Chatter]:
    """Keep chatter from results and messages; what went to no log is shown on stderr in the end."""
    chatter = Chatter()
    try:
        yield chatter
    finally:
        if kept := chatter.take():
            say(kept.rstrip("\n"))
        chatter.close()


class Chatter:
    """Takes over file descriptors 1 and 2, for as long as the process lives.

    Until `move_to` names a log, what is written to descriptor 1, such as by a module that prints
    while it is imported, is kept in a temporary file; descriptor 2 leads nowhere: TensorFlow writes
    to it whatever Python says.
    """

    def __init__(self) -> None:
        """Take over."""
        self._kept = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the descriptor is
        _send(os.open(os.devnull, os.O_WRONLY), 2)
        _send(os.dup(self._kept.fileno()), 1)
        # Python's own stream may hold lines back, or be none of the descriptor at all.
        sys.stdout = os.fdopen(
            1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
        )

    def move_to(self, log: Path) -> None:
        """Send both to a log, and what was kept so far."""
        target = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.write(target, self.take().encode("utf-8", "backslashreplace"))
        _send(os.dup(target), 1)
        _send(target, 2)

    def take(self) -> str:
        """What was kept and has not been taken before, or its beginning."""
        self._kept.seek(0)
        text = self._kept.read(MAX_KEPT_BYTES).decode("utf-8", "replace")
        self._kept.seek(0)
        self._kept.truncate()
        return text

    def close(self) -> None:
        """Forget what is kept; the descriptors stay where they are."""
        self._kept.close()


def _send(target: int, number: int) -> None:
    os.dup2(target, number)
    os.close(target)
