"""Whether a difference in accuracy is more than noise of the test images and the seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom, norm, t

Floats = NDArray[np.float64]

CONFIDENCE = 0.95

# With one training of a model its seeds' noise is not known, and a bound stands in for it. The
# largest standard deviation of 17 of this project's comparisons on at least 100 test images,
# trained well or hardly at all, was 4.5 points (docs/verdict.md). Where neither model has several
# trainings, the bound is 10 points, a little over twice that. Where one has, it is twice that
# model's own on the very same images, but never less than the 4.5 points, since two or three seeds
# may agree by chance.
LARGEST_SEED_SD = 0.045
PLAUSIBLE_SEED_SD = 0.1
# As the bound is no estimate, more than the usual 1 in 20 is asked for.
FAR_LEVEL = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoLevel:
    """A difference of mean accuracies with two levels of noise.

    Each array has the shape of the inputs' leading axes.

    Attributes:
        difference: Mean accuracy of the first model minus that of the second.
        low: Lower end of the 95 % interval.
        high: Upper end.
        image_sd: Standard error that the choice of images gives.
        seed_sd: Standard error that the seeds give; None with one seed of either model.
        degrees_of_freedom: Of the t distribution; None with one seed of either.
        p_value: Two-sided; None with one seed of either.
    """

    difference: Floats
    low: Floats
    high: Floats
    image_sd: Floats
    seed_sd: Floats | None
    degrees_of_freedom: Floats | None
    p_value: Floats | None


def two_level(right_a: ArrayLike, right_b: ArrayLike) -> TwoLevel:
    """Compare two models that were each trained with several seeds and predicted the same images.

    The variance of the difference is that of its mean over the images plus that of each model's
    mean over its seeds; Student's t has the degrees of freedom of Welch (Biometrika 34, 1947) and
    Satterthwaite (Biometrics 2, 1946). With one seed of either model the seeds' noise cannot be
    estimated: the interval is that of the images alone.

    Args:
        right_a: Whether the first model, by seed, got each image right: bool, (..., seeds, n) with
            n > 0.
        right_b: The same of the second; it may have another number of seeds.
    """
    a, b = np.asarray(right_a, dtype=np.bool_), np.asarray(right_b, dtype=np.bool_)
    n, k_a, k_b = a.shape[-1], a.shape[-2], b.shape[-2]
    per_image = a.mean(axis=-2) - b.mean(axis=-2)
    difference = per_image.mean(axis=-1)
    of_images = _image_variance(per_image, difference)
    if min(k_a, k_b) == 1:
        low, high = _t_interval(difference, of_images, max(n - 1, 1))
        return TwoLevel(
            difference=difference,
            low=low,
            high=high,
            image_sd=np.sqrt(of_images),
            seed_sd=None,
            degrees_of_freedom=None,
            p_value=None,
        )
    of_a, of_b = (right.mean(axis=-1).var(axis=-1, ddof=1) / k for right, k in ((a, k_a), (b, k_b)))
    variance = of_images + of_a + of_b
    freedom = variance**2 / (
        of_images**2 / max(n - 1, 1) + of_a**2 / (k_a - 1) + of_b**2 / (k_b - 1)
    )
    low, high = _t_interval(difference, variance, freedom)
    return TwoLevel(
        difference=difference,
        low=low,
        high=high,
        image_sd=np.sqrt(of_images),
        seed_sd=np.sqrt(of_a + of_b),
        degrees_of_freedom=freedom,
        p_value=2 * t.sf(np.abs(difference) / np.sqrt(variance), freedom),
    )


def plausible_seed_sd(right_a: ArrayLike, right_b: ArrayLike) -> Floats:
    """The standard deviation over seeds to allow for where a model has one training only.

    Args:
        right_a: As of `two_level`.
        right_b: Likewise.

    Returns:
        Of the accuracies of one model's trainings, (...).
    """
    found = [np.asarray(right, dtype=np.bool_).mean(axis=-1) for right in (right_a, right_b)]
    measured = [one.std(axis=-1, ddof=1) for one in found if one.shape[-1] > 1]
    if not measured:
        return np.full(found[0].shape[:-1], PLAUSIBLE_SEED_SD)
    bound: Floats = np.maximum(LARGEST_SEED_SD, 2 * np.max(measured, axis=0))
    return bound


def far_beyond_seeds(
    difference: ArrayLike, image_sd: ArrayLike, n_seeds: tuple[int, int], seed_sd: ArrayLike
) -> Floats:
    """The two-sided p value of a difference, were seeds as lucky as they plausibly can be.

    Args:
        difference: Of the accuracies, (...).
        image_sd: Standard error that the choice of test images gives it, likewise.
        n_seeds: Trainings of the two models.
        seed_sd: From `plausible_seed_sd`.
    """
    seeds = sum(np.square(seed_sd) / n for n in n_seeds)
    p: Floats = 2 * norm.sf(np.abs(difference) / np.sqrt(np.square(image_sd) + seeds))
    return p


def holm(p_values: ArrayLike) -> Floats:
    """P values corrected for their number, step-down (Holm, Scand. J. Statist. 6, 1979).

    Args:
        p_values: (..., comparisons).

    Returns:
        The same shape and order: the smallest level at which each comparison is still rejected
            among all.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, axis=-1)
    factors = np.arange(p.shape[-1], 0, -1)
    steps = np.maximum.accumulate(np.take_along_axis(p, order, axis=-1) * factors, axis=-1)
    adjusted: Floats = np.minimum(
        np.take_along_axis(steps, np.argsort(order, axis=-1), axis=-1), 1.0
    )
    return adjusted


def mcnemar(n_only_a: ArrayLike, n_only_b: ArrayLike) -> Floats:
    """Exact two-sided McNemar test: whether a coin would split the discordant images so.

    Source: McNemar, Psychometrika 12, 1947.

    Args:
        n_only_a: Images that only the first model got right.
        n_only_b: Images that only the second one got right, of the same shape.

    Returns:
        The p value; 1 without any such image.
    """
    a, b = np.asarray(n_only_a), np.asarray(n_only_b)
    p: Floats = np.minimum(2 * binom.cdf(np.minimum(a, b), a + b, 0.5), 1.0)
    return p


def _image_variance(per_image: Floats, difference: Floats) -> Floats:
    """Variance of the mean of (..., n) differences over images.

    It is never less than if all images but one agreed, and one more said the opposite: else a
    handful of images that agree by chance, or two models without a mistake, would leave no doubt at
    all.
    """
    n = per_image.shape[-1]
    spread = ((per_image - difference[..., None]) ** 2).sum(axis=-1) / max(n - 1, 1)
    least = (1 + np.abs(difference)) ** 2 / (n + 1)
    variance: Floats = np.maximum(spread, least) / n
    return variance


def _t_interval(difference: Floats, variance: Floats, freedom: ArrayLike) -> tuple[Floats, Floats]:
    half = t.ppf((1 + CONFIDENCE) / 2, freedom) * np.sqrt(variance)
    return np.maximum(difference - half, -1.0), np.minimum(difference + half, 1.0)
