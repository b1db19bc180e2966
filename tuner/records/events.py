"""Events of a run in progress; a terminal view, the log and `--json` listen to the same ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tuner.records.training import EpochMetrics, FoldDone
from tuner.records.trial import Trial
from tuner.space.definition import Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run has its data and its folder.

    Attributes:
        dataset: Title of the data set.
        n_train: Training images of a fold.
        n_validation: Validation images of a fold.
        n_folds: Times that a trial trains, each on other parts.
        n_test: Test images.
        folder: The run's folder.
        n_trials: Trials planned; 0 where a time budget is still to decide.
        n_epochs: Epochs planned; likewise.
        objective: What is optimised.
        direction: `max` or `min`.
        is_exact: Whether trials and epochs are known beforehand; otherwise they are about right.
    """

    dataset: str
    n_train: int
    n_validation: int
    n_folds: int
    n_test: int
    folder: str
    n_trials: int
    n_epochs: int
    objective: str
    direction: Direction
    is_exact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSized:
    """A time budget has decided how much is searched.

    Attributes:
        n_trials: Trials planned, in place of those of `RunStarted`.
        n_epochs: Epochs planned, likewise.
        is_exact: As of `RunStarted`.
        text: What was chosen and how long it is expected to take, in a line.
    """

    n_trials: int
    n_epochs: int
    is_exact: bool
    text: str


# Title of the stage that trials run in: the views forecast its end, and its time is summed over
# sessions.
SEARCHING = "Searching"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStarted:
    """A new part of the run.

    Attributes:
        title: What it does, in words.
    """

    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageAdvanced:
    """The stage has done another part of its work. No log keeps it.

    Attributes:
        n_done: Parts that are done.
        n: All parts.
    """

    n_done: int
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResumed:
    """An earlier session of the run had come so far.

    Attributes:
        trials: Those that ended then, in the order of their ends, without their epochs.
    """

    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStarted:
    """A trial begins."""

    trial: Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochEnded:
    """An epoch of a trial or a retraining has ended.

    Attributes:
        task_id: Trial, or model and seed.
        last_epoch: Last epoch of the task.
        epoch: Its metrics.
    """

    task_id: str
    last_epoch: int
    epoch: EpochMetrics


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldEnded:
    """One fold's part of an epoch has ended; `EpochEnded` follows the last one's. No log keeps it.

    Attributes:
        task_id: Trial, or model and seed.
        last_epoch: Last epoch of the task.
        fold: How far the epoch is.
    """

    task_id: str
    last_epoch: int
    fold: FoldDone


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialEnded:
    """A trial has ended, well or not.

    Attributes:
        trial: With its score or its error.
        is_best: Whether it is the best so far.
    """

    trial: Trial
    is_best: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelStarted:
    """A retraining begins.

    Attributes:
        task_id: Names it in `EpochEnded`.
        title: The model.
        seed: Its seed.
        last_epoch: Its last epoch, if nothing ends it before.
    """

    task_id: str
    title: str
    seed: int
    last_epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTrained:
    """A retraining has ended.

    Attributes:
        title: The model.
        seed: Its seed.
        text: How it went, in words.
    """

    title: str
    seed: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that you should know.

    Attributes:
        text: In one line.
    """

    text: str


Event = (
    RunStarted
    | SearchSized
    | StageStarted
    | StageAdvanced
    | SearchResumed
    | TrialStarted
    | EpochEnded
    | FoldEnded
    | TrialEnded
    | ModelStarted
    | ModelTrained
    | Notice
)
Listener = Callable[[Event], None]
