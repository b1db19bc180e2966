"""A run of tiny data that is ready for its comparison, and what trains in it."""

from __future__ import annotations

import time
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
from tuner.space.parsing.parse import load_space
from tuner.store.run_folder import RunFolder


class Searched:
    """As much of a search's summary as a comparison reads."""

    best_values = SMALL_CNN


def job(folder: Path, events: list[Event], **changes: Any) -> Job:
    """A run in a quick preset, whose data set states no baseline."""
    file = replace(load_space(write_space(folder)), compare=("efficientnet_b2",))
    usual: dict[str, Any] = {
        "options": RunOptions(dataset="tiny", preset="quick"),
        "card": tiny_dataset().card,
        "file": file,
        "dataset": tiny_dataset(),
        "precision": None,
        "folder": RunFolder(folder / "run"),
        "tell": events.append,
        "request": StopRequest(),
        "began_s": time.time(),
        "earlier_s": 0.0,
    }
    return Job(**usual | changes)


def executor() -> FakeExecutor:
    """One whose trainings all come to the same score."""
    return FakeExecutor(lambda task, epoch: {"val_accuracy": 0.5})
