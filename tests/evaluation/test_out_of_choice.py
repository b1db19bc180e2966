"""A choice is judged by images that had no part in it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.images import tiny_dataset
from tuner.evaluation.ensemble import select
from tuner.evaluation.out_of_choice import out_of_choice, parts
from tuner.evaluation.validation_images import Validation, validation_of
from tuner.metrics.one_standard_error import standard_error


def validation(objective: str = "val_accuracy") -> Validation:
    return validation_of(tiny_dataset(), objective)


@pytest.mark.parametrize("n", [2, 3, 5, 16, 101])
def test_every_image_is_predicted_once_by_choices_without_it(n: int) -> None:
    found = list(parts(n))
    assert len(found) == min(5, n)
    np.testing.assert_array_equal(sum(left.astype(int) for _, left in found), np.ones(n))
    for choosing, left in found:
        assert choosing.any()
        assert not (choosing & left).any()


def test_one_image_has_no_others() -> None:
    ((choosing, left),) = parts(1)
    assert choosing.tolist() == left.tolist() == [True]


def test_a_choice_among_guesses_is_worth_no_more_than_a_guess() -> None:
    """On the images that chose, the same choice looks far better than it is."""
    flattered, honest = [], []
    for seed in range(40):
        generator = np.random.default_rng(seed)
        labels = generator.integers(0, 2, 60)
        guesses = [np.eye(2)[generator.integers(0, 2, 60)] for _ in range(5)]

        def chosen(mask: np.ndarray, labels: np.ndarray = labels, guesses=guesses) -> np.ndarray:
            counts = select(
                [one[mask] for one in guesses],
                lambda mean: -float(np.mean(mean.argmax(axis=1) == labels[mask])),
            )
            return np.average(guesses, axis=0, weights=counts)

        found = np.zeros((60, 2))
        for choosing, left in parts(60):
            found[left] = chosen(choosing)[left]
        worth = out_of_choice(validation(), [np.arange(60)], [labels], [found])
        flattered.append(np.mean(chosen(labels >= 0).argmax(axis=1) == labels))
        honest.append(worth.scores[0])
    assert np.mean(flattered) > 0.55
    assert abs(np.mean(honest) - 0.5) < 0.03


def test_error_of_accuracy_is_that_of_all_other_models() -> None:
    labels = np.arange(16) % 2
    found = [np.eye(2)[np.where(np.arange(16) < n, labels, 1 - labels)] for n in (12, 14)]
    rows = [np.arange(16), np.arange(16)]
    worth = out_of_choice(validation(), rows, [labels, labels], found)
    assert worth.scores == (0.75, 0.875)
    assert worth.standard_error == standard_error((0.75, 0.875), 16, is_share=True)
    assert worth.n_images == 16
    others = out_of_choice(validation(), [rows[0], rows[1] + 16], [labels, labels], found)
    assert others.n_images == 32


def test_other_measures_have_the_noise_of_the_images_too() -> None:
    labels = np.arange(40) % 2
    found = np.eye(2)[np.where(np.arange(40) < 30, labels, 1 - labels)]
    worth = out_of_choice(validation("val_macro_f1"), [np.arange(40)], [labels], [found])
    # About that of a share of 40 images.
    assert worth.standard_error == pytest.approx((0.75 * 0.25 / 40) ** 0.5, rel=0.25)
