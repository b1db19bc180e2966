"""What a training may see: inputs with their labels, and which of them train and validate; no test images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuner.records.image import ImageSpec


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingData:
    """Arrays for one or many trainings.

    Attributes:
        inputs: (n, height, width, channels) uint8 images, memory-mapped as a rule, or (n, features) float32.
        labels: (n,) class numbers.
        train: Indices of the training part.
        validation: Indices of the validation part; empty where all of the data trains.
        spec: What a builder needs to know.
    """

    inputs: np.ndarray
    labels: np.ndarray
    train: np.ndarray
    validation: np.ndarray
    spec: ImageSpec
