"""One training: the epoch loop over the backend's traced step."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import numpy as np

from tuner.backend.active import steps
from tuner.errors import TunerError
from tuner.records.training import EarlyStopping, EpochMetrics, Failure, TrainResult, TrainTask
from tuner.space.vocabulary import TRAINING_TERMS
from tuner.training.checkpoint import State, load_state, put_state, save_state, take_state
from tuner.training.compiled import compiled_model, targets
from tuner.training.data import TrainingData

OnEpoch = Callable[[TrainTask, EpochMetrics], None]

# Prediction needs no gradients, so it may take more images at a time than training.
PREDICT_BATCH = 256


class NonFiniteLossError(TunerError):
    """Training diverged."""


def run_task(task: TrainTask, data: TrainingData, on_epoch: OnEpoch) -> TrainResult:
    """Train as ordered; whatever goes wrong inside the training ends up in the result.

    What listens to the epochs, and the disk that the checkpoint goes to, are not the setting's fault: they raise.

    Args:
        task: The order.
        data: What to train on.
        on_epoch: Called after each epoch.

    Raises:
        OSError: If the checkpoint cannot be written.
    """
    start = time.perf_counter()
    training = _Training(task, data)
    while epoch := training.next_epoch():
        on_epoch(task, epoch)
    if task.save_to and training.failure is None:
        save_state(training.state, task.save_to)
    return TrainResult(
        task_id=task.task_id,
        epochs=tuple(training.epochs),
        duration_s=time.perf_counter() - start,
        best_epoch=None if training.failure else training.best_epoch,
        n_parameters=training.n_parameters,
        failure=training.failure,
    )


class _Training:
    """One training, an epoch at a time.

    Attributes:
        epochs: Metrics of the epochs so far.
        n_parameters: None before the model is built.
        best_epoch: Epoch of the kept weights, once the training has ended.
        state: State of model and optimizer, once the training has ended.
        failure: None as long as all goes well.
    """

    def __init__(self, task: TrainTask, data: TrainingData) -> None:
        self.epochs: list[EpochMetrics] = []
        self.n_parameters: int | None = None
        self.best_epoch = 0
        self.state: State = []
        self.failure: Failure | None = None
        self._generator = self._run(task, data)

    def next_epoch(self) -> EpochMetrics | None:
        """Train an epoch; None once the training has ended, well or not."""
        try:
            return next(self._generator, None)
        except NonFiniteLossError as error:
            self.failure = Failure(reason=error.message)
        except Exception as error:
            self.failure = Failure(reason=_one_line(error), traceback=traceback.format_exc())
        return None

    def _run(self, task: TrainTask, data: TrainingData) -> Iterator[EpochMetrics]:
        keras.backend.clear_session()
        keras.utils.set_random_seed(task.seed % 2**32)
        model = compiled_model(task.model, task.values, data.spec)
        self.n_parameters = model.count_params()
        watch = _Watch(task.early_stopping)
        for epoch in _epochs(model, task, data):
            self.epochs.append(epoch)
            ends = watch.ends(model, epoch)
            yield epoch
            if ends:
                break
        if watch.best_state:
            self.best_epoch, self.state = watch.best_epoch, watch.best_state
        else:
            self.best_epoch, self.state = self.epochs[-1].epoch, take_state(model)


def _epochs(model: keras.Model, task: TrainTask, data: TrainingData) -> Iterator[EpochMetrics]:
    """Train the model in place, epoch by epoch."""
    example = data.inputs[:1], targets(model, data.labels[:1])
    functions = steps(model, example)
    # The setting's own rate: a checkpoint holds the one that a schedule had come down to.
    base_rate = float(model.optimizer.learning_rate)
    if task.resume_from:
        put_state(model, load_state(task.resume_from))
    batch_size = task.values.get("batch_size", TRAINING_TERMS["batch_size"].default)
    # A schedule that a person's builder compiled stays as it is; Keras would refuse to set its rate.
    sets_rate = task.schedule == "cosine" and isinstance(model.optimizer.learning_rate, keras.Variable)
    for epoch in range(task.first_epoch, task.last_epoch + 1):
        started = time.perf_counter()
        if sets_rate:
            _set_cosine_rate(model, base_rate, epoch, task.last_epoch)
        order = np.random.default_rng([task.seed, epoch]).permutation(data.train)
        metrics = _pass(model, functions.train, data, order, batch_size)
        _check_finite("training", metrics, epoch)
        if len(data.validation):
            validation = _pass(model, functions.test, data, data.validation, PREDICT_BATCH)
            _check_finite("validation", validation, epoch)
            metrics |= {f"val_{name}": value for name, value in validation.items()}
        yield EpochMetrics(epoch=epoch, metrics=metrics, duration_s=time.perf_counter() - started)


def _check_finite(part: str, metrics: Mapping[str, float], epoch: int) -> None:
    # A person's own `train_step` may measure no loss.
    loss = metrics.get("loss", 0.0)
    if not math.isfinite(loss):
        raise NonFiniteLossError(f"the {part} loss became {loss} in epoch {epoch}")


def _pass(
    model: keras.Model, step: Callable[..., Any], data: TrainingData, order: np.ndarray, batch_size: int
) -> dict[str, float]:
    """Go once over the images in the given order; the metrics are exact means over all of them."""
    model.reset_metrics()
    labels = targets(model, data.labels[order])
    metrics: Any = {}
    for i in range(0, len(order), batch_size):
        metrics = step(data.inputs[order[i : i + batch_size]], labels[i : i + batch_size])
    return {name: float(value) for name, value in metrics.items()}


def _set_cosine_rate(model: keras.Model, base_rate: float, epoch: int, last_epoch: int) -> None:
    model.optimizer.learning_rate = base_rate * 0.5 * (1 + math.cos(math.pi * (epoch - 1) / last_epoch))


def predict(function: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """What a model puts out, (len(indices), units), for some of the inputs (n, ...), a batch at a time."""
    batches = range(0, len(indices), PREDICT_BATCH)
    return np.concatenate([function(inputs[indices[i : i + PREDICT_BATCH]]) for i in batches])


class _Watch:
    """Early stopping: remembers the best epoch's weights and says when to end."""

    def __init__(self, rule: EarlyStopping | None) -> None:
        self.rule = rule
        self.best_epoch = 0
        self.best_state: State = []
        self._best: float | None = None

    def ends(self, model: keras.Model, epoch: EpochMetrics) -> bool:
        if self.rule is None:
            return False
        for name in filter(None, (self.rule.monitor, self.rule.stop_metric)):
            if name not in epoch.metrics:
                known = ", ".join(sorted(epoch.metrics))
                raise TunerError(f"there is no metric {name}; the model gives {known}")
        value = epoch.metrics[self.rule.monitor]
        sign = 1 if self.rule.direction == "max" else -1
        # Nothing compares as better than NaN: once it were the best, it would stay so.
        if math.isfinite(value) and (self._best is None or sign * value > sign * self._best):
            self._best, self.best_epoch = value, epoch.epoch
            self.best_state = take_state(model) if self.rule.keeps_best else []
        if self.rule.stop_metric and epoch.metrics[self.rule.stop_metric] >= self.rule.stop_value:
            return True
        return self.rule.patience is not None and epoch.epoch - self.best_epoch >= self.rule.patience


def _one_line(error: BaseException) -> str:
    text = error.message if isinstance(error, TunerError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:300]
