"""How far a model's confidence may be believed, and one number that mends it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from tuner.records.scores import CalibrationBin

Floats = NDArray[np.float64]

N_BINS = 15

# The least and the most that a fit may say; beyond lies nothing but a model that is never, or
# always, right.
_TEMPERATURES = (0.05, 20.0)
# The smallest probability that log loss takes; that of a confident mistake would be endless.
_TINY = 1e-7


def reliability(
    labels: ArrayLike, probabilities: ArrayLike
) -> tuple[float, tuple[CalibrationBin, ...]]:
    """Expected calibration error and reliability diagram, over 15 ranges of equal width.

    Source: Guo et al., ICML 2017.

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
    numbers: NDArray[np.int64] = np.clip(np.ceil(confidence * N_BINS) - 1, 0, N_BINS - 1).astype(
        np.int64
    )
    return numbers


def tempered(probabilities: ArrayLike, temperature: float) -> Floats:
    """Probabilities of the same logits divided by a temperature.

    Args:
        probabilities: (n, classes), rows sum to 1.
        temperature: Above 0.
    """
    return np.exp(_log_softmax(_logits(probabilities) / temperature))


def fit_temperature(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """The temperature that fits these images best, within 0.05 to 20.

    It is 1 where no temperature lowers their log loss.

    A label counts as right with probability (n + 1) / (n + 2), the rest shared out among the other
    classes (after Platt, Advances in Large Margin Classifiers, 1999): else a model without a
    mistake on these images would be taken to make none at all.

    Args:
        labels: True class numbers, (n,) with n > 0.
        probabilities: (n, classes), rows sum to 1.
    """
    # Importing it takes half a second, and reading stored scores does not need it.
    from scipy.optimize import minimize_scalar

    truth, logits = np.asarray(labels), _logits(probabilities)
    n, n_classes = logits.shape
    doubt = 1 / (n + 2) / (n_classes - 1)
    # What the cross-entropy with these targets needs of each row, whatever the temperature.
    expected = (1 - n_classes * doubt) * logits[np.arange(n), truth] + doubt * logits.sum(axis=1)

    def cost(log_temperature: float) -> float:
        beta = float(np.exp(-log_temperature))
        return float((logsumexp(beta * logits, axis=1) - beta * expected).mean())

    found = minimize_scalar(
        cost, bounds=tuple(np.log(_TEMPERATURES)), method="bounded", options={"xatol": 1e-6}
    )
    temperature = float(np.exp(found.x))
    return (
        temperature
        if log_loss(truth, tempered(probabilities, temperature)) < log_loss(truth, probabilities)
        else 1.0
    )


def _logits(probabilities: ArrayLike) -> Floats:
    """Logits up to a constant per row; a probability of zero gets the smallest that float32 has."""
    return np.log(
        np.maximum(np.asarray(probabilities, dtype=np.float64), np.finfo(np.float32).tiny)
    )


def _log_softmax(logits: Floats) -> Floats:
    found: Floats = logits - logsumexp(logits, axis=1, keepdims=True)
    return found


def log_loss(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean negative log-likelihood, natural logarithm; probabilities are clipped at 1e-7.

    Args:
        labels: True class numbers, (n,) with n > 0.
        probabilities: (n, classes).
    """
    truth, predicted = np.asarray(labels), np.asarray(probabilities, dtype=np.float64)
    return float(-np.log(np.clip(predicted[np.arange(len(truth)), truth], _TINY, 1.0)).mean())
