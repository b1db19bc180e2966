"""What people see while a run goes on: a live view on a terminal, plain lines elsewhere, JSON Lines for programs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from tuner.cli.output import ERRORS, plain, send_chatter_to
from tuner.cli.progress import Progress
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

HEARTBEAT_S = 60.0


@contextmanager
def view(*, json_lines: bool, quiet: bool, live: bool) -> Iterator[Listener]:
    """The listener that fits the options and the terminal; TensorFlow's chatter goes to the run's log."""
    send_chatter_to(None)
    is_terminal = ERRORS.isatty() and os.environ.get("TERM") != "dumb"
    if json_lines:
        yield _with_log(_print_json)
    elif quiet:
        yield _with_log(lambda event: None)
    elif live and is_terminal:
        from tuner.cli.live import live_view

        with live_view() as listener:
            yield _with_log(listener)
    else:
        yield _with_log(PlainLines())


def _with_log(listener: Listener) -> Listener:
    def hear(event: Event) -> None:
        if isinstance(event, RunStarted):
            send_chatter_to(Path(event.folder) / "run.log")
        listener(event)

    return hear


def _print_json(event: Event) -> None:
    click.echo(json.dumps({"event": type(event).__name__, **asdict(event)}, ensure_ascii=False))


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
            ERRORS.write(plain(line) + "\n")

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
                f"{event.n_test:,} test images\n{event.n_trials} trials, {event.n_epochs} epochs planned; "
                f"objective {event.objective}; log {event.folder}/run.log"
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
