"""Calibration error, reliability diagram and temperature."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import log_softmax, softmax
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss as reference_log_loss

from tuner.metrics.calibration import bin_numbers, fit_temperature, log_loss, reliability, tempered


def overconfident(
    n: int = 3000, factor: float = 2.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels drawn from the softmax of logits, and logits that are `factor` times as large."""
    generator = np.random.default_rng(seed)
    logits = 1.5 * generator.normal(size=(n, 4))
    labels = (logits + generator.gumbel(size=logits.shape)).argmax(axis=1)
    return labels, factor * logits, softmax(factor * logits, axis=1)


def test_calibration_error_of_an_example_worked_by_hand() -> None:
    """Two at 0.9, one of them right; two at 0.6, both right: (2 x 0.4 + 2 x 0.4) / 4 = 0.4."""
    probabilities = [[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.6, 0.4]]
    error, bins = reliability([0, 1, 1, 0], probabilities)
    assert error == pytest.approx(0.4, abs=1e-12)
    assert [(one.n, one.confidence, one.accuracy) for one in bins] == [
        (2, pytest.approx(0.6), 1.0),
        (2, pytest.approx(0.9), 0.5),
    ]
    assert [(round(15 * one.low), round(15 * one.high)) for one in bins] == [(8, 9), (13, 14)]


def test_a_range_holds_its_upper_end_and_the_first_holds_zero() -> None:
    assert bin_numbers(np.array([0.0, 1 / 15, 0.07, 0.2, 0.6, 14 / 15, 1.0])).tolist() == [
        0,
        0,
        1,
        2,
        8,
        13,
        14,
    ]


def test_two_classes_give_the_ranges_of_scikit_learn() -> None:
    generator = np.random.default_rng(3)
    confidence = 0.5 + 0.5 * generator.random(500)
    labels = (generator.random(500) > confidence).astype(int)
    error, bins = reliability(labels, np.column_stack([confidence, 1 - confidence]))
    accuracy, mean_confidence = calibration_curve(labels == 0, confidence, n_bins=15)
    np.testing.assert_allclose([one.accuracy for one in bins], accuracy, atol=1e-12)
    np.testing.assert_allclose([one.confidence for one in bins], mean_confidence, atol=1e-12)
    counts = np.array([one.n for one in bins])
    assert error == pytest.approx(
        (counts * np.abs(accuracy - mean_confidence)).sum() / 500, abs=1e-12
    )


def test_sure_and_right_is_calibrated_and_sure_and_wrong_is_not() -> None:
    assert reliability([0, 1], np.eye(2))[0] == 0
    assert reliability([1, 0], np.eye(2))[0] == 1


def test_log_loss_equals_scikit_learn() -> None:
    labels, _, probabilities = overconfident(200)
    assert log_loss(labels, probabilities) == pytest.approx(
        reference_log_loss(labels, probabilities), abs=1e-6
    )


def test_tempered_probabilities_are_those_of_the_divided_logits() -> None:
    _, logits, probabilities = overconfident(50, factor=1.0)
    np.testing.assert_allclose(
        tempered(probabilities, 2.5), softmax(logits / 2.5, axis=1), atol=1e-6
    )


def test_temperature_is_where_an_independent_derivative_of_the_log_loss_is_zero() -> None:
    """With b = 1/T the derivative is the mean of the expected less the true logit.

    Source: Guo et al., 2017, appendix.
    """
    labels, logits, probabilities = overconfident()

    def slope(b: float) -> float:
        expected = (softmax(b * logits, axis=1) * logits).sum(axis=1)
        # The labels as uncertain as they count.
        doubt = 1 / (len(labels) + 2)
        target = np.where(np.eye(4)[labels] == 1, 1 - doubt, doubt / 3)
        return float((expected - (target * logits).sum(axis=1)).mean())

    assert fit_temperature(labels, probabilities) == pytest.approx(
        1 / brentq(slope, 0.05, 20), abs=1e-4
    )


def test_temperature_finds_what_made_a_model_too_confident_and_lowers_its_log_loss() -> None:
    labels, logits, probabilities = overconfident(factor=2.0)
    found = fit_temperature(labels, probabilities)
    assert found == pytest.approx(2.0, rel=0.1)
    after = tempered(probabilities, found)
    assert log_loss(labels, after) < log_loss(labels, probabilities)
    assert reliability(labels, after)[0] < reliability(labels, probabilities)[0] / 2
    best = -log_softmax(logits / 2.0, axis=1)[np.arange(len(labels)), labels].mean()
    assert log_loss(labels, after) <= best + 1e-4


def test_temperature_that_changes_nothing_is_one() -> None:
    assert fit_temperature([0, 1, 0], np.full((3, 2), 0.5)) == 1.0


def test_temperature_of_a_model_without_a_mistake_leaves_room_for_one() -> None:
    """20 images, all right: the next one is right with a probability of about 21 / 22."""
    labels = np.arange(20) % 2
    probabilities = np.where(np.eye(2)[labels] == 1, 0.7, 0.3)
    after = tempered(probabilities, fit_temperature(labels, probabilities))
    assert after.max() == pytest.approx(21 / 22, abs=1e-3)


def test_temperature_of_a_model_that_is_never_right_ends_at_its_bound() -> None:
    assert fit_temperature([1, 0], [[0.7, 0.3], [0.3, 0.7]]) == pytest.approx(20.0, rel=1e-3)


@pytest.mark.parametrize(("n", "n_classes"), [(60, 7), (500, 100), (500, 1000)])
def test_temperature_leaves_a_calibrated_model_about_as_it_is(n: int, n_classes: int) -> None:
    generator = np.random.default_rng(1)
    logits = 3.0 * generator.normal(size=(2 * n, n_classes))
    labels = (logits + generator.gumbel(size=logits.shape)).argmax(axis=1)
    found = fit_temperature(labels[:n], softmax(logits[:n], axis=1))
    assert found == pytest.approx(1.0, abs=0.2)
    before, after = softmax(logits[n:], axis=1), tempered(softmax(logits[n:], axis=1), found)
    assert reliability(labels[n:], after)[0] < reliability(labels[n:], before)[0] + 0.05
