"""Scores of one trained model on some images."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its 95 % interval.

    Attributes:
        value: The number.
        low: Lower end of the interval.
        high: Upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationBin:
    """A bar of a reliability diagram: images whose confidence lies in one range.

    The confidence is the predicted class' probability.

    Attributes:
        low: Lower end of the range, left out of it but for 0.
        high: Upper end, included.
        n: Images.
        confidence: Their mean confidence.
        accuracy: Share of them whose class was found.
    """

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScores:
    """Scores of one class.

    Attributes:
        name: The class.
        n: Its test images.
        precision: Share of those predicted as this class that are of it; 0 where none was
            predicted.
        recall: Share of its images that were found.
        f1: Harmonic mean of the two.
    """

    name: str
    n: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Scores of one trained model on the test set.

    Attributes:
        n: Test images.
        accuracy: Share of images whose class was found.
        accuracy_low: Lower end of the 95 % Wilson interval.
        accuracy_high: Upper end.
        balanced_accuracy: Mean recall over the classes.
        macro_f1: Mean F1 over the classes.
        log_loss: Mean negative log-likelihood, natural logarithm.
        per_class: In the order of the class numbers.
        confusion: `confusion[i][j]`: images of class i that were predicted as class j.
        calibration_error: Expected calibration error: mean distance of confidence and accuracy over
            `calibration`, weighted by images (Naeini, Cooper and Hauskrecht, AAAI 2015).
        calibration: Ranges of confidence that hold images, in order.
    """

    n: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    balanced_accuracy: float
    macro_f1: float
    log_loss: float
    per_class: tuple[ClassScores, ...]
    confusion: tuple[tuple[int, ...], ...]
    calibration_error: float
    calibration: tuple[CalibrationBin, ...]

    @property
    def only_class(self) -> str | None:
        """The one class predicted for all images.

        None if several were predicted, or if all images are of one class.
        """
        named = [i for i in range(len(self.per_class)) if any(row[i] for row in self.confusion)]
        n_true = sum(one.n > 0 for one in self.per_class)
        return self.per_class[named[0]].name if len(named) == 1 and n_true > 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Temperature:
    """Temperature scaling: logits are divided by one number.

    See Guo, Pleiss, Sun and Weinberger, ICML 2017.

    Attributes:
        value: The number; above 1 makes the model less confident.
        n: Validation images that it was fitted on.
        validation_log_loss: Before and after.
        test_calibration_error: Before and after, of the kept model.
        test_log_loss: Before and after.
        calibration: The reliability diagram after; that before is the model's own.
    """

    value: float
    n: int
    validation_log_loss: tuple[float, float]
    test_calibration_error: tuple[float, float]
    test_log_loss: tuple[float, float]
    calibration: tuple[CalibrationBin, ...]
