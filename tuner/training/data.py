"""What a training may see: inputs with their labels, and which of them train and validate.

No test images.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tuner.data.decoding.streaming import StreamedImages
from tuner.data.splits.fold import Fold
from tuner.records.image import ImageSpec
from tuner.training.transfer.features import Features


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingData:
    """Arrays for one or many trainings.

    Attributes:
        inputs: (n, height, width, channels) uint8 images, memory-mapped as a rule; images that are
            too many for the cache are decoded at each access. Or their features.
        labels: (n,) class numbers; those of the test images are hidden.
        folds: What trains and what validates: once, or several times over for cross-validation.
        spec: What a builder needs to know.
        features: Folder where features of these images are kept; None computes them for each
            training anew.
    """

    inputs: np.ndarray | StreamedImages | Features
    labels: np.ndarray
    folds: tuple[Fold, ...]
    spec: ImageSpec
    features: Path | None = None
