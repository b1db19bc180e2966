"""A run in plain lines: one per event that is worth it, and a sign of life a minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.cli.run_views.progress import Progress, short_time
from tuner.cli.terminal.output import say
from tuner.cli.terminal.paths import shown_path
from tuner.cli.terminal.signals import STOPPING
from tuner.execution.stop import StopRequest
from tuner.records.events import (
    Event,
    Listener,
    ModelTrained,
    Notice,
    RunStarted,
    SearchResumed,
    SearchSized,
    StageStarted,
    TrialEnded,
)
from tuner.records.trial import Trial
from tuner.report.text import plural

if TYPE_CHECKING:
    from tuner.planning.plan_record import Plan

HEARTBEAT_S = 60.0
# Where nothing has changed since the last such line. Some CI services end a job that prints nothing
# for ten minutes.
UNCHANGED_S = 540.0
# A person who presses Ctrl-C wants to see at once that it was noticed.
LOOK_S = 0.25
# Tasks that one line names.
SHOWN_TASKS = 8


@contextmanager
def every(seconds: float, do: Callable[[], None]) -> Iterator[threading.Lock]:
    """Repeat something in a thread, but never while the lock that this yields is held."""
    lock, ended = threading.Lock(), threading.Event()

    def work() -> None:
        while not ended.wait(seconds):
            with lock:
                do()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield lock
    finally:
        ended.set()
        thread.join()


@contextmanager
def plain_lines(request: StopRequest, time_budget_s: float | None = None) -> Iterator[Listener]:
    """A listener that prints; a thread gives a sign of life where minutes pass without an event."""
    lines = PlainLines(request, Progress(time_budget_s))
    with every(LOOK_S, lines.give_sign_of_life) as lock:

        def hear(event: Event) -> None:
            with lock:
                lines(event)

        yield hear


class PlainLines:
    """Prints events as lines."""

    def __init__(self, request: StopRequest, progress: Progress) -> None:
        """Take what may ask for the end, and what counts."""
        self._request, self._progress = request, progress
        self._has_told_of_stop = False
        self._last_line_s = time.monotonic()
        self._last_state: object = None

    def __call__(self, event: Event) -> None:
        """Print what an event is worth."""
        self._progress.hear(event)
        line = describe(event, self._progress)
        if line:
            self._say(line)

    def give_sign_of_life(self) -> None:
        """Say once that the end was asked for, and what goes on after a minute without a line.

        What has not changed since the last such line is said again after some minutes only.
        """
        if self._request.is_made() and not self._has_told_of_stop:
            self._has_told_of_stop = True
            self._say(STOPPING)
        state = _state(self._progress)
        wait_s = UNCHANGED_S if state == self._last_state else HEARTBEAT_S
        if time.monotonic() - self._last_line_s >= wait_s:
            self._last_state = state
            self._say(f"  running: {_at_work(self._progress)}")

    def _say(self, line: str) -> None:
        self._last_line_s = time.monotonic()
        say(line)


def describe(event: Event, progress: Progress) -> str:
    """One line about an event; empty where it is worth none."""
    line = ""
    match event:
        case RunStarted():
            line = _plan(event)
        case SearchSized():
            line = f"  {event.text}\n  {_planned(event)} planned"
        case StageStarted():
            line = f"{event.title} ..."
        case SearchResumed():
            best = f"; best {progress.score_text(progress.best[0].score)}" if progress.best else ""
            line = (
                f"  {len(event.trials)} of {plural(progress.n_trials, 'trial')} ended earlier{best}"
            )
        case Notice():
            line = f"  note: {event.text}"
        case ModelTrained():
            line = f"  {event.title}, seed {event.seed}: {event.text}"
        case TrialEnded(trial=trial):
            count = f"{progress.n_ended} of {progress.n_trials}"
            origin = f", {trial.origin}" if trial.origin else ""
            if trial.parent_id:
                origin += f", continues {trial.parent_id}"
            outcome = _outcome(trial, event.is_best, progress)
            line = f"  trial {trial.trial_id}{origin} ({count}): {outcome}, {progress.remaining()}"
    return line


def _plan(event: RunStarted) -> str:
    planned = f"{_planned(event)} planned; " if event.n_trials else ""
    return (
        f"{event.dataset}, {image_counts(event)}\n"
        f"{planned}objective {event.objective}\nlog {shown_path(Path(event.folder))}/run.log"
    )


def _planned(event: RunStarted | SearchSized) -> str:
    return (
        f"{'' if event.is_exact else 'about '}{plural(event.n_trials, 'trial')},"
        f" {plural(event.n_epochs, 'epoch')}"
    )


def image_counts(parts: RunStarted | Plan) -> str:
    """How many images each part holds."""
    folds = f" in each of {parts.n_folds} folds" if parts.n_folds > 1 else ""
    return (
        f"{parts.n_train:,} training, {parts.n_validation:,} validation{folds}, {parts.n_test:,}"
        " test images"
    )


def more_than(n_shown: int, n: int) -> str:
    """How many are not shown, in words; empty where all are."""
    return f"and {n - n_shown} more" if n > n_shown else ""


def _at_work(progress: Progress) -> str:
    tasks = list(progress.running.values())
    if not tasks:
        return f"{progress.stage_state or 'starting'}, {short_time(progress.stage_s)}"
    shown = ", ".join(f"{task.title} ({task.state})" for task in tasks[:SHOWN_TASKS])
    return f"{shown} {more_than(SHOWN_TASKS, len(tasks))}".rstrip()


def _state(progress: Progress) -> object:
    """Equal as long as nothing has advanced: without times."""
    tasks = [(task.title, task.epoch, task.fold) for task in progress.running.values()]
    return progress.stage_state, tasks


def _outcome(trial: Trial, is_best: bool, progress: Progress) -> str:
    if trial.error:
        return f"failed: {trial.error}"
    last = trial.epochs[-1].epoch if trial.epochs else trial.last_epoch
    stopped = ", stopped by the time budget" if trial.status == "stopped" else ""
    star = ", best so far" if is_best else ""
    return (
        f"{progress.score_text(trial.score)} (epochs {trial.first_epoch}-{last},"
        f" {trial.duration_s:.1f} s){stopped}{star}"
    )
