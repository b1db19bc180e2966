"""One epoch of one fold: training, then validation, batch by batch through the traced steps."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import keras

from tuner.backend.active import n_together
from tuner.records.training import EpochMetrics, TrainTask
from tuner.training.batches import training_batches, validation_batches
from tuner.training.data import TrainingData
from tuner.training.failure import NonFiniteLossError
from tuner.training.hooks import Hooks
from tuner.training.own_builders.own_metrics import scalars
from tuner.training.prepared import PreparedModel


def train_epoch(
    prepared: PreparedModel,
    task: TrainTask,
    data: TrainingData,
    fold: int,
    hooks: Hooks,
    base_rate: float,
    number: int,
) -> EpochMetrics:
    """Train a model in place for one epoch.

    Args:
        prepared: The model of the fold.
        task: Its values, seed and schedule decide.
        data: Images or features.
        fold: Number of the fold, from 0.
        hooks: Its `on_step` is called after each batch.
        base_rate: The setting's own learning rate, which a schedule multiplies.
        number: Of the epoch, from 1.

    Raises:
        NonFiniteLossError: If training or validation gives a loss that is not finite.
    """
    model, functions = prepared.model, prepared.functions
    started = time.perf_counter()
    # A schedule that your builder compiled stays as it is; Keras would refuse to set its rate.
    if task.schedule == "cosine" and isinstance(model.optimizer.learning_rate, keras.Variable):
        model.optimizer.learning_rate = base_rate * rate_factor(task, number)
    metrics = _pass(
        model, functions.train, training_batches(prepared, task, data, fold, number), hooks
    )
    _check_finite("training", metrics, number)
    rows = data.folds[fold].validation
    if len(rows):
        validation = _pass(
            model, functions.test, validation_batches(model, data, rows, n_together(model)), hooks
        )
        _check_finite("validation", validation, number)
        metrics |= {f"val_{name}": value for name, value in validation.items()}
    return EpochMetrics(epoch=number, metrics=metrics, duration_s=time.perf_counter() - started)


def rate_factor(task: TrainTask, epoch: int) -> float:
    """What a cosine schedule multiplies the learning rate by in an epoch, counted from 1."""
    warmup, last = task.warmup_epochs, task.schedule_epochs or task.last_epoch
    if epoch <= warmup:
        return epoch / (warmup + 1)
    return 0.5 * (1 + math.cos(math.pi * (epoch - 1 - warmup) / max(last - warmup, 1)))


def _check_finite(part: str, metrics: Mapping[str, float], epoch: int) -> None:
    # Your own `train_step` may measure no loss.
    loss = metrics.get("loss", 0.0)
    if not math.isfinite(loss):
        raise NonFiniteLossError(f"the {part} loss became {loss} in epoch {epoch}")


def _pass(
    model: keras.Model,
    step: Callable[..., Any],
    batches: Iterable[tuple[Any, ...]],
    hooks: Hooks,
) -> dict[str, float]:
    """Go once over some batches; the metrics are exact over all of their images."""
    model.reset_metrics()
    metrics: Any = {}
    for batch in batches:
        metrics = step(*batch)
        hooks.on_step()
    return scalars(metrics)
