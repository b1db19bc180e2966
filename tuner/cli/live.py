"""The live view on a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tuner.cli.output import ERRORS, plain
from tuner.cli.progress import Progress, short_time
from tuner.cli.views import describe
from tuner.records.events import Event, Listener, ModelTrained, Notice, RunStarted, StageStarted

REFRESHES_PER_S = 4


@contextmanager
def live_view() -> Iterator[Listener]:
    """A panel that is drawn anew four times a second at most; notices stay above it."""
    console = Console(file=ERRORS, highlight=False)
    progress, start = Progress(), time.monotonic()

    class Screen:
        def __rich__(self) -> RenderableType:
            return _screen(progress, time.monotonic() - start)

    with Live(Screen(), console=console, refresh_per_second=REFRESHES_PER_S, transient=True) as live:

        def hear(event: Event) -> None:
            progress.hear(event)
            if isinstance(event, RunStarted | StageStarted | Notice | ModelTrained):
                live.console.print(Text(plain(describe(event, progress))))

        yield hear


def _screen(progress: Progress, elapsed_s: float) -> RenderableType:
    parts: list[RenderableType] = []
    if progress.started and progress.n_ended < progress.n_trials and progress.stage == "Searching":
        failed = f", {progress.n_failed} failed" if progress.n_failed else ""
        parts.append(
            _line(
                f"trial {progress.n_ended + 1} of {progress.n_trials}{failed}",
                ProgressBar(progress.n_trials, progress.n_ended, width=30),
                f"{short_time(elapsed_s)} so far; {progress.remaining()}",
            )
        )
    if progress.epoch:
        epoch = progress.epoch
        metrics = "  ".join(
            f"{name} {value:.4f}" for name, value in epoch.epoch.metrics.items() if name.endswith("accuracy")
        )
        parts.append(
            _line(
                f"{epoch.task_id}: epoch {epoch.epoch.epoch} of {epoch.last_epoch}",
                ProgressBar(epoch.last_epoch, epoch.epoch.epoch, width=30),
                metrics,
            )
        )
    elif progress.running:
        for trial in progress.running.values():
            parts.append(
                Text(f"{trial.trial_id}: building, epochs {trial.first_epoch}-{trial.last_epoch}", style="dim")
            )
    if progress.best:
        parts.append(_best(progress))
    return Group(*parts)


def _line(left: str, bar: ProgressBar, right: str) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=28)
    table.add_row(Text(plain(left)), bar, Text(plain(right), style="dim"))
    return table


def _best(progress: Progress) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("best so far", progress.started.objective if progress.started else "", "epochs", "setting"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for trial in progress.best:
        setting = ", ".join(f"{k} {_short(v)}" for k, v in trial.values.items())
        table.add_row(
            f"trial {trial.trial_id}", f"{trial.score:.4f}", str(trial.last_epoch), Text(plain(setting), style="dim")
        )
    return table


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
