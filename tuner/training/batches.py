"""The batches of an epoch: which images, in which order, with which changes and weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from tuner.data.decoding.streaming import batches
from tuner.records.training import TrainTask
from tuner.training.augmentation import Augmentation
from tuner.training.compiled import targets
from tuner.training.data import TrainingData
from tuner.training.prepared import PreparedModel
from tuner.training.transfer.features import Features


def training_batches(
    prepared: PreparedModel, task: TrainTask, data: TrainingData, fold: int, epoch: int
) -> Iterator[tuple[Any, ...]]:
    """What a training step takes, batch by batch.

    The same for the same task, fold and epoch, whatever went before.

    Args:
        prepared: The model.
        task: Its values and its seed decide.
        data: Images or features.
        fold: Number of the fold, from 0.
        epoch: Number of the epoch, from 1.

    Raises:
        ConfigurationError: If the model's loss cannot take what mixup mixes.
    """
    rows, values = data.folds[fold].train, task.all_values
    generator = np.random.default_rng([task.seed, epoch, fold])
    is_balanced = values["imbalance"] == "balanced_sampling"
    order = (
        balanced_order(rows, data.labels, generator) if is_balanced else generator.permutation(rows)
    )
    weights = np.ones(len(order), dtype="float32")
    if values["imbalance"] == "class_weights":
        weights = class_weights(data.labels[rows], data.spec.n_classes)[data.labels[order]]
    source = data.inputs.mixed(generator) if isinstance(data.inputs, Features) else data.inputs
    # Features can be of mirrored images; nothing else can be done to them.
    augmentation = Augmentation(values if len(data.inputs.shape) == 4 else {})
    size = values["batch_size"]
    for step, inputs in enumerate(batches(source, order, size), start=1):
        part = slice((step - 1) * size, step * size)
        batch = inputs, targets(prepared.model, data.labels[order[part]]), weights[part]
        if not augmentation.is_off:
            # From 1: a generator's seed that ends in 0 is the same as without it.
            batch = augmentation(batch, np.random.default_rng([task.seed, epoch, fold, step]))
        yield batch if prepared.is_weighted else batch[:2]


def validation_batches(
    model: keras.Model, data: TrainingData, rows: np.ndarray, size: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Images as they are, with their targets, in the given order."""
    for number, inputs in enumerate(batches(data.inputs, rows, size)):
        yield inputs, targets(model, data.labels[rows[number * size : (number + 1) * size]])


def class_weights(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """The weight of each class in the loss, (classes,) float32: n / (k count).

    So the mean over images is 1.

    Args:
        labels: Of the training images, (n,).
        n_classes: Of the data set; k counts those that have training images.
    """
    counts = np.bincount(labels, minlength=n_classes)
    return (len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))).astype("float32")


def balanced_order(
    rows: np.ndarray, labels: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """As many rows as there are, with each class equally often, in random order.

    Of a large class some are left out, of a small one all come again and again, each about as often
    as another.

    Args:
        rows: Of the training images, (n,).
        labels: Of all images.
        generator: Decides all that is random.
    """
    classes = np.unique(labels[rows])
    # What does not go up evenly falls to random classes.
    quotas = len(rows) // len(classes) + (
        generator.permutation(len(classes)) < len(rows) % len(classes)
    )
    drawn = []
    for number, quota in zip(classes, quotas, strict=True):
        own = rows[labels[rows] == number]
        rounds = [generator.permutation(own) for _ in range(-(-quota // len(own)))]
        drawn.append(np.concatenate(rounds)[:quota])
    return generator.permutation(np.concatenate(drawn))
