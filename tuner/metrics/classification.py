"""Accuracy and its companions on one test set."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuner.metrics.calibration import log_loss, reliability
from tuner.metrics.probabilities import checked_probabilities
from tuner.records.scores import ClassScores, Scores

_Z_95 = NormalDist().inv_cdf(0.975)


def wilson_interval(k: float, n: int) -> tuple[float, float]:
    """95 % interval of a proportion: Wilson's score interval without continuity correction.

    Source: Wilson, JASA 22, 1927, 209-212.

    Args:
        k: Successes, from 0 to n; may be fractional, as a mean over seeds is.
        n: Attempts, at least 0.

    Returns:
        Lower and upper end, within [0, 1]; (0, 1) where n is 0, since nothing is known then.

    Raises:
        ValueError: If k is not within 0 to n.
    """
    if not 0 <= k <= n:
        raise ValueError(f"k must be from 0 to n, but got k={k}, n={n}")
    if n == 0:
        return 0.0, 1.0
    share, z2 = k / n, _Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z_95 / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # Exact at the ends, where rounding would leave 1e-17.
    return (0.0 if k == 0 else centre - half), (1.0 if k == n else centre + half)


def score(
    labels: ArrayLike,
    probabilities: ArrayLike,
    class_names: Sequence[str],
    images: str = "test images",
) -> Scores:
    """Score predicted probabilities against the true classes.

    Balanced accuracy and macro F1 are means over the classes that have test images: a class without
    any has no recall, and counting it as 0 would punish the split, not the model. Such a class
    keeps its row, with n = 0.

    Args:
        labels: True class numbers, shape (n,), from 0.
        probabilities: Shape (n, classes), rows sum to 1.
        class_names: In the order of the class numbers.
        images: What messages call the images.

    Returns:
        All scores. Log loss clips probabilities at 1e-7 and uses the natural logarithm.

    Raises:
        ValueError: If shapes or class numbers do not fit together, or there is no image.
        ScoreError: If a value is NaN or infinite, as after a training that diverged, or the rows
            are no probabilities.
    """
    # Importing it takes two seconds, and reading stored scores does not need it.
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    truth, predicted = np.asarray(labels), np.asarray(probabilities, dtype=np.float64)
    n, n_classes = len(truth), len(class_names)
    _check_shapes(truth, predicted, n_classes)
    predicted = checked_probabilities(predicted, n_classes, images)
    classes = np.arange(n_classes)
    chosen = predicted.argmax(axis=1)
    confusion = confusion_matrix(truth, chosen, labels=classes)
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, chosen, labels=classes, zero_division=0
    )
    present = support > 0
    n_right = int(confusion.trace())
    low, high = wilson_interval(n_right, n)
    calibration_error, calibration = reliability(truth, predicted)
    return Scores(
        n=n,
        accuracy=n_right / n,
        accuracy_low=low,
        accuracy_high=high,
        balanced_accuracy=float(recall[present].mean()),
        macro_f1=float(f1[present].mean()),
        log_loss=log_loss(truth, predicted),
        per_class=tuple(
            ClassScores(
                name=name,
                n=int(support[i]),
                precision=float(precision[i]),
                recall=float(recall[i]),
                f1=float(f1[i]),
            )
            for i, name in enumerate(class_names)
        ),
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        calibration_error=calibration_error,
        calibration=calibration,
    )


def _check_shapes(truth: NDArray[Any], predicted: NDArray[np.float64], n_classes: int) -> None:
    """Refuse labels and probabilities that do not fit together, or the number of classes."""
    n = len(truth)
    if truth.ndim != 1 or n == 0:
        raise ValueError(f"labels must have shape (n,) with n > 0, but got {truth.shape}")
    if predicted.shape != (n, n_classes):
        raise ValueError(
            f"probabilities must have shape {(n, n_classes)}, but got {predicted.shape}"
        )
    if truth.min() < 0 or truth.max() >= n_classes:
        raise ValueError(
            f"labels must be from 0 to {n_classes - 1}, but got {truth.min()} to {truth.max()}"
        )
