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

from tuner.cli import output
from tuner.cli.lines import describe
from tuner.cli.output import plain
from tuner.cli.progress import Progress, short_time
from tuner.records.events import Event, Listener, ModelTrained, Notice, RunStarted, StageStarted

REFRESHES_PER_S = 4
# Below this width bars and the table of the best trials would only push each other over the edge.
ROOMY = 70


@contextmanager
def live_view() -> Iterator[Listener]:
    """A panel that is drawn anew four times a second at most; notices stay above it."""
    console = Console(file=output.ERRORS, highlight=False)
    progress, start = Progress(), time.monotonic()

    class Screen:
        def __rich__(self) -> RenderableType:
            return screen(progress, time.monotonic() - start, is_roomy=console.width >= ROOMY)

    # Without redirection: rich would show what TensorFlow writes to stderr, which belongs into the run's log.
    with Live(
        Screen(),
        console=console,
        refresh_per_second=REFRESHES_PER_S,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as live:

        def hear(event: Event) -> None:
            progress.hear(event)
            if isinstance(event, RunStarted | StageStarted | Notice | ModelTrained):
                live.console.print(Text(plain(describe(event, progress))))

        yield hear


def screen(progress: Progress, elapsed_s: float, *, is_roomy: bool) -> RenderableType:
    """What the panel shows now.

    Args:
        progress: How far the run is.
        elapsed_s: Since its start.
        is_roomy: Whether there is room for bars and the table of the best trials.
    """
    parts: list[RenderableType] = [_clock(progress, elapsed_s)]
    lines = [line for line in (_trials(progress), _epochs(progress)) if line]
    if lines and is_roomy:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(min_width=28, no_wrap=True)
        grid.add_column(width=24)
        grid.add_column(no_wrap=True, overflow="ellipsis")
        for left, done, of, right in lines:
            grid.add_row(Text(plain(left)), ProgressBar(of, done, width=24), Text(plain(right), style="dim"))
        parts.append(grid)
    else:
        parts += [_cut(plain(f"{left}  {right}")) for left, _, _, right in lines]
    if progress.best:
        parts.append(_best(progress) if is_roomy else _cut(plain(f"best so far {progress.best[0].score:.4f}")))
    return Group(*parts)


def _clock(progress: Progress, elapsed_s: float) -> Text:
    """Moves on when nothing else does: a large network may take a minute to start."""
    searching = progress.started and progress.stage == "Searching"
    left = f"; {progress.remaining()}" if searching else ""
    return _cut(plain(f"{progress.stage or 'Reading the data'}, {short_time(elapsed_s)} so far{left}"))


def _cut(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis", style="dim")


def _trials(progress: Progress) -> tuple[str, int, int, str] | None:
    if not progress.running:
        return None
    failed = f"{progress.n_failed} failed" if progress.n_failed else ""
    return f"trial {progress.n_ended + 1} of {progress.n_trials}", progress.n_ended, progress.n_trials, failed


def _epochs(progress: Progress) -> tuple[str, int, int, str] | None:
    if progress.epoch:
        task, epoch = progress.epoch.task_id, progress.epoch.epoch
        scores = [f"{name} {value:.4f}" for name, value in epoch.metrics.items() if name.endswith("accuracy")]
        last = progress.epoch.last_epoch
        return f"{_task(task)}: epoch {epoch.epoch} of {last}", epoch.epoch, last, "  ".join(scores)
    trial = next(iter(progress.running.values()), None)
    if trial is None:
        return None
    return f"{_task(trial.trial_id)}: starting", trial.first_epoch - 1, trial.last_epoch, ""


def _task(name: str) -> str:
    return f"trial {name}" if name.isdecimal() else name


def _best(progress: Progress) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("best so far", progress.started.objective if progress.started else "", "epochs"):
        table.add_column(name, no_wrap=True, min_width=max(len(name), len("trial 0000")))
    table.add_column("setting", no_wrap=True, overflow="ellipsis")
    names = {name for trial in progress.best for name in trial.values}
    # What is the same in all of them tells nothing.
    telling = {name for name in names if len({repr(trial.values.get(name)) for trial in progress.best}) > 1}
    for trial in progress.best:
        setting = ", ".join(
            f"{k} {_short(v)}" for k, v in trial.values.items() if k in telling or len(progress.best) == 1
        )
        table.add_row(
            f"trial {trial.trial_id}", f"{trial.score:.4f}", str(trial.last_epoch), Text(plain(setting), style="dim")
        )
    return table


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
