"""Tiny seeded images that a small network learns in a few epochs.

Each class has a bright band of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.data.samples import make_card
from tuner.data.dataset import Dataset, SealedLabels, pixel_statistics
from tuner.data.images import make_images
from tuner.data.splits.fold import Fold
from tuner.data.splits.split import Split
from tuner.records.image import ImageSpec
from tuner.records.training import EarlyStopping, TrainTask
from tuner.training.data import TrainingData

# A network of one block that trains an epoch in milliseconds.
SMALL_CNN = {
    "conv_blocks": 1,
    "filters": 4,
    "dense_units": 8,
    "dropout": 0.2,
    "learning_rate": 0.01,
    "batch_size": 20,
}


def image_spec(n_classes: int = 2, side: int = 8, channels: int = 1) -> ImageSpec:
    """Square images of classes c0, c1, ..."""
    return ImageSpec(
        height=side,
        width=side,
        channels=channels,
        class_names=tuple(f"c{i}" for i in range(n_classes)),
        mean=(64.0,) * channels,
        std=(32.0,) * channels,
    )


def banded_images(n: int, spec: ImageSpec, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a bright band whose height is the class.

    Images are (n, height, width, channels) uint8, labels are (n,).
    """
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.arange(n) % spec.n_classes)
    images = generator.integers(0, 120, size=(n, *spec.shape), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 * label : 2 * label + 2] += 100
    return images, labels


def training_data(
    n_train: int = 48,
    n_validation: int = 16,
    n_rest: int = 0,
    *,
    n_classes: int = 2,
    channels: int = 1,
    seed: int = 0,
) -> TrainingData:
    """Images that train, then those that validate, then `n_rest` that are in neither part."""
    spec = image_spec(n_classes, channels=channels)
    images, labels = banded_images(n_train + n_validation + n_rest, spec, seed)
    return TrainingData(
        inputs=images,
        labels=labels,
        folds=(
            Fold(train=np.arange(n_train), validation=np.arange(n_train, n_train + n_validation)),
        ),
        spec=spec,
    )


def tiny_dataset(n_classes: int = 2, seed: int = 0) -> Dataset:
    """48 images that train, 16 that validate, 24 that test."""
    images, labels = banded_images(88, image_spec(n_classes), seed)
    fold = Fold(train=np.arange(48), validation=np.arange(48, 64))
    split = Split(
        folds=(fold,),
        test=np.arange(64, 88),
        distinct_test=np.ones(24, dtype=np.bool_),
        rule="in order",
    )
    mean, std = pixel_statistics(images, split.train)
    names = [f"c{i}" for i in range(n_classes)]
    return Dataset(
        images=make_images(
            name="tiny",
            images=images,
            labels=labels,
            parts=[""] * len(labels),
            origins=[f"row {i}" for i in range(len(labels))],
            class_names=names,
        ),
        split=split,
        spec=ImageSpec(height=8, width=8, channels=1, class_names=tuple(names), mean=mean, std=std),
        card=make_card({"type": "npz", "path": "tiny.npz"}, size=8),
        limit=None,
        test_labels=SealedLabels(labels[64:]),
    )


def train_task(**changes: Any) -> TrainTask:
    """Two epochs of the small CNN with seed 1, but for `changes`."""
    usual: dict[str, Any] = {
        "task_id": "t",
        "model": "cnn",
        "values": SMALL_CNN,
        "seed": 1,
        "first_epoch": 1,
        "last_epoch": 2,
    }
    return TrainTask(**usual | changes)


def stopping(**changes: Any) -> EarlyStopping:
    """Keep the epoch of the best validation accuracy and never stop early, except for `changes`."""
    usual: dict[str, Any] = {"monitor": "val_accuracy", "direction": "max", "patience": None}
    return EarlyStopping(**usual | changes)
