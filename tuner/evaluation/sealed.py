"""The sealed test set, opened after every choice has been made.

A run's data set has no test labels but those in the seal (`Dataset.sealed`), which nothing but this
module breaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuner.data.dataset import Dataset
from tuner.data.decoding.streaming import StreamedImages
from tuner.metrics.classification import score
from tuner.records.image import ImageSpec
from tuner.records.scores import Scores


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OpenedTest:
    """The test images of a run.

    Attributes:
        images: All images of the data set, (any number, height, width, channels) uint8.
        rows: Those that test, (n,).
        labels: Their class numbers, (n,).
        origins: The file or row that each comes from.
        is_new: Whether each is new to the given training data, (n,); None where that is all or none
            of them, or the test part was cut by us.
        spec: Shape and classes.
    """

    images: np.ndarray | StreamedImages
    rows: np.ndarray
    labels: np.ndarray
    origins: Sequence[str]
    is_new: np.ndarray | None
    spec: ImageSpec

    def score(self, found: np.ndarray) -> tuple[Scores, Scores | None]:
        """Scores on all test images, and on the new ones where that is not the same.

        Args:
            found: Probabilities of the test images, (n, classes).

        Raises:
            ScoreError: If they are no finite probabilities.
        """
        names = self.spec.class_names
        new = (
            None
            if self.is_new is None
            else score(self.labels[self.is_new], found[self.is_new], names)
        )
        return score(self.labels, found, names), new


def open_test(dataset: Dataset) -> OpenedTest:
    """Break the seal; called once by a run or by `train`, when nothing is left to choose.

    `export` calls it to compare a file with its model, and `labels` to list labels that are likely
    wrong, after its last training. Neither chooses anything.
    """
    images, split = dataset.images, dataset.split
    n_new = int(np.count_nonzero(split.distinct_test))
    return OpenedTest(
        images=images.images,
        rows=split.test,
        labels=dataset.test_labels.break_seal(),
        origins=[images.origins[row] for row in split.test],
        is_new=split.distinct_test if split.is_official and 0 < n_new < len(split.test) else None,
        spec=dataset.spec,
    )
