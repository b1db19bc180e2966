"""How macro F1 and calibration error would differ on other test images: a paired bootstrap.

All models are scored on the same resampled images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_matrix, vstack

from tuner.metrics.calibration import N_BINS, bin_numbers
from tuner.records.scores import Estimate

N_RESAMPLES = 2000
_PERCENTILES = (2.5, 97.5)

Floats = NDArray[np.float64]

# Weights, and sums, that are held at a time, 4 MB: more would not fit into a processor's cache.
_MAX_HELD = 500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampled:
    """Scores of one model on resampled test images, each a mean over its seeds.

    Attributes:
        macro_f1: (resamples,).
        calibration_error: (resamples,).
    """

    macro_f1: Floats
    calibration_error: Floats


def resample(
    labels: ArrayLike,
    predicted: Sequence[Sequence[ArrayLike]],
    seed: int,
    n_resamples: int = N_RESAMPLES,
) -> list[Resampled]:
    """Score models on test images drawn with replacement, the same draws for all of them.

    Images are drawn within each true class, so the classes keep their sizes (Efron and Tibshirani,
    1993, chapter 8). The scores are those of `classification.score`.

    Args:
        labels: True class numbers, (n,) with n > 0.
        predicted: For each model, for each of its seeds, the class probabilities (n, classes).
        seed: Of the draws.
        n_resamples: Draws.

    Returns:
        One per model.
    """
    truth = np.asarray(labels)
    trainings = [np.asarray(one) for model in predicted for one in model]
    n_classes = trainings[0].shape[1]
    sizes = np.bincount(truth, minlength=n_classes)[:, None]
    table = vstack([_summands(truth, one) for one in trainings], format="csc")
    step, parts = max(1, _MAX_HELD // max(table.shape)), []
    for weights in _weights(truth, seed, n_resamples, step):
        sums = (table @ weights).reshape(len(trainings), 2 * n_classes + N_BINS, -1)
        chosen, hits, gaps = np.split(sums, [n_classes, 2 * n_classes], axis=1)
        f1 = (2 * hits / np.maximum(sizes + chosen, 1))[:, sizes[:, 0] > 0].mean(axis=1)
        parts.append((f1, np.abs(gaps).sum(axis=1) / len(truth)))
    f1, error = (np.concatenate(part, axis=1) for part in zip(*parts, strict=True))
    ends = np.cumsum([len(model) for model in predicted])[:-1]
    return [
        Resampled(macro_f1=of_f1.mean(axis=0), calibration_error=of_error.mean(axis=0))
        for of_f1, of_error in zip(np.split(f1, ends), np.split(error, ends), strict=True)
    ]


def percentile_interval(value: float, draws: Floats) -> Estimate:
    """A score with the middle 95 % of its resampled values.

    Args:
        value: On the test images themselves.
        draws: On resampled ones, (resamples,).
    """
    low, high = np.percentile(draws, _PERCENTILES)
    return Estimate(value=value, low=float(low), high=float(high))


def reflected_interval(value: float, draws: Floats, least: float) -> Estimate:
    """A score with its "basic" bootstrap interval.

    The middle 95 % of its resampled values, reflected about the score.

    A calibration error is a sum of distances, which noise makes larger, and resampling adds noise:
    the resampled values lie above the score for the same reason for which the score lies above the
    truth (Davison and Hinkley, 1997, section 5.2). The interval is stretched where it would leave
    the score itself out.

    Args:
        value: On the test images themselves.
        draws: On resampled ones, (resamples,).
        least: What the score cannot be below.
    """
    low, high = np.percentile(draws, _PERCENTILES)
    return Estimate(
        value=value,
        low=max(min(2 * value - float(high), value), least),
        high=max(2 * value - float(low), value),
    )


def _summands(truth: NDArray[np.int64], predicted: NDArray[np.floating]) -> csc_matrix:
    """What each image adds to the sums that the scores are made of, (2 * classes + bins, images).

    The sums are, per class, images predicted as it and those of them that are of it, and, per range
    of confidence, right answers less confidence.
    """
    n, n_classes = predicted.shape
    chosen, confidence = predicted.argmax(axis=1), predicted.max(axis=1).astype(np.float64)
    right = chosen == truth
    rows = np.concatenate([chosen, n_classes + chosen, 2 * n_classes + bin_numbers(confidence)])
    values = np.concatenate([np.ones(n), right, right - confidence])
    return csc_matrix((values, (rows, np.tile(np.arange(n), 3))), shape=(2 * n_classes + N_BINS, n))


def _weights(truth: NDArray[np.int64], seed: int, n_resamples: int, step: int) -> Iterator[Floats]:
    """How often each image is drawn, (images, at most `step` of the resamples)."""
    n, generator = len(truth), np.random.default_rng(seed)
    by_class = np.argsort(truth, kind="stable")
    _, first, size = np.unique(truth[by_class], return_index=True, return_counts=True)
    start, choices = np.repeat(first, size), np.repeat(size, size)
    for done in range(0, n_resamples, step):
        rows = min(step, n_resamples - done)
        drawn = by_class[start + generator.integers(choices, size=(rows, n))]
        counts = np.bincount((drawn + n * np.arange(rows)[:, None]).ravel(), minlength=rows * n)
        yield np.ascontiguousarray(counts.reshape(rows, n).T, dtype=np.float64)
