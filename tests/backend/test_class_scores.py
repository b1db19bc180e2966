"""Macro F1 and balanced accuracy over an epoch, whatever its batches."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from tuner.backend.class_scores import class_scores
from tuner.metrics.classification import score


def measured(
    targets: np.ndarray, outputs: np.ndarray, n_classes: int, batch: int = 7
) -> dict[str, float]:
    metrics = class_scores(n_classes)
    for start in range(0, len(targets), batch):
        for metric in metrics:
            metric.update_state(targets[start : start + batch], outputs[start : start + batch])
    return {metric.name: float(metric.result()) for metric in metrics}


def drawn(n: int = 200, n_classes: int = 5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels with rare classes, and probabilities that lean towards them."""
    generator = np.random.default_rng(seed)
    labels = np.minimum(generator.geometric(0.5, n) - 1, n_classes - 1)
    return labels, generator.dirichlet(np.ones(n_classes), n) + 0.4 * np.eye(n_classes)[labels]


@pytest.mark.parametrize("batch", [1, 7, 200])
def test_equal_scikit_learn_whatever_the_batches(batch: int) -> None:
    labels, outputs = drawn()
    chosen = outputs.argmax(axis=1)
    found = measured(np.eye(5, dtype="float32")[labels], outputs.astype("float32"), 5, batch)
    assert found["macro_f1"] == pytest.approx(f1_score(labels, chosen, average="macro"), abs=1e-6)
    assert found["balanced_accuracy"] == pytest.approx(
        balanced_accuracy_score(labels, chosen), abs=1e-6
    )


def test_one_sigmoid_unit_is_two_classes() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1])
    outputs = np.array([0.1, 0.2, 0.6, 0.4, 0.9, 0.3], dtype="float32")
    found = measured(labels[:, None].astype("float32"), outputs[:, None], 2)
    chosen = outputs > 0.5
    assert found["macro_f1"] == pytest.approx(f1_score(labels, chosen, average="macro"), abs=1e-6)
    assert found["balanced_accuracy"] == pytest.approx(
        balanced_accuracy_score(labels, chosen), abs=1e-6
    )


@pytest.mark.parametrize(
    ("labels", "chosen"),
    [
        ([0, 0, 1, 1], [0, 2, 1, 1]),
        ([0, 0, 2, 2], [0, 0, 0, 2]),
        ([1, 1, 1, 1], [1, 0, 2, 2]),
        ([0, 1], [1, 0]),
    ],
    ids=[
        "taken for, never there",
        "never taken for, never there",
        "only one is there",
        "none is right",
    ],
)
def test_classes_that_never_occur_count_as_in_the_report(
    labels: list[int], chosen: list[int]
) -> None:
    outputs = np.eye(3, dtype="float32")[chosen]
    wanted = score(labels, outputs, ("a", "b", "c"))
    found = measured(np.eye(3, dtype="float32")[labels], outputs, 3)
    assert found == pytest.approx(
        {"macro_f1": wanted.macro_f1, "balanced_accuracy": wanted.balanced_accuracy}, abs=1e-6
    )


def test_an_epoch_begins_with_nothing_counted() -> None:
    metrics = class_scores(2)
    for metric in metrics:
        metric.update_state(np.eye(2, dtype="float32"), np.eye(2, dtype="float32"))
        metric.reset_state()
    assert [float(metric.result()) for metric in metrics] == [0.0, 0.0]
