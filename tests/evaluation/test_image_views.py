"""Views of an image: what they show, and means over them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tuner.evaluation.image_views import ViewSet, averaged, seen, view_sets
from tuner.records.combination import View

IMAGE = np.arange(12, dtype=np.uint8).reshape(1, 3, 4, 1)


def shown(view: View) -> list[list[int]]:
    found: list[list[int]] = seen(IMAGE, view)[0, :, :, 0].tolist()
    return found


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (View(), [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]),
        (View(down=1), [[4, 5, 6, 7], [0, 1, 2, 3], [4, 5, 6, 7]]),
        (View(down=-1), [[4, 5, 6, 7], [8, 9, 10, 11], [4, 5, 6, 7]]),
        (View(right=1), [[1, 0, 1, 2], [5, 4, 5, 6], [9, 8, 9, 10]]),
        (View(right=-1), [[1, 2, 3, 2], [5, 6, 7, 6], [9, 10, 11, 10]]),
        (View(is_mirrored=True), [[3, 2, 1, 0], [7, 6, 5, 4], [11, 10, 9, 8]]),
        (View(right=1, is_mirrored=True), [[2, 1, 0, 1], [6, 5, 4, 5], [10, 9, 8, 9]]),
    ],
)
def test_a_view_is_shifted_then_mirrored_and_reflects_what_lies_outside(
    view: View, expected: list[list[int]]
) -> None:
    assert shown(view) == expected


@pytest.mark.parametrize(("may_mirror", "sizes"), [(True, [1, 2, 10]), (False, [1, 5])])
def test_each_set_holds_the_one_before_and_mirrors_only_where_it_may(
    may_mirror: bool, sizes: list[int]
) -> None:
    sets = view_sets(48, 48, may_mirror=may_mirror)
    assert [len(set(one.views)) for one in sets] == [len(one.views) for one in sets] == sizes
    for smaller, larger in pairwise(sets):
        assert set(smaller.views) < set(larger.views)
    assert any(view.is_mirrored for one in sets for view in one.views) is may_mirror


@pytest.mark.parametrize(("side", "pixels"), [(8, 1), (48, 2), (96, 4)])
def test_shifts_are_four_per_cent_of_the_side_and_a_pixel_at_least(side: int, pixels: int) -> None:
    largest = view_sets(side, 2 * side, may_mirror=False)[-1]
    assert {abs(view.down) for view in largest.views} == {0, pixels}
    assert {abs(view.right) for view in largest.views} == {0, max(1, round(0.04 * 2 * side))}


def test_means_are_over_the_views_of_a_set_and_each_view_is_predicted_once() -> None:
    calls = []

    def first_pixel(images: np.ndarray) -> np.ndarray:
        calls.append(len(images))
        return images[:, 0, 0] / 100

    images = np.concatenate([IMAGE, IMAGE + 10, IMAGE + 20])
    alone = ViewSet(title="", views=(View(),))
    both = ViewSet(title="", views=(View(), View(is_mirrored=True)))
    found = averaged(first_pixel, images, np.array([0, 2]), [alone, both])
    assert calls == [2, 2]
    # One sigmoid unit is the probability of the second class.
    np.testing.assert_allclose(found[:, :, 1], [[0.0, 0.2], [0.015, 0.215]])
    np.testing.assert_allclose(found.sum(axis=2), 1.0)


def test_the_image_alone_is_predicted_as_without_views() -> None:
    probabilities = np.random.default_rng(0).dirichlet([1, 1, 1], size=2)
    alone = view_sets(3, 4, may_mirror=True)[:1]
    (found,) = averaged(
        lambda images: probabilities, np.concatenate([IMAGE, IMAGE]), np.arange(2), alone
    )
    np.testing.assert_array_equal(found, probabilities)
