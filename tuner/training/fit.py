"""One training: the epoch loop, which goes on from checkpoints and ends in a result."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tuner.records.training import Ending, EpochMetrics, Failure, FoldDone, TrainResult, TrainTask
from tuner.training.checkpoint import (
    Checkpoint,
    State,
    load_checkpoint,
    own_checkpoint,
    save_checkpoint,
    task_digest,
)
from tuner.training.data import TrainingData
from tuner.training.early_stopping import EarlyStopper
from tuner.training.epoch import train_epoch
from tuner.training.failure import failure_of, is_from_outside
from tuner.training.folds import Folds, mean
from tuner.training.hooks import Hooks, StoppedError
from tuner.training.prepared import PreparedModel, PreparedModels
from tuner.training.transfer.two_stages import last_stage


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
        self._had_ended = False
        self._digest = task_digest(task)
        self._task, self._data, self._hooks, self._models = task, data, hooks, models
        self._folds: Folds | None = None
        self._n_parameters: int | None = None
        self._epochs: list[EpochMetrics] = []
        self._kept: State = []
        self._stopper = EarlyStopper(task.early_stopping)
        self._ended_by: Ending | None = None
        self._started_s = time.perf_counter()
        self._generator = self._run()

    def next_epoch(self) -> EpochMetrics | None:
        """Train an epoch; None once the training has ended, well or not."""
        try:
            return next(self._generator, None)
        except StoppedError:
            self._ended_by = "request"
        except (Exception, SystemExit) as error:
            if is_from_outside(error):
                raise
            self.failure = failure_of(error)
        return None

    def save(self) -> None:
        """Write the checkpoint, if one is wanted and there is anything new.

        Raises:
            OSError: If it cannot be written.
        """
        if self._task.save_to is None or self.failure or self._had_ended or self._folds is None:
            return
        try:
            save_checkpoint(self._checkpoint(self._folds), self._task.save_to)
        except OSError:
            raise
        except Exception as error:
            # Memory may run out over the copy.
            self.failure = failure_of(error)

    def _checkpoint(self, folds: Folds) -> Checkpoint:
        """Where the training is."""
        assert self._n_parameters is not None
        # It may go on later: with more time, or in the next run.
        ended_by = None if self._ended_by in ("request", "deadline") else self._ended_by
        return Checkpoint(
            order=self._digest,
            # Nothing goes on from a training that has ended and keeps its best epoch.
            state=[] if self._kept and ended_by else folds.take(),
            kept=self._kept,
            epochs=tuple(self._epochs),
            best=self._stopper.best,
            best_loss=self._stopper.best_loss,
            best_epoch=self._stopper.best_epoch,
            progress_epoch=self._stopper.progress_epoch,
            n_parameters=self._n_parameters,
            duration_s=self._duration_s(),
            ended_by=ended_by,
        )

    def result(self) -> TrainResult:
        """What came of it."""
        best_epoch = self._stopper.best_epoch if self._kept else self._last_epoch()
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
            self._had_ended = True
            return
        is_new = not own and not self._task.resume_from
        stage = last_stage(self._task, self._data, self._hooks, self._models, is_new=is_new)
        self._task, self._data = stage.task, stage.data
        prepared = self._models.prepare(self._task, self._data)
        self._n_parameters = prepared.model.count_params()
        # The setting's own rate: a checkpoint holds the one that a schedule had come down to.
        base_rate = float(prepared.model.optimizer.learning_rate)
        self._folds = Folds(prepared.model, len(self._data.folds))
        if own:
            self._folds.put(own.state)
        elif self._task.resume_from:
            self._continue(self._folds, load_checkpoint(self._task.resume_from))
        else:
            stage.begin(self._folds)
        while not self._has_ended():
            yield self._epoch(prepared, self._folds, base_rate)

    def _take_over(self, own: Checkpoint) -> None:
        """Be where this very task was when it was stopped."""
        self._epochs, self._kept = list(own.epochs), own.kept
        self._stopper = _stopper_after(self._task, own)
        if self._epochs:
            # The last of them may have reached what ends the training.
            self._stopper.see(self._epochs[-1])
        self._n_parameters, self._ended_by = own.n_parameters, own.ended_by
        self._started_s -= own.duration_s

    def _continue(self, folds: Folds, parent: Checkpoint) -> None:
        """Go on where the trial was on the rung below."""
        folds.put(parent.state)
        self._stopper = _stopper_after(self._task, parent)
        if parent.ended_by == "early_stopping":
            self._ended_by = "early_stopping"

    def _epoch(self, prepared: PreparedModel, folds: Folds, base_rate: float) -> EpochMetrics:
        number = self._last_epoch() + 1
        of_folds = list[EpochMetrics]()
        for fold in folds:
            of_folds.append(
                train_epoch(prepared, self._task, self._data, fold, self._hooks, base_rate, number)
            )
            self._report_fold(number, len(of_folds))
        epoch = mean(of_folds)
        self._epochs.append(epoch)
        if self._stopper.see(epoch) and self._stopper.keeps_best:
            self._kept = folds.take()
        return epoch

    def _report_fold(self, number: int, n_done: int) -> None:
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
        elif self._epochs and self._stopper.ends_after(last):
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


def _stopper_after(task: TrainTask, checkpoint: Checkpoint) -> EarlyStopper:
    """Early stopping that goes on where it was when a checkpoint was written."""
    return EarlyStopper(
        task.early_stopping,
        checkpoint.best,
        checkpoint.best_loss,
        checkpoint.best_epoch,
        checkpoint.progress_epoch,
    )
