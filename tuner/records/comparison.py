"""What the test images say of the difference between two models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tuner.records.scores import Estimate

Verdict = Literal["better", "no clear difference", "worse", "inconclusive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The winner minus another model, on the same test images.

    Attributes:
        opponent: The other one's `ModelResult.name`.
        n: Test images.
        n_seeds: Retrainings of the winner, and of the other one.
        accuracy: Difference of the mean accuracies over the seeds, with the interval of a test with
            two levels of noise: test images and seeds. With one seed of either, the interval leaves
            the seeds' noise out.
        image_sd: Standard error that the choice of test images gives the difference.
        seed_sd: Standard error that the seeds give it; None with one seed of either.
        degrees_of_freedom: Of the t distribution, after Welch and Satterthwaite; None with one seed
            of either.
        p_value: Two-sided; None with one seed of either.
        p_adjusted: Corrected for the number of comparisons of the verdict (Holm, 1979); None where
            there is no p value, or the verdict does not speak of the model.
        verdict: What may be said of the winner; of a model that the verdict does not speak of, what
            could be said.
        reason: Why the verdict is not a stronger one, in words, or with one training of a model why
            it can be one at all; empty for a tested `better` and `worse`.
        macro_f1: Difference of the means, with the interval of a paired, stratified bootstrap over
            the test images.
        calibration_error: The same for the expected calibration error; negative is better.
        n_only_winner: Test images that only the winner's kept model got right.
        n_only_opponent: Those that only the other one's got right.
        mcnemar_p: Exact McNemar test of these two counts; it knows of no noise between seeds.
    """

    opponent: str
    n: int
    n_seeds: tuple[int, int]
    accuracy: Estimate
    image_sd: float
    seed_sd: float | None
    degrees_of_freedom: float | None
    p_value: float | None
    p_adjusted: float | None
    verdict: Verdict
    reason: str
    macro_f1: Estimate
    calibration_error: Estimate
    n_only_winner: int
    n_only_opponent: int
    mcnemar_p: float
