"""What may choose among predictions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.images import tiny_dataset
from tuner.data.splits.fold import Fold
from tuner.evaluation.validation_images import validation_of

LABELS = np.array([0, 0, 0, 1])
PREDICTED = np.array([[0.8, 0.2], [0.8, 0.2], [0.4, 0.6], [0.6, 0.4]])


@pytest.mark.parametrize(
    ("objective", "title", "value", "cost"),
    [
        ("val_accuracy", "validation accuracy", 0.5, -0.5),
        ("val_balanced_accuracy", "validation balanced accuracy", 1 / 3, -1 / 3),
        ("val_macro_f1", "validation macro F1", 1 / 3, -1 / 3),
        ("val_loss", "validation log loss", 0.57, 0.57),
        ("val_of_my_own", "validation accuracy", 0.5, -0.5),
    ],
)
def test_the_objective_decides_and_accuracy_where_only_its_own_builder_knows_it(
    objective: str, title: str, value: float, cost: float
) -> None:
    validation = validation_of(tiny_dataset(), objective)
    found = validation.score(LABELS, PREDICTED)
    assert validation.measure_title == title
    assert found == pytest.approx(value, abs=5e-3)
    assert validation.cost(found) == pytest.approx(cost, abs=5e-3)


def test_only_validation_labels_are_known() -> None:
    dataset = tiny_dataset()
    folds = (*dataset.split.folds, Fold(train=np.arange(16, 64), validation=np.arange(16)))
    dataset = replace(dataset, split=replace(dataset.split, folds=folds))
    validation = validation_of(dataset, "val_accuracy")
    assert [rows.tolist() for rows in validation.rows] == [list(range(48, 64)), list(range(16))]
    for rows, labels in zip(validation.rows, validation.labels, strict=True):
        np.testing.assert_array_equal(labels, dataset.images.labels[rows])
