"""A trial of the search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tuner.records.training import EpochMetrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One trial: a setting, trained from epoch `first_epoch` to `last_epoch`; a promotion is a trial of its own.

    Attributes:
        trial_id: Four digits, in the order of the starts.
        values: The active hyperparameters' values.
        bracket: Hyperband's bracket, from 0 (no halving).
        rung: Rung within the bracket, from 0.
        parent_id: The trial that this one continues; None on the first rung.
        first_epoch: From 1.
        last_epoch: Included.
        score: The objective's best value over the trial's epochs; None until it succeeded.
        error: Why it failed; None otherwise.
        epochs: Metrics of the epochs trained in this trial.
        duration_s: Seconds.
        n_parameters: Parameters of the model; None where it was never built.
    """

    trial_id: str
    values: Mapping[str, Any]
    bracket: int
    rung: int
    parent_id: str | None
    first_epoch: int
    last_epoch: int
    score: float | None = None
    error: str | None = None
    epochs: tuple[EpochMetrics, ...] = field(default=())
    duration_s: float = 0.0
    n_parameters: int | None = None

    @property
    def status(self) -> str:
        """`failed`, `completed` or `running`; derived from `error` and `score`."""
        if self.error is not None:
            return "failed"
        return "running" if self.score is None else "completed"
