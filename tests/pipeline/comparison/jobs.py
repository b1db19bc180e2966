"""A run of tiny data that is ready for its comparison, and what trains in it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.cli.calling import write_space
from tests.images import SMALL_CNN, tiny_dataset
from tests.search.fakes import FakeExecutor
from tuner.execution.stop import StopRequest
from tuner.pipeline.job import Job
from tuner.pipeline.run_options import RunOptions
from tuner.records.events import Event
from tuner.records.trial import Trial
from tuner.space.parsing.parse import load_space
from tuner.store.run_folder import RunFolder


class Searched:
    """As much of a search's summary as a comparison reads."""

    objective = "val_accuracy"
    best_score = 0.5


def trial(number: int, score: float, **changes: Any) -> Trial:
    """A whole training."""
    usual: dict[str, Any] = {
        "trial_id": f"{number:04d}",
        "values": SMALL_CNN,
        "bracket": 0,
        "rung": 0,
        "parent_id": None,
        "first_epoch": 1,
        "last_epoch": 4,
    }
    return Trial(**usual | changes, score=score)


def job(
    folder: Path, events: list[Event], trials: Sequence[Trial] = (trial(0, 0.5),), **changes: Any
) -> Job:
    """A run in a quick preset, whose data set states no baseline."""
    run = RunFolder(folder / "run")
    run.state.mkdir(parents=True, exist_ok=True)
    (run.state / "trials.jsonl").unlink(missing_ok=True)
    for one in trials:
        run.search_log.started(replace(one, score=None), {})
        run.search_log.ended(one)
    file = replace(load_space(write_space(folder)), compare=("efficientnet_b2",))
    usual: dict[str, Any] = {
        "options": RunOptions(dataset="tiny", preset="quick"),
        "card": tiny_dataset().card,
        "file": file,
        "dataset": tiny_dataset(),
        "precision": None,
        "starts": (),
        "folder": run,
        "tell": events.append,
        "request": StopRequest(),
        "began_s": time.time(),
        "earlier_s": 0.0,
    }
    return Job(**usual | changes)


def executor() -> FakeExecutor:
    """One whose trainings all come to the same score."""
    return FakeExecutor(lambda task, epoch: {"val_accuracy": 0.5})
