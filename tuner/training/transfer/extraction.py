"""A frozen network's features in the place of images, computed once for all trainings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import keras
import numpy as np

from tuner.backend import environment
from tuner.backend.active import policy, predictor
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.classifier import build_extractor
from tuner.models.backbones.stages import FeatureKey, feature_key
from tuner.models.backbones.weights import weights_digest
from tuner.records.image import ImageSpec
from tuner.records.training import TrainTask
from tuner.training.data import TrainingData
from tuner.training.hooks import StoppedError
from tuner.training.transfer.features import BATCH, Features, kept_features

ViewName = Literal["as_is", "mirrored"]

# To be raised when a network is built in another way.
_FORMAT = 1


def with_features(
    task: TrainTask,
    data: TrainingData,
    is_stopping: Callable[[], bool],
    on_batch: Callable[[], None],
) -> TrainingData:
    """Replace images by their features; rows that neither train nor validate are not computed.

    A deadline does not end it: like a first epoch, features are what anything else needs.

    Args:
        task: Says which network; where it mirrors images, both views are computed.
        data: The images.
        is_stopping: Asked before each batch.
        on_batch: Called for each batch, as a sign of life.

    Raises:
        StoppedError: If it was to stop before all were there.
        NoPretrainedWeightsError: If the network's weights are not at hand.
        OSError: If features cannot be written.
    """

    def before_batch() -> None:
        if is_stopping():
            raise StoppedError
        on_batch()

    views: tuple[ViewName, ...] = ("as_is", "mirrored") if task.all_values["flip"] else ("as_is",)
    if data.features is not None:
        arrays = tuple(_view(data.features, view, task, data, before_batch) for view in views)
    else:
        with TemporaryDirectory(prefix="tuner-features-") as folder:
            arrays = tuple(
                np.array(_view(Path(folder), view, task, data, before_batch)) for view in views
            )
    return replace(data, inputs=Features(views=arrays))


def _view(
    folder: Path,
    view: ViewName,
    task: TrainTask,
    data: TrainingData,
    before_batch: Callable[[], None],
) -> np.ndarray:
    """The features of one view, of all images that train or validate in any fold."""
    key = feature_key(task.model, task.values)
    name = f"{key.model}-{key.input_size}-{key.pooling}-{_digest(key)}-{view}.npy"

    def extract(rows: np.ndarray) -> np.ndarray:
        images = data.inputs[rows]
        return features_of(
            images[:, :, ::-1] if view == "mirrored" else images, task.model, task.values, data.spec
        )

    seen = np.unique(
        np.concatenate([part for fold in data.folds for part in (fold.train, fold.validation)])
    )
    shape = len(data.inputs), BACKBONES[key.model].n_features
    return kept_features(folder / name, shape, seen, extract, before_batch)


def _digest(key: FeatureKey) -> str:
    """Of the weights, and of whatever else changes the last bits of features, or their meaning."""
    parts = (
        _FORMAT,
        weights_digest(key.model, key.weights),
        keras.__version__,
        environment.settings(),
        str(policy()),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def features_of(
    images: np.ndarray, model: str, values: Mapping[str, Any], spec: ImageSpec
) -> np.ndarray:
    """Features (n, n_features) of at most `BATCH` images (n, height, width, channels)."""
    n_more = BATCH - len(images)
    whole = np.concatenate([images, np.repeat(images[-1:], n_more, axis=0)]) if n_more else images
    key = feature_key(model, values)
    found: np.ndarray = _extractor(key, weights_digest(model, key.weights), spec)(whole)[
        : len(images)
    ]
    return found


@lru_cache(maxsize=1)
def _extractor(
    key: FeatureKey, weights: str, spec: ImageSpec
) -> Callable[[np.ndarray], np.ndarray]:
    """Building a network and tracing it takes as long as thousands of images."""
    # The file behind a path may change.
    del weights
    found: Callable[[np.ndarray], np.ndarray] = predictor(
        build_extractor(BACKBONES[key.model], key.values(), spec)
    )
    return found
