"""A training of milliseconds in which every epoch depends on all before it.

Also the result that such a training must have.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from tuner.records.training import EpochMetrics, Failure, TrainResult, TrainTask
from tuner.training.checkpoint import (
    Checkpoint,
    load_checkpoint,
    own_checkpoint,
    save_checkpoint,
    task_digest,
)

EPOCH_S = 0.003


def next_state(state: float, seed: int, epoch: int, values: Mapping[str, Any]) -> float:
    """A number from 0 to 1 in which everything so far is mixed."""
    parts = repr((state, seed, epoch, sorted(values.items())))
    return int.from_bytes(hashlib.sha256(parts.encode()).digest()[:6], "big") / 2**48


def curve(seed: int, first_epoch: int, last_epoch: int, values: Mapping[str, Any]) -> list[float]:
    """The score of each of these epochs, had nothing ever gone wrong."""
    state, scores = 0.0, []
    for epoch in range(1, last_epoch + 1):
        state = next_state(state, seed, epoch, values)
        scores.append(state)
    return scores[first_epoch - 1 :]


def fails(seed: int) -> bool:
    """Whether a training of this seed fails in its first epoch."""
    return seed % 11 == 0


def run_task(task: TrainTask, data: Any, hooks: Any, models: Any) -> TrainResult:
    """Stands in for `tuner.training.fit.run_task`: the same checkpoints, but no network.

    A missing parent is fatal.
    """
    del data, models
    assert task.save_to is not None
    if fails(task.seed):
        return TrainResult(
            task_id=task.task_id,
            epochs=(),
            duration_s=0.0,
            failure=Failure(reason="this seed always fails"),
        )
    own, epochs, state = own_checkpoint(task), [], 0.0
    if own:
        epochs, state = list(own.epochs), float(own.state[0])
    elif task.resume_from:
        state = float(load_checkpoint(task.resume_from).state[0])
    for epoch in range(task.first_epoch + len(epochs), task.last_epoch + 1):
        time.sleep(EPOCH_S)
        state = next_state(state, task.seed, epoch, task.values)
        epochs.append(
            EpochMetrics(
                epoch=epoch, metrics={"val_accuracy": state, "loss": 1 - state}, duration_s=EPOCH_S
            )
        )
        hooks.on_epoch(task, epochs[-1])
        if epoch % 2 or epoch == task.last_epoch:
            save_checkpoint(_checkpoint(task, epochs, state), task.save_to)
    return TrainResult(
        task_id=task.task_id, epochs=tuple(epochs), duration_s=EPOCH_S * len(epochs),
        best_epoch=task.last_epoch, n_parameters=1,
    )  # fmt: skip


def _checkpoint(task: TrainTask, epochs: list[EpochMetrics], state: float) -> Checkpoint:
    return Checkpoint(
        order=task_digest(task),
        state=[np.array(state)],
        kept=[],
        epochs=tuple(epochs),
        best=None,
        best_loss=None,
        best_epoch=0,
        progress_epoch=0,
        n_parameters=1,
        duration_s=EPOCH_S * len(epochs),
        ended_by="last_epoch" if epochs[-1].epoch == task.last_epoch else None,
    )
