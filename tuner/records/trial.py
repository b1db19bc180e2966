"""A trial of the search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tuner.records.training import EpochMetrics

TrialStatus = Literal["failed", "running", "stopped", "completed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One trial: a setting, trained from epoch `first_epoch` to `last_epoch`.

    A promotion is a trial of its own.

    Attributes:
        trial_id: Four digits or more, in the order of the starts.
        values: The active hyperparameters' values.
        bracket: Hyperband's bracket, from 0 (no halving), numbered on over iterations; 0 for other
            methods.
        rung: Rung within the bracket, from 0.
        parent_id: The trial that this one continues; None on the first rung.
        first_epoch: From 1.
        last_epoch: Included.
        score: The objective's best value over the trial's epochs; None until it succeeded.
        error: Why it failed; None otherwise.
        epochs: Metrics of the epochs trained in this trial.
        duration_s: Seconds.
        n_parameters: Parameters of the model; None where it was never built.
        n_retries: How often it had failed before, each time with another seed.
        is_stopped: Whether the search ran out of time before the trial's last epoch.
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
    n_retries: int = 0
    is_stopped: bool = False

    @property
    def status(self) -> TrialStatus:
        """`failed`, `running`, `stopped` or `completed`; derived."""
        if self.error is not None:
            return "failed"
        if self.score is None:
            return "running"
        return "stopped" if self.is_stopped else "completed"
