"""A few real steps of some models, on the executor that a run would use."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil

from tuner.commands.simulate import FORWARD_SHARE, Cost
from tuner.execution.executor import Executor
from tuner.execution.memory import used_bytes
from tuner.records.training import EpochMetrics, TrainResult, TrainTask
from tuner.space.vocabulary import TRAINING_TERMS
from tuner.training.data import TrainingData

# The first epoch traces; the others are timed.
N_EPOCHS = 3

# So many pixels are an epoch long enough to be timed, within these bounds.
PIXELS = 150_000
MIN_STEPS, MAX_STEPS = 2, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model to measure.

    Attributes:
        name: Tells it from the others.
        model: Family or builder.
        values: Hyperparameters.
        data: What a run would train it on.
        n_validation: Validation images of each epoch; None for their usual share.
    """

    name: str
    model: str
    values: Mapping[str, Any]
    data: TrainingData
    n_validation: int | None = None


class MemoryGauge:
    """The most memory that any process of this program has taken, itself included where it trains.

    Attributes:
        peak_bytes: The most so far.
    """

    def __init__(self, *, is_inline: bool) -> None:
        """Begin with nothing; say whether this process itself trains."""
        self.peak_bytes = 0
        self._is_inline = is_inline

    def read(self, task: TrainTask, epoch: EpochMetrics) -> None:
        """Look at the end of an epoch."""
        del task, epoch
        pids = [os.getpid()] if self._is_inline else [p.pid for p in psutil.Process().children(recursive=True)]
        self.peak_bytes = max([self.peak_bytes, *map(used_bytes, pids)])


def measure(candidates: Sequence[Candidate], executor: Executor, folder: Path) -> tuple[dict[str, Cost], list[str]]:
    """Train each for a moment, as many at a time as a run would: they share the memory's bandwidth.

    Args:
        candidates: The models, best with the slowest first.
        executor: Trains.
        folder: For checkpoints.

    Returns:
        The costs by name, and why the others failed.
    """
    by_name = {candidate.name: candidate for candidate in candidates}
    costs: dict[str, Cost] = {}
    problems: list[str] = []
    for result in _results(candidates, executor, folder):
        if result.failure:
            problems.append(result.failure.reason)
        else:
            candidate = by_name[result.task_id]
            costs[result.task_id] = _cost(candidate, result, _checkpoint(folder, result.task_id).stat().st_size)
    return costs, problems


def _results(candidates: Sequence[Candidate], executor: Executor, folder: Path) -> list[TrainResult]:
    results: list[TrainResult] = []
    for number, candidate in enumerate(candidates):
        if number >= executor.n_workers:
            results.append(executor.next_result())
        executor.add_data(candidate.name, part(candidate))
        executor.submit(_task(candidate, folder))
    while len(results) < len(candidates):
        results.append(executor.next_result())
    return results


def part(candidate: Candidate) -> TrainingData:
    """A few batches of the data, with as large a share of the validation images, or as many as the candidate says."""
    data, batch_size = candidate.data, _batch_size(candidate)
    side = candidate.values.get("input_size", max(data.spec.height, data.spec.width))
    n_steps = int(np.clip(PIXELS // (side**2 * batch_size), MIN_STEPS, MAX_STEPS))
    train = data.train[: n_steps * batch_size]
    share = -(-len(data.validation) * len(train) // len(data.train))
    n_validation = share if candidate.n_validation is None else candidate.n_validation
    return replace(data, train=train, validation=data.validation[:n_validation])


def _task(candidate: Candidate, folder: Path) -> TrainTask:
    return TrainTask(
        task_id=candidate.name,
        model=candidate.model,
        values=candidate.values,
        seed=0,
        first_epoch=1,
        last_epoch=N_EPOCHS,
        save_to=_checkpoint(folder, candidate.name),
        data=candidate.name,
    )


def _checkpoint(folder: Path, name: str) -> Path:
    return folder / f"{name}.npz"


def _cost(candidate: Candidate, result: TrainResult, checkpoint_bytes: int) -> Cost:
    first_s, *later_s = (epoch.duration_s for epoch in result.epochs)
    data, epoch_s = part(candidate), median(later_s)
    return Cost(
        name=candidate.name,
        build_s=result.duration_s - first_s - sum(later_s),
        trace_s=max(0.0, first_s - epoch_s),
        image_s=epoch_s / (len(data.train) + FORWARD_SHARE * len(data.validation)),
        batch_size=_batch_size(candidate),
        checkpoint_bytes=checkpoint_bytes,
    )


def _batch_size(candidate: Candidate) -> int:
    return int(candidate.values.get("batch_size", TRAINING_TERMS["batch_size"].default))
