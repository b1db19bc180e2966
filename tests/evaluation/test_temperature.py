"""A temperature: fitted on validation images, then measured on the test images."""

from __future__ import annotations

import numpy as np

from tuner.evaluation.temperature import FittedTemperature, fitted_temperature
from tuner.metrics.calibration import fit_temperature, log_loss, reliability, tempered


def test_it_is_fitted_on_what_it_is_given() -> None:
    generator = np.random.default_rng(1)
    labels = generator.integers(0, 3, 100)
    found = generator.dirichlet([1, 1, 1], 100)
    fitted = fitted_temperature(labels, found)
    assert (fitted.value, fitted.n) == (fit_temperature(labels, found), 100)
    assert fitted.validation_log_loss == (
        log_loss(labels, found),
        log_loss(labels, tempered(found, fitted.value)),
    )


def test_on_test_images_it_says_what_became_better_and_what_worse() -> None:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 200)
    logits = 6 * generator.normal(size=(200, 3)) + 3 * np.eye(3)[labels]
    found = tempered(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), 1.0)
    value = fit_temperature(labels, found)
    temperature = FittedTemperature(value=value, n=200, validation_log_loss=(2.0, 1.0)).on_test(
        labels, found
    )
    assert (temperature.value, temperature.n, temperature.validation_log_loss) == (
        value,
        200,
        (2.0, 1.0),
    )
    assert temperature.value > 1
    error, bins = reliability(labels, tempered(found, value))
    assert temperature.test_calibration_error == (reliability(labels, found)[0], error)
    assert temperature.test_calibration_error[1] < temperature.test_calibration_error[0]
    assert temperature.test_log_loss == (
        log_loss(labels, found),
        log_loss(labels, tempered(found, value)),
    )
    assert temperature.calibration == bins
