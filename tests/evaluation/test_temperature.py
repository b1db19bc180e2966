"""The winner's temperature: fitted on validation images alone, then measured on the test images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.test_evaluate import CONTENDER, train
from tests.images import tiny_dataset
from tuner.evaluation.temperature import FittedTemperature, temperature_of
from tuner.evaluation.validation_images import validation_of
from tuner.metrics.calibration import fit_temperature, log_loss, reliability, tempered


def test_it_is_that_of_the_validation_images_and_of_no_others(tmp_path: Path) -> None:
    dataset = tiny_dataset()
    (kept,) = train(dataset, tmp_path, 1)
    found = temperature_of(CONTENDER, kept, validation_of(dataset, "val_accuracy"))
    assert found.n == 16
    before, after = found.validation_log_loss
    epoch = next(e for e in kept.result.epochs if e.epoch == kept.result.best_epoch)
    assert before == pytest.approx(epoch.metrics["val_loss"], abs=1e-5)
    assert after != before
    labels = dataset.images.labels.copy()
    labels[dataset.split.test] = 1 - labels[dataset.split.test]
    permuted = replace(dataset, images=replace(dataset.images, labels=labels))
    assert temperature_of(CONTENDER, kept, validation_of(permuted, "val_accuracy")) == found


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
