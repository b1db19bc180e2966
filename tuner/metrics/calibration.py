"""How far a model's confidence may be believed, and one number that mends it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

from tuner.records.scores import CalibrationBin

N_BINS = 15

# The least and the most that a fit may say; beyond lies nothing but a model that is never, or always, right.
_TEMPERATURES = (0.05, 20.0)
# Of the smallest probability, so that a zero has a logarithm; that of float32, in which models compute.
_TINY = 1e-7


def reliability(labels: ArrayLike, probabilities: ArrayLike) -> tuple[float, tuple[CalibrationBin, ...]]:
    """Expected calibration error and reliability diagram, over 15 ranges of equal width (Guo et al., ICML 2017).

    Args:
        labels: True class numbers, (n,) with n > 0.
        probabilities: (n, classes), rows sum to 1.

    Returns:
        The error, and the ranges that hold images, in order.
    """
    truth, predicted = np.asarray(labels), np.asarray(probabilities, dtype=np.float64)
    confidence, right = predicted.max(axis=1), predicted.argmax(axis=1) == truth
    place = bin_numbers(confidence)
    bins = []
    for number in np.unique(place):
        inside = place == number
        bins.append(
            CalibrationBin(
                low=float(number / N_BINS),
                high=float((number + 1) / N_BINS),
                n=int(inside.sum()),
                confidence=float(confidence[inside].mean()),
                accuracy=float(right[inside].mean()),
            )
        )
    error = sum(one.n * abs(one.accuracy - one.confidence) for one in bins) / len(truth)
    return float(error), tuple(bins)


def bin_numbers(confidence: NDArray[np.float64]) -> NDArray[np.int64]:
    """The range, from 0, in which each confidence lies; each range includes its upper end."""
    numbers: NDArray[np.int64] = np.clip(np.ceil(confidence * N_BINS) - 1, 0, N_BINS - 1).astype(np.int64)
    return numbers


def tempered(probabilities: ArrayLike, temperature: float) -> NDArray[np.float64]:
    """Probabilities of the same logits divided by a temperature.

    Args:
        probabilities: (n, classes), rows sum to 1.
        temperature: Above 0.
    """
    logits = np.log(np.clip(np.asarray(probabilities, dtype=np.float64), _TINY, 1.0)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return found


def fit_temperature(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """The temperature with the smallest log loss on these images, within 0.05 to 20; 1 where none makes it smaller.

    Labels count as a little uncertain, as if each class had been seen once more than it was (after Platt, Advances in
    Large Margin Classifiers, 1999): else a model without a mistake on these images would be taken to make none at all.

    Args:
        labels: True class numbers, (n,) with n > 0.
        probabilities: (n, classes), rows sum to 1.
    """
    truth, predicted = np.asarray(labels), np.asarray(probabilities, dtype=np.float64)
    n, n_classes = predicted.shape
    target = np.full(predicted.shape, 1 / (n + n_classes))
    target[np.arange(n), truth] = (n + 1) / (n + n_classes)

    def cost(log_temperature: float) -> float:
        likelihood = np.log(np.maximum(tempered(predicted, float(np.exp(log_temperature))), _TINY))
        return float(-(target * likelihood).sum(axis=1).mean())

    found = minimize_scalar(cost, bounds=tuple(np.log(_TEMPERATURES)), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x)) if found.fun < cost(0.0) else 1.0


def log_loss(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean negative log-likelihood, natural logarithm; probabilities are clipped at 1e-7.

    Args:
        labels: True class numbers, (n,) with n > 0.
        probabilities: (n, classes).
    """
    truth, predicted = np.asarray(labels), np.asarray(probabilities, dtype=np.float64)
    return float(-np.log(np.clip(predicted[np.arange(len(truth)), truth], _TINY, 1.0)).mean())
