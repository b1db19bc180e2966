"""Confident learning: what is flagged, in which order, and how many are estimated."""

from __future__ import annotations

import numpy as np
import pytest

from tuner.metrics.confident_learning import confident_classes, find_doubts


def noisy(
    n: int = 600, share: float = 0.1, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Given labels, probabilities that are mostly right, and which labels are wrong."""
    generator = np.random.default_rng(seed)
    truth = np.arange(n) % 3
    logits = generator.normal(size=(n, 3)) + 5 * np.eye(3)[truth]
    found = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    wrong = np.zeros(n, dtype=bool)
    wrong[generator.choice(n, round(share * n), replace=False)] = True
    return np.where(wrong, (truth + 1) % 3, truth), found, wrong


def test_wrong_labels_are_flagged_and_right_ones_are_not() -> None:
    labels, found, wrong = noisy()
    doubts = find_doubts(labels, found)
    assert (doubts.is_flagged & wrong).sum() >= 0.95 * wrong.sum()
    assert (doubts.is_flagged & ~wrong).sum() <= 0.02 * (~wrong).sum()
    flagged = doubts.is_flagged & wrong
    assert (doubts.suggested[flagged] == (labels[flagged] - 1) % 3).all()


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_the_estimate_is_near_the_share_that_is_wrong(share: float) -> None:
    labels, found, wrong = noisy(n=3000, share=share)
    assert find_doubts(labels, found).n_expected == pytest.approx(wrong.sum(), rel=0.15)


def test_order_has_the_flagged_first_and_the_lowest_margin_first_among_them() -> None:
    labels, found, _ = noisy()
    doubts = find_doubts(labels, found)
    assert sorted(doubts.order.tolist()) == list(range(len(labels)))
    assert doubts.is_flagged[doubts.order[: doubts.n_flagged]].all()
    for part in (doubts.order[: doubts.n_flagged], doubts.order[doubts.n_flagged :]):
        assert (np.diff(doubts.margins[part]) >= 0).all()


def test_margin_is_the_label_less_the_most_probable_other_class() -> None:
    doubts = find_doubts([0, 1], [[0.2, 0.7, 0.1], [0.1, 0.6, 0.3]])
    assert doubts.margins == pytest.approx([-0.5, 0.3])
    assert doubts.suggested.tolist() == [1, 2]


def test_a_class_that_models_are_unsure_of_has_a_lower_threshold() -> None:
    # Images of class 1 have 0.55 for it on average, those of class 0 have 0.9 for theirs.
    labels = np.array([0, 0, 0, 1, 1, 1])
    sure, unsure = [0.9, 0.1], [0.45, 0.55]
    found = np.array([sure, sure, sure, unsure, unsure, unsure])
    assert confident_classes(labels, found).tolist() == [0, 0, 0, 1, 1, 1]
    # An image with 0.6 counts as one of class 1, but one with 0.6 for class 0 as none.
    more = np.array([[0.4, 0.6], [0.6, 0.4]])
    classes = confident_classes(np.r_[labels, 1, 0], np.r_[found, more])
    assert classes[-2:].tolist() == [1, -1]


def test_an_image_whose_own_label_is_the_most_probable_is_not_flagged() -> None:
    labels = np.array([0] * 5 + [1] * 5)
    found = np.array([[0.99, 0.01]] * 4 + [[0.6, 0.4]] + [[0.7, 0.3]] * 5)
    doubts = find_doubts(labels, found)
    assert not doubts.is_flagged[4]


def test_rows_of_the_joint_sum_to_the_images_of_each_label() -> None:
    labels, found, _ = noisy()
    doubts = find_doubts(labels, found)
    assert doubts.joint.sum(axis=1) == pytest.approx(np.bincount(labels, minlength=3))


def test_a_class_without_images_is_suggested_for_none() -> None:
    labels = np.array([0, 0, 1, 1])
    found = np.array([[0.1, 0.1, 0.8], [0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1]])
    doubts = find_doubts(labels, found)
    assert not doubts.is_flagged.any()
    assert doubts.n_expected == 0
