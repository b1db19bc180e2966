"""A model of the comparison, before and after its retraining."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.records.training import EarlyStopping, EpochMetrics, Schedule, TrainResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One model of the comparison, before it is trained.

    Attributes:
        name: `tuned`, `baseline`, `baseline_published` or `efficientnet_b2`.
        title: What tables call it.
        note: What a reader must know beside its scores.
        in_verdict: Whether the verdict may speak of it.
        model: Family or builder.
        values: Hyperparameters.
        max_epochs: Ceiling.
        schedule: Of the learning rate: `constant` or `cosine`.
        early_stopping: When a training ends before.
        max_train_images: Fewer training images than the others get, drawn once; None for all.
    """

    name: str
    title: str
    model: str
    values: Mapping[str, Any]
    max_epochs: int
    early_stopping: EarlyStopping
    schedule: Schedule = "constant"
    note: str = ""
    in_verdict: bool = True
    max_train_images: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """One retraining of a contender.

    Attributes:
        seed: Its number, from 0.
        task_seed: The seed that it was trained with.
        result: How it went.
        checkpoint: Where its state lies; only there where it succeeded.
    """

    seed: int
    task_seed: int
    result: TrainResult
    checkpoint: Path

    @property
    def kept_epoch(self) -> EpochMetrics:
        """The epoch whose weights were kept; needs a training that succeeded."""
        return next(e for e in self.result.epochs if e.epoch == self.result.best_epoch)

    def validation_score(self, monitor: str) -> float:
        """The metric in the epoch whose weights were kept; needs a training that succeeded."""
        return self.kept_epoch.metrics[monitor]
