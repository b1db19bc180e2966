"""What people see while a run goes on: a live view on a terminal, plain lines elsewhere, JSON Lines for programs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from tuner.cli import output
from tuner.cli.output import print_json, say, send_chatter_to
from tuner.cli.progress import Progress
from tuner.cli.signals import TerminatedError, stop_if_asked
from tuner.records.events import (
    EpochEnded,
    Event,
    Listener,
    ModelTrained,
    Notice,
    RunStarted,
    StageStarted,
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
        yield PlainLines()


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


class PlainLines:
    """One line per ended trial, and a sign of life a minute; no carriage returns."""

    def __init__(self) -> None:
        """Start counting from nothing."""
        self._progress = Progress()
        self._last_line_s = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Print what an event is worth."""
        self._progress.hear(event)
        line = self._line(event)
        if line:
            self._last_line_s = time.monotonic()
            say(line)

    def _line(self, event: Event) -> str:
        match event:
            case RunStarted() | StageStarted() | Notice() | ModelTrained() | TrialEnded():
                return describe(event, self._progress)
            case EpochEnded() if time.monotonic() - self._last_line_s > HEARTBEAT_S:
                return (
                    f"  {event.task_id}: epoch {event.epoch.epoch} of {event.last_epoch}, {self._progress.remaining()}"
                )
        return ""


def describe(event: Event, progress: Progress) -> str:
    """One line about an event; empty where it is worth none."""
    match event:
        case RunStarted():
            return (
                f"{event.dataset}: {event.n_train:,} training, {event.n_validation:,} validation, "
                f"{event.n_test:,} test images\n"
                f"{plural(event.n_trials, 'trial')}, {plural(event.n_epochs, 'epoch')} planned; "
                f"objective {event.objective}\nlog {event.folder}/run.log"
            )
        case StageStarted():
            return f"{event.title} ..."
        case Notice():
            return f"  note: {event.text}"
        case ModelTrained():
            return f"  {event.title}, seed {event.seed}: {event.text}"
        case TrialEnded():
            return f"  trial {progress.n_ended} of {progress.n_trials}: {_trial(event)}, {progress.remaining()}"
    return ""


def _trial(event: TrialEnded) -> str:
    trial = event.trial
    if trial.error:
        return f"failed: {trial.error}"
    star = ", best so far" if event.is_best else ""
    return f"{trial.score:.4f} (epochs {trial.first_epoch}-{trial.last_epoch}, {trial.duration_s:.1f} s){star}"
