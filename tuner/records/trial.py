"""A trial of the search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tuner.records.training import EpochMetrics
from tuner.space.constraints import NOT_KNOWN, Footprint

# Of the settings that a search begins with: no rung of a method has them.
NO_BRACKET = -1

TrialStatus = Literal["failed", "running", "stopped", "completed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSetting:
    """A setting that is known to work, with which a search begins.

    Attributes:
        origin: Where it is from, such as `baseline`.
        values: Its hyperparameters; they may lie outside of the space's ranges.
        model: Family or builder; None for the one that the space searches.
    """

    origin: str
    values: Mapping[str, Any]
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One trial: a setting, trained from epoch `first_epoch` to `last_epoch`.

    A promotion is a trial of its own.

    Attributes:
        trial_id: Four digits or more, in the order of the starts.
        values: The active hyperparameters' values.
        bracket: Hyperband's bracket, from 0 (no halving), numbered on over iterations; 0 for other
            methods; `NO_BRACKET` for what a search begins with.
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
        model: Family or builder; None for the one that the space searches.
        origin: Where a setting is from that the search began with, such as `baseline`; empty where
            the method proposed it.
        takes: What its model takes, where that was measured for objectives beside the score.
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
    model: str | None = None
    origin: str = ""
    takes: Footprint = NOT_KNOWN

    @property
    def status(self) -> TrialStatus:
        """`failed`, `running`, `stopped` or `completed`; derived."""
        if self.error is not None:
            return "failed"
        if self.score is None:
            return "running"
        return "stopped" if self.is_stopped else "completed"

    @property
    def depth(self) -> int:
        """Epochs that its setting has been trained for, those of its parents included.

        One that ended early by its own rule counts as trained to the end.
        """
        if not self.is_stopped:
            return self.last_epoch
        return self.epochs[-1].epoch if self.epochs else self.first_epoch - 1
