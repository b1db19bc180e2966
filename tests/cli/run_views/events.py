"""Events of a made-up run, and what the panel shows of them."""

from __future__ import annotations

import io

from rich.console import Console

from tuner.cli.run_views.live import screen
from tuner.cli.run_views.progress import Progress
from tuner.records.events import (
    EpochEnded,
    Event,
    RunStarted,
)
from tuner.records.training import EpochMetrics
from tuner.records.trial import Trial


def started(direction: str = "max", folder: str = "reports/x/1") -> RunStarted:
    return RunStarted(
        dataset="Photos",
        n_train=1200,
        n_validation=150,
        n_folds=1,
        n_test=150,
        folder=folder,
        n_trials=7,
        n_epochs=20,
        objective="val_accuracy" if direction == "max" else "val_loss",
        direction=direction,
    )


def trial(
    number: int,
    score: float | None = None,
    error: str | None = None,
    *,
    is_stopped: bool = False,
    **values: object,
) -> Trial:
    return Trial(
        trial_id=f"{number:04}",
        values=values,
        bracket=0,
        rung=0,
        parent_id=None,
        first_epoch=1,
        last_epoch=4,
        score=score,
        error=error,
        epochs=(EpochMetrics(epoch=2, metrics={}, duration_s=1.0),) if is_stopped else (),
        duration_s=1.25,
        n_parameters=10,
        is_stopped=is_stopped,
    )


def epoch(number: int, task_id: str = "0000") -> EpochEnded:
    metrics = {"loss": 0.5, "accuracy": 0.75, "val_accuracy": 0.5}
    return EpochEnded(
        task_id=task_id,
        last_epoch=4,
        epoch=EpochMetrics(epoch=number, metrics=metrics, duration_s=1.0),
    )


def heard(*events: Event) -> Progress:
    progress = Progress()
    for event in events:
        progress.hear(event)
    return progress


def drawn(progress: Progress, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(screen(progress, 75.0, is_roomy=width >= 70))
    return capture.get().splitlines()
