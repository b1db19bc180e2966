"""Temperature scaling: fitted on validation images, then measured on the test images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuner.backend.active import predictor
from tuner.data.splits.fold import fold_of_seed
from tuner.evaluation.validation_images import Validation
from tuner.metrics.calibration import fit_temperature, log_loss, reliability, tempered
from tuner.metrics.probabilities import checked_probabilities
from tuner.records.contender import Contender, Trained
from tuner.records.scores import Temperature
from tuner.training.batch_predict import predict
from tuner.training.compiled import probabilities
from tuner.training.finished import finished_model


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


def temperature_of(
    contender: Contender, kept: Trained, validation: Validation
) -> FittedTemperature:
    """Fit the temperature of a retraining on the validation images of its fold.

    Args:
        contender: What was trained.
        kept: The retraining.
        validation: The images.

    Raises:
        ScoreError: If its predictions are no finite probabilities.
    """
    fold = fold_of_seed(kept.seed, len(validation.rows))
    function = predictor(
        finished_model(contender.model, contender.values, validation.spec, kept.checkpoint)
    )
    outputs = probabilities(predict(function, validation.images, validation.rows[fold]))
    found = checked_probabilities(outputs, validation.spec.n_classes, "validation images")
    labels = validation.labels[fold]
    value = fit_temperature(labels, found)
    return FittedTemperature(
        value=value,
        n=len(labels),
        validation_log_loss=(log_loss(labels, found), log_loss(labels, tempered(found, value))),
    )
