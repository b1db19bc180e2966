"""Labels that are probably wrong, judged by trainings that have not seen them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuner.data.corrected_labels import CorrectedLabel
from tuner.data.dataset import Dataset
from tuner.metrics.confident_learning import LabelDoubts, find_doubts
from tuner.production.out_of_fold import OutOfFold
from tuner.store.label_table import DoubtfulLabel, EarlierCorrection


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedLabels:
    """The labels as the trainings see them.

    Attributes:
        dataset: The data.
        found: What trainings say of images that they have not seen.
        current: Class numbers, as given by the data or corrected before, (n,).
        probabilities: Calibrated, (n, classes).
        temperature: Of that.
        doubts: What follows.
    """

    dataset: Dataset
    found: OutOfFold
    current: np.ndarray
    probabilities: np.ndarray
    temperature: float
    doubts: LabelDoubts

    @property
    def listed(self) -> np.ndarray:
        """Places of the labels that are probably wrong, the most doubtful first."""
        return self.doubts.order[: self.doubts.n_flagged]

    @property
    def accuracy(self) -> float:
        """Share of the labels that were predicted."""
        return float((self.probabilities.argmax(axis=1) == self.current).mean())


def judged_labels(dataset: Dataset, found: OutOfFold, *, with_test: bool) -> JudgedLabels:
    """Rank the labels that the trainings contradict.

    Args:
        dataset: The data.
        found: What trainings say of images that they have not seen.
        with_test: Whether test images were looked at.
    """
    from tuner.evaluation.sealed import open_test
    from tuner.evaluation.temperature import fitted_temperature
    from tuner.metrics.calibration import tempered

    numbers = dataset.sealed().images.labels.copy()
    if with_test:
        test = open_test(dataset)
        numbers[test.rows] = test.labels
    current = numbers[found.rows]
    is_test = np.isin(found.rows, dataset.split.test)
    # One number for all folds, of thousands of labels: what a single label does to it is nothing.
    temperature = fitted_temperature(current[~is_test], found.probabilities[~is_test]).value
    probabilities = tempered(found.probabilities, temperature)
    return JudgedLabels(
        dataset=dataset,
        found=found,
        current=current,
        probabilities=probabilities,
        temperature=temperature,
        doubts=find_doubts(current, probabilities),
    )


def doubtful_labels(judged: JudgedLabels) -> list[DoubtfulLabel]:
    """The labels that are probably wrong, the most doubtful first."""
    dataset, doubts = judged.dataset, judged.doubts
    names = dataset.spec.class_names
    before = {one.row: one.given for one in _corrected(dataset)}

    def row_at(at: int) -> DoubtfulLabel:
        row, label = int(judged.found.rows[at]), names[judged.current[at]]
        return DoubtfulLabel(
            image=dataset.images.origins[row],
            part="test" if row in dataset.split.test else "train",
            given=before.get(row, label),
            label=label,
            suggested=names[doubts.suggested[at]],
            margin=float(doubts.margins[at]),
            probabilities=tuple(judged.probabilities[at].tolist()),
        )

    return [row_at(at) for at in judged.listed.tolist()]


def _corrected(dataset: Dataset) -> Sequence[CorrectedLabel]:
    return dataset.corrections.labels if dataset.corrections else ()


def earlier_corrections(judged: JudgedLabels) -> list[EarlierCorrection]:
    """Corrections of an earlier list that are not listed again, so that none gets lost."""
    dataset = judged.dataset
    split, again = dataset.split, set(judged.found.rows[judged.listed].tolist())
    test = set(split.test.tolist())
    used = {row for fold in split.folds for row in np.r_[fold.train, fold.validation].tolist()}
    return [
        EarlierCorrection(
            image=dataset.images.origins[one.row],
            part="test" if one.row in test else "train" if one.row in used else "unused",
            given=one.given,
            label=one.label,
        )
        for one in _corrected(dataset)
        if one.row not in again
    ]
