"""Searches with made-up trainings, and what they tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.search.fakes import ACCURACY, make_study
from tuner.execution.executor import Executor
from tuner.execution.stop import StopRequest
from tuner.records.events import Listener
from tuner.records.training import TrainTask
from tuner.records.trial import StartSetting, Trial
from tuner.search.loop import search
from tuner.search.trial_training import SearchOrder
from tuner.space.definition import Objective
from tuner.store.search_log import SearchLog

Answer = Callable[[TrainTask, int], Mapping[str, float] | str]


def by_x(task: TrainTask, epoch: int) -> Mapping[str, float]:
    """A score that grows with x and, a little, with the epochs."""
    return {
        "val_accuracy": task.values["x"] + 0.001 * epoch,
        "val_loss": 1 - task.values["x"] - 0.001 * epoch,
    }


class Kept:
    """Keeps trials as the tables of a run do."""

    def __init__(self) -> None:
        self.trials: list[Trial] = []

    def keep(self, trial: Trial) -> None:
        self.trials.append(trial)


def begin(
    folder: Path,
    executor: Executor,
    *,
    objective: Objective = ACCURACY,
    seed: int = 1,
    listener: Listener = lambda event: None,
    kept: Kept | None = None,
    request: StopRequest | None = None,
    starts: Sequence[StartSetting] = (),
    **order: Any,
) -> list[Trial]:
    """A search whose log is in a folder, from its begin or from where it was."""
    (folder / "state").mkdir(parents=True, exist_ok=True)
    return search(
        SearchOrder(
            model="cnn", objective=objective, seed=seed, checkpoints=folder / "state", **order
        ),
        make_study(objective=objective, seed=seed, starts=starts),
        executor,
        SearchLog(folder / "state" / "trials.jsonl"),
        kept or Kept(),
        listener,
        request or StopRequest(),
    )
