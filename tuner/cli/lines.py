"""A run in plain lines: one per event that is worth it, and a sign of life a minute; no carriage returns."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tuner.cli.output import say
from tuner.cli.progress import Progress
from tuner.records.events import Event, Listener, ModelTrained, Notice, RunStarted, StageStarted, TrialEnded
from tuner.report.text import plural

HEARTBEAT_S = 60.0


@contextmanager
def plain_lines() -> Iterator[Listener]:
    """A listener that prints; tracing a large network takes minutes without an event, so a thread watches the clock."""
    lines, ended = PlainLines(), threading.Event()

    def watch() -> None:
        while not ended.wait(1.0):
            lines.give_sign_of_life()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield lines
    finally:
        ended.set()
        thread.join()


class PlainLines:
    """Prints events as lines."""

    def __init__(self) -> None:
        """Start counting from nothing."""
        self._progress = Progress()
        self._last_line_s = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Print what an event is worth."""
        self._progress.hear(event)
        line = describe(event, self._progress)
        if line:
            self._say(line)

    def give_sign_of_life(self) -> None:
        """Say what goes on, where nothing was printed for a minute."""
        if time.monotonic() - self._last_line_s < HEARTBEAT_S:
            return
        epoch = self._progress.epoch
        if epoch is None:
            self._say(f"  still at it: {self._progress.stage or 'starting'}")
        else:
            self._say(f"  {epoch.task_id}: epoch {epoch.epoch.epoch} of {epoch.last_epoch} done")

    def _say(self, line: str) -> None:
        self._last_line_s = time.monotonic()
        say(line)


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
