"""Scores on resampled test images, against brute force and SciPy."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from tuner.metrics.bootstrap import percentile_interval, reflected_interval, resample
from tuner.metrics.calibration import reliability
from tuner.metrics.classification import score

NAMES = ("a", "b", "c")


def predictions(labels: np.ndarray, seed: int, n_classes: int = 3) -> np.ndarray:
    generator = np.random.default_rng(seed)
    powers = np.exp(
        generator.normal(size=(len(labels), n_classes)) + 1.2 * np.eye(n_classes)[labels]
    )
    return powers / powers.sum(axis=1, keepdims=True)


def test_every_resample_has_the_score_and_the_frequency_that_brute_force_gives() -> None:
    """Two images of one class and three of another: 2^2 x 3^3 resamples, all equally likely."""
    labels = np.array([0, 2, 0, 2, 2])
    probabilities = predictions(labels, seed=4)
    pairs = product(product([0, 2], repeat=2), product([1, 3, 4], repeat=3))
    drawn = [list(first + second) for first, second in pairs]
    exact = [score(labels[rows], probabilities[rows], NAMES) for rows in drawn]
    (found,) = resample(labels, [[probabilities]], seed=0, n_resamples=20_000)
    for name in ("macro_f1", "calibration_error"):
        values, counts = np.unique(
            np.round([getattr(one, name) for one in exact], 9), return_counts=True
        )
        seen, times = np.unique(np.round(getattr(found, name), 9), return_counts=True)
        np.testing.assert_allclose(seen, values, atol=1e-8)
        np.testing.assert_allclose(times / 20_000, counts / len(drawn), atol=0.015)


def test_one_image_per_class_leaves_nothing_to_resample_and_gives_the_scores_themselves() -> None:
    labels = np.array([2, 0, 1])
    trainings = [predictions(labels, seed) for seed in range(3)]
    scores = [score(labels, one, NAMES) for one in trainings]
    (found,) = resample(labels, [trainings], seed=0, n_resamples=3)
    np.testing.assert_allclose(
        found.macro_f1, np.mean([one.macro_f1 for one in scores]), atol=1e-12
    )
    np.testing.assert_allclose(
        found.calibration_error, np.mean([one.calibration_error for one in scores]), atol=1e-12
    )


def test_interval_is_about_that_of_scipy_where_there_is_one_class_to_draw_from() -> None:
    labels = np.zeros(150, dtype=int)
    probabilities = predictions(labels, seed=1)

    def error(rows: np.ndarray) -> float:
        return reliability(labels[rows], probabilities[rows])[0]

    reference = stats.bootstrap(
        (np.arange(150),),
        error,
        n_resamples=1000,
        method="percentile",
        vectorized=False,
        rng=np.random.default_rng(0),
    ).confidence_interval
    (found,) = resample(labels, [[probabilities]], seed=0)
    interval = percentile_interval(error(np.arange(150)), found.calibration_error)
    assert (interval.low, interval.high) == pytest.approx((reference.low, reference.high), abs=0.01)


def test_all_models_are_scored_on_the_same_draws() -> None:
    labels = np.arange(60) % 3
    one, other = predictions(labels, 1), predictions(labels, 2)
    first, second, third = resample(labels, [[one], [other, one], [one]], seed=5, n_resamples=50)
    np.testing.assert_array_equal(first.macro_f1, third.macro_f1)
    np.testing.assert_array_equal(first.calibration_error, third.calibration_error)
    assert np.any(first.macro_f1 != second.macro_f1)


def test_number_of_seeds_may_differ_and_the_mean_over_them_counts() -> None:
    labels = np.arange(60) % 3
    one, other = predictions(labels, 1), predictions(labels, 2)
    both, first, second = resample(labels, [[one, other], [one], [other]], seed=5, n_resamples=50)
    np.testing.assert_allclose(both.macro_f1, (first.macro_f1 + second.macro_f1) / 2, atol=1e-12)


def test_same_seed_gives_the_same_draws_and_another_seed_others() -> None:
    labels = np.arange(40) % 3
    probabilities = [[predictions(labels, 1)]]
    draws = [
        resample(labels, probabilities, seed, n_resamples=20)[0].macro_f1 for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert np.any(draws[0] != draws[2])


def test_draws_do_not_depend_on_how_many_are_held_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    labels = np.arange(40) % 3
    probabilities = [[predictions(labels, 1)]]
    at_once = resample(labels, probabilities, 1, n_resamples=30)[0].macro_f1
    monkeypatch.setattr("tuner.metrics.bootstrap._MAX_HELD", 40 * 7)
    np.testing.assert_allclose(
        resample(labels, probabilities, 1, n_resamples=30)[0].macro_f1, at_once, atol=1e-12
    )


def test_percentiles_leave_two_and_a_half_per_cent_on_either_side() -> None:
    interval = percentile_interval(0.3, np.arange(1001) / 1000)
    assert (interval.value, interval.low, interval.high) == (
        0.3,
        pytest.approx(0.025),
        pytest.approx(0.975),
    )


def test_reflection_takes_off_what_resampling_has_added() -> None:
    draws = 0.10 + 0.02 * np.arange(1001) / 1000
    interval = reflected_interval(0.11, draws, least=0.0)
    assert (interval.low, interval.high) == (
        pytest.approx(0.22 - 0.1195),
        pytest.approx(0.22 - 0.1005),
    )


def test_reflection_is_held_at_its_bound_and_stretched_to_the_score() -> None:
    draws = 0.10 + 0.08 * np.arange(1001) / 1000
    interval = reflected_interval(0.06, draws, least=0.0)
    assert (interval.low, interval.value, interval.high) == (0.0, 0.06, 0.06)
