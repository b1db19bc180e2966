"""A frozen network's features in the place of images: computed once, however many epochs a head is trained on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tuner.backend.active import predictor
from tuner.models.efficientnet import N_FEATURES, build_extractor
from tuner.records.image import ImageSpec
from tuner.store.arrays import write_array
from tuner.training.data import TrainingData
from tuner.training.fit import PREDICT_BATCH

Extractor = Callable[[np.ndarray], np.ndarray]


def extractor(values: Mapping[str, Any], spec: ImageSpec) -> Extractor:
    """EfficientNetB2 with ImageNet's weights, from images (n, height, width, channels) to features (n, 1408).

    Raises:
        NoPretrainedWeightsError: If the weights are not at hand.
    """
    found: Extractor = predictor(build_extractor(values, spec))
    return found


def with_features(
    data: TrainingData, extract: Extractor, path: Path, is_stopping: Callable[[], bool]
) -> TrainingData | None:
    """Replace images by their features (n, 1408); a test image's row stays empty.

    Args:
        data: The images.
        extract: Computes the features of a batch.
        path: Where they are kept; those that are there already are not computed again.
        is_stopping: Asked first, and before each batch.

    Returns:
        None where it stopped before all were computed.

    Raises:
        OSError: If they cannot be written.
    """
    if is_stopping():
        return None
    if not path.is_file():
        features = _features(data, extract, is_stopping)
        if features is None:
            return None
        write_array(path, features)
    return replace(data, inputs=np.load(path, mmap_mode="r"))


def _features(data: TrainingData, extract: Extractor, is_stopping: Callable[[], bool]) -> np.ndarray | None:
    seen = np.unique(np.concatenate([part for fold in data.folds for part in (fold.train, fold.validation)]))
    features = np.zeros((len(data.inputs), N_FEATURES), dtype="float32")
    for i in range(0, len(seen), PREDICT_BATCH):
        if is_stopping():
            return None
        rows = seen[i : i + PREDICT_BATCH]
        features[rows] = extract(data.inputs[rows])
    return features
