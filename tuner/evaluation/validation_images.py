"""The validation images, which may choose among predictions by the search's metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tuner.data.dataset import Dataset
from tuner.data.decoding.streaming import StreamedImages
from tuner.metrics.classification import score
from tuner.metrics.score_text import score_text
from tuner.records.image import ImageSpec

# Fields of `Scores` that may decide.
Measure = Literal["accuracy", "balanced_accuracy", "macro_f1", "log_loss"]

# A field of `Scores` for each objective.
_SCORES: Mapping[str, Measure] = {
    "val_accuracy": "accuracy",
    "val_balanced_accuracy": "balanced_accuracy",
    "val_macro_f1": "macro_f1",
    "val_loss": "log_loss",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Validation:
    """The validation images of a data set; which images test, and their labels, is not known here.

    Attributes:
        images: All images, (any number, height, width, channels) uint8.
        rows: Those that validate, (n,) for each fold.
        labels: Their class numbers, (n,) for each fold.
        spec: Shape and classes.
        measure: The field of `Scores` that decides: that of the objective, or accuracy where only a
            model's own builder can compute the objective.
    """

    images: np.ndarray | StreamedImages
    rows: tuple[np.ndarray, ...]
    labels: tuple[np.ndarray, ...]
    spec: ImageSpec
    measure: Measure

    @property
    def measure_title(self) -> str:
        """What notes call the measure, such as `validation log loss`."""
        return f"validation {self.measure.replace('_', ' ').replace(' f1', ' F1')}"

    def text(self, value: float) -> str:
        """A score of this measure as notes show it: `81.23 %`, or `0.6412` for log loss."""
        return score_text(value, f"val_{self.measure}", 2)

    def score(self, labels: np.ndarray, probabilities: np.ndarray) -> float:
        """The measure of some predictions.

        Args:
            labels: Class numbers, (n,).
            probabilities: (n, classes).

        Raises:
            ScoreError: If they are no finite probabilities.
        """
        scores = score(labels, probabilities, self.spec.class_names, "validation images")
        return float(getattr(scores, self.measure))

    def cost(self, value: float) -> float:
        """A score as a number of which the smaller is the better."""
        return value if self.measure == "log_loss" else -value


def validation_of(dataset: Dataset, objective: str) -> Validation:
    """The validation images of a data set.

    Args:
        dataset: Images and split.
        objective: Name of the metric that the search optimised, such as `val_accuracy`.
    """
    rows = tuple(fold.validation for fold in dataset.split.folds)
    return Validation(
        images=dataset.images.images,
        rows=rows,
        labels=tuple(dataset.images.labels[part] for part in rows),
        spec=dataset.spec,
        measure=_SCORES.get(objective, "accuracy"),
    )
