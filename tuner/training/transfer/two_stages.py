"""The stages of transfer learning: a head on frozen features, then the network's last blocks.

The head comes first because random weights behind them would spoil what the blocks have learnt
(Kumar et al., ICLR 2022).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tuner.models.backbones.classifier import copy_head
from tuner.models.backbones.stages import HEAD, is_fine_tuned, is_frozen
from tuner.records.training import TrainTask
from tuner.training.data import TrainingData
from tuner.training.epoch import train_epoch
from tuner.training.folds import Folds
from tuner.training.hooks import Hooks, StoppedError
from tuner.training.prepared import PreparedModels
from tuner.training.transfer.extraction import with_features


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LastStage:
    """What the epoch loop trains: all of most models, of a pretrained network its last stage.

    Attributes:
        task: The order, with the model and the values of this stage.
        data: Images, or the features that stand in for them.
        heads: The heads of all folds, trained alone; None where there is no such stage, or where
            the training goes on from a checkpoint.
    """

    task: TrainTask
    data: TrainingData
    heads: Folds | None = None

    def begin(self, folds: Folds) -> None:
        """Give the models of all folds the heads that were trained before them."""
        if self.heads is not None:
            for _ in zip(folds, self.heads, strict=True):
                copy_head(self.heads.model, folds.model)


def last_stage(
    task: TrainTask, data: TrainingData, hooks: Hooks, models: PreparedModels, *, is_new: bool
) -> LastStage:
    """Train what comes before the last stage of a task, and return that stage.

    Args:
        task: Of any model.
        data: The images.
        hooks: Called for each step.
        models: Where models of the same architecture are kept.
        is_new: Whether the training does not go on from a checkpoint.

    Raises:
        StoppedError: If it was asked to stop before the last stage.
        NoPretrainedWeightsError: If the network's weights are not at hand.
        OSError: If features cannot be written.
    """
    if is_frozen(task.model, task.values):
        features = with_features(task, data, hooks.is_stopping, hooks.on_step)
        return LastStage(task=head_task(task), data=features)
    if is_fine_tuned(task.model, task.values):
        heads = _trained_heads(task, data, hooks, models) if is_new else None
        return LastStage(task=fine_tuning_task(task), data=data, heads=heads)
    return LastStage(task=task, data=data)


def head_task(task: TrainTask) -> TrainTask:
    """The training of a network's head alone."""
    return replace(task, model=task.model + HEAD, values=task.all_values)


def fine_tuning_task(task: TrainTask) -> TrainTask:
    """The training of head and blocks together: slower, and gently at first."""
    values = task.all_values
    slow = {**values, "learning_rate": values["fine_tune_learning_rate"]}
    return replace(task, values=slow, warmup_epochs=values["warmup_epochs"])


def _trained_heads(
    task: TrainTask, data: TrainingData, hooks: Hooks, models: PreparedModels
) -> Folds:
    """The heads of all folds, trained alone at a constant rate."""
    features = with_features(task, data, hooks.is_stopping, hooks.on_step)
    head = replace(head_task(task), schedule="constant")
    prepared = models.prepare(head, features)
    rate = float(prepared.model.optimizer.learning_rate)
    heads = Folds(prepared.model, len(features.folds))
    for number in range(1, head.values["head_epochs"] + 1):
        for fold in heads:
            if hooks.is_stopping():
                raise StoppedError
            train_epoch(prepared, head, features, fold, hooks, rate, number)
    return heads
