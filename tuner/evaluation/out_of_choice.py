"""What a choice is worth on images that had no part in it.

A choice made on the validation images flatters itself there. Each fifth of them is therefore
predicted by what the other four fifths choose (cross-validation of the choice; Varma and Simon, BMC
Bioinformatics 7, 2006, show what it is without).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from tuner.evaluation.validation_images import Validation
from tuner.metrics.one_standard_error import standard_error

_N_PARTS = 5
_N_RESAMPLES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfChoice:
    """Scores of predictions, each chosen without the image that it is of.

    Attributes:
        scores: One for each training that the choice is made for.
        standard_error: Of their mean, the noise of the images included.
        n_images: Validation images that they rest on, each counted once.
    """

    scores: tuple[float, ...]
    standard_error: float
    n_images: int


def parts(n: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Which of n images choose and which are then predicted, (n,) each, for each part in turn."""
    numbers = np.random.default_rng(0).permutation(n) % _N_PARTS
    for number in range(min(_N_PARTS, n)):
        predicted = numbers == number
        # One image alone has no others.
        yield (predicted if predicted.all() else ~predicted), predicted


def out_of_choice(
    validation: Validation,
    rows: Sequence[np.ndarray],
    labels: Sequence[np.ndarray],
    found: Sequence[np.ndarray],
) -> OutOfChoice:
    """Score predictions that were made part by part.

    Args:
        validation: Says what a score is.
        rows: Numbers of the images, (n,) for each training.
        labels: Their class numbers, likewise.
        found: Class probabilities (n, classes), likewise.
    """
    pairs = list(zip(labels, found, strict=True))
    scores = [validation.score(truth, one) for truth, one in pairs]
    n_images, is_share = len(np.unique(np.concatenate(rows))), validation.measure == "accuracy"
    error = standard_error(scores, n_images, is_share=is_share)
    if not is_share:
        noise = [_noise(truth, one, validation.score) for truth, one in pairs]
        error = sqrt(error**2 + float(np.mean(np.square(noise))))
    return OutOfChoice(scores=tuple(scores), standard_error=error, n_images=n_images)


def _noise(
    labels: np.ndarray, found: np.ndarray, score: Callable[[np.ndarray, np.ndarray], float]
) -> float:
    """Standard deviation of a score over images drawn with replacement within each class."""
    generator = np.random.default_rng(0)
    of_class = [np.flatnonzero(labels == number) for number in np.unique(labels)]
    scores = []
    for _ in range(_N_RESAMPLES):
        drawn = np.concatenate([generator.choice(rows, len(rows)) for rows in of_class])
        scores.append(score(labels[drawn], found[drawn]))
    return float(np.std(scores, ddof=1))
