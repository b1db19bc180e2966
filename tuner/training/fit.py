"""One training: the epoch loop over the backend's traced step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from tuner.backend.active import n_together, policy
from tuner.data.streaming import Indexed, batches
from tuner.errors import DataError, TunerError
from tuner.models.backbones.classifier import copy_head
from tuner.models.backbones.stages import is_fine_tuned, is_frozen
from tuner.records.error_text import reason_of, traceback_of, words_of
from tuner.records.training import EpochMetrics, Failure, FoldDone, TrainResult, TrainTask
from tuner.store.files import is_disk_full
from tuner.training.batches import training_batches, validation_batches
from tuner.training.checkpoint import (
    Checkpoint,
    State,
    load_checkpoint,
    order_of,
    own_checkpoint,
    save_checkpoint,
)
from tuner.training.data import TrainingData
from tuner.training.early_stopping import Watch
from tuner.training.folds import Folds, mean
from tuner.training.own_builders.own_metrics import scalars
from tuner.training.prepared import Prepared, PreparedModels
from tuner.training.transfer.extraction import (
    StoppedError,
    fine_tuning_task,
    head_task,
    with_features,
)

# A training that is killed loses this much and the epoch under way; a checkpoint of a small network
# costs 30 ms.
CHECKPOINT_S = 30.0


def _nothing() -> None:
    return


def _no_fold(task: TrainTask, fold: FoldDone) -> None:
    return


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What a training tells, and asks, on its way.

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


class NonFiniteLossError(TunerError):
    """Training diverged."""


def run_task(
    task: TrainTask, data: TrainingData, hooks: Hooks, models: PreparedModels
) -> TrainResult:
    """Train as ordered, from the task's own checkpoint where there is one.

    Whatever goes wrong inside the training ends up in the result. What listens to the epochs, and
    the disk that the checkpoint goes to, are not the setting's fault: they raise.

    Args:
        task: The order.
        data: What to train on.
        hooks: Called for each epoch and step.
        models: Where models of the same architecture are kept.

    Raises:
        OSError: If the checkpoint cannot be written.
        DataError: If images cannot be read any more.
    """
    training = _Training(task, data, hooks, models)
    saved_s = time.monotonic()
    while epoch := training.next_epoch():
        hooks.on_epoch(task, epoch)
        if time.monotonic() - saved_s >= hooks.checkpoint_s:
            training.save()
            saved_s = time.monotonic()
    training.save()
    return training.result()


class _Training:
    """One training, an epoch at a time.

    Attributes:
        failure: None as long as all goes well.
    """

    def __init__(
        self, task: TrainTask, data: TrainingData, hooks: Hooks, models: PreparedModels
    ) -> None:
        self.failure: Failure | None = None
        self._was_there = False
        self._order = order_of(task)
        self._task, self._data, self._hooks, self._models = task, data, hooks, models
        self._folds: Folds | None = None
        self._n_parameters: int | None = None
        self._epochs: list[EpochMetrics] = []
        self._kept: State = []
        self._watch = Watch(task.early_stopping)
        self._ended_by: str | None = None
        self._started_s = time.perf_counter()
        self._generator = self._run()

    def next_epoch(self) -> EpochMetrics | None:
        """Train an epoch; None once the training has ended, well or not."""
        try:
            return next(self._generator, None)
        except NonFiniteLossError as error:
            self.failure = Failure(reason=error.message, kind="diverged")
        except StoppedError:
            self._ended_by = "request"
        except DataError:
            # An image that cannot be decoded any more, such as on a drive that is gone, would fail
            # every setting.
            raise
        except (Exception, SystemExit) as error:
            if is_disk_full(error):
                # Features could not be kept; no setting is at fault.
                raise
            self._fail(error)
        return None

    def _fail(self, error: BaseException) -> None:
        kind = "memory" if _is_out_of_memory(error) else "error"
        self.failure = Failure(reason=reason_of(error), traceback=traceback_of(error), kind=kind)

    def save(self) -> None:
        """Write the checkpoint, if one is wanted and there is anything new.

        Raises:
            OSError: If it cannot be written.
        """
        if self._task.save_to is None or self.failure or self._was_there or self._folds is None:
            return
        try:
            save_checkpoint(self._checkpoint(), self._task.save_to)
        except OSError:
            raise
        except Exception as error:
            # Memory may run out over the copy.
            self._fail(error)

    def _checkpoint(self) -> Checkpoint:
        """Where the training is."""
        assert self._folds is not None and self._n_parameters is not None
        # With more time, or when nobody asks any more, it may go on.
        ended_by = None if self._ended_by in ("request", "deadline") else self._ended_by
        return Checkpoint(
            order=self._order,
            # Nothing goes on from a training that has ended and keeps its best epoch.
            state=[] if self._kept and ended_by else self._folds.take(),
            kept=self._kept,
            epochs=tuple(self._epochs),
            best=self._watch.best,
            best_loss=self._watch.best_loss,
            best_epoch=self._watch.best_epoch,
            progress_epoch=self._watch.progress_epoch,
            n_parameters=self._n_parameters,
            duration_s=self._duration_s(),
            ended_by=ended_by,
        )

    def result(self) -> TrainResult:
        """What came of it."""
        best_epoch = self._watch.best_epoch if self._kept else self._last_epoch()
        return TrainResult(
            task_id=self._task.task_id,
            epochs=tuple(self._epochs),
            duration_s=self._duration_s(),
            best_epoch=None if self.failure else best_epoch,
            n_parameters=self._n_parameters,
            failure=self.failure,
            ended_by=self._ended_by or "last_epoch",
        )

    def _run(self) -> Iterator[EpochMetrics]:
        own = own_checkpoint(self._task)
        if own:
            self._take_over(own)
        if own and own.ended_by:
            self._was_there = True
            return
        is_new = not own and not self._task.resume_from
        heads = (
            self._heads() if is_new and is_fine_tuned(self._task.model, self._task.values) else None
        )
        self._choose_stage()
        prepared = self._models.prepare(self._task, self._data)
        self._n_parameters = prepared.model.count_params()
        # The setting's own rate: a checkpoint holds the one that a schedule had come down to.
        base_rate = float(prepared.model.optimizer.learning_rate)
        self._folds = Folds(prepared.model, len(self._data.folds))
        if own:
            self._folds.put(own.state)
        elif self._task.resume_from:
            self._continue(self._folds, load_checkpoint(self._task.resume_from))
        elif heads:
            for _ in zip(self._folds, heads, strict=True):
                copy_head(heads.model, prepared.model)
        while not self._has_ended():
            yield self._epoch(prepared, self._folds, base_rate)

    def _choose_stage(self) -> None:
        """Train a frozen network's head in place of the network, or a network's blocks at their own rate."""
        model, values = self._task.model, self._task.values
        if is_frozen(model, values):
            self._data = self._with_features()
            self._task = head_task(self._task)
        elif is_fine_tuned(model, values):
            self._task = fine_tuning_task(self._task)

    def _with_features(self) -> TrainingData:
        return with_features(self._task, self._data, self._hooks.is_stopping, self._hooks.on_step)

    def _heads(self) -> Folds:
        """The heads of all folds, trained alone."""
        data, task = self._with_features(), head_task(self._task)
        prepared = self._models.prepare(task, data)
        rate = float(prepared.model.optimizer.learning_rate)
        heads = Folds(prepared.model, len(data.folds))
        for epoch in range(1, task.values["head_epochs"] + 1):
            for fold in heads:
                if self._hooks.is_stopping():
                    raise StoppedError
                _train_epoch(
                    prepared,
                    replace(task, schedule="constant"),
                    data,
                    fold,
                    self._hooks,
                    rate,
                    epoch,
                )
        return heads

    def _take_over(self, own: Checkpoint) -> None:
        """Be where this very task was when it was stopped."""
        self._epochs, self._kept = list(own.epochs), own.kept
        self._watch = Watch(
            self._task.early_stopping, own.best, own.best_loss, own.best_epoch, own.progress_epoch
        )
        if self._epochs:
            # The last of them may have reached what ends the training.
            self._watch.see(self._epochs[-1])
        self._n_parameters, self._ended_by = own.n_parameters, own.ended_by
        self._started_s -= own.duration_s

    def _continue(self, folds: Folds, parent: Checkpoint) -> None:
        """Go on where the trial was on the rung below."""
        folds.put(parent.state)
        self._watch = Watch(
            self._task.early_stopping,
            parent.best,
            parent.best_loss,
            parent.best_epoch,
            parent.progress_epoch,
        )
        if parent.ended_by == "early_stopping":
            self._ended_by = "early_stopping"

    def _epoch(self, prepared: Prepared, folds: Folds, base_rate: float) -> EpochMetrics:
        number = self._last_epoch() + 1
        of_folds = list[EpochMetrics]()
        for fold in folds:
            of_folds.append(
                _train_epoch(prepared, self._task, self._data, fold, self._hooks, base_rate, number)
            )
            self._tell_fold(number, len(of_folds))
        epoch = mean(of_folds)
        self._epochs.append(epoch)
        if self._watch.see(epoch) and self._watch.keeps_best:
            self._kept = folds.take()
        return epoch

    def _tell_fold(self, number: int, n_done: int) -> None:
        n_folds = len(self._data.folds)
        if n_folds > 1:
            fold = FoldDone(epoch=number, n_done=n_done, n_folds=n_folds)
            self._hooks.on_fold(self._task, fold)

    def _has_ended(self) -> bool:
        """Whether the training is over, and why."""
        last = self._last_epoch()
        if self._ended_by:
            return True
        if last >= self._task.last_epoch:
            self._ended_by = "last_epoch"
        elif self._epochs and self._watch.ends_after(last):
            self._ended_by = "early_stopping"
        elif self._epochs and self._task.stop_at is not None and time.time() >= self._task.stop_at:
            self._ended_by = "deadline"
        elif self._hooks.is_stopping():
            self._ended_by = "request"
        return self._ended_by is not None

    def _last_epoch(self) -> int:
        return self._epochs[-1].epoch if self._epochs else self._task.first_epoch - 1

    def _duration_s(self) -> float:
        return time.perf_counter() - self._started_s


def _train_epoch(
    prepared: Prepared,
    task: TrainTask,
    data: TrainingData,
    fold: int,
    hooks: Hooks,
    base_rate: float,
    number: int,
) -> EpochMetrics:
    """Train the model of a fold in place for one epoch."""
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


def rate_factor(task: TrainTask, epoch: int) -> float:
    """What a cosine schedule multiplies the learning rate by in an epoch, counted from 1."""
    warmup, last = task.warmup_epochs, task.schedule_epochs or task.last_epoch
    if epoch <= warmup:
        return epoch / (warmup + 1)
    return 0.5 * (1 + math.cos(math.pi * (epoch - 1 - warmup) / max(last - warmup, 1)))


def predict(
    function: Callable[[np.ndarray], np.ndarray], inputs: Indexed, indices: np.ndarray
) -> np.ndarray:
    """What a model puts out, (len(indices), units), for some of the inputs (n, ...), a batch at a time."""
    return np.concatenate(
        [function(batch) for batch in batches(inputs, indices, policy().predict_batch)]
    )


def _is_out_of_memory(error: BaseException) -> bool:
    # TensorFlow's own name for it, as asking for its class would import it; JAX says it in the
    # message only.
    is_device = type(error).__name__ == "ResourceExhaustedError" or words_of(error).startswith(
        "RESOURCE_EXHAUSTED"
    )
    return is_device or isinstance(error, MemoryError)
