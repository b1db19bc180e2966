"""The live view on a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tuner.cli.run_views.plain_lines import SHOWN_TASKS, describe, every, more_than
from tuner.cli.run_views.progress import Progress, Running, short_time
from tuner.cli.terminal.console import ErrorConsole
from tuner.cli.terminal.output import plain
from tuner.cli.terminal.signals import STOPPING
from tuner.execution.stop import StopRequest
from tuner.records.events import (
    SEARCHING,
    Event,
    Listener,
    ModelTrained,
    Notice,
    RunStarted,
    SearchResumed,
    SearchSized,
    StageStarted,
)

REFRESHES_PER_S = 4
# Below this width bars and the table of the best trials would only push each other over the edge.
ROOMY = 70
# Shown before other hyperparameters, which the edge of a terminal may cut.
FIRST_SHOWN = ("optimizer", "learning_rate")
# Without these the panel would leave nothing to see of what trials end in.
ABOVE_PANEL = RunStarted | SearchSized | StageStarted | SearchResumed | Notice | ModelTrained


@contextmanager
def live_view(request: StopRequest, time_budget_s: float | None = None) -> Iterator[Listener]:
    """A panel that is drawn anew four times a second at most; notices stay above it."""
    console = ErrorConsole()
    progress, start = Progress(time_budget_s), time.monotonic()

    def panel() -> RenderableType:
        shown = screen(progress, time.monotonic() - start, is_roomy=console.width >= ROOMY)
        # The terminal writes its ^C after the last line; at the end of a full one that would break
        # the panel.
        return Group(shown, Text(STOPPING if request.is_made() else ""), Text(""))

    # Without redirection: rich would show what TensorFlow writes to stderr, which belongs into the
    # run's log.
    live = Live(
        get_renderable=panel,
        console=console,
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    # Rich's own thread may draw between the two halves of a print, and leave a line of the old
    # panel behind.
    with live, every(1 / REFRESHES_PER_S, live.refresh) as lock:

        def hear(event: Event) -> None:
            with lock:
                progress.hear(event)
                if isinstance(event, ABOVE_PANEL):
                    console.print(Text(plain(describe(event, progress))))

        yield hear


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A line with a bar.

    Attributes:
        title: Left of the bar.
        done: How much of the bar is filled.
        of: Its whole length.
        text: Right of it.
        short: The same where there is little room.
    """

    title: str
    done: int
    of: int
    text: str
    short: str


def screen(progress: Progress, elapsed_s: float, *, is_roomy: bool) -> RenderableType:
    """What the panel shows now.

    Args:
        progress: How far the run is.
        elapsed_s: Since its start.
        is_roomy: Whether there is room for bars and the table of the best trials.
    """
    parts: list[RenderableType] = [_clock(progress, elapsed_s)]
    tasks = list(progress.running.values())
    rows = [*_trials(progress), *(_task(task, progress) for task in tasks[:SHOWN_TASKS])]
    if rows and is_roomy:
        parts.append(_with_bars(rows))
    else:
        parts += [_cut(f"{row.title}  {row.short}") for row in rows]
    if more := more_than(SHOWN_TASKS, len(tasks)):
        parts.append(_cut(more))
    # Once the search has ended, its best trials are no news.
    if progress.best and _is_searching(progress):
        parts.append(
            _best(progress)
            if is_roomy
            else _cut(f"best so far {progress.score_text(progress.best[0].score)}")
        )
    return Group(*parts)


def _clock(progress: Progress, elapsed_s: float) -> Text:
    """Moves on when nothing else does: a large network may take a minute to start."""
    if not progress.stage:
        return _cut(f"Reading the data, {short_time(elapsed_s)}")
    stage, run = short_time(progress.stage_s), short_time(elapsed_s)
    whole = f" (run: {run})" if run != stage else ""
    left = f"; {progress.remaining()}" if _is_searching(progress) else ""
    return _cut(f"{progress.stage_state}, {stage}{whole}{left}")


def _cut(text: str) -> Text:
    return Text(plain(text), no_wrap=True, overflow="ellipsis", style="dim")


def _is_searching(progress: Progress) -> bool:
    return progress.started is not None and progress.stage == SEARCHING


def _trials(progress: Progress) -> Iterator[_Row]:
    if progress.started is None or not _is_searching(progress):
        return
    counts = [(progress.n_ok, "ok"), (progress.n_stopped, "stopped"), (progress.n_failed, "failed")]
    told = ", ".join(f"{n} {word}" for n, word in counts if n or word == "ok")
    yield _Row(
        title=f"{progress.n_ended} of {progress.n_trials} trials",
        done=progress.n_ended,
        of=progress.n_trials,
        text=f"{told}; epochs {progress.n_epochs} of {progress.started.n_epochs}",
        short=told,
    )


def _task(task: Running, progress: Progress) -> _Row:
    objective = progress.started.objective if progress.started else "val_accuracy"
    value = task.last.metrics.get(objective) if task.last else None
    score = "" if value is None else progress.score_text(value)
    done, of = task.share
    return _Row(
        title=f"{task.title}: {task.state}",
        done=done,
        of=of,
        text=f"{objective} {score}" if score else "",
        short=score,
    )


def _with_bars(rows: Sequence[_Row]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(min_width=28, no_wrap=True, overflow="ellipsis")
    grid.add_column(width=20)
    grid.add_column(no_wrap=True, overflow="ellipsis")
    for row in rows:
        bar = ProgressBar(row.of, min(row.done, row.of), width=20)
        grid.add_row(Text(plain(row.title)), bar, Text(plain(row.text), style="dim"))
    return grid


def _best(progress: Progress) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("best so far", progress.started.objective if progress.started else "", "epochs"):
        table.add_column(name, no_wrap=True, min_width=len(name))
    # Rich takes room from columns that may wrap; where none may, it takes it from all of them.
    table.add_column("setting")
    names = {name for trial in progress.best for name in trial.values}
    # What is the same in all of them tells nothing.
    telling = {
        name for name in names if len({repr(trial.values.get(name)) for trial in progress.best}) > 1
    }
    for trial in progress.best:
        setting = ", ".join(
            f"{name} {_short(trial.values[name])}"
            for name in _ordered(trial.values)
            if name in telling or len(progress.best) == 1
        )
        table.add_row(
            f"trial {trial.trial_id}",
            progress.score_text(trial.score),
            str(trial.last_epoch),
            Text(plain(setting), style="dim", no_wrap=True, overflow="ellipsis"),
        )
    return table


def _ordered(values: Mapping[str, Any]) -> list[str]:
    """The names of hyperparameters, what matters for most models first."""
    return [name for name in dict.fromkeys((*FIRST_SHOWN, *values)) if name in values]


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
