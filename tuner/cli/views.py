"""What people see while a run goes on: a live view on a terminal, plain lines elsewhere, JSON Lines for programs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from tuner.cli import output
from tuner.cli.output import print_json, say, send_chatter_to
from tuner.cli.signals import TerminatedError, stop_if_asked
from tuner.records.events import (
    Event,
    Listener,
    RunStarted,
    TrialEnded,
)
from tuner.report.text import plural

HEARTBEAT_S = 60.0


@contextmanager
def view(*, json_lines: bool, quiet: bool, live: bool) -> Iterator[Listener]:
    """The listener that fits the options and the terminal; TensorFlow's chatter goes to the run's log.

    Whoever stops a run is told what it leaves behind.
    """
    send_chatter_to(None)
    log = _Log()
    try:
        with _shown(json_lines=json_lines, quiet=quiet, live=live) as listener:

            def hear(event: Event) -> None:
                stop_if_asked()
                log(event)
                listener(event)

            yield hear
    except (KeyboardInterrupt, TerminatedError):
        log.tell_what_is_kept()
        raise


@contextmanager
def _shown(*, json_lines: bool, quiet: bool, live: bool) -> Iterator[Listener]:
    is_terminal = output.ERRORS.isatty() and os.environ.get("TERM") != "dumb"
    if json_lines:
        yield lambda event: print_json({"event": type(event).__name__, **asdict(event)})
    elif quiet:
        yield lambda event: None
    elif live and is_terminal:
        from tuner.cli.live import live_view

        with live_view() as listener:
            yield listener
    else:
        from tuner.cli.lines import plain_lines

        with plain_lines() as listener:
            yield listener


class _Log:
    """Sends the framework's chatter to the run's log, and knows what is in the run's folder."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._n_ended = 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._folder = Path(event.folder)
            send_chatter_to(self._folder / "run.log")
        self._n_ended += isinstance(event, TrialEnded)

    def tell_what_is_kept(self) -> None:
        if self._folder is None:
            say("\nNothing was written.")
        elif self._n_ended == 0:
            say(f"\nNo trial had ended; the log is in {self._folder.as_posix()}.")
        else:
            ended = plural(self._n_ended, "ended trial")
            say(f"\nKept: {ended}, in {self._folder.as_posix()}/trials.csv and curves.csv.")
