"""Temperature scaling: fitted on validation images, then measured on the test images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuner.metrics.calibration import fit_temperature, log_loss, reliability, tempered
from tuner.records.scores import Temperature


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedTemperature:
    """A temperature, before the test set is opened.

    Attributes:
        value: What logits are divided by.
        n: Validation images that it was fitted on.
        validation_log_loss: Before and after.
    """

    value: float
    n: int
    validation_log_loss: tuple[float, float]

    def on_test(self, labels: np.ndarray, found: np.ndarray) -> Temperature:
        """What it does to the test images.

        Args:
            labels: Class numbers, (n,).
            found: Probabilities of the same model, (n, classes).
        """
        after = tempered(found, self.value)
        error, calibration = reliability(labels, after)
        return Temperature(
            value=self.value,
            n=self.n,
            validation_log_loss=self.validation_log_loss,
            test_calibration_error=(reliability(labels, found)[0], error),
            test_log_loss=(log_loss(labels, found), log_loss(labels, after)),
            calibration=calibration,
        )


def fitted_temperature(labels: np.ndarray, found: np.ndarray) -> FittedTemperature:
    """Fit a temperature on validation images.

    Args:
        labels: Class numbers, (n,).
        found: Probabilities of one model, (n, classes).
    """
    value = fit_temperature(labels, found)
    return FittedTemperature(
        value=value,
        n=len(labels),
        validation_log_loss=(log_loss(labels, found), log_loss(labels, tempered(found, value))),
    )
