"""Where the test accuracy of a retraining may lie, from those that a run has seen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import sqrt
from statistics import fmean, stdev

from scipy.stats import norm, t

from tuner.metrics.significance import CONFIDENCE
from tuner.records.expected_score import ExpectedScore

_UPPER = (1 + CONFIDENCE) / 2
_NORMAL_QUANTILE = float(norm.ppf(_UPPER))


@cache
def _t_quantile(n_seeds: int) -> float:
    # Kept, since SciPy takes half a millisecond for it.
    return float(t.ppf(_UPPER, n_seeds - 1))


def expected_score(accuracies: Sequence[float], n_images: int) -> ExpectedScore:
    """What one more training is expected to score.

    Args:
        accuracies: One per retraining, at least one.
        n_images: Test images.
    """
    mean, n_seeds = fmean(accuracies), len(accuracies)
    seed_sd = stdev(accuracies) if n_seeds > 1 else None
    low, high = _interval(mean, n_images, n_seeds, seed_sd)
    return ExpectedScore(
        accuracy=mean, low=low, high=high, n_images=n_images, n_seeds=n_seeds, seed_sd=seed_sd
    )


def interval_of_mean(
    expected: ExpectedScore, n_seeds: int, n_other_images: int = 0
) -> tuple[float, float]:
    """The interval that holds the mean accuracy of new trainings in at least 95 % of cases.

    After one seed that is so for the noise of the test images alone.

    Args:
        expected: What the recipe's run has seen.
        n_seeds: New trainings that are averaged.
        n_other_images: Test images of other data; 0 for those of the recipe.
    """
    return _interval(
        expected.accuracy,
        expected.n_images,
        expected.n_seeds,
        expected.seed_sd,
        n_new_seeds=n_seeds,
        n_other_images=n_other_images,
    )


def _interval(
    mean: float,
    n_images: int,
    n_seeds: int,
    seed_sd: float | None,
    *,
    n_new_seeds: int = 1,
    n_other_images: int = 0,
) -> tuple[float, float]:
    """A prediction interval with two half-widths, of images and of seeds, added in quadrature.

    The proportion is taken two hits and two misses nearer to a half (Agresti and Coull, The
    American Statistician 52, 1998). The seeds' half-width is that of the mean of new normal values
    after `n_seeds` were seen, with Student's t. Test images that are the same ones again add no
    noise of their own; theirs is added all the same, since seeds that are equal by chance would
    leave an interval of no width. So it holds more than 95 % of the scores there. Degrees of
    freedom of the sum (Satterthwaite) would make a narrower interval, which holds too few scores
    where two or three seeds were near one another by chance.
    """
    share = (mean * n_images + 2) / (n_images + 4)
    per_image = 1 / (n_images + 4) + (1 / n_other_images if n_other_images else 0.0)
    of_images = _NORMAL_QUANTILE**2 * share * (1 - share) * per_image
    of_seeds = 0.0
    if seed_sd is not None:
        of_seeds = _t_quantile(n_seeds) ** 2 * seed_sd**2 * (1 / n_seeds + 1 / n_new_seeds)
    half = sqrt(of_images + of_seeds)
    return max(0.0, mean - half), min(1.0, mean + half)
