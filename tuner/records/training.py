"""One training as an order (`TrainTask`) and as what came of it (`TrainResult`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tuner.records.error_text import several_lines, short_line
from tuner.space.definition import Direction, Precision
from tuner.space.vocabulary import with_all_defaults

# What executors call the data set's own images.
IMAGES = "images"

# Of the learning rate.
Schedule = Literal["constant", "cosine"]
Ending = Literal["last_epoch", "early_stopping", "deadline", "request"]
FailureKind = Literal["error", "diverged", "memory", "hang", "lost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyStopping:
    """When a training ends before its last epoch.

    Attributes:
        monitor: Metric that decides which epoch is best, such as `val_loss`.
        direction: `min` or `max`.
        patience: Epochs without improvement after which training ends; None never ends it.
        stop_metric: Metric that ends training as soon as it reaches `stop_value`; None where there
            is none.
        stop_value: See `stop_metric`.
        keeps_best: Whether the best epoch's weights are kept, not the last one's.
    """

    monitor: str
    direction: Direction
    patience: int | None
    stop_metric: str | None = None
    stop_value: float = 0.0
    keeps_best: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochMetrics:
    """Metrics of one epoch.

    Attributes:
        epoch: Counted from 1, over promotions.
        metrics: `loss`, `accuracy`, `val_loss`, `val_accuracy`, ... as Keras names them.
        duration_s: Seconds, validation included.
    """

    epoch: int
    metrics: Mapping[str, float]
    duration_s: float

    def __post_init__(self) -> None:
        """Clean names that a file could not hold, or not give back."""
        if any(name != short_line(name) for name in self.metrics):
            clean = {short_line(name): value for name, value in self.metrics.items()}
            object.__setattr__(self, "metrics", clean)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldDone:
    """One fold's part of an epoch has been trained.

    Attributes:
        epoch: Counted from 1, over promotions.
        n_done: Folds that this epoch has been trained in.
        n_folds: Folds in all.
    """

    epoch: int
    n_done: int
    n_folds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainTask:
    """An order to train one setting for some epochs.

    Attributes:
        task_id: Names the task in logs and files.
        data: Name of the executor's data that it trains on.
        model: A family's name or `package.module:function`.
        values: Hyperparameter values as they are stated; a builder of your own gets just these.
        seed: Descends from the run's seed; decides weights, shuffling and dropout.
        first_epoch: First epoch to train, from 1.
        last_epoch: Last epoch to train, included.
        resume_from: Checkpoint with weights and optimizer state after epoch `first_epoch - 1`.
        save_to: Where the checkpoint is written, now and then and when the training ends. Where it
            is there already and is this very task's, the training goes on from it.
        schedule: `constant`, or `cosine`: the learning rate falls along half a cosine to about 0
            (Loshchilov and Hutter, ICLR 2017, without restarts).
        schedule_epochs: Epoch at which the cosine ends; None for `last_epoch`.
        warmup_epochs: Epochs before the cosine begins, in which the rate rises in equal steps.
        early_stopping: None trains to `last_epoch` and keeps its weights.
        stop_at: Unix time in seconds after which no further epoch begins; None where there is time
            enough.
        precision: In which the layers of our models compute; None for what is fast on the device
            that trains.
    """

    task_id: str
    model: str
    values: Mapping[str, Any]
    seed: int
    first_epoch: int
    last_epoch: int
    resume_from: Path | None = None
    save_to: Path | None = None
    schedule: Schedule = "constant"
    schedule_epochs: int | None = None
    warmup_epochs: int = 0
    early_stopping: EarlyStopping | None = None
    stop_at: float | None = None
    data: str = IMAGES
    precision: Precision | None = None

    @property
    def all_values(self) -> dict[str, Any]:
        """The values with the default of each that they leave out: what a training reads."""
        return with_all_defaults(self.model, self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a training failed.

    The texts are cleaned here, once, so that whatever is written can be read again.

    Attributes:
        reason: One line.
        traceback: The Python traceback; empty where there is none, and shortened where it is very
            long.
        kind: `error` (an exception), `diverged` (a loss that is not finite), `memory`, `hang` (no
            step in time) or `lost` (its worker died again and again).
    """

    reason: str
    traceback: str = ""
    kind: FailureKind = "error"

    def __post_init__(self) -> None:
        """Clean the texts."""
        object.__setattr__(self, "reason", short_line(self.reason))
        object.__setattr__(self, "traceback", several_lines(self.traceback))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """What came of a `TrainTask`.

    Attributes:
        task_id: The task's.
        epochs: Metrics of the epochs that this task trained.
        duration_s: Seconds, building and tracing included.
        best_epoch: Epoch whose weights were kept; None where the training failed.
        n_parameters: Parameters of the model; None where it could not be built.
        failure: None where all went well.
        ended_by: Why it ended, where it did not fail: `last_epoch`, `early_stopping`, `deadline`
            (its `stop_at`), or `request`: everything was asked to stop, and the training may go on
            from its checkpoint.
        n_lost_workers: Workers that died under it before it ended.
    """

    task_id: str
    epochs: tuple[EpochMetrics, ...]
    duration_s: float
    best_epoch: int | None = None
    n_parameters: int | None = None
    failure: Failure | None = None
    ended_by: Ending = "last_epoch"
    n_lost_workers: int = 0
