"""Transfer learning in two stages: a head on features that are computed once, then the network's last blocks too.

The head comes first because random weights behind them would spoil what the blocks have learnt (Kumar et al., ICLR
2022).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np

from tuner.backend.active import predictor
from tuner.errors import TunerError
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.classifier import build_extractor
from tuner.models.backbones.weights import weights_digest
from tuner.models.registry import HEAD, FeatureKey, complete, feature_key
from tuner.records.image import ImageSpec
from tuner.records.training import TrainTask
from tuner.training.data import TrainingData
from tuner.training.features import BATCH, FeatureFile, Features


class OutOfTimeError(TunerError):
    """There was no time left for a training's features."""


class StoppedError(Exception):
    """Somebody asked for the end while features were computed."""


def head_task(task: TrainTask) -> TrainTask:
    """The training of a network's head alone."""
    return replace(task, model=task.model + HEAD, values=complete(task.model, task.values))


def fine_tuning_task(task: TrainTask) -> TrainTask:
    """The training of head and blocks together: slower, and gently at first."""
    values = complete(task.model, task.values)
    slow = {**values, "learning_rate": values["fine_tune_learning_rate"]}
    return replace(task, values=slow, warmup_epochs=values["warmup_epochs"])


def with_features(
    task: TrainTask, data: TrainingData, is_stopping: Callable[[], bool], on_batch: Callable[[], None]
) -> TrainingData:
    """Replace images by their features; a test image's row stays empty.

    Args:
        task: Says which network, and until when there is time; where it mirrors images, both views are computed.
        data: The images.
        is_stopping: Asked before each batch.
        on_batch: Called for each batch, as a sign of life.

    Raises:
        StoppedError: If it was to stop before all were there.
        OutOfTimeError: If the task's time was over before.
        NoPretrainedWeightsError: If the network's weights are not at hand.
        OSError: If features cannot be written.
    """

    def before_batch() -> None:
        if is_stopping():
            raise StoppedError
        if task.stop_at is not None and time.time() >= task.stop_at:
            raise OutOfTimeError("the time budget was over before its features were computed")
        on_batch()

    views = ("as_is", "mirrored") if complete(task.model, task.values)["flip"] else ("as_is",)
    if data.features is not None:
        arrays = tuple(_filled(data.features, view, task, data, before_batch) for view in views)
    else:
        with TemporaryDirectory(prefix="tuner-features-") as folder:
            arrays = tuple(np.array(_filled(Path(folder), view, task, data, before_batch)) for view in views)
    return replace(data, inputs=Features(views=arrays))


def _filled(
    folder: Path, view: str, task: TrainTask, data: TrainingData, before_batch: Callable[[], None]
) -> np.ndarray:
    """The features of one view, of all images that train or validate in any fold."""
    key = feature_key(task.model, task.values)
    digest = weights_digest(key.model, key.weights)
    name = f"{key.model}-{digest}-{key.input_size}-{key.pooling}-{keras.backend.backend()}-{view}.npy"
    file = FeatureFile(folder / name, len(data.inputs), BACKBONES[key.model].n_features)

    def extract(rows: np.ndarray) -> np.ndarray:
        images = data.inputs[rows]
        return features_of(images[:, :, ::-1] if view == "mirrored" else images, task.model, task.values, data.spec)

    seen = np.unique(np.concatenate([part for fold in data.folds for part in (fold.train, fold.validation)]))
    file.fill(seen, extract, before_batch)
    return file.array()


def features_of(images: np.ndarray, model: str, values: Mapping[str, Any], spec: ImageSpec) -> np.ndarray:
    """Features (n, n_features) of at most `BATCH` images (n, height, width, channels)."""
    n_more = BATCH - len(images)
    whole = np.concatenate([images, np.repeat(images[-1:], n_more, axis=0)]) if n_more else images
    found: np.ndarray = _extractor(feature_key(model, values), spec)(whole)[: len(images)]
    return found


@lru_cache(maxsize=1)
def _extractor(key: FeatureKey, spec: ImageSpec) -> Callable[[np.ndarray], np.ndarray]:
    """Building a network and tracing it takes as long as thousands of images."""
    values = {"weights": key.weights, "input_size": key.input_size, "pooling": key.pooling}
    found: Callable[[np.ndarray], np.ndarray] = predictor(build_extractor(BACKBONES[key.model], values, spec))
    return found
