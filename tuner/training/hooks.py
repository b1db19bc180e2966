"""What a training reports on its way, and asks; imports no framework."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tuner.records.training import EpochMetrics, FoldDone, TrainTask

# A training that is killed loses this much and the epoch under way; a checkpoint of a small network
# costs 30 ms.
CHECKPOINT_S = 30.0


class StoppedError(Exception):
    """The training was asked to stop before its first epoch began."""


def _nothing() -> None:
    return


def _no_fold(task: TrainTask, fold: FoldDone) -> None:
    return


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What a training calls.

    Attributes:
        on_epoch: Called after each epoch.
        on_step: Called after each batch, as a sign of life.
        is_stopping: Whether the training is to end after the epoch under way.
        checkpoint_s: Seconds between two checkpoints.
        on_fold: Called after each fold's part of an epoch, where there are several folds.
    """

    on_epoch: Callable[[TrainTask, EpochMetrics], None]
    on_step: Callable[[], None] = _nothing
    is_stopping: Callable[[], bool] = _never
    checkpoint_s: float = CHECKPOINT_S
    on_fold: Callable[[TrainTask, FoldDone], None] = _no_fold
