"""Scores on one test set."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import balanced_accuracy_score, f1_score, log_loss
from statsmodels.stats.proportion import proportion_confint

from tuner.metrics.classification import score, wilson_interval
from tuner.metrics.probabilities import ScoreError

NAMES = ("angry", "happy", "sad")


def predictions(n: int = 200, n_classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, n_classes, n)
    logits = generator.normal(size=(n, n_classes)) + 1.5 * np.eye(n_classes)[labels]
    exponents = np.exp(logits)
    return labels, exponents / exponents.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("k", "n"), [(0, 10), (10, 10), (7, 10), (468, 600), (1, 3589)])
def test_wilson_interval_equals_scipy_and_statsmodels(k: int, n: int) -> None:
    reference = binomtest(k, n).proportion_ci(method="wilson")
    assert wilson_interval(k, n) == pytest.approx((reference.low, reference.high), abs=1e-12)
    assert wilson_interval(k, n) == pytest.approx(
        proportion_confint(k, n, method="wilson"), abs=1e-9
    )


def test_wilson_interval_takes_the_fractional_successes_of_a_mean_over_seeds() -> None:
    low, high = wilson_interval(7.5, 10)
    assert wilson_interval(7, 10)[0] < low < wilson_interval(8, 10)[0]
    assert high < 1


def test_wilson_interval_of_nothing_is_everything() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_wilson_interval_refuses_more_successes_than_attempts() -> None:
    with pytest.raises(ValueError, match="k must be from 0 to n, but got k=11, n=10"):
        wilson_interval(11, 10)


def test_scores_equal_scikit_learn() -> None:
    labels, probabilities = predictions()
    scores = score(labels, probabilities, NAMES)
    chosen = probabilities.argmax(axis=1)
    assert scores.n == 200
    assert scores.accuracy == pytest.approx((labels == chosen).mean())
    assert scores.balanced_accuracy == pytest.approx(balanced_accuracy_score(labels, chosen))
    assert scores.macro_f1 == pytest.approx(f1_score(labels, chosen, average="macro"))
    assert scores.log_loss == pytest.approx(log_loss(labels, probabilities))
    assert scores.accuracy_low < scores.accuracy < scores.accuracy_high


def test_confusion_rows_are_true_classes_and_sum_to_their_images() -> None:
    labels, probabilities = predictions()
    scores = score(labels, probabilities, NAMES)
    assert (
        [sum(row) for row in scores.confusion]
        == np.bincount(labels).tolist()
        == [c.n for c in scores.per_class]
    )
    assert sum(scores.confusion[i][i] for i in range(3)) / scores.n == pytest.approx(
        scores.accuracy
    )


def test_a_class_without_test_images_keeps_its_row_and_leaves_the_means_alone() -> None:
    probabilities = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.2, 0.1, 0.7]])
    scores = score([0, 1, 1], probabilities, NAMES)
    assert scores.per_class[2].n == 0
    assert scores.balanced_accuracy == pytest.approx((1.0 + 0.5) / 2)
    assert scores.macro_f1 == pytest.approx((1.0 + 2 / 3) / 2)


def test_a_probability_of_zero_gives_a_finite_log_loss() -> None:
    assert score([0, 1], [[0.0, 1.0], [0.0, 1.0]], ("a", "b")).log_loss == pytest.approx(
        -np.log(1e-7) / 2
    )


def test_duplicate_class_names_keep_their_own_rows() -> None:
    scores = score([0, 1], [[0.9, 0.1], [0.9, 0.1]], ("same", "same"))
    assert [(c.name, c.recall) for c in scores.per_class] == [("same", 1.0), ("same", 0.0)]


def test_probabilities_of_a_diverged_model_are_an_error_with_a_remedy() -> None:
    with pytest.raises(ScoreError) as caught:
        score([0, 1], [[np.nan, np.nan], [0.5, 0.5]], ("a", "b"))
    assert caught.value.message == "the model's probabilities are not finite for 1 of 2 test images"
    assert caught.value.hint == "its training diverged: use a lower learning rate."


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([], np.zeros((0, 2)), r"labels must have shape \(n,\) with n > 0, but got \(0,\)"),
        ([0, 1], np.ones((2, 3)) / 3, r"probabilities must have shape \(2, 2\), but got \(2, 3\)"),
        ([0, 2], np.ones((2, 2)) / 2, "labels must be from 0 to 1, but got 0 to 2"),
    ],
)
def test_misfits_are_named(labels: list[int], probabilities: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        score(labels, probabilities, ("a", "b"))


@pytest.mark.parametrize(
    ("labels", "chosen", "only"),
    [([0, 1, 1], [1, 1, 1], "b"), ([0, 1, 1], [0, 1, 1], None), ([1, 1], [1, 1], None)],
)
def test_the_only_class_that_is_ever_named_is_known(
    labels: list[int], chosen: list[int], only: str | None
) -> None:
    assert score(labels, np.eye(2)[chosen], ["a", "b"]).only_class == only
