"""What a training may see: inputs with their labels, and which of them train and validate; no test images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuner.data.split import Fold
from tuner.data.streaming import StreamedImages
from tuner.records.image import ImageSpec


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingData:
    """Arrays for one or many trainings.

    Attributes:
        inputs: (n, height, width, channels) uint8 images, memory-mapped as a rule, or (n, features) float32; images
            that are too many for the cache are decoded at each access.
        labels: (n,) class numbers.
        folds: What trains and what validates: once, or several times over for cross-validation.
        spec: What a builder needs to know.
    """

    inputs: np.ndarray | StreamedImages
    labels: np.ndarray
    folds: tuple[Fold, ...]
    spec: ImageSpec
