"""Where the score of a retraining is expected."""

from __future__ import annotations

import numpy as np
import pytest

from tuner.metrics.expected_score import expected_score, interval_of_mean


@pytest.mark.parametrize(("n_seeds", "n_new"), [(2, 1), (3, 1), (3, 3), (5, 1)])
@pytest.mark.parametrize("seed_sd", [0.0, 0.01, 0.03])
def test_interval_holds_the_score_of_another_training(
    n_seeds: int, n_new: int, seed_sd: float
) -> None:
    """Seeds of the given spread around 0.9, each seen through 1,000 images."""
    rng = np.random.default_rng(0)

    def scores(n: int) -> list[float]:
        accuracy = np.clip(rng.normal(0.9, seed_sd, size=n), 0, 1)
        return list(rng.binomial(1_000, accuracy) / 1_000)

    n_held = 0
    for _ in range(1_500):
        low, high = interval_of_mean(expected_score(scores(n_seeds), 1_000), n_new)
        n_held += low <= np.mean(scores(n_new)) <= high
    assert n_held / 1_500 >= 0.94


@pytest.mark.parametrize(
    ("n_seeds", "n_new", "at_most"), [(2, 1, 5.0), (3, 1, 2.5), (3, 3, 2.5), (5, 1, 2.0)]
)
@pytest.mark.parametrize("seed_sd", [0.0, 0.01, 0.03])
def test_interval_is_no_wider_than_the_seeds_are_worth(
    n_seeds: int, n_new: int, at_most: float, seed_sd: float
) -> None:
    """Its mean width, in widths of an interval for which the deviation of a score is known."""
    rng = np.random.default_rng(0)
    widths = []
    for _ in range(500):
        accuracy = np.clip(rng.normal(0.9, seed_sd, size=n_seeds), 0, 1)
        seen = expected_score(list(rng.binomial(1_000, accuracy) / 1_000), 1_000)
        low, high = interval_of_mean(seen, n_new)
        widths.append(high - low)
    of_one = seed_sd**2 + 0.9 * 0.1 / 1_000
    known = 2 * 1.96 * (of_one * (1 / n_seeds + 1 / n_new)) ** 0.5
    assert known < np.mean(widths) < at_most * known


def test_interval_holds_more_where_the_same_images_test_again() -> None:
    """Most images are easy for every training, and the noise of images is added all the same."""
    rng = np.random.default_rng(0)
    n_held = 0
    for _ in range(500):
        hit = np.where(rng.random(300) < 0.75, 1.0, rng.beta(1.5, 1.0, size=300))
        scores = (rng.random((4, 300)) < hit).mean(axis=1)
        low, high = interval_of_mean(expected_score(list(scores[:3]), 300), 1)
        n_held += low <= scores[3] <= high
    assert n_held / 500 > 0.98


def test_images_alone_would_not_hold_it() -> None:
    """After one seed the noise of training is left out, which `train` says."""
    rng = np.random.default_rng(0)
    held = []
    for _ in range(1_500):
        then, now = rng.normal(0.9, 0.03, size=2)
        low, high = interval_of_mean(expected_score([then], 1_000), 1)
        held.append(low <= now <= high)
    assert np.mean(held) < 0.8


def test_equal_seeds_leave_the_noise_of_the_images() -> None:
    expected = expected_score([1.0, 1.0], 36)
    assert expected.seed_sd == 0.0
    assert 0.8 < expected.low < 35 / 36
    assert expected.high == 1.0


def test_more_seeds_narrow_the_interval_and_other_images_widen_it() -> None:
    expected = expected_score([0.90, 0.92, 0.94], 500)

    def width(n_seeds: int, n_other: int = 0) -> float:
        low, high = interval_of_mean(expected, n_seeds, n_other)
        return high - low

    assert (expected.low, expected.high) == interval_of_mean(expected, 1)
    assert width(3) < width(1) < width(1, 10_000) < width(1, 50)


def test_one_seed_has_no_spread() -> None:
    assert expected_score([0.9], 100).seed_sd is None
