"""Two levels of noise, Holm's correction and McNemar's test, against SciPy and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.multitest import multipletests

from tuner.metrics.significance import TwoLevel, holm, mcnemar, two_level


def answers(
    n: int, k_a: int, k_b: int, seed: int = 0, accuracy: tuple[float, float] = (0.7, 0.6)
) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.random((k_a, n)) < accuracy[0], generator.random((k_b, n)) < accuracy[1]


def same_answers(k: int, n: int, accuracy: float) -> np.ndarray:
    """Seeds that all get the same number of images right, each other ones."""
    return np.array([np.roll(np.arange(n) < accuracy * n, 7 * seed) for seed in range(k)])


def test_without_seed_noise_it_is_the_t_test_of_the_images() -> None:
    a, b = same_answers(3, 100, 0.7), same_answers(2, 100, 0.6)
    found = two_level(a, b)
    per_image = a.mean(axis=0) - b.mean(axis=0)
    reference = stats.ttest_1samp(per_image, 0.0)
    assert found.seed_sd == pytest.approx(0, abs=1e-12)
    assert found.p_value == pytest.approx(reference.pvalue, abs=1e-6)
    assert found.degrees_of_freedom == pytest.approx(99, abs=1e-6)
    ends = reference.confidence_interval(0.95)
    assert (found.low, found.high) == (
        pytest.approx(ends.low, abs=1e-6),
        pytest.approx(ends.high, abs=1e-6),
    )


def test_seeds_without_image_noise_give_the_test_of_welch() -> None:
    """With very many images only the seeds' noise is left: SciPy's Welch test agrees."""
    n, a, b = 1_000_000, (0.70, 0.74, 0.71), (0.66, 0.60)
    right_a, right_b = (
        np.array([np.arange(n) < share * n for share in shares]) for shares in (a, b)
    )
    found = two_level(right_a, right_b)
    reference = stats.ttest_ind(a, b, equal_var=False)
    assert found.image_sd < 0.01 * found.seed_sd
    assert found.p_value == pytest.approx(reference.pvalue, rel=1e-3)
    assert found.degrees_of_freedom == pytest.approx(reference.df, rel=1e-3)


@pytest.mark.parametrize(("k_a", "k_b"), [(2, 2), (3, 3), (5, 2)])
def test_three_parts_are_put_together_as_welch_and_satterthwaite_say(k_a: int, k_b: int) -> None:
    """SciPy has no test of three means: the sum is written out, each term from SciPy."""
    a, b = answers(400, k_a, k_b)
    found = two_level(a, b)
    parts = [
        (stats.sem(a.mean(axis=0) - b.mean(axis=0)) ** 2, 399),
        (stats.sem(a.mean(axis=1)) ** 2, k_a - 1),
        (stats.sem(b.mean(axis=1)) ** 2, k_b - 1),
    ]
    variance = sum(part for part, _ in parts)
    freedom = variance**2 / sum(part**2 / df for part, df in parts)
    difference = a.mean() - b.mean()
    low, high = stats.t.interval(0.95, freedom, loc=difference, scale=variance**0.5)
    assert found.difference == pytest.approx(difference, abs=1e-12)
    assert found.degrees_of_freedom == pytest.approx(freedom, rel=1e-6)
    assert (float(found.low), float(found.high)) == pytest.approx((low, high), abs=1e-6)
    assert found.p_value == pytest.approx(
        2 * stats.t.sf(abs(difference) / variance**0.5, freedom), abs=1e-6
    )
    assert found.image_sd == pytest.approx(parts[0][0] ** 0.5, abs=1e-9)
    assert found.seed_sd == pytest.approx((parts[1][0] + parts[2][0]) ** 0.5, abs=1e-9)


def test_exchanging_the_models_turns_the_sign_and_nothing_else() -> None:
    a, b = answers(60, 3, 2)
    there, back = two_level(a, b), two_level(b, a)
    assert (there.difference, there.low, there.high) == (-back.difference, -back.high, -back.low)
    assert there.p_value == back.p_value


def test_many_comparisons_at_once_give_what_each_gives_alone() -> None:
    pairs = [answers(50, 3, 2, seed) for seed in range(4)]
    together = two_level(np.stack([a for a, _ in pairs]), np.stack([b for _, b in pairs]))
    for number, (a, b) in enumerate(pairs):
        alone = two_level(a, b)
        assert (together.low[number], together.p_value[number]) == (alone.low, alone.p_value)


@pytest.mark.parametrize(("k_a", "k_b"), [(1, 3), (3, 1), (1, 1)])
def test_one_seed_leaves_the_images_interval_and_no_p_value(k_a: int, k_b: int) -> None:
    a, b = answers(200, k_a, k_b)
    found = two_level(a, b)
    ends = stats.ttest_1samp(a.mean(axis=0) - b.mean(axis=0), 0.0).confidence_interval(0.95)
    assert (found.p_value, found.seed_sd, found.degrees_of_freedom) == (None, None, None)
    assert (float(found.low), float(found.high)) == pytest.approx((ends.low, ends.high), abs=1e-6)


def is_finite(found: TwoLevel) -> bool:
    return bool(
        np.isfinite([found.difference, found.low, found.high, found.image_sd, found.p_value]).all()
    )


@pytest.mark.parametrize("n", [1, 2, 43])
@pytest.mark.parametrize("is_right", [True, False])
def test_models_that_agree_on_all_images_are_no_different_and_not_known_beyond_doubt(
    n: int, is_right: bool
) -> None:
    same = np.full((3, n), is_right)
    found = two_level(same, same)
    assert is_finite(found)
    assert (found.difference, found.p_value) == (0, 1)
    assert found.low < -1 / n < 1 / n < found.high or n == 1
    assert -1 <= found.low <= found.high <= 1


@pytest.mark.parametrize(
    ("n", "is_clear"), [(1, False), (2, False), (4, False), (5, False), (6, True), (43, True)]
)
def test_few_images_that_all_say_the_same_prove_no_more_than_a_sign_test(
    n: int, is_clear: bool
) -> None:
    found = two_level(np.ones((3, n), dtype=bool), np.zeros((3, n), dtype=bool))
    assert is_finite(found)
    assert found.difference == 1
    assert (found.p_value < 0.05) == is_clear == (stats.binomtest(n, n).pvalue < 0.05)


def test_holm_of_a_worked_example() -> None:
    """4 x 0.005, 3 x 0.01, 2 x 0.03; then 0.04, which may not fall below the one before."""
    np.testing.assert_allclose(
        holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02], atol=1e-12
    )


@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_holm_equals_statsmodels(n: int) -> None:
    p = np.random.default_rng(n).random((5, n)) ** 3
    expected = [multipletests(row, method="holm")[1] if n else row for row in p]
    np.testing.assert_allclose(holm(p), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("a", "b"), [(0, 0), (1, 0), (0, 6), (5, 5), (12, 25), (25, 12), (300, 380)]
)
def test_mcnemar_equals_statsmodels_and_scipy(a: int, b: int) -> None:
    found = mcnemar(a, b)
    assert found == pytest.approx(reference_mcnemar([[9, a], [b, 9]], exact=True).pvalue, abs=1e-9)
    if a + b:
        assert found == pytest.approx(stats.binomtest(a, a + b).pvalue, abs=1e-9)
